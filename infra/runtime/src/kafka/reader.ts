import { randomUUID } from 'node:crypto'
import { pause } from '../failures.ts'
import { checksums, type Spoilt } from './checksums.ts'
import { type Connection, connectKafka } from './client.ts'
import type { Arrived } from './subscription.ts'
import { topicOffsets, withAdmin } from './topics.ts'

export interface StoredRecord extends Arrived {
  readonly topic: string
  readonly lane: number
  /** Its batch is as it was written. */
  readonly intact: boolean
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

const nameOf = (topic: string, lane: number) => `${topic}/${lane}`

/**
 * Every record of these topics that is there now, each lane's in its order. As nobody: no group's position moves. Batches are
 * compared with their checksums. @throws when they cannot be read
 */
export const readTopics = async (
  connection: Connection,
  topics: readonly string[],
  take: (record: StoredRecord) => Promise<void> | void,
): Promise<void> => {
  checksums.compared = true
  const { low, high } = await offsetsOf(connection, topics)
  const left = new Map(
    [...high].flatMap(([topic, ends]) =>
      [...ends]
        .filter(([lane, end]) => end > (low.get(topic)?.get(lane) ?? 0))
        .map(([lane, end]) => [nameOf(topic, lane), end] as const),
    ),
  )
  if (left.size === 0) return
  const groupId = `reader-${randomUUID()}`
  const kafka = connectKafka(connection)
  const consumer = kafka.consumer({
    groupId,
    maxWaitTimeInMs: 50,
    allowAutoTopicCreation: false,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 20 },
  })
  const over = Promise.withResolvers<void>()
  const done = new AbortController()
  let heardAt = Date.now()
  consumer.on('consumer.crash', ({ payload }) => over.reject(payload.error))
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [...topics], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch, heartbeat }) => {
        heardAt = Date.now()
        const { topic, partition: lane } = batch
        const name = nameOf(topic, lane)
        for (const message of batch.messages) {
          if (!left.has(name)) break
          const { offset, key, value, headers } = message
          await take({
            topic,
            lane,
            offset: Number(offset),
            key: key?.toString() ?? '',
            value,
            headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)])),
            intact: (message as Spoilt).spoilt !== true,
          })
        }
        await heartbeat()
        if (Number(batch.lastOffset()) + 1 >= (left.get(name) ?? 0)) left.delete(name)
        if (left.size === 0) over.resolve()
      },
    })
    await Promise.race([over.promise, untilSilent(() => heardAt, done.signal)])
  } finally {
    done.abort()
    await consumer.disconnect()
    // It would be forgotten by itself, days later.
    await withAdmin(connection, (admin) => admin.deleteGroups([groupId])).catch(() => {})
  }
}

const untilSilent = async (heardAt: () => number, signal: AbortSignal) => {
  while (!signal.aborted) {
    await pause(LOOK_EVERY_MILLISECONDS, signal)
    if (Date.now() - heardAt() > SILENT_FOR_TOO_LONG_MILLISECONDS)
      throw new Error('The broker sends nothing more, and there should be more.')
  }
}
