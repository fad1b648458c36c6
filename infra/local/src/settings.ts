import type { RegistryAddress } from '@coding-plans/runtime'
import { authorities, type Cluster, readCluster, readEnvironment } from '@coding-plans/runtime'
import { Complaint } from './complaint.ts'
import type { ClockMode } from './directory.ts'
import type { OwnServers } from './own-servers.ts'

/** What the launcher itself reads from the environment; the rest is handed on to the services that need it. */
export interface Settings {
  readonly host: string
  readonly port: number
  readonly dataDir: string
  readonly clock: ClockMode
  readonly own: OwnServers
  readonly payments: 'fake' | 'stripe'
  /** False where a secret that only this data directory knows would be a trap. */
  readonly mayMakeSecrets: boolean
}

const DEFAULT_PORT = 8080

const readPort = (text: string | undefined): number => {
  if (text === undefined || text === '') return DEFAULT_PORT
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw new Complaint(
      `PORT must be a whole number from 1 to 65535, not ${JSON.stringify(text)}: the gateway needs a known address.`,
    )
  return port
}

const readClock = (text: string | undefined): ClockMode => {
  if (text === undefined || text === '') return 'system'
  if (text !== 'system' && text !== 'test')
    throw new Complaint(`CLOCK must be system or test, not ${JSON.stringify(text)}.`)
  return text
}

/** Said here, not only by the service that takes payments: before anything is started. */
const readPayments = ({ PAYMENTS: text, STRIPE_SECRET_KEY: key }: NodeJS.ProcessEnv) => {
  if (text === undefined || text === '' || text === 'fake') return 'fake'
  if (text !== 'stripe') throw new Complaint(`PAYMENTS must be fake or stripe, not ${JSON.stringify(text)}.`)
  if (!key) throw new Complaint('STRIPE_SECRET_KEY is missing (PAYMENTS=stripe needs it).')
  return 'stripe'
}

const readBrokers = (text: string | undefined) => {
  if (!text) return undefined
  const brokers = text.split(',').map((broker) => broker.trim())
  if (!brokers.every((broker) => /^[^\s:]+:\d+$/.test(broker)))
    throw new Complaint('KAFKA_BROKERS must be a list like host:9092,host:9093.')
  return brokers
}

const readUrl = (name: string, text: string | undefined, protocols: readonly string[]) => {
  if (!text) return undefined
  // The complaint never repeats the value: a database's address holds a password.
  if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol))
    throw new Complaint(
      `${name} must be an address that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}.`,
    )
  return text.replace(/\/+$/, '')
}

/** What a connection is made with is refused where nothing is connected to: it would be ignored. */
const refuseWithout = (server: string, env: NodeJS.ProcessEnv, names: readonly string[]) => {
  const idle = names.find((name) => env[name])
  if (!env[server] && idle)
    throw new Complaint(`${idle} needs ${server}: servers that are started here take no strangers.`)
}

const complaining = <T>(read: () => T): T => {
  try {
    return read()
  } catch (error) {
    throw new Complaint((error as Error).message)
  }
}

const readOwnCluster = (env: NodeJS.ProcessEnv): Cluster | undefined => {
  refuseWithout('KAFKA_BROKERS', env, ['KAFKA_TLS_CA', 'KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'])
  const brokers = readBrokers(env.KAFKA_BROKERS)
  return brokers && complaining(() => readCluster({ ...env, KAFKA_BROKERS: brokers.join(',') }))
}

const readOwnRegistry = (env: NodeJS.ProcessEnv): RegistryAddress | undefined => {
  refuseWithout('SCHEMA_REGISTRY_URL', env, ['SCHEMA_REGISTRY_TLS_CA'])
  const registryUrl = readUrl('SCHEMA_REGISTRY_URL', env.SCHEMA_REGISTRY_URL, ['http:', 'https:'])
  if (!registryUrl) return undefined
  const { SCHEMA_REGISTRY_TLS_CA: trusted } = complaining(() =>
    readEnvironment(env, { SCHEMA_REGISTRY_TLS_CA: authorities() }),
  )
  return { registryUrl, ...(trusted?.ca ? { registryCa: trusted.ca } : {}) }
}

/** @throws Complaint that names the first bad variable. */
export const readSettings = (env: NodeJS.ProcessEnv): Settings => {
  const own = {
    cluster: readOwnCluster(env),
    registry: readOwnRegistry(env),
    databaseUrl: readUrl('DATABASE_URL', env.DATABASE_URL, ['postgres:', 'postgresql:']),
  }
  const hasOwn = Object.values(own).some((server) => server !== undefined)
  return {
    host: env.HOST || '127.0.0.1',
    port: readPort(env.PORT),
    dataDir: env.DATA_DIR || '.local',
    clock: readClock(env.CLOCK),
    own,
    payments: readPayments(env),
    mayMakeSecrets: !hasOwn && env.NODE_ENV !== 'production',
  }
}

/** The address under which this machine reaches a server that listens on `host`. */
export const addressOf = (host: string, port: number) => {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
