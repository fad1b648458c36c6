import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  deadLetterTopicOf,
  ensureTopics,
  type Migration,
  migrate,
  type Running,
  readEnvironment,
  redrivenTopicOf,
  type ServiceOptions,
  serviceEnvironment,
  startService,
  subjectOf,
  topicsHeard,
} from '@coding-plans/runtime'
import { eventually, Listener, Speaker } from '@coding-plans/runtime/testing'
import { messageNames, routeOf, services } from '@coding-plans/schemas'
import { registerSchemas } from './register.ts'
import { type Databases, type Servers, startPostgres, startServers } from './servers.ts'
import { subjects, topics } from './topics.ts'

export type Probe<State> = Omit<ServiceOptions<State>, 'environment'> & {
  readonly migrations: readonly Migration[]
  /** The name of the database; a new one if absent. Two starts with one name are two instances, or a restart. */
  readonly database?: string
  readonly env?: NodeJS.ProcessEnv
}

/** Real servers with topics and schemas, for a file of integration tests. */
export interface Bed {
  readonly servers: Servers
  readonly speaker: (service: string) => Promise<Speaker>
  readonly listener: (topics: readonly string[]) => Promise<Listener>
  /** Start a service in this process, on a database of its own, and wait until it is ready. */
  readonly start: <State>(probe: Probe<State>) => Promise<Running>
  /** The environment that a service process on these servers needs. */
  readonly env: (database: string) => NodeJS.ProcessEnv
  readonly close: () => Promise<void>
}

/** PostgreSQL alone, for a file of tests that ask nothing else. */
export interface DatabaseBed extends Pick<Databases, 'createDatabase'> {
  readonly close: () => Promise<void>
}

export const openDatabases = async (): Promise<DatabaseBed> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'coding-plans-bed-'))
  const databases = await startPostgres({ dataDir, log: () => {} })
  const close = async () => {
    await databases.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
  return { ...databases, close }
}

const INTERNAL_SECRET = Buffer.alloc(32, 7).toString('base64')

export const openBed = async (): Promise<Bed> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'coding-plans-bed-'))
  const servers = await startServers({ dataDir, log: () => {} })
  const running: Running[] = []
  const closers: { close(): Promise<unknown> }[] = []
  try {
    await Promise.all([ensureTopics(servers, topics), registerSchemas(servers, subjects)])
  } catch (error) {
    await servers.stop()
    rmSync(dataDir, { recursive: true, force: true })
    throw error
  }
  const env = (database: string): NodeJS.ProcessEnv => ({
    KAFKA_BROKERS: servers.brokers.join(','),
    SCHEMA_REGISTRY_URL: servers.registryUrl,
    DATABASE_URL: servers.databaseUrl(database),
    INTERNAL_SECRET,
    LOG_LEVEL: process.env.BED_LOG_LEVEL ?? 'silent',
  })
  return {
    servers,
    env,
    speaker: async (service) => {
      const speaker = await new Speaker(service, servers).open()
      closers.push(speaker)
      return speaker
    },
    listener: async (names) => {
      const listener = await new Listener(servers).open(names)
      closers.push(listener)
      return listener
    },
    start: async ({ migrations, database = `bed_${running.length}_${Date.now()}`, env: more, ...options }) => {
      const url = await servers.createDatabase(database)
      await migrate(url, migrations)
      if (!services.includes(options.service as never)) await introduce(servers, options)
      const environment = readEnvironment({ ...env(database), ...more }, serviceEnvironment)
      const started = await startService({ ...options, environment })
      running.push(started)
      await eventually(
        () => started.worker.ready(),
        ({ ready }) => ready,
        30_000,
      )
      return started
    },
    close: async () => {
      await Promise.all([...running.map((one) => one.stop()), ...closers.map((one) => one.close())])
      await servers.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** A service that only a test knows needs its events topic, its dead letters, and the schemas that anybody may say. */
const introduce = async (
  servers: Servers,
  { service, handler }: Pick<ServiceOptions<never>, 'service'> & { handler: unknown },
) => {
  const { decide } = handler as { decide: object }
  const names = topicsHeard({ service, decide })
  const forEver = { retentionMilliseconds: null }
  const dead = names.map((name) => ({
    name: deadLetterTopicOf(name, service),
    ...forEver,
    mostMessageBytes: 5 * 1024 * 1024,
  }))
  await ensureTopics(servers, [
    ...[`${service}.events`, redrivenTopicOf(service)].map((name) => ({ name, ...forEver })),
    ...dead,
  ])
  const anybody = messageNames.filter((name) => routeOf(name).owner === 'any')
  const spoken = anybody.map((name) => ({ subject: subjectOf(name, service), schema: routeOf(name).schema }))
  await registerSchemas(servers, spoken)
}
