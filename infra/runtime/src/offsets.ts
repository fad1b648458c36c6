import { pause } from './failures.ts'
import type { Position } from './kafka/subscription.ts'

/**
 * Tells Kafka how far everything is answered: after the round's answers are acknowledged, never before, so that
 * "committed up to the end" means "everything answered". Lost commits are harmless: the database knows better.
 */
export class OffsetTeller {
  readonly #commit: (positions: readonly Position[]) => Promise<void>
  readonly #apartMilliseconds: number
  readonly #answered = new Map<string, Position>()
  #telling = false

  constructor(commit: (positions: readonly Position[]) => Promise<void>, apartMilliseconds: number) {
    this.#commit = commit
    this.#apartMilliseconds = apartMilliseconds
  }

  add(positions: readonly Position[]) {
    for (const position of positions) this.#answered.set(`${position.topic}/${position.lane}`, position)
    if (!this.#telling) void this.#tellSoon()
  }

  forget() {
    this.#answered.clear()
  }

  async tell() {
    const told = [...this.#answered]
    if (told.length === 0) return
    await this.#commit(told.map(([, position]) => position))
    for (const [key, position] of told) if (this.#answered.get(key) === position) this.#answered.delete(key)
  }

  async #tellSoon() {
    this.#telling = true
    while (this.#answered.size > 0) {
      await pause(this.#apartMilliseconds)
      await this.tell().catch(() => {}) // the group moved on: the next owner tells
    }
    this.#telling = false
  }
}
