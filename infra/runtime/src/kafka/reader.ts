import { randomUUID } from 'node:crypto'
import { pause } from '../failures.ts'
import { checksums, type Spoilt } from './checksums.ts'
import { type Connection, connectKafka } from './client.ts'
import type { Arrived } from './subscription.ts'
import { topicOffsets } from './topics.ts'

export interface StoredRecord extends Arrived {
  readonly topic: string
  readonly lane: number
  /** Its batch is as it was written. */
  readonly intact: boolean
}

const SILENT_FOR_TOO_LONG_MILLISECONDS = 60_000

/**
 * Every record of a topic that is there now, lane by lane in its order. As nobody: no group's position moves. Batches are
 * compared with their checksums. @throws when they cannot be read
 */
export const readTopic = async (
  connection: Connection,
  topic: string,
  take: (record: StoredRecord) => Promise<void> | void,
): Promise<void> => {
  checksums.compared = true
  const { low, high } = await topicOffsets(connection.brokers, [topic])
  const left = new Map([...(high.get(topic) ?? [])].filter(([lane, end]) => end > (low.get(topic)?.get(lane) ?? 0)))
  if (left.size === 0) return
  const groupId = `reader-${randomUUID()}`
  const kafka = connectKafka(connection)
  const consumer = kafka.consumer({
    groupId,
    maxWaitTimeInMs: 50,
    allowAutoTopicCreation: false,
    retry: { retries: 2 },
  })
  const over = Promise.withResolvers<void>()
  let heardAt = Date.now()
  consumer.on('consumer.crash', ({ payload }) => over.reject(payload.error))
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch, heartbeat }) => {
        heardAt = Date.now()
        const { partition: lane } = batch
        for (const message of batch.messages) {
          if (!left.has(lane)) break
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
        if (Number(batch.lastOffset()) + 1 >= (left.get(lane) ?? 0)) left.delete(lane)
        if (left.size === 0) over.resolve()
      },
    })
    await Promise.race([over.promise, untilSilent(() => heardAt)])
  } finally {
    await consumer.disconnect()
    await kafka
      .admin()
      .deleteGroups([groupId])
      .catch(() => {})
  }
}

const untilSilent = async (heardAt: () => number): Promise<never> => {
  while (Date.now() - heardAt() < SILENT_FOR_TOO_LONG_MILLISECONDS) await pause(1_000)
  throw new Error('The broker sends nothing more, and there should be more.')
}
