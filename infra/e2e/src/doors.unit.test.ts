import { createHttp, openDatabase, openLog, type Parts, type ServiceOptions } from '@coding-plans/runtime'
import { Metrics } from '@coding-plans/runtime/testing'
import { type Service, services } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { billingScheduler } from '../../../services/billing-scheduler/src/app.ts'
import { creditsLedger } from '../../../services/credits-ledger/src/app.ts'
import { readConfig as readLedger } from '../../../services/credits-ledger/src/config.ts'
import { readConfig as readGateway } from '../../../services/gateway/src/config.ts'
import { gateway } from '../../../services/gateway/src/gateway.ts'
import { keyInventory } from '../../../services/key-inventory/src/app.ts'
import { readConfig as readInventory } from '../../../services/key-inventory/src/config.ts'
import { subscriptionService } from '../../../services/subscription/src/app.ts'
import { auditor } from '../../auditor/src/app.ts'
import { readConfig as readAuditor } from '../../auditor/src/config.ts'

/** Whom a door opens to: all who reach the port, every service, the gateway, or whom a token names. */
type Guests = 'anybody' | 'services' | 'gateway' | 'token'
type Doors = Readonly<Record<string, Guests>>

const machines: Doors = {
  'GET /healthz': 'anybody',
  'GET /readyz': 'anybody',
  'GET /metrics': 'anybody',
  'GET /openapi.json': 'anybody',
  'GET /internal/open': 'services',
}

/** Every route of every service. Those of the contract have a table of their own: services/gateway/src/routes/routes.unit.test.ts. */
const doors: Readonly<Record<Service, Doors>> = {
  auditor: machines,
  gateway: {
    ...machines,
    'GET /docs': 'anybody',
    'GET /docs/': 'anybody',
    'GET /docs/json': 'anybody',
    'GET /docs/yaml': 'anybody',
    'GET /docs/static/*': 'anybody',
    'GET /docs/static/index.html': 'anybody',
    'GET /docs/static/swagger-initializer.js': 'anybody',
  },
  subscription: machines,
  'credits-ledger': machines,
  'key-inventory': {
    ...machines,
    'GET /internal/sealing-key': 'gateway',
    'POST /internal/reveal': 'gateway',
  },
  'billing-scheduler': machines,
}

const secretOf = (fill: number) => Buffer.alloc(32, fill).toString('base64')
const INTERNAL = secretOf(1)
const REVEAL = secretOf(2)
const env = {
  KAFKA_BROKERS: '127.0.0.1:1',
  SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1',
  DATABASE_URL: 'postgres://127.0.0.1:1/nowhere',
  LOG_LEVEL: 'silent',
  INTERNAL_SECRET: INTERNAL,
  REVEAL_SECRET: REVEAL,
  AUTH_JWT_SECRET: secretOf(3),
  CRON_SECRET: secretOf(4),
  VAULT_KEY: secretOf(5),
  FINGERPRINT_SECRET: secretOf(6),
  SEALING_KEY: secretOf(7),
  KEY_INVENTORY_URL: 'http://127.0.0.1:1',
  FAKE_PAYMENTS_URL: 'http://127.0.0.1:1',
}
const log = openLog('test', 'silent')

type Options = Pick<ServiceOptions<never>, 'routes' | 'server' | 'openapi'>
const made: Readonly<Record<Service, () => Options | Promise<Options>>> = {
  auditor: () => auditor(readAuditor(env)),
  gateway: () => gateway(readGateway(env)),
  subscription: () => subscriptionService(new Map()),
  'credits-ledger': () => creditsLedger(readLedger(env)),
  'key-inventory': () => keyInventory(readInventory(env)),
  'billing-scheduler': () => billingScheduler({ mode: 'test', surroundings: {} as never, log }),
}

/** A service's server as it would listen, with nothing behind it. */
const serverOf = async (service: Service) => {
  const { routes, server, openapi } = await made[service]()
  const found: { method: 'GET'; url: string }[] = []
  const metrics = new Metrics(service)
  const http = await createHttp({
    service,
    log,
    metrics,
    internalSecret: Buffer.from(INTERNAL, 'base64'),
    ready: async () => ({ ready: true, reasons: [] }),
    open: async () => ({ unpublished: 0, calls: 0, due: 0 }),
    ...(server ? { server } : {}),
    ...(openapi ? { openapi } : {}),
    onRoute: ({ method, url }) => {
      for (const one of [method].flat()) found.push({ method: one as 'GET', url })
    },
  })
  const worker = { append: async () => () => {}, onRound: () => {} }
  const knex = openDatabase(env.DATABASE_URL, { idleInTransactionMilliseconds: 1_000 })
  await routes?.(http, { knex, log, metrics, worker, environment: env } as unknown as Parts)
  await http.ready()
  return { http, found }
}

const isOfContract = (url: string) => url.startsWith('/v1/')
/** Each GET has its HEAD. */
const nameOf = ({ method, url }: { method: string; url: string }) => `${method === 'HEAD' ? 'GET' : method} ${url}`

test.each(services)('every route of %s is in the table that says who may enter', async (service) => {
  const { found } = await serverOf(service)
  const names = found.filter(({ url }) => !isOfContract(url)).map(nameOf)
  expect([...new Set(names)].sort()).toEqual(Object.keys(doors[service]).sort())
})

test.each(services)('%s opens its doors to whom it says, and to nobody else: 401', async (service) => {
  const { http, found } = await serverOf(service)
  const opens: Record<Guests, (secret: string) => boolean> = {
    anybody: () => true,
    services: (secret) => secret === INTERNAL,
    gateway: (secret) => secret === REVEAL,
    token: () => false,
  }
  for (const { method, url } of found)
    for (const secret of ['', secretOf(9), INTERNAL, REVEAL]) {
      const name = nameOf({ method, url })
      const guests = isOfContract(url) ? 'token' : doors[service][name]
      const headers = { authorization: `Bearer ${secret}` }
      const { statusCode } = await http.inject({ method, url: url.replace(/:\w+/g, 'x'), headers })
      expect([method, url, secret, statusCode !== 401]).toEqual([method, url, secret, guests && opens[guests](secret)])
    }
})
