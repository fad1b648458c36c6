/** The rows of one table that a round knows. A changed row is a new value; what was changed or added is kept apart for saving. */
export class Rows<Row> {
  readonly #keyOf: (row: Row) => string
  readonly #ownerOf: (row: Row) => string
  readonly #rows = new Map<string, Row>()
  readonly #owned = new Map<string, Set<string>>()
  readonly #loaded = new Set<string>()
  readonly #changed = new Set<string>()

  constructor(loaded: readonly Row[], keyOf: (row: Row) => string, ownerOf: (row: Row) => string = keyOf) {
    this.#keyOf = keyOf
    this.#ownerOf = ownerOf
    for (const row of loaded) this.#loaded.add(this.#set(row))
  }

  #set(row: Row): string {
    const key = this.#keyOf(row)
    const owner = this.#ownerOf(row)
    this.#rows.set(key, row)
    this.#owned.set(owner, (this.#owned.get(owner) ?? new Set()).add(key))
    return key
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key)
  }

  put(row: Row) {
    this.#changed.add(this.#set(row))
  }

  of(owner: string): Row[] {
    return [...(this.#owned.get(owner) ?? [])].map((key) => this.#rows.get(key) as Row)
  }

  [Symbol.iterator](): Iterator<Row> {
    return this.#rows.values()
  }

  /** Rows that were there and are different now. */
  get changed(): Row[] {
    return [...this.#changed].filter((key) => this.#loaded.has(key)).map((key) => this.#rows.get(key) as Row)
  }

  /** Rows that were not there. */
  get added(): Row[] {
    return [...this.#changed].filter((key) => !this.#loaded.has(key)).map((key) => this.#rows.get(key) as Row)
  }
}
