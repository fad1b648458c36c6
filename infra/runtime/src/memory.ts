/** Says no to what the database would refuse; with its code, where what follows hangs on it. */
export class MemoryRefusal extends Error {
  override readonly name = 'MemoryRefusal'
  readonly code: '23505' | '23514'
  constructor(table: string, rule: string, code: MemoryRefusal['code']) {
    super(`${table} refuses a row: ${rule}.`)
    this.code = code
  }
}

/** What a table holds true of its rows, by name. */
export interface TableRules<Row> {
  /** Keys that one row at most may have, beside its own; null: this row has none. */
  readonly unique?: Readonly<Record<string, (row: Row) => string | null>>
  readonly check?: Readonly<Record<string, (row: Row) => boolean>>
}

/** Rows of one kind in a map: values, which are replaced and never changed. */
export class MemoryTable<Row extends object> {
  readonly #name: string
  readonly #keyOf: (row: Row) => string
  readonly #rules: TableRules<Row>
  readonly #undone: (undo: () => void) => void
  readonly #rows = new Map<string, Row>()
  readonly #taken = new Map<string, string>()

  constructor(
    name: string,
    keyOf: (row: Row) => string,
    rules: TableRules<Row>,
    undone: (undo: () => void) => void = () => {},
  ) {
    this.#name = name
    this.#keyOf = keyOf
    this.#rules = rules
    this.#undone = undone
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key)
  }

  /** In the order of their first writing. */
  [Symbol.iterator](): Iterator<Row> {
    return this.#rows.values()
  }

  get size() {
    return this.#rows.size
  }

  where(holds: (row: Row) => boolean): Row[] {
    return [...this.#rows.values()].filter(holds)
  }

  /** @throws MemoryRefusal where a row of that key is, unless it is to stay. */
  insert(rows: readonly Row[], { orNothing = false } = {}) {
    for (const row of rows) {
      if (!this.#rows.has(this.#keyOf(row))) this.#set(row)
      else if (!orNothing) throw new MemoryRefusal(this.#name, 'it has one of this key', '23505')
    }
  }

  upsert(rows: readonly Row[]) {
    for (const row of rows) this.#set({ ...this.#rows.get(this.#keyOf(row)), ...row })
  }

  /** Of rows that are there, what is given. */
  update(rows: readonly Partial<Row>[]) {
    for (const row of rows) {
      const known = this.#rows.get(this.#keyOf(row as Row))
      if (known) this.#set({ ...known, ...row })
    }
  }

  remove(holds: (row: Row) => boolean) {
    for (const row of this.where(holds)) this.#unset(row)
  }

  #set(row: Row) {
    const key = this.#keyOf(row)
    for (const [rule, holds] of Object.entries(this.#rules.check ?? {}))
      if (!holds(row)) throw new MemoryRefusal(this.#name, rule, '23514')
    const before = this.#rows.get(key)
    if (before) this.#free(before)
    for (const unique of this.#uniqueOf(row)) {
      const holder = this.#taken.get(unique)
      if (holder !== undefined && holder !== key) {
        if (before) this.#take(before, key)
        throw new MemoryRefusal(this.#name, `${unique} is taken`, '23505')
      }
    }
    this.#take(row, key)
    this.#rows.set(key, row)
    this.#undone(() => {
      this.#free(row)
      if (!before) this.#rows.delete(key)
      else {
        this.#rows.set(key, before)
        this.#take(before, key)
      }
    })
  }

  #unset(row: Row) {
    const key = this.#keyOf(row)
    this.#free(row)
    this.#rows.delete(key)
    this.#undone(() => {
      this.#rows.set(key, row)
      this.#take(row, key)
    })
  }

  #uniqueOf(row: Row): string[] {
    return Object.entries(this.#rules.unique ?? {}).flatMap(([rule, keyOf]) => {
      const key = keyOf(row)
      return key === null ? [] : [`${rule} ${key}`]
    })
  }

  #take(row: Row, key: string) {
    for (const unique of this.#uniqueOf(row)) this.#taken.set(unique, key)
  }

  #free(row: Row) {
    for (const unique of this.#uniqueOf(row)) this.#taken.delete(unique)
  }
}

/** Tables in memory, for stores without a database: one transaction after the other, and of one that fails nothing stays. */
export class MemoryDatabase {
  #undo: (() => void)[] = []
  #last: Promise<unknown> = Promise.resolve()

  table<Row extends object>(name: string, keyOf: (row: Row) => string, rules: TableRules<Row> = {}) {
    return new MemoryTable<Row>(name, keyOf, rules, (undo) => this.#undo.push(undo))
  }

  /** Never within another: it would wait for its own end. */
  transaction<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#last.then(async () => {
      this.#undo = []
      try {
        return await act()
      } catch (error) {
        for (const undo of this.#undo.splice(0).toReversed()) undo()
        throw error
      }
    })
    this.#last = result.catch(() => {})
    return result
  }
}
