import type { Instant } from '@coding-plans/schemas'
import { expire, expired, type Key } from './domain/key.ts'
import { fellLow, recount, type Stock } from './domain/stock.ts'

/** One plan's stock during a round, under its lock: counts and version are exact at every step. */
export class Shelf {
  readonly before: Stock
  readonly changed = new Map<string, Key>()
  #stock: Stock
  #changedAt: Instant | null = null
  /** Available, oldest upload first; as many as this round may take, and the ones that last longest. */
  #available: Key[]
  #retiredUntil = Number.NEGATIVE_INFINITY

  constructor(stock: Stock, available: readonly Key[]) {
    this.before = stock
    this.#stock = stock
    this.#available = available.toSorted((a, b) => a.sequence - b.sequence)
  }

  /** As the round leaves it. */
  get stock(): Stock {
    return { ...this.#stock, version: this.version }
  }

  /** Raised once by a round that changes the stock, so the first change knows it already. */
  get version() {
    return this.before.version + (this.changed.size > 0 ? 1 : 0)
  }
  get nextVersion() {
    return this.before.version + 1
  }

  get changedAt() {
    return this.#changedAt
  }

  get fellLow() {
    return fellLow(this.before, this.#stock)
  }

  /** When the last available key expires; null: one never does, or there is none. */
  get sellableUntil(): Instant | null {
    const ends = this.#available.map(({ expiresAt }) => expiresAt)
    if (ends.length === 0 || ends.includes(null)) return null
    return Math.max(...(ends as Instant[])) as Instant
  }

  /** Whether its row has to be written. */
  get touched() {
    return this.changed.size > 0 || this.#stock.lowStockThreshold !== this.before.lowStockThreshold
  }

  set lowStockThreshold(threshold: number) {
    this.#stock = { ...this.#stock, lowStockThreshold: threshold }
  }

  /** A key that was just uploaded, behind all others. */
  add(key: Omit<Key, 'sequence'>, at: Instant): Key {
    const sequence = this.#stock.uploaded + 1
    const added = { ...key, sequence }
    this.#stock = { ...this.#stock, uploaded: sequence, counts: recount(this.#stock.counts, null, key.state) }
    this.#available.push(added)
    this.#note(added, at)
    return added
  }

  /** The oldest key that can be sold now, or null; what has expired is retired on the way (SUB-7, INV-6). */
  take(now: Instant, at: Instant): Key | null {
    // Once for an instant, not for every key that is taken at it.
    if (now > this.#retiredUntil) {
      this.#retiredUntil = now
      const sellable = Map.groupBy(this.#available, (key) => !expired(key, now))
      for (const key of sellable.get(false) ?? []) this.change(key, expire(key), at)
      this.#available = sellable.get(true) ?? []
    }
    return this.#available.shift() ?? null
  }

  change(before: Key, after: Key, at: Instant) {
    this.#stock = { ...this.#stock, counts: recount(this.#stock.counts, before.state, after.state) }
    this.#note(after, at)
  }

  #note(key: Key, at: Instant) {
    this.changed.set(key.id, key)
    if (this.#changedAt === null || at > this.#changedAt) this.#changedAt = at
  }
}
