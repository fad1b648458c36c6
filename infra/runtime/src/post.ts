import type { Knex } from 'knex'
import { pause } from './failures.ts'
import { type KafkaPublisher, type Outgoing, takeSend } from './kafka/publisher.ts'
import { deletePublished, type Parcel } from './outbox.ts'

/** What was given at once. */
interface Delivery {
  readonly seqs: readonly number[]
  readonly messages: readonly Outgoing[]
  sent: number
  readonly acknowledged: () => void
}

const DELETE_WITHOUT_A_ROUND_AFTER_MILLISECONDS = 200

/**
 * What is committed goes out in order, one bounded send in flight, while the next rounds are already under way.
 * Published rows are deleted with the next round, or by themselves when none comes.
 */
export class Post {
  readonly #publisher: KafkaPublisher
  readonly #knex: Knex
  readonly #stop = new AbortController()
  #deliveries: Delivery[] = []
  #published: number[] = []
  #sending = false
  #oldestWaitingSince: number | null = null
  #sweep: NodeJS.Timeout | undefined

  constructor(publisher: KafkaPublisher, knex: Knex) {
    this.#publisher = publisher
    this.#knex = knex
  }

  /** Rows committed here and not yet acknowledged. */
  get unpublished() {
    return this.#deliveries.reduce((sum, { messages, sent }) => sum + messages.length - sent, 0)
  }

  /** Whether this row is on its way, or was published and not deleted yet. */
  holds(seq: number) {
    return this.#published.includes(seq) || this.#deliveries.some(({ seqs }) => seqs.includes(seq))
  }

  /** Seconds that the first of them waits. */
  get oldestSeconds() {
    return this.#oldestWaitingSince === null ? 0 : (Date.now() - this.#oldestWaitingSince) / 1000
  }

  /** `acknowledged` is called in the order of these calls, once all before and these are in Kafka. */
  add(parcels: readonly Parcel[], acknowledged: () => void = () => {}) {
    const [seqs, messages] = [parcels.map(({ seq }) => seq), parcels.flatMap((parcel) => parcel.messages)]
    this.#deliveries.push({ seqs, messages, sent: 0, acknowledged })
    this.#oldestWaitingSince ??= Date.now()
    if (!this.#sending) void this.#run()
  }

  /** As add, and waits for the acknowledgement. */
  send(parcels: readonly Parcel[]) {
    return new Promise<void>((resolve) => this.add(parcels, resolve))
  }

  /** The published rows that the coming round deletes. If it fails, give them back. */
  takePublished(): number[] {
    const seqs = this.#published
    this.#published = []
    return seqs
  }

  giveBack(seqs: readonly number[]) {
    this.#published.push(...seqs)
    this.#sweepSoon()
  }

  async #run() {
    this.#sending = true
    while (this.#deliveries.length > 0 && !this.#stop.signal.aborted) {
      const waiting = this.#deliveries.flatMap(({ messages, sent }) => (sent > 0 ? messages.slice(sent) : messages))
      const messages = waiting.slice(0, takeSend(waiting))
      if (messages.length > 0 && !(await this.#publisher.send(messages, this.#stop.signal))) break
      this.#settle(messages.length)
      if (this.#published.length > 0) this.#sweepSoon()
    }
    this.#sending = false
  }

  #settle(count: number) {
    let left = count
    while (this.#deliveries[0]) {
      const delivery = this.#deliveries[0]
      const part = Math.min(left, delivery.messages.length - delivery.sent)
      delivery.sent += part
      left -= part
      if (delivery.sent < delivery.messages.length) break
      this.#deliveries.shift()
      for (const seq of delivery.seqs) this.#published.push(seq)
      delivery.acknowledged()
    }
    this.#oldestWaitingSince = this.#deliveries.length > 0 ? Date.now() : null
  }

  #sweepSoon() {
    this.#sweep ??= setTimeout(() => {
      this.#sweep = undefined
      const seqs = this.takePublished()
      deletePublished(this.#knex, seqs).catch(() => this.giveBack(seqs))
    }, DELETE_WITHOUT_A_ROUND_AFTER_MILLISECONDS)
  }

  /** Waits, within the deadline, until all is in Kafka and deleted; what remains is the next owner's. */
  async close(deadlineMilliseconds: number) {
    const until = Date.now() + deadlineMilliseconds
    while (this.#deliveries.length > 0 && Date.now() < until) await pause(10)
    this.#stop.abort()
    clearTimeout(this.#sweep)
    await deletePublished(this.#knex, this.takePublished()).catch(() => {})
    await this.#publisher.close()
  }
}
