import type { Knex } from 'knex'
import { pause } from './failures.ts'
import { type KafkaPublisher, takeSend } from './kafka/publisher.ts'
import { deletePublished, type OutboxRow } from './outbox.ts'

interface Parcel {
  readonly rows: readonly OutboxRow[]
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
  #parcels: Parcel[] = []
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
    return this.#parcels.reduce((sum, { rows, sent }) => sum + rows.length - sent, 0)
  }

  /** Whether this row is on its way, or was published and not deleted yet. */
  holds(seq: number) {
    return this.#published.includes(seq) || this.#parcels.some(({ rows }) => rows.some((row) => row.seq === seq))
  }

  /** Seconds that the first of them waits. */
  get oldestSeconds() {
    return this.#oldestWaitingSince === null ? 0 : (Date.now() - this.#oldestWaitingSince) / 1000
  }

  /** `acknowledged` is called in the order of these calls, once all before and these are in Kafka. */
  add(rows: readonly OutboxRow[], acknowledged: () => void = () => {}) {
    this.#parcels.push({ rows, sent: 0, acknowledged })
    this.#oldestWaitingSince ??= Date.now()
    if (!this.#sending) void this.#run()
  }

  /** As add, and waits for the acknowledgement. */
  send(rows: readonly OutboxRow[]) {
    return new Promise<void>((resolve) => this.add(rows, resolve))
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
    while (this.#parcels.length > 0 && !this.#stop.signal.aborted) {
      const waiting = this.#parcels.flatMap(({ rows, sent }) => (sent > 0 ? rows.slice(sent) : rows))
      const rows = waiting.slice(0, takeSend(waiting))
      if (rows.length > 0 && !(await this.#publisher.send(rows, this.#stop.signal))) break
      for (const { seq } of rows) this.#published.push(seq)
      this.#settle(rows.length)
      if (rows.length > 0) this.#sweepSoon()
    }
    this.#sending = false
  }

  #settle(count: number) {
    let left = count
    while (this.#parcels[0]) {
      const parcel = this.#parcels[0]
      const part = Math.min(left, parcel.rows.length - parcel.sent)
      parcel.sent += part
      left -= part
      if (parcel.sent < parcel.rows.length) break
      this.#parcels.shift()
      parcel.acknowledged()
    }
    this.#oldestWaitingSince = this.#parcels.length > 0 ? Date.now() : null
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
    while (this.#parcels.length > 0 && Date.now() < until) await pause(10)
    this.#stop.abort()
    clearTimeout(this.#sweep)
    await deletePublished(this.#knex, this.takePublished()).catch(() => {})
    await this.#publisher.close()
  }
}
