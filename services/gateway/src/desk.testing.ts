import { createHttp, openLog } from '@coding-plans/runtime'
import { instant } from '@coding-plans/schemas'
import type { FastifyInstance, FastifyServerOptions, InjectOptions, LightMyRequestResponse } from 'fastify'
import { SignJWT } from 'jose'
import { afterEach, expect } from 'vitest'
import type { Intent, Verdict } from './acceptor.ts'
import { buildApp, openapi, serverOptions } from './app.ts'
import { authenticator, bearerOf } from './authentication.ts'
import type { Desk } from './desk.ts'
import { T0 } from './events.testing.ts'
import { rateLimit } from './rate-limit.ts'
import { restsOnNothing, type ShownOperation } from './rows.ts'

/** The contract on a server that does not listen, with a desk that remembers what it was asked. */

export const SECRET = 'a secret that is only for tests, of enough bytes'

export const CRON = 'a secret of the machine that ticks'

export const tokenFor = (sub: string, roles?: unknown, expires = '1h') =>
  new SignJWT({ ...(roles === undefined ? {} : { roles }) })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(SECRET))

export const operation = (change: Partial<ShownOperation> = {}): ShownOperation => ({
  ...restsOnNothing,
  id: 'op_1',
  caller: 'ada',
  kind: 'purchase',
  subject: 'ada',
  startedAt: T0,
  steps: [],
  outcome: null,
  answer: null,
  finishedAt: null,
  visible: false,
  ...change,
})

/** For a test that is about one of them, the others. */
export const limits: Desk['limits'] = {
  purchases: rateLimit(300, () => 0),
  keyTests: rateLimit(10, () => 0),
  explanations: rateLimit(300, () => 0),
}

const nobody = async () => null
const nothing = async () => []

const emptyReading: Desk['reading'] = {
  plans: nothing,
  wishes: async () => new Set<string>(),
  plan: nobody,
  planVersions: nothing,
  providerKnown: async () => true,
  subscriptions: nothing,
  subscription: nobody,
  charges: nothing,
  autoTopUp: nobody,
  credits: nobody,
  creditsAt: nobody,
  entries: nothing,
  hasEntry: async () => false,
  invariants: nobody,
  slots: nothing,
  notifications: nothing,
  deleted: async () => false,
  operation: nobody,
  stock: nothing,
  keys: nothing,
  planOfKey: nobody,
  audit: nothing,
  deadLetters: nothing,
  deadLetter: nobody,
  redrivable: nothing,
  countRedrivable: async () => 0,
  clock: nobody,
}

export interface Bench {
  readonly app: FastifyInstance
  /** What was accepted. */
  readonly intents: Intent[]
  readonly waits: number[]
  /** Ask as `who` with these roles. */
  readonly ask: (options: InjectOptions, who?: { sub?: string; roles?: unknown }) => Promise<LightMyRequestResponse>
}

interface Scene {
  readonly desk?: Partial<Omit<Desk, 'reading'>>
  readonly reading?: Partial<Desk['reading']>
  readonly verdict?: (intent: Intent) => Verdict
  /** What the wait for an operation finds. */
  readonly found?: ShownOperation | null
  /** Over the limits of the real server. */
  readonly server?: FastifyServerOptions
  readonly onApp?: (app: FastifyInstance) => void
}

/** Answers that /openapi.json does not know of: none may be left after a test. */
const undescribed: string[] = []
afterEach(() => {
  expect(undescribed.splice(0)).toEqual([])
})

export const openBench = async ({
  desk,
  reading,
  verdict,
  found = operation(),
  onApp,
  server,
}: Scene = {}): Promise<Bench> => {
  const intents: Intent[] = []
  const waits: number[] = []
  const app = await createHttp({
    service: 'gateway',
    log: openLog('gateway', 'silent'),
    metrics: { registry: { contentType: 'text/plain', metrics: async () => '' } } as never,
    internalSecret: Buffer.alloc(32, 2),
    ready: async () => ({ ready: true, reasons: [] }),
    open: async () => ({ unpublished: 0, calls: 0, due: 0 }),
    server: { ...serverOptions, ...server },
    openapi,
  })
  onApp?.(app)
  app.addHook('onSend', async ({ method, routeOptions }, { statusCode }) => {
    const described = (routeOptions.schema?.response ?? {}) as object
    if (routeOptions.config.roles && method !== 'HEAD' && !(statusCode in described))
      undescribed.push(`${method} ${routeOptions.url} ${statusCode}`)
  })
  await buildApp(app, {
    mode: 'test',
    secret: Buffer.alloc(32, 1),
    authenticate: authenticator({ secret: SECRET, jwksUrl: null }, () => Date.now()),
    admitCron: bearerOf(CRON),
    limits,
    acceptor: {
      accept: async (intent) => {
        intents.push(intent)
        return verdict?.(intent) ?? { verdict: 'new', operationId: 'op_1', finished: false }
      },
    },
    waiting: {
      horizon: 7,
      closed: false,
      look: () => {},
      wait: async (_id, milliseconds) => {
        waits.push(milliseconds)
        return found
      },
    },
    inventory: {
      sealingKey: async () => {
        throw new Error('Nothing is sealed here.')
      },
      reveal: async () => 'sk-in-clear',
    },
    now: async () => instant(T0),
    accepting: () => true,
    ...desk,
    reading: { ...emptyReading, ...reading },
  })
  await app.ready()
  return {
    app,
    intents,
    waits,
    ask: async (options, { sub = 'ada', roles } = {}) =>
      app.inject({
        ...options,
        headers: { authorization: `Bearer ${await tokenFor(sub, roles)}`, ...options.headers },
      }),
  }
}
