import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { Knex } from 'knex'
import { clusterOf } from './cluster.ts'
import { Codec, UnregisteredSchema } from './codec.ts'
import { openDatabase } from './database.ts'
import { backOff, pause } from './failures.ts'
import type { Handler, LaneWork } from './handler.ts'
import { createHttp } from './http.ts'
import type { ISocketFactory } from './kafka/client.ts'
import { type Logger, openLog } from './log.ts'
import { Metrics } from './metrics.ts'
import type { ServiceEnvironment } from './service-environment.ts'
import { select } from './sql.ts'
import { Worker } from './worker.ts'

export interface Parts {
  readonly knex: Knex
  readonly log: Logger
  readonly worker: Worker
  readonly metrics: Metrics
  readonly environment: ServiceEnvironment
}

export interface ServiceOptions<State> {
  readonly service: string
  readonly environment: ServiceEnvironment
  readonly handler: Handler<State> | ((parts: Omit<Parts, 'worker' | 'metrics'>) => Handler<State>)
  readonly work?: readonly LaneWork[]
  /** The service's own routes. */
  readonly routes?: (http: FastifyInstance, parts: Parts) => void | Promise<void>
  /** The shortest time from one round's beginning to the next; longer for who need not be quick. */
  readonly paceMilliseconds?: number
  /** What must be done once before the service is ready, with the worker at hand. */
  readonly begin?: (parts: Parts) => Promise<void>
  /** What the service itself still lacks to be ready, in a sentence. */
  readonly missing?: (knex: Knex) => Promise<string | null>
  /** How much is due and unanswered (billing-scheduler). */
  readonly due?: (knex: Knex) => Promise<number>
  readonly server?: FastifyServerOptions
  /** What its OpenAPI description says besides its routes. */
  readonly openapi?: object
  /** For tests that put a proxy between. */
  readonly socketFactory?: ISocketFactory
}

export interface Running {
  readonly url: string
  readonly worker: Worker
  readonly knex: Knex
  stop(): Promise<void>
}

/** Everything a service process is: log, database, HTTP, worker. @throws UnregisteredSchema, or what listening throws. */
export const startService = async <State>(options: ServiceOptions<State>): Promise<Running> => {
  const { service, environment } = options
  const { GROUP_SESSION_MILLISECONDS: sessionMilliseconds } = environment
  const cluster = clusterOf(environment)
  const log = openLog(service, environment.LOG_LEVEL)
  const idleInTransactionMilliseconds = Math.round(sessionMilliseconds / 2)
  const knex = openDatabase(environment.DATABASE_URL, { idleInTransactionMilliseconds })
  const metrics = new Metrics(service)
  const codec = new Codec(environment.SCHEMA_REGISTRY_URL, environment.SCHEMA_REGISTRY_TLS_CA?.ca)
  const given = options.handler
  const handler = typeof given === 'function' ? given({ knex, log, environment }) : given
  const { socketFactory } = options
  const connection = { ...cluster, clientId: service, log, ...(socketFactory ? { socketFactory } : {}) }
  const worker = new Worker<State>({
    service,
    knex,
    codec,
    handler,
    work: options.work ?? [],
    mode: environment.CLOCK,
    connection,
    sessionMilliseconds,
    log,
    metrics,
    ...(options.paceMilliseconds ? { paceMilliseconds: options.paceMilliseconds } : {}),
  })
  const parts: Parts = { knex, log, worker: worker as Worker, metrics, environment }
  let begun = false
  const http = await createHttp({
    service,
    log,
    metrics,
    internalSecret: environment.INTERNAL_SECRET,
    ready: async () => {
      const reasons = begun ? worker.ready().reasons : ['The service is starting.']
      const missing = reasons.length === 0 ? await options.missing?.(knex) : null
      if (missing) reasons.push(missing)
      // What is read and said every day needs it no more; the first message of a new schema would wait for it.
      if (reasons.length === 0 && !(await codec.registryAnswers())) reasons.push('The registry does not answer.')
      return { ready: reasons.length === 0, reasons }
    },
    open: async () => {
      const { unpublished, uncalled } = await openWork(knex)
      return { unpublished, calls: uncalled + worker.callsUnderWay, due: (await options.due?.(knex)) ?? 0 }
    },
    ...(options.server ? { server: options.server } : {}),
    ...(options.openapi ? { openapi: options.openapi } : {}),
  })
  await options.routes?.(http, parts)
  const url = await http.listen({ host: environment.HOST, port: environment.PORT })
  const stop = async () => {
    await http.close()
    await worker.stop()
    await knex.destroy()
  }
  try {
    await learn(codec, service, log)
    await options.begin?.(parts)
  } catch (error) {
    await stop()
    throw error
  }
  void worker.start()
  begun = true
  log.info({ url }, 'listening')
  return { url, worker: worker as Worker, knex, stop }
}

/** The registry may come up later than we do; a schema that is not there will not come by itself. */
const learn = async (codec: Codec, service: string, log: Logger) => {
  for (let attempt = 0; ; attempt += 1)
    try {
      return await codec.learn(service)
    } catch (error) {
      if (error instanceof UnregisteredSchema) throw error
      log.warn({ err: error }, 'The registry does not answer')
      await pause(backOff(attempt, 100))
    }
}

const openWork = async (knex: Knex) => {
  const rows = await select<{ unpublished: number; uncalled: number }>(
    knex,
    `select (select count(*) from outbox)::int as unpublished,
            (select count(*) from effects where attempts = 0)::int as uncalled`,
  )
  return rows[0] as { unpublished: number; uncalled: number }
}

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** A service as a process of its own: starts it, stops it on a signal, says in one line why it cannot start. */
export const runService = async <State>(options: ServiceOptions<State>): Promise<Running> => {
  const log = openLog(options.service, options.environment.LOG_LEVEL)
  const failed = (error: unknown) => {
    log.fatal({ err: error }, (error as Error).message)
    process.exit(1)
  }
  process.on('unhandledRejection', failed)
  process.on('uncaughtException', failed)
  try {
    const running = await startService(options)
    for (const signal of STOP_SIGNALS)
      process.once(signal, () => {
        running.stop().then(() => process.exit(0), failed)
      })
    return running
  } catch (error) {
    return failed(error)
  }
}
