import type { MessageName } from '@coding-plans/schemas'
import { type Arrival, ArrivalBuffer } from './buffer.ts'
import type { Codec } from './codec.ts'
import { backOff, pause } from './failures.ts'
import { type Hearer, readBatch } from './intake.ts'
import type { Item } from './item.ts'
import type { Batch, Membership } from './kafka/subscription.ts'
import type { LaneMove, OwnedLane } from './lanes.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Ownership } from './ownership.ts'

export interface ArrivalsOptions {
  readonly codec: Codec
  readonly hearer: Hearer
  /** Messages that may wait for others. */
  readonly patient: ReadonlySet<MessageName> | undefined
  readonly topics: readonly string[]
  readonly ownership: Ownership
  readonly membership: () => Membership
  readonly metrics: Metrics
  readonly log: Logger
  /** Something has come, or is to be claimed. */
  readonly wake: () => void
}

const REFUSALS_BEFORE_A_NEW_CLAIM = 3
const HEARTBEAT_WHILE_WAITING_MILLISECONDS = 200

/** What the group's fetches bring, taken in only where a claimed lane expects it. */
export class Arrivals {
  readonly #options: ArrivalsOptions
  readonly #buffer = new ArrivalBuffer()
  readonly #refusals = new Map<string, number>()
  #taken = Promise.withResolvers<void>()
  #closed = false

  constructor(options: ArrivalsOptions) {
    this.#options = options
  }

  /** How many records wait for a round; skipped ones count too. */
  get waiting() {
    return this.#buffer.count
  }

  /** When a round is to take them, in milliseconds of `performance.now()`. */
  get dueAt() {
    return this.#buffer.dueAt
  }

  /** The next round's records, and how the lanes move by it. */
  take(): { items: Item[]; moves: LaneMove[] } {
    const taken = this.#buffer.take(this.#options.ownership.owned)
    this.#letOn()
    return taken
  }

  /** The group dealt anew: what has come is void. */
  clear() {
    this.#buffer.clear()
    this.#letOn()
  }

  /** Nothing more of this lane until it is claimed again. */
  rest(lane: number) {
    const { topics, membership } = this.#options
    this.#buffer.drop(lane)
    membership().hold(topics.map((topic) => ({ topic, lane })))
  }

  close() {
    this.#closed = true
    this.#letOn()
  }

  /**
   * @returns whether the batch was taken in. Waits until a round has taken it, so that there is one fetch per round; but
   * what may wait for others holds up nobody behind it.
   */
  async takeIn(batch: Batch, heartbeat: () => Promise<void>): Promise<boolean> {
    const { ownership, codec, hearer, metrics, wake } = this.#options
    const { topic, lane, nextOffset } = batch
    const owned = ownership.owned.get(lane)
    const expects = () =>
      owned !== undefined && ownership.owned.get(lane) === owned && owned.expected[topic] === batch.fetchedOffset
    if (!owned || !expects()) return this.#refuse(batch, owned)
    await this.#learnWriters(batch, heartbeat)
    if (!expects() || this.#closed) return false
    this.#refusals.delete(`${topic}/${lane}`)
    owned.expected[topic] = nextOffset
    const items = readBatch(codec, hearer, batch)
    const arrival: Arrival = { topic, lane, items, nextOffset, urgent: items.some((item) => this.#isUrgent(item)) }
    this.#buffer.add(arrival)
    metrics.lag(topic, lane, batch.highWatermark - nextOffset)
    wake()
    while (this.#buffer.isDue && this.#buffer.holds(arrival) && !this.#closed) {
      await Promise.race([this.#taken.promise, pause(HEARTBEAT_WHILE_WAITING_MILLISECONDS)])
      await heartbeat()
    }
    return true
  }

  /** What is not for this service only moves the position. */
  #isUrgent({ message, nonsense }: Item) {
    return nonsense !== undefined || (message !== null && !this.#options.patient?.has(message.name))
  }

  #letOn() {
    this.#taken.resolve()
    this.#taken = Promise.withResolvers<void>()
  }

  /** A first fetch may precede the seek; and the client may jump to an offset of its own choice. */
  #refuse({ topic, lane }: Batch, owned: OwnedLane | undefined): false {
    const expected = owned?.expected[topic]
    if (expected === undefined) return false
    const { membership, ownership, wake } = this.#options
    const key = `${topic}/${lane}`
    const count = (this.#refusals.get(key) ?? 0) + 1
    this.#refusals.set(key, count)
    if (count < REFUSALS_BEFORE_A_NEW_CLAIM) membership().seek([{ topic, lane, offset: expected }])
    else {
      // It keeps jumping: only a claim looks at what the broker still has.
      this.#refusals.delete(key)
      this.rest(lane)
      ownership.reclaim(lane)
      wake()
    }
    return false
  }

  async #learnWriters({ records }: Batch, heartbeat: () => Promise<void>) {
    for (let attempt = 0; !this.#closed; attempt += 1)
      try {
        for (const { value } of records) await this.#options.codec.prepare(value)
        return
      } catch (error) {
        this.#options.log.warn({ err: error }, 'The registry does not answer')
        await pause(backOff(attempt))
        await heartbeat()
      }
  }
}
