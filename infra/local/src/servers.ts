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
export interface Servers {
  readonly brokers: readonly string[]
  readonly registryUrl: string
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
}

/** Start what is not there yet, all at once; each is a promise of its own, so that others go on as soon as it is up. */
export const openServers = ({ directory, own = {}, crew, log }: Opening) => {
  const needsJava = !own.brokers || !own.registryUrl
  const tools = (async () => {
    if (!needsJava) return null
    const java = await findJava()
    const jars = await fetchJars(log)
    return { java, jars, archives: await findClassArchives({ java, jars, log }) }
  })()
  const broker = (async () => {
    const found = await tools
    if (own.brokers || !found) return { child: foreign('kafka'), brokers: await meetBrokers(own.brokers ?? []) }
    const { java, jars, archives } = found
    const needs = { directory, java: java.command, log }
    const { child, address } = await prepareBroker({ ...needs, jars: jars.kafka, options: archives.kafka })
    return { child: await crew.start(child, 'server'), brokers: [address] }
  })()
  const registry = (async () => {
    const found = await tools
    if (own.registryUrl || !found) return { child: foreign('registry'), url: await meetRegistry(own.registryUrl ?? '') }
    const { java, jars, archives } = found
    const needs = { directory, java: java.command, log }
    const { child, url } = await prepareRegistry({ ...needs, jars: jars.registry, options: archives.registry })
    return { child: await crew.start(child, 'server'), url }
  })()
  const postgres = (async () => {
    if (own.databaseUrl) return { child: foreign('postgres'), url: await meetPostgres(own.databaseUrl) }
    const { child, url } = await preparePostgres(directory, log)
    return { child: await crew.start(child, 'server'), url }
  })()
  return { broker, registry, postgres }
}

/** The servers as one thing, when all are up. */
export const gather = async (
  { broker, registry, postgres }: ReturnType<typeof openServers>,
  stop: () => Promise<void>,
): Promise<Servers> => {
  const [kafka, schemas, database] = await Promise.all([broker, registry, postgres])
  return {
    brokers: kafka.brokers,
    registryUrl: schemas.url,
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

/**
 * Kafka, the registry and PostgreSQL alone, empty on a new data directory: no topics, no schemas, no databases.
 * @throws Complaint when something is missing or the directory is in use.
 */
export const startServers = async ({ dataDir, log }: { dataDir: string; log: Log }): Promise<Servers> => {
  const directory = openDirectory(dataDir)
  const crew = openCrew(log)
  const stop = async () => {
    await crew.stop()
    directory.release()
  }
  try {
    await endOrphans(directory.path, log)
    return await gather(openServers({ directory, crew, log }), stop)
  } catch (error) {
    await stop()
    throw error
  }
}
