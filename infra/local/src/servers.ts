import type { Cluster, RegistryAddress } from '@coding-plans/runtime'
import { prepareBroker } from './broker.ts'
import { findClassArchives } from './class-archives.ts'
import { type Crew, openCrew } from './crew.ts'
import { type Directory, openDirectory } from './directory.ts'
import { fetchJars } from './download.ts'
import { endOrphans } from './orphans.ts'
import { foreign, meetBrokers, meetPostgres, meetRegistry, type OwnServers } from './own-servers.ts'
import { createDatabase, preparePostgres, withDatabase } from './postgres.ts'
import { findJava } from './prerequisites.ts'
import type { Child, Log } from './processes.ts'
import { prepareRegistry } from './registry.ts'

/** PostgreSQL, ready to be used. */
export interface Databases {
  /** The address of one database on the server. */
  readonly databaseUrl: (name: string) => string
  /** Makes the database if it is not there. @returns its address. */
  readonly createDatabase: (name: string) => Promise<string>
  readonly postgres: Child
  readonly stop: () => Promise<void>
}

/** Kafka, the registry and PostgreSQL, ready to be used. */
export interface Servers extends Databases, Cluster, RegistryAddress {
  readonly broker: Child
  readonly registry: Child
}

interface Opening {
  readonly directory: Directory
  readonly own?: OwnServers
  readonly crew: Crew
  readonly log: Log
  readonly advertisedBrokerPort?: number | undefined
}

/** What the servers that are Java programs are run with. */
const prepareJava = async (log: Log) => {
  const java = await findJava()
  const jars = await fetchJars(log)
  return { command: java.command, jars, archives: await findClassArchives({ java, jars, log }) }
}

type JavaParts = () => ReturnType<typeof prepareJava>

const openBroker = async (opening: Opening, parts: JavaParts) => {
  const { directory, own, crew, log, advertisedBrokerPort: advertisedPort } = opening
  if (own?.cluster) return { child: foreign('kafka'), cluster: await meetBrokers(own.cluster) }
  const { command: java, jars, archives } = await parts()
  const needs = { directory, java, jars: jars.kafka, options: archives.kafka, log, advertisedPort }
  const { child, address } = await prepareBroker(needs)
  return { child: await crew.start(child, 'server'), cluster: { brokers: [address] } }
}

const openRegistry = async ({ directory, own, crew, log }: Opening, parts: JavaParts) => {
  if (own?.registry) return { child: foreign('registry'), at: await meetRegistry(own.registry) }
  const { command: java, jars, archives } = await parts()
  const needs = { directory, java, jars: jars.registry, options: archives.registry, log }
  const { child, url: registryUrl } = await prepareRegistry(needs)
  return { child: await crew.start(child, 'server'), at: { registryUrl } }
}

const openPostgres = async ({ directory, own, crew, log }: Opening) => {
  if (own?.databaseUrl) return { child: foreign('postgres'), url: await meetPostgres(own.databaseUrl) }
  const { child, url } = await preparePostgres(directory, log)
  return { child: await crew.start(child, 'server'), url }
}

/** Start what is not there yet, all at once; each is a promise of its own, so that others go on as soon as it is up. */
export const openServers = (opening: Opening) => {
  let prepared: ReturnType<JavaParts> | undefined
  const parts = () => {
    prepared ??= prepareJava(opening.log)
    return prepared
  }
  return {
    broker: openBroker(opening, parts),
    registry: openRegistry(opening, parts),
    postgres: openPostgres(opening),
  }
}

const databasesOf = (
  { url, child }: Awaited<ReturnType<typeof openPostgres>>,
  stop: () => Promise<void>,
): Databases => ({
  databaseUrl: (name) => withDatabase(url, name),
  createDatabase: async (name) => {
    await createDatabase(url, name)
    return withDatabase(url, name)
  },
  postgres: child,
  stop,
})

/** The servers as one thing, when all are up. */
export const gather = async (
  { broker, registry, postgres }: ReturnType<typeof openServers>,
  stop: () => Promise<void>,
): Promise<Servers> => {
  const [kafka, schemas, database] = await Promise.all([broker, registry, postgres])
  return {
    ...kafka.cluster,
    ...schemas.at,
    ...databasesOf(database, stop),
    broker: kafka.child,
    registry: schemas.child,
  }
}

export interface ServersOptions {
  readonly dataDir: string
  readonly log: Log
  /** Of a door before the broker, to which it sends its clients, for who wants to shut it. */
  readonly advertisedBrokerPort?: number
}

type Start<Started> = (opening: Opening, stop: () => Promise<void>) => Promise<Started>

/** In a data directory of its own; what fails leaves nothing running. */
const startIn = async <Started>({ dataDir, ...options }: ServersOptions, start: Start<Started>): Promise<Started> => {
  const directory = openDirectory(dataDir)
  const crew = openCrew(options.log)
  const stop = async () => {
    await crew.stop()
    directory.release()
  }
  try {
    await endOrphans(directory.path, options.log)
    return await start({ directory, crew, ...options }, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * Kafka, the registry and PostgreSQL alone, empty on a new data directory: no topics, no schemas, no databases.
 * @throws Complaint when something is missing or the directory is in use.
 */
export const startServers = (options: ServersOptions): Promise<Servers> =>
  startIn(options, (opening, stop) => gather(openServers(opening), stop))

/** PostgreSQL alone. @throws Complaint as `startServers` does */
export const startPostgres = (options: Omit<ServersOptions, 'advertisedBrokerPort'>): Promise<Databases> =>
  startIn(options, async (opening, stop) => databasesOf(await openPostgres(opening), stop))
