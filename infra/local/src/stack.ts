import { join } from 'node:path'
import { type Cluster, ensureAcls, ensureTopics, kafkaPasswordOf } from '@coding-plans/runtime'
import { AUDITOR, type Service, services } from '@coding-plans/schemas'
import { accesses, accessOfProvisioner } from './accesses.ts'
import { Complaint } from './complaint.ts'
import { type Crew, openCrew } from './crew.ts'
import { prepareDatabases } from './databases.ts'
import { type ClockMode, type Directory, openDirectory, settleClock } from './directory.ts'
import { endOrphans } from './orphans.ts'
import { checkPort } from './ports.ts'
import { type Child, type Log, supervise } from './processes.ts'
import { registerSchemas } from './register.ts'
import { type Secrets, settleSecrets } from './secrets.ts'
import { gather, openServers, type Servers } from './servers.ts'
import { environmentOf, type Seat, type Surroundings, seatAll } from './services.ts'
import { addressOf, readSettings, type Settings } from './settings.ts'
import { signToken } from './sign-token.ts'
import { subjects, topics } from './topics.ts'
import { readVaultKeys } from './vault-keys.ts'

/**
 * How every service's process is run. A round's rows die young if the young generation holds them; and the old one is
 * collected before it has grown to four times what lives in it, which spares a fifth of the memory and no CPU. HPKE needs
 * X25519 of WebCrypto, about which Node still warns.
 */
export const nodeOptions = [
  '--max-semi-space-size=8',
  '--heap-growing-percent=160',
  '--disable-warning=ExperimentalWarning',
]

const root = join(import.meta.dirname, '..', '..', '..')

export interface StackOptions {
  readonly dataDir: string
  /** What would be the environment of `npm start`: limits, prices, secrets, servers of one's own. Nothing else is read. */
  readonly env?: NodeJS.ProcessEnv
  /** Over `env.CLOCK`. */
  readonly clock?: ClockMode
  /** How many processes of every service, the gateway included. */
  readonly instances?: 1 | 2
  /** Of the first gateway; over `env.PORT`. Absent in both: a free one. */
  readonly port?: number
  readonly log: Log
  /** Gives up a start that is under way. */
  readonly signal?: AbortSignal
}

export interface ServiceProcess extends Child {
  readonly service: Service
  readonly instance: number
  readonly url: string
}

/** The whole house, running. */
export interface Stack {
  readonly url: string
  /** Every gateway's; the first is `url`. */
  readonly urls: readonly string[]
  readonly servers: Servers
  readonly services: readonly ServiceProcess[]
  readonly secrets: Secrets
  /** The fake payment service: `GET /charges?userId=` lists what was charged. Null with PAYMENTS=stripe. */
  readonly paymentsUrl: string | null
  readonly token: (user: string, roles?: readonly string[]) => Promise<string>
  readonly stop: () => Promise<void>
}

/** Throws while a service does not call itself ready. */
const askService = async (url: string) => {
  const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) })
  const said = await answer.text()
  if (!answer.ok) throw new Error(`/readyz answers ${answer.status} ${said.slice(0, 500)}`)
}

const roomOf = (service: Service) => join(service === AUDITOR ? 'infra' : 'services', service)

const prepareService = (seat: Seat, around: Surroundings, directory: string, log: Log): ServiceProcess => {
  const child = supervise(
    directory,
    {
      name: seat.name,
      command: process.execPath,
      arguments: [...nodeOptions, join(root, roomOf(seat.service), 'src', 'main.ts')],
      get environment() {
        return environmentOf(seat, around)
      },
      cwd: root,
      ready: () => askService(seat.url),
    },
    log,
  )
  // Not spread: `pid` is asked anew each time.
  return Object.assign(Object.create(child) as Child, { service: seat.service, instance: seat.instance, url: seat.url })
}

/** The fake payment service, a process like the others. */
const preparePayments = (port: number, directory: string, log: Log) => {
  const url = `http://127.0.0.1:${port}`
  const child = supervise(
    directory,
    {
      name: 'payments',
      command: process.execPath,
      arguments: [...nodeOptions, join(import.meta.dirname, 'fake-payments.ts')],
      environment: { PATH: process.env.PATH, PORT: String(port) },
      cwd: root,
      ready: async () => {
        const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) })
        if (!answer.ok) throw new Error(`/healthz answers ${answer.status}`)
      },
    },
    log,
  )
  return { child, url }
}

/** Rejects when the start is given up. */
const givenUp = (signal: AbortSignal | undefined) =>
  new Promise<never>((_, reject) => {
    const giveUp = () => reject(new Complaint('The start was given up.'))
    if (signal?.aborted) giveUp()
    signal?.addEventListener('abort', giveUp, { once: true })
  })

/**
 * Start everything, in parallel as far as one thing does not need another, and wait until all services are ready.
 * @throws Complaint when something is missing, taken or malformed; then nothing is left running.
 */
export const startStack = async (options: StackOptions): Promise<Stack> => {
  const directory = openDirectory(options.dataDir)
  const crew = openCrew(options.log)
  const stop = async () => {
    await crew.stop()
    directory.release()
  }
  try {
    return await Promise.race([build(options, { directory, crew, stop }), givenUp(options.signal)])
  } catch (error) {
    await stop()
    throw error
  }
}

/** Topics, and who may do what on them where services come to the brokers as themselves. */
const provision = async (cluster: Cluster, env: NodeJS.ProcessEnv, log: Log) => {
  await ensureTopics(cluster, topics)
  if (!cluster.sasl || !services.some((service) => env[kafkaPasswordOf(service)])) return
  const kept = await ensureAcls(cluster, [...accesses, ...accessOfProvisioner(cluster.sasl.username)])
  log(
    kept
      ? 'every service may do on the brokers what it needs, and no more'
      : 'the brokers have no authorizer: any user may do anything',
  )
}

interface Site {
  readonly directory: Directory
  readonly crew: Crew
  readonly stop: () => Promise<void>
}

/** Where everybody will sit. */
const plan = async (
  { env = {}, port, instances = 1 }: StackOptions,
  { host, port: asked }: Settings,
  directory: Directory,
) => {
  const first = port ?? (env.PORT ? asked : await directory.port('gateway-1'))
  await checkPort(host, first)
  const gateway = { host, port: first, url: addressOf(host, first) }
  directory.remember({ instances })
  return seatAll({ instances, gateway, port: directory.port })
}

const build = async (options: StackOptions, { directory, crew, stop }: Site): Promise<Stack> => {
  const { env = {}, log } = options
  const settings = readSettings(env)
  const clock = options.clock ?? settings.clock
  const secrets = settleSecrets({ env, directory: directory.path, mayMake: settings.mayMakeSecrets })
  // Before ports are looked at: an orphan may sit on one.
  await endOrphans(directory.path, log)
  const seats = await plan(options, settings, directory)
  const isFake = settings.payments === 'fake'
  const payments = isFake ? preparePayments(await directory.port('payments'), directory.path, log) : null
  // After everything that can refuse the start: a start that never began must not settle the clock.
  settleClock(directory, clock)

  const opening = openServers({ directory, own: settings.own, crew, log })
  const [servers] = await Promise.all([
    gather(opening, stop),
    opening.broker.then(({ cluster }) => provision(cluster, env, log)),
    opening.registry.then(({ at }) => registerSchemas(at, subjects)),
    opening.postgres.then(({ url }) => prepareDatabases(url)),
  ])
  log(`${topics.length} topics, ${subjects.length} schemas and the databases are in place`)

  const vaultKeys = () => readVaultKeys(env, directory.path)
  const paymentsUrl = payments?.url ?? null
  const around: Surroundings = { ...servers, env, secrets, vaultKeys, clock, seats, paymentsUrl }
  const processes = seats.map((seat) => prepareService(seat, around, directory.path, log))
  const children = payments ? [...processes, payments.child] : processes
  await Promise.all(children.map((child) => crew.start(child, 'service')))
  const urls = processes.flatMap(({ service, url }) => (service === 'gateway' ? [url] : []))
  return {
    url: urls[0] as string,
    urls,
    servers,
    services: processes,
    secrets,
    paymentsUrl,
    token: (user, roles = []) => signToken(secrets.AUTH_JWT_SECRET, user, roles),
    stop,
  }
}
