import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster, RegistryAddress } from '@coding-plans/runtime'
import { Complaint } from './complaint.ts'
import { withDatabase } from './postgres.ts'
import { readKept } from './secrets.ts'
import { startServers } from './servers.ts'
import { readSettings } from './settings.ts'

/** Servers to look at, and how to be done with them. */
export interface ServerAddresses extends RegistryAddress {
  readonly cluster: Cluster
  readonly databaseUrl: (name: string) => string
  readonly close: () => Promise<void>
}

const portsIn = (dataDir: string): Readonly<Record<string, number>> => {
  const path = join(dataDir, 'state.json')
  if (!existsSync(path)) throw new Complaint(`There is nothing in ${dataDir} yet; start once.`)
  return (JSON.parse(readFileSync(path, 'utf8')) as { ports?: Record<string, number> }).ports ?? {}
}

/**
 * The servers that the environment names; else those of the data directory, which are started for as long as they are
 * looked at unless they run already. @throws Complaint
 */
export const findServers = async (env: NodeJS.ProcessEnv, log: (line: string) => void): Promise<ServerAddresses> => {
  const { own, dataDir } = readSettings(env)
  const { cluster, registry, databaseUrl } = own
  if (cluster && registry && databaseUrl)
    return { cluster, ...registry, databaseUrl: (name) => withDatabase(databaseUrl, name), close: async () => {} }
  if (cluster || registry || databaseUrl)
    throw new Complaint('Name all three servers, KAFKA_BROKERS, SCHEMA_REGISTRY_URL and DATABASE_URL, or none.')
  const ports = portsIn(dataDir)
  try {
    const servers = await startServers({ dataDir, log })
    return { ...servers, cluster: servers, close: servers.stop }
  } catch (error) {
    if (!(error instanceof Complaint && /is in use by process/.test(error.message))) throw error
    const server = new URL(`postgres://coding_plans@127.0.0.1:${ports.postgres}/postgres`)
    server.password = readKept(dataDir).POSTGRES_PASSWORD ?? ''
    return {
      cluster: { brokers: [`127.0.0.1:${ports.kafka}`] },
      registryUrl: `http://127.0.0.1:${ports.registry}/apis/ccompat/v7`,
      databaseUrl: (name) => withDatabase(server.toString(), name),
      close: async () => {},
    }
  }
}
