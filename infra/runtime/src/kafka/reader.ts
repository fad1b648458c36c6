import { randomUUID } from 'node:crypto'
import { messageNames, routeOf } from '@coding-plans/schemas'
import type { EachBatchPayload } from 'kafkajs'
import { pause } from '../failures.ts'
import { isLastWord } from '../record-key.ts'
import { checksums, type Spoilt } from './checksums.ts'
import { type Connection, connectKafka } from './client.ts'
import type { Arrived } from './subscription.ts'
import { topicOffsets, withAdmin } from './topics.ts'

export interface StoredRecord extends Arrived {
  readonly topic: string
  readonly lane: number
  /** Its batch is as it was written. */
  readonly intact: boolean
  /** Why it cannot be where it is, if so. Where a lane ends too early, of the record that is missing, which has no value. */
  readonly nonsense?: string
}

const SILENT_FOR_TOO_LONG_MILLISECONDS = 60_000
const LOOK_EVERY_MILLISECONDS = 1_000

const ANSWERED_WITHIN_MILLISECONDS = 30_000

/** A broker that has just come up answers before it leads. */
const offsetsOf = async (connection: Connection, topics: readonly string[]) => {
  for (const until = Date.now() + ANSWERED_WITHIN_MILLISECONDS; ; await pause(250))
    try {
      return await topicOffsets(connection, topics)
    } catch (error) {
      if (Date.now() > until) throw error
    }
}

/** Of these the broker removes what was said anew. */
const compacted: ReadonlySet<string> = new Set(messageNames.filter(isLastWord).map((name) => routeOf(name).topic))

export interface Fetched {
  /** The offset that was asked for. */
  readonly fetchedOffset: number
  readonly lastOffset: number
}

/**
 * One lane while it is read. A batch's checksum begins behind the offset that its header keeps, so that a bit of that may turn
 * and the batch is as it was written: it lies where nobody looks for it, or carries the reader past all that follows. But
 * there are no transactions and no idempotent producers here (publisher.ts), so that nothing but records has an offset;
 * where nothing is compacted, each is one more than the last, from the lane's beginning to its end.
 */
export class LaneReading {
  readonly #end: number
  readonly #hasHoles: boolean
  #next: number
  #fetched: Fetched = { fetchedOffset: 0, lastOffset: -1 }
  /** A group that is dealt anew begins again; of that fetch only what is behind `next` is new. */
  #isAgain = false
  #isBroken = false

  constructor({ low, end, hasHoles }: { low: number; end: number; hasHoles: boolean }) {
    this.#next = low
    this.#end = end
    this.#hasHoles = hasHoles
  }

  /** One more than the highest that was taken. */
  get next() {
    return this.#next
  }

  begin(fetched: Fetched) {
    this.#fetched = fetched
    this.#isAgain = fetched.fetchedOffset < this.#next && !this.#isBroken
  }

  /** @returns null for what is not to be taken; else what is wrong with its place: nothing, or a sentence. */
  take(offset: number): { nonsense?: string } | null {
    // It came since the reading began, or says so: then `finish` misses it.
    if (offset >= this.#end) return null
    const expected = this.#next
    if (offset < expected && this.#isAgain) return null
    this.#next = Math.max(expected, offset + 1)
    return offset === expected || (offset > expected && this.#hasHoles) ? {} : this.#break(expected)
  }

  /** Where to go on, if not behind this fetch: a wrong offset may lead backwards. */
  get detour(): number | null {
    const { fetchedOffset, lastOffset } = this.#fetched
    const leadsBack = this.#isAgain || (this.#isBroken && lastOffset <= fetchedOffset)
    return leadsBack && lastOffset + 1 < this.#next ? this.#next : null
  }

  get isOver() {
    return this.#fetched.lastOffset + 1 >= this.#end
  }

  /** At its end: what is wrong with that. */
  finish(): { nonsense?: string } {
    return this.#next >= this.#end || this.#hasHoles ? {} : this.#break(this.#next, `, the lane ends at ${this.#end}`)
  }

  /** Said once: behind the first wrong offset every other may be. */
  #break(expected: number, more = '') {
    if (this.#isBroken) return {}
    this.#isBroken = true
    return { nonsense: `offset ${expected} should be here${more}` }
  }
}

const nameOf = (topic: string, lane: number) => `${topic}/${lane}`

const lanesOf = ({ low, high }: Awaited<ReturnType<typeof topicOffsets>>) =>
  new Map(
    [...high].flatMap(([topic, ends]) =>
      [...ends]
        .map(([lane, end]) => ({ lane, end, low: low.get(topic)?.get(lane) ?? 0 }))
        .filter(({ low, end }) => low !== end)
        .map(({ lane, ...range }) => [
          nameOf(topic, lane),
          new LaneReading({ ...range, hasHoles: compacted.has(topic) }),
        ]),
    ),
  )

type Take = (record: StoredRecord) => Promise<void> | void

const takeBatch = async (reading: LaneReading, { batch }: EachBatchPayload, take: Take) => {
  const { topic, partition: lane } = batch
  // Unknown to kafkajs' types.
  const { fetchedOffset } = batch as unknown as { fetchedOffset: string }
  reading.begin({ fetchedOffset: Number(fetchedOffset), lastOffset: Number(batch.lastOffset()) })
  for (const message of batch.messages) {
    const { key, value, headers } = message
    const offset = Number(message.offset)
    const place = reading.take(offset)
    if (place)
      await take({
        topic,
        lane,
        offset,
        key: key?.toString() ?? '',
        value,
        headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)])),
        intact: (message as Spoilt).spoilt !== true,
        ...place,
      })
  }
  const end = reading.isOver ? reading.finish() : {}
  if (end.nonsense)
    await take({ topic, lane, offset: reading.next, key: '', value: null, headers: {}, intact: true, ...end })
}

/**
 * Every record of these topics that is there now, each lane's in its order. As nobody: no group's position moves. Batches are
 * compared with their checksums, offsets with their order. @throws when they cannot be read
 */
export const readTopics = async (connection: Connection, topics: readonly string[], take: Take): Promise<void> => {
  checksums.compared = true
  const left = lanesOf(await offsetsOf(connection, topics))
  if (left.size === 0) return
  const groupId = `reader-${randomUUID()}`
  const consumer = connectKafka(connection).consumer({
    groupId,
    maxWaitTimeInMs: 50,
    allowAutoTopicCreation: false,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 20 },
  })
  const over = Promise.withResolvers<void>()
  // It may be over before it is waited for.
  over.promise.catch(() => {})
  const done = new AbortController()
  let heardAt = Date.now()
  // A broker that has just come up may know its topics before its groups: then the consumer begins anew by itself.
  consumer.on('consumer.crash', ({ payload }) => {
    if (!payload.restart) over.reject(payload.error)
  })
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [...topics], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatch: async (payload) => {
        const { topic, partition } = payload.batch
        const reading = left.get(nameOf(topic, partition))
        if (reading) {
          const before = reading.next
          try {
            await takeBatch(reading, payload, take)
          } catch (error) {
            over.reject(error)
            throw error
          }
          if (reading.next > before) heardAt = Date.now()
          const { detour, isOver } = reading
          if (detour !== null) consumer.seek({ topic, partition, offset: String(detour) })
          if (isOver) left.delete(nameOf(topic, partition))
        }
        await payload.heartbeat()
        if (left.size === 0) over.resolve()
      },
    })
    await Promise.race([over.promise, untilSilent({ heardAt: () => heardAt, left }, done.signal)])
  } finally {
    done.abort()
    await consumer.disconnect()
    // It would be forgotten by itself, days later.
    await withAdmin(connection, (admin) => admin.deleteGroups([groupId])).catch(() => {})
  }
}

interface Waiting {
  readonly heardAt: () => number
  readonly left: ReadonlyMap<string, LaneReading>
}

const untilSilent = async ({ heardAt, left }: Waiting, signal: AbortSignal) => {
  while (!signal.aborted) {
    await pause(LOOK_EVERY_MILLISECONDS, signal)
    if (Date.now() - heardAt() <= SILENT_FOR_TOO_LONG_MILLISECONDS) continue
    const places = [...left].map(([name, { next }]) => `${name} from offset ${next} on`)
    throw new Error(`The broker sends nothing more, and there should be more: ${places.join(', ')}.`)
  }
}
