import type { RegistryAddress } from '@coding-plans/runtime'
import { askCluster, type Cluster } from '@coding-plans/runtime'
import { askBroker } from './broker.ts'
import { Complaint, sentenceOf } from './complaint.ts'
import { askPostgres } from './postgres.ts'
import type { Child } from './processes.ts'
import { askRegistry } from './registry.ts'

/** Servers that run already; what is absent is started. */
export interface OwnServers {
  readonly cluster?: Cluster | undefined
  readonly registry?: RegistryAddress | undefined
  readonly databaseUrl?: string | undefined
}

/** Stands for a server that somebody else runs: nobody here starts or stops it. */
export const foreign = (name: string): Child => ({
  name,
  pid: undefined,
  kill: () => {},
  start: async () => {},
  stop: async () => {},
  restart: async () => {},
})

const complain = (variable: string, where: string) => (error: unknown) => {
  throw new Complaint(`The server that ${variable} names (${where}) does not answer: ${sentenceOf(error)}`)
}

/** @throws Complaint when none of the brokers answers, who answers is a stranger, or we are not let in. */
export const meetBrokers = async (cluster: Cluster) => {
  const asked = cluster.brokers.map((broker) => {
    const [host, port] = broker.split(':')
    return cluster.tls ? askCluster({ ...cluster, brokers: [broker] }) : askBroker(Number(port), host)
  })
  await Promise.any(asked).catch(({ errors }: AggregateError) =>
    complain('KAFKA_BROKERS', cluster.brokers.join(','))(errors[0]),
  )
  return cluster
}

/** @throws Complaint when the registry does not answer. */
export const meetRegistry = async (registry: RegistryAddress) => {
  await askRegistry(registry).catch(complain('SCHEMA_REGISTRY_URL', new URL(registry.registryUrl).host))
  return registry
}

/** @throws Complaint when the database does not answer. */
export const meetPostgres = async (url: string) => {
  await askPostgres(url).catch(complain('DATABASE_URL', new URL(url).host))
  return url
}
