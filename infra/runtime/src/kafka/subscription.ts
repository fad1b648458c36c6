import type { Consumer, EachBatchPayload } from 'kafkajs'
import { backOff, pause } from '../failures.ts'
import { laneAssignor } from './assignor.ts'
import { type Connection, connectKafka } from './client.ts'

export interface Arrived {
  readonly offset: number
  readonly key: string
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
}

export interface Batch {
  readonly topic: string
  readonly lane: number
  /** The offset that was asked for. */
  readonly fetchedOffset: number
  /** The offset after the last record, holes and control records included. */
  readonly nextOffset: number
  readonly highWatermark: number
  readonly records: readonly Arrived[]
}

export interface Listener {
  /** The group dealt the lanes anew; all that was owned before is void until it is claimed. Called before any fetch. */
  assigned(lanes: readonly number[]): void
  /** Take a batch, or refuse it (it does not start where it should). Waits while the worker has enough. */
  arrived(batch: Batch, heartbeat: () => Promise<void>): Promise<boolean>
  /** The coordinator still counts us as a member. */
  heartbeat(): void
}

export interface GroupTiming {
  readonly sessionMilliseconds: number
}

export interface Position {
  readonly topic: string
  readonly lane: number
  readonly offset: number
}

/**
 * A member of a consumer group, mended: paused until its lanes are claimed, never silent (a consumer that crashed for
 * good is replaced by a new one), offsets committed only when told.
 */
export class Membership {
  readonly #connection: Connection
  readonly #group: string
  readonly #topics: readonly string[]
  readonly #timing: GroupTiming
  readonly #listener: Listener
  #consumer: Consumer | undefined
  #stopped = new AbortController()

  constructor(options: {
    connection: Connection
    group: string
    topics: readonly string[]
    timing: GroupTiming
    listener: Listener
  }) {
    this.#connection = options.connection
    this.#group = options.group
    this.#topics = options.topics
    this.#timing = options.timing
    this.#listener = options.listener
  }

  /** Joins, and joins again after every crash, until stopped. */
  async start(attempt = 0): Promise<void> {
    if (this.#stopped.signal.aborted) return
    try {
      await this.#join()
    } catch (error) {
      this.#connection.log.warn({ err: error }, 'Joining the group failed; trying again')
      await this.#drop()
      await pause(backOff(attempt, 200), this.#stopped.signal)
      return this.start(attempt + 1)
    }
  }

  async #join() {
    const { sessionMilliseconds } = this.#timing
    const consumer = connectKafka(this.#connection).consumer({
      groupId: this.#group,
      partitionAssigners: [laneAssignor],
      sessionTimeout: sessionMilliseconds,
      heartbeatInterval: Math.round(sessionMilliseconds / 8),
      rebalanceTimeout: 30_000,
      maxWaitTimeInMs: 500,
      minBytes: 1,
      maxBytesPerPartition: 256 * 1024,
      maxBytes: 4 * 1024 * 1024,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 10 },
    })
    this.#consumer = consumer
    const { GROUP_JOIN, HEARTBEAT, CRASH } = consumer.events
    consumer.on(GROUP_JOIN, ({ payload }) => {
      const lanes = new Set<number>()
      const assignment = Object.entries(payload.memberAssignment).map(([topic, partitions]) => {
        for (const lane of partitions) lanes.add(lane)
        return { topic, partitions }
      })
      consumer.pause(assignment)
      this.#listener.assigned([...lanes].sort((a, b) => a - b))
      this.#listener.heartbeat()
    })
    consumer.on(HEARTBEAT, () => this.#listener.heartbeat())
    consumer.on(CRASH, ({ payload }) => {
      if (payload.restart || consumer !== this.#consumer) return
      this.#connection.log.error({ err: payload.error }, 'The consumer crashed; a new one takes its place')
      this.#listener.assigned([])
      void this.#drop().then(() => this.start())
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [...this.#topics], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 64,
      eachBatch: (payload) => this.#take(payload),
    })
  }

  async #take({ batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload) {
    if (!isRunning() || isStale()) return
    const taken = await this.#listener.arrived(
      {
        topic: batch.topic,
        lane: batch.partition,
        fetchedOffset: Number((batch as unknown as { fetchedOffset: string }).fetchedOffset),
        nextOffset: Number(batch.lastOffset()) + 1,
        highWatermark: Number(batch.highWatermark),
        records: batch.messages.map(({ offset, key, value, headers }) => ({
          offset: Number(offset),
          key: key?.toString() ?? '',
          value,
          headers: (headers ?? {}) as Record<string, string>, // text already: library.ts
        })),
      },
      heartbeat,
    )
    if (taken && !isStale()) resolveOffset(batch.lastOffset())
  }

  /** Fetch these from there on. */
  seek(positions: readonly Position[]) {
    for (const { topic, lane, offset } of positions)
      this.#consumer?.seek({ topic, partition: lane, offset: String(offset) })
    this.#consumer?.resume(positions.map(({ topic, lane }) => ({ topic, partitions: [lane] })))
  }

  hold(positions: readonly Pick<Position, 'topic' | 'lane'>[]) {
    this.#consumer?.pause(positions.map(({ topic, lane }) => ({ topic, partitions: [lane] })))
  }

  /** A hint for other readers, never our own truth. @throws when the group has moved on. */
  async commit(positions: readonly Position[]) {
    await this.#consumer?.commitOffsets(
      positions.map(({ topic, lane, offset }) => ({ topic, partition: lane, offset: String(offset) })),
    )
  }

  async stop() {
    this.#stopped.abort()
    await this.#drop()
  }

  async #drop() {
    const consumer = this.#consumer
    this.#consumer = undefined
    await consumer?.disconnect().catch(() => {})
  }
}
