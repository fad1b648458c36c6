import type { Item } from './item.ts'
import type { LaneMove, OwnedLane } from './lanes.ts'

/** A piece of one partition that arrived: its records, and where the position stands after them (holes included). */
export interface Arrival {
  readonly topic: string
  readonly lane: number
  readonly items: readonly Item[]
  readonly nextOffset: number
  /** Somebody waits for what follows from it. */
  readonly urgent: boolean
}

export const MOST_MESSAGES_IN_A_ROUND = 1_000
/** So many are worth a round, whoever waits for them. */
export const WORTH_A_ROUND_AT_ONCE = 200
/** How long what nobody waits for may wait for company. */
const PATIENCE_MILLISECONDS = 50

/** What has arrived on all owned lanes, in order of arrival. */
export class ArrivalBuffer {
  #arrivals: Arrival[] = []
  #count = 0
  /** When the oldest of it came. */
  #since = 0

  get empty() {
    return this.#arrivals.length === 0
  }

  get count() {
    return this.#count
  }

  /** Whether a round is to take it at once. */
  get isDue() {
    return this.#count >= WORTH_A_ROUND_AT_ONCE || this.#arrivals.some(({ urgent }) => urgent)
  }

  /** When it is to be taken, in milliseconds of `performance.now()`; never if there is nothing. */
  get dueAt() {
    if (this.empty) return Number.POSITIVE_INFINITY
    return this.isDue ? this.#since : this.#since + PATIENCE_MILLISECONDS
  }

  holds(arrival: Arrival) {
    return this.#arrivals.includes(arrival)
  }

  add(arrival: Arrival) {
    if (this.empty) this.#since = performance.now()
    this.#arrivals.push(arrival)
    this.#count += arrival.items.length
  }

  drop(dropped: number) {
    this.#keep(this.#arrivals.filter(({ lane }) => lane !== dropped))
  }

  clear() {
    this.#keep([])
  }

  /** The next round's records, at least one arrival, and how the lanes move by it. */
  take(owned: ReadonlyMap<number, OwnedLane>): { items: Item[]; moves: LaneMove[] } {
    const taken: Arrival[] = []
    let count = 0
    for (const arrival of this.#arrivals) {
      if (taken.length > 0 && count + arrival.items.length > MOST_MESSAGES_IN_A_ROUND) break
      taken.push(arrival)
      count += arrival.items.length
    }
    this.#keep(this.#arrivals.slice(taken.length))
    const moves = new Map<
      number,
      { lane: number; epoch: number; expected: Record<string, number>; next: Record<string, number> }
    >()
    for (const { lane, topic, nextOffset } of taken) {
      const { epoch, positions } = owned.get(lane) as OwnedLane
      const move = moves.get(lane) ?? { lane, epoch, expected: {}, next: {} }
      moves.set(lane, move)
      move.expected[topic] = positions[topic] as number
      move.next[topic] = nextOffset
    }
    return { items: taken.flatMap(({ items }) => items), moves: [...moves.values()] }
  }

  #keep(arrivals: Arrival[]) {
    this.#arrivals = arrivals
    this.#count = arrivals.reduce((sum, { items }) => sum + items.length, 0)
  }
}
