import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, clientOf } from '@coding-plans/e2e/house'
import { type Log, type Servers, type Stack, startServers, startStack } from '@coding-plans/local'
import { type Door, openDoor } from './door.ts'

/** The least that a broker lets a group have is 3 s. */
export const SESSION_MILLISECONDS = 4_000

export type ServerName = 'broker' | 'postgres' | 'registry'
export const serverNames: readonly ServerName[] = ['broker', 'postgres', 'registry']

/** Two processes of every service, and between them and the servers a door each. */
export interface Site {
  readonly directory: string
  readonly servers: Servers
  readonly stack: Stack
  readonly doors: Readonly<Record<ServerName, Door>>
  readonly as: (user: string, roles?: readonly string[]) => Promise<Client>
  /** Stop all processes; the files stay. */
  readonly stop: () => Promise<void>
  readonly remove: () => void
}

const secretNames = ['CRON_SECRET', 'VAULT_KEY', 'FINGERPRINT_SECRET', 'IDENTITY_SECRET', 'SEALING_KEY']
const freshSecrets = () =>
  Object.fromEntries(
    ['AUTH_JWT_SECRET', 'INTERNAL_SECRET', ...secretNames].map((name) => [name, randomBytes(32).toString('base64')]),
  )

const portOf = (address: string) => Number(new URL(address.includes('://') ? address : `tcp://${address}`).port)
const through = (address: string, door: Door) => {
  const url = new URL(address)
  url.port = String(door.port)
  return url.toString().replace(/\/$/, '')
}

const openDoors = async () => {
  const [broker, postgres, registry] = await Promise.all([openDoor(), openDoor(), openDoor()])
  return { broker, postgres, registry }
}

const environmentOf = (servers: Servers, doors: Site['doors']): NodeJS.ProcessEnv => ({
  ...freshSecrets(),
  KAFKA_BROKERS: `127.0.0.1:${doors.broker.port}`,
  SCHEMA_REGISTRY_URL: through(servers.registryUrl, doors.registry),
  DATABASE_URL: through(servers.databaseUrl('postgres'), doors.postgres),
  GROUP_SESSION_MILLISECONDS: String(SESSION_MILLISECONDS),
  PURCHASES_PER_MINUTE: '10000',
  REVEALS_PER_MINUTE: '10000',
  LOG_LEVEL: 'info',
})

/**
 * Start everything in a new directory, in test time.
 * @param signal gives up a start that is under way
 * @throws when it does not start; then nothing is left.
 */
export const openSite = async (log: Log, signal: AbortSignal): Promise<Site> => {
  const directory = mkdtempSync(join(tmpdir(), 'coding-plans-chaos-'))
  // PostgreSQL does not run as root, and must get at its own directory in here.
  chmodSync(directory, 0o711)
  const closers: (() => Promise<void>)[] = []
  const remove = () => rmSync(directory, { recursive: true, force: true })
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    const doors = await openDoors()
    for (const door of Object.values(doors)) closers.push(door.close)
    const serversIn = { dataDir: join(directory, 'servers'), advertisedBrokerPort: doors.broker.port, log }
    const servers = await startServers(serversIn)
    closers.push(servers.stop)
    doors.broker.leadTo(portOf(servers.brokers[0] as string))
    doors.registry.leadTo(portOf(servers.registryUrl))
    doors.postgres.leadTo(portOf(servers.databaseUrl('postgres')))
    signal.throwIfAborted()
    const house = { dataDir: join(directory, 'house'), env: environmentOf(servers, doors), signal, log }
    const stack = await startStack({ ...house, clock: 'test', instances: 2 })
    closers.push(stack.stop)
    const as: Site['as'] = (user, roles) => clientOf(() => stack, user, roles)
    return { directory, servers, stack, doors, as, stop, remove }
  } catch (error) {
    await stop()
    remove()
    throw error
  }
}
