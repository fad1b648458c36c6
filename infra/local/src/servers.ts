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

/** Kafka, the registry and PostgreSQL, ready to be used. */
export interface Servers extends Cluster, RegistryAddress {
  /** The address of one database on the server. */
  readonly databaseUrl: (name: string) => string
  /** Makes the database if it is not there. @returns its address. */
  readonly createDatabase: (name: string) => Promise<string>
  readonly broker: Child
  readonly registry: Child
  readonly postgres: Child
  readonly stop: () => Promise<void>
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

/** The servers as one thing, when all are up. */
export const gather = async (
  { broker, registry, postgres }: ReturnType<typeof openServers>,
  stop: () => Promise<void>,
): Promise<Servers> => {
  const [kafka, schemas, database] = await Promise.all([broker, registry, postgres])
  return {
    ...kafka.cluster,
    ...schemas.at,
    databaseUrl: (name) => withDatabase(database.url, name),
    createDatabase: async (name) => {
      await createDatabase(database.url, name)
      return withDatabase(database.url, name)
    },
    broker: kafka.child,
    registry: schemas.child,
    postgres: database.child,
    stop,
  }
}

export interface ServersOptions {
  readonly dataDir: string
  readonly log: Log
  /** Of a door before the broker, to which it sends its clients, for who wants to shut it. */
  readonly advertisedBrokerPort?: number
}

/**
 * Kafka, the registry and PostgreSQL alone, empty on a new data directory: no topics, no schemas, no databases.
 * @throws Complaint when something is missing or the directory is in use.
 */
export const startServers = async ({ dataDir, ...options }: ServersOptions): Promise<Servers> => {
  const { log } = options
  const directory = openDirectory(dataDir)
  const crew = openCrew(log)
  const stop = async () => {
    await crew.stop()
    directory.release()
  }
  try {
    await endOrphans(directory.path, log)
    return await gather(openServers({ directory, crew, ...options }), stop)
  } catch (error) {
    await stop()
    throw error
  }
}
