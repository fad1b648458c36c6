import { type MessageName, messageNames } from '@coding-plans/schemas'
import type { Cluster } from './cluster.ts'
import { Codec } from './codec.ts'
import { readBatch } from './intake.ts'
import type { Item } from './item.ts'
import { readTopics } from './kafka/reader.ts'
import { openLog } from './log.ts'

export interface Stored extends Item {
  /** Its batch is as it was written. */
  readonly intact: boolean
}

export interface StoredOptions {
  readonly cluster: Cluster
  readonly registryUrl: string
  /** Who vouches for it (PEM); absent: whom this machine trusts. */
  readonly registryCa?: string | undefined
  readonly topics: readonly string[]
  /** Of which the messages are asked for; of the others only whether they are as they were written. Absent: all. */
  readonly decoded?: (topic: string) => boolean
  /** Called for each record, one after the other; a lane's in their order. */
  readonly take: (stored: Stored) => void
}

/** Everything that these topics hold now; for who checks what is kept. @throws when the broker or the registry does not answer */
export const readStored = async (options: StoredOptions): Promise<void> => {
  const { cluster, registryUrl, registryCa, topics, decoded = () => true, take } = options
  const codec = new Codec(registryUrl, registryCa)
  const all = Object.fromEntries(messageNames.map((name) => [name, true])) as Record<MessageName, true>
  const connection = { ...cluster, clientId: 'coding-plans-reader', log: openLog('reader', 'silent') }
  await readTopics(connection, topics, async ({ intact, ...record }) => {
    const { topic, lane } = record
    const isRead = intact && decoded(topic)
    if (isRead) await codec.prepare(record.value)
    const batch = { topic, lane, fetchedOffset: 0, nextOffset: 0, highWatermark: 0, records: [record] }
    const [item] = isRead ? readBatch(codec, { service: 'reader', decide: all }, batch) : [{ ...record, message: null }]
    take({ ...(item as Item), intact })
  })
}
