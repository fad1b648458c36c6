import type { MemoryTable } from '@coding-plans/runtime/memory'

/** Something is as it must never be. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

/** What a table in memory holds. */
export type RowOf<Table> = Table extends MemoryTable<infer Row> ? Row : never

/** Which rows are other than when it looked last. A row in memory is a value: what is changed is another one. */
export class NewRows {
  readonly #known = new WeakSet<object>()

  of<Row extends object>(rows: Iterable<Row>): Row[] {
    const fresh: Row[] = []
    for (const row of rows) {
      if (this.#known.has(row)) continue
      this.#known.add(row)
      fresh.push(row)
    }
    return fresh
  }
}
