import type { Admin } from 'kafkajs'
import { type Logger, pino } from 'pino'
import type { Cluster } from '../cluster.ts'
import { pause } from '../failures.ts'
import { connectKafka } from './client.ts'
import { LANES } from './lane-of.ts'

/** What a topic is declared to be. */
export interface TopicDeclaration {
  readonly name: string
  /** null: kept for ever. */
  readonly retentionMilliseconds: number | null
  readonly compacted?: boolean
  readonly mostMessageBytes?: number
}

export type Offsets = ReadonlyMap<string, ReadonlyMap<number, number>>

/** A segment goes when its newest record is old enough: by the broker's default of 7 days, a quiet topic keeps records for twice that. */
const SEGMENT_MILLISECONDS = 12 * 60 * 60 * 1000
const SEGMENT = 'segment.ms'

/** How old a record can become; null: it stays for ever. */
export const longestKeptMilliseconds = ({ retentionMilliseconds }: TopicDeclaration) =>
  retentionMilliseconds === null ? null : retentionMilliseconds + SEGMENT_MILLISECONDS

const configOf = ({
  retentionMilliseconds,
  compacted = false,
  mostMessageBytes,
}: TopicDeclaration): Record<string, string> => ({
  'retention.ms': String(retentionMilliseconds ?? -1),
  ...(retentionMilliseconds === null ? {} : { [SEGMENT]: String(SEGMENT_MILLISECONDS) }),
  'cleanup.policy': compacted ? 'compact' : 'delete',
  ...(mostMessageBytes ? { 'max.message.bytes': String(mostMessageBytes) } : {}),
})

const entriesOf = (config: Readonly<Record<string, string>>) =>
  Object.entries(config).map(([name, value]) => ({ name, value }))

const TOPIC_RESOURCE = 2

/** One short-lived question to the broker. */
export const withAdmin = async <T>(cluster: Cluster, ask: (admin: Admin) => Promise<T>, log?: Logger): Promise<T> => {
  const admin = connectKafka({
    ...cluster,
    clientId: 'coding-plans-admin',
    log: log ?? pino({ level: 'silent' }),
  }).admin()
  await admin.connect()
  try {
    return await ask(admin)
  } finally {
    await admin.disconnect()
  }
}

/** @throws when nobody answers, the answer comes from a stranger, or we are not let in. */
export const askCluster = (cluster: Cluster): Promise<void> =>
  withAdmin(cluster, async (admin) => {
    await admin.describeCluster()
  })

/**
 * Create what is missing and compare what is there; segments of before are made shorter. Kafka is never asked to create a
 * topic by itself.
 * @throws one Error that names every topic whose partitions or settings differ from their declaration.
 */
export const ensureTopics = (cluster: Cluster, declared: readonly TopicDeclaration[]): Promise<void> =>
  withAdmin(cluster, async (admin) => {
    const present = new Set(await admin.listTopics())
    const missing = declared.filter(({ name }) => !present.has(name))
    if (missing.length > 0)
      await admin
        .createTopics({
          waitForLeaders: false,
          topics: missing.map((topic) => ({
            topic: topic.name,
            numPartitions: LANES,
            configEntries: entriesOf(configOf(topic)),
          })),
        })
        .catch(tellEach)
    await untilServed(admin, declared)
    const found = declared.filter(({ name }) => present.has(name))
    if (found.length === 0) return
    const different = Map.groupBy(await compareSettings(admin, found), ({ name }) => name === SEGMENT)
    const complaints = [
      ...(await comparePartitions(admin, found)),
      ...(different.get(false) ?? []).map(
        ({ topic, name, actual, value }) => `Topic ${topic.name} has ${name}=${actual} instead of ${value}.`,
      ),
    ]
    if (complaints.length > 0) throw new Error(complaints.join(' '))
    const long = (different.get(true) ?? []).map(({ topic }) => topic)
    if (long.length > 0) await shortenSegments(admin, long)
  })

// What is not named here Kafka sets to its defaults, so what somebody has set by hand is.
const TOPICS_OWN = 1
const shortenSegments = async (admin: Admin, topics: readonly TopicDeclaration[]) => {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ name }) => ({ type: TOPIC_RESOURCE, name })),
  })
  const ownOf = (topic: TopicDeclaration) =>
    (resources.find(({ resourceName }) => resourceName === topic.name)?.configEntries ?? [])
      .filter(({ configSource }) => configSource === TOPICS_OWN)
      .map(({ configName, configValue }) => [configName, configValue] as const)
  await admin
    .alterConfigs({
      validateOnly: false,
      resources: topics.map((topic) => ({
        type: TOPIC_RESOURCE,
        name: topic.name,
        configEntries: entriesOf({ ...Object.fromEntries(ownOf(topic)), ...configOf(topic) }),
      })),
    })
    .catch((error: Error) => {
      throw new Error(`Topics could not get ${SEGMENT}=${SEGMENT_MILLISECONDS}: ${error.message}.`, { cause: error })
    })
}

// kafkajs says only that there were errors.
const tellEach = (error: Error & { errors?: readonly Error[] }) => {
  const sentences = new Set((error.errors ?? [error]).map(({ message }) => message))
  throw new Error(`Topics could not be created: ${[...sentences].join('; ')}.`, { cause: error })
}

const SERVED_WITHIN_MILLISECONDS = 90_000

/**
 * A new broker answers before it serves: kafkajs' own wait gives up when it has not heard of a new topic yet, and a
 * consumer that meets no group coordinator crashes.
 */
const untilServed = async (admin: Admin, declared: readonly TopicDeclaration[]) => {
  for (const until = Date.now() + SERVED_WITHIN_MILLISECONDS; ; await pause(50))
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: declared.map(({ name }) => name) })
      const led = topics.every(
        ({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0),
      )
      if (!led) continue
      await admin.fetchOffsets({ groupId: 'coding-plans-anybody' })
      return
    } catch (error) {
      if (Date.now() > until) throw error
    }
}

const comparePartitions = async (admin: Admin, found: readonly TopicDeclaration[]) => {
  const { topics } = await admin.fetchTopicMetadata({ topics: found.map(({ name }) => name) })
  return topics
    .filter(({ partitions }) => partitions.length !== LANES)
    .map(({ name, partitions }) => `Topic ${name} has ${partitions.length} partitions instead of ${LANES}.`)
}

const compareSettings = async (admin: Admin, found: readonly TopicDeclaration[]) => {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: found.map((topic) => ({
      type: TOPIC_RESOURCE,
      name: topic.name,
      configNames: Object.keys(configOf(topic)),
    })),
  })
  return found.flatMap((topic) => {
    const entries = resources.find(({ resourceName }) => resourceName === topic.name)?.configEntries ?? []
    return Object.entries(configOf(topic))
      .map(([name, value]) => ({
        topic,
        name,
        value,
        actual: entries.find(({ configName }) => configName === name)?.configValue,
      }))
      .filter(({ value, actual }) => actual !== value)
  })
}

/** What every group has committed: group → topic → lane → offset. */
export const groupOffsets = (cluster: Cluster, groups: readonly string[]): Promise<ReadonlyMap<string, Offsets>> =>
  withAdmin(cluster, async (admin) => {
    const committed = new Map<string, Offsets>()
    for (const groupId of groups) {
      const topics = await admin.fetchOffsets({ groupId })
      committed.set(
        groupId,
        new Map(
          topics.map(({ topic, partitions }) => [
            topic,
            new Map(partitions.map((p) => [p.partition, Number(p.offset)])),
          ]),
        ),
      )
    }
    return committed
  })

/** The end of every lane of these topics, and where each begins. */
export const topicOffsets = (cluster: Cluster, topics: readonly string[]) =>
  withAdmin(cluster, (admin) => readOffsets(admin, topics))

export const endOffsets = async (cluster: Cluster, topics: readonly string[]): Promise<Offsets> =>
  (await topicOffsets(cluster, topics)).high

export const readOffsets = async (admin: Admin, topics: readonly string[]) => {
  const low = new Map<string, ReadonlyMap<number, number>>()
  const high = new Map<string, ReadonlyMap<number, number>>()
  await Promise.all(
    topics.map(async (topic) => {
      const offsets = await admin.fetchTopicOffsets(topic)
      low.set(topic, new Map(offsets.map((o) => [o.partition, Number(o.low)])))
      high.set(topic, new Map(offsets.map((o) => [o.partition, Number(o.high)])))
    }),
  )
  return { low, high }
}
