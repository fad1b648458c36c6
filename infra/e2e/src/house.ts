import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Stack, startStack } from '@coding-plans/local'

/** An answer as a client sees it. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: the contract's shapes are what the tests check
  readonly body: any
  readonly milliseconds: number
}

export interface CallOptions {
  readonly body?: unknown
  readonly key?: string
  readonly headers?: Record<string, string>
  /** Which gateway; the first if absent. */
  readonly gateway?: number
  /** Gives up waiting for the answer. */
  readonly signal?: AbortSignal
}

export type Client = (call: string, options?: CallOptions) => Promise<Answer>

/** Everything from outside: real processes, spoken to by HTTP alone. */
export interface House {
  readonly stack: Stack
  readonly dataDir: string
  /** `call('POST /subscriptions', …)` as this user. */
  readonly as: (user: string, roles?: readonly string[]) => Promise<Client>
  readonly admin: Client
  /** Stop everything and start it again on the same data. */
  readonly restart: () => Promise<void>
  readonly close: () => Promise<void>
}

/** CI runs what depends on it with one and with two processes of every service, gateway included. */
export const instances = process.env.E2E_INSTANCES === '2' ? 2 : 1

export interface HouseOptions {
  readonly instances?: 1 | 2
  readonly clock?: 'system' | 'test'
  readonly env?: NodeJS.ProcessEnv
}

export const openHouse = async ({ clock = 'test', env = {}, ...options }: HouseOptions = {}): Promise<House> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'coding-plans-e2e-'))
  const log = (line: string) => {
    if (process.env.E2E_VERBOSE) console.log(line)
  }
  const limits = {
    ...(process.env.E2E_NODE_OPTIONS ? { NODE_OPTIONS: process.env.E2E_NODE_OPTIONS } : {}),
    PURCHASES_PER_MINUTE: '100000',
    LOG_LEVEL: 'info',
    ...env,
  }
  const start = () => startStack({ dataDir, clock, instances, ...options, env: limits, log })
  const forget = () => {
    if (!process.env.E2E_KEEP) rmSync(dataDir, { recursive: true, force: true })
  }
  let stack = await start().catch((error: unknown) => {
    forget()
    throw error
  })
  const as: House['as'] = (user, roles) => clientOf(() => stack, user, roles)
  const admin: Client = async (call, options) => (await as('admin-1', ['admin']))(call, options)
  return {
    get stack() {
      return stack
    },
    dataDir,
    as,
    admin,
    restart: async () => {
      await stack.stop()
      stack = await start()
    },
    close: async () => {
      await stack.stop()
      forget()
    },
  }
}

/** Asks whatever stack runs by then, as this user. */
export const clientOf = async (running: () => Stack, user: string, roles: readonly string[] = []): Promise<Client> => {
  const token = await running().token(user, roles)
  return (call, options) => send(running(), token, call, options)
}

const send = async (stack: Stack, token: string, call: string, options: CallOptions = {}): Promise<Answer> => {
  const [method = 'GET', path = ''] = call.split(' ')
  const { body, key, headers = {}, gateway = 0, signal } = options
  const url = stack.urls[gateway % stack.urls.length] as string
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const began = performance.now()
  const response = await fetch(`${url}${path.startsWith('/v1') || path.startsWith('/openapi') ? '' : '/v1'}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: text }),
    ...(signal ? { signal } : {}),
  })
  const said = await response.text()
  const json = /json/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    body: json && said !== '' ? JSON.parse(said) : said,
    milliseconds: performance.now() - began,
  }
}

export const USD = 1_000_000
export const newKey = () => randomUUID()
let counted = 0
/** A name that no other test of this run uses. */
export const fresh = (name: string) => {
  counted += 1
  return `${name}-${counted}-${Date.now().toString(36)}`
}

const MOST_ATTEMPTS = 5

/** What a test needs done first: 503 is said before anything is accepted, and is asked again under the same key. */
const settle = async (house: House, call: string, options: CallOptions): Promise<Answer> => {
  for (let left = MOST_ATTEMPTS - 1; ; left -= 1) {
    const answer = await house.admin(call, { ...options, headers: { prefer: 'wait=30' } })
    if (answer.status !== 503 || left === 0) return answer
    const seconds = Number(answer.headers.get('retry-after') ?? 1)
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
  }
}

export interface PlanOptions {
  readonly price?: number
  readonly keys?: number
  readonly providerId?: string
  readonly period?: { unit: 'day' | 'month'; count: number }
  readonly more?: object
}

/** Publish a plan of its own provider and upload keys for it. @returns its id and the keys. */
export const openShop = async (house: House, { price = 20 * USD, keys = 10, ...options }: PlanOptions = {}) => {
  const planId = fresh('plan')
  const providerId = options.providerId ?? fresh('provider')
  const period = options.period ?? { unit: 'month', count: 1 }
  const spec = { name: `Plan ${planId}`, providerId, priceMicrodollars: price, period, ...options.more }
  const published = await settle(house, `PUT /admin/plans/${planId}`, { body: spec })
  if (published.status !== 200)
    throw new Error(`Publishing answered ${published.status} ${JSON.stringify(published.body)}`)
  const secrets = await uploadKeys(house, planId, keys)
  return { planId, providerId, secrets }
}

export const uploadKeys = async (house: House, planId: string, count: number) => {
  const secrets = Array.from({ length: count }, (_, n) => `sk-${planId}-${n}-${randomUUID()}`)
  if (count === 0) return secrets
  const body = { entries: secrets.map((key) => ({ key })) }
  const answer = await settle(house, `POST /admin/plans/${planId}/keys`, { key: newKey(), body })
  if (answer.status !== 200) throw new Error(`The upload answered ${answer.status} ${JSON.stringify(answer.body)}`)
  return secrets
}

export const grant = async (house: House, user: string, amountMicrodollars: number, kind = 'grant') => {
  const body = { amountMicrodollars, kind, reason: 'a test' }
  const answer = await settle(house, `POST /admin/users/${user}/credits`, { key: newKey(), body })
  if (answer.status !== 201) throw new Error(`The grant answered ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

export const buy = (client: Client, planId: string, options: CallOptions & { wait?: number } = {}) =>
  client('POST /subscriptions', {
    key: newKey(),
    body: { planId },
    ...options,
    headers: { prefer: `wait=${options.wait ?? 30}`, ...options.headers },
  })

/** Waits for what must become true. @throws after the deadline, with what was seen last. */
export const eventually = async <T>(
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
  deadlineMilliseconds = 60_000,
): Promise<T> => {
  const until = Date.now() + deadlineMilliseconds
  for (;;) {
    const seen = await look()
    if (holds(seen)) return seen
    if (Date.now() > until) throw new Error(`It did not come true; last seen: ${JSON.stringify(seen)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Everything that must hold of a user's money after a test: what the statement adds up to, and that nothing is held. */
export const moneyOf = async (client: Client) => {
  const { body: credits } = await client('GET /credits')
  const { body: entries } = await client('GET /credits/entries?limit=100')
  const sum = entries.data.reduce(
    (total: number, entry: { amountMicrodollars: number }) => total + entry.amountMicrodollars,
    0,
  )
  return { ...credits, entries: entries.data, sum }
}
