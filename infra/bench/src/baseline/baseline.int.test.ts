import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Servers, startServers } from '@coding-plans/local'
import { SignJWT } from 'jose'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Baseline, dueSubscriptions, type PlanOnSale, startBaseline, stockBaseline } from './baseline.ts'
import { hashOf, type Transfer } from './ledger.ts'

const SECRET = 'a secret of this test alone, at least 32 bytes'
const PRICE = 20_000_000
const plan: PlanOnSale = {
  planId: 'acme-coding',
  providerId: 'acme',
  price: PRICE,
  period: { unit: 'month', count: 1 },
}

const dataDir = mkdtempSync(join(tmpdir(), 'coding-plans-baseline-'))
let servers: Servers
let databaseUrl: string
let baseline: Baseline
let db: pg.Client
let count = 0

beforeAll(async () => {
  servers = await startServers({ dataDir, log: () => {} })
})

afterAll(async () => {
  await servers?.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

beforeEach(async () => {
  count += 1
  databaseUrl = await servers.createDatabase(`baseline_${count}`)
  baseline = await startBaseline({ databaseUrl, authSecret: SECRET })
  db = new pg.Client({ connectionString: databaseUrl })
  await db.connect()
})

afterEach(async () => {
  await expectSoundBooks()
  await db.end()
  await baseline.stop()
})

const tokenOf = (user: string, roles: string[] = []) =>
  new SignJWT({ roles })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET))

const ask = async (method: string, path: string, user: string, more: { key?: string; body?: object; admin?: true }) => {
  const headers = {
    authorization: `Bearer ${await tokenOf(user, more.admin ? ['admin'] : [])}`,
    ...(more.key ? { 'idempotency-key': more.key } : {}),
    ...(more.body ? { 'content-type': 'application/json' } : {}),
  }
  const init = { method, headers, ...(more.body ? { body: JSON.stringify(more.body) } : {}) }
  const response = await fetch(`${baseline.url}${path}`, init)
  const replayed = response.headers.get('idempotency-replayed') === 'true'
  return { status: response.status, replayed, body: (await response.json()) as Record<string, unknown> }
}

const buy = (user: string, key: string, planId = plan.planId) =>
  ask('POST', '/v1/subscriptions', user, { key, body: { planId } })

const tick = async (now: number) => {
  const body = { now: new Date(now).toISOString() }
  return (await ask('POST', '/v1/admin/billing/tick', 'ann', { admin: true, body })).body
}

const availableTo = async (user: string) =>
  (await ask('GET', '/v1/credits', user, {})).body.availableMicrodollars as number

const times = <Made>(n: number, make: (n: number) => Promise<Made>) =>
  Promise.all(Array.from({ length: n }, (_, at) => make(at)))

const statuses = (answers: readonly { status: number }[]) => answers.map(({ status }) => status).sort((a, b) => a - b)

const numberOf = async (sql: string) => Number((await db.query(sql)).rows[0].count)

/** Every account is what its transfers make, hash by hash; a charge has its term; a key that is sold is in one slot. */
const expectSoundBooks = async () => {
  const accounts = await db.query('select * from accounts')
  const { rows } = await db.query('select * from transfers order by user_id, sequence')
  const chains = Map.groupBy(rows, ({ user_id }) => user_id as string)
  for (const account of accounts.rows) {
    const { available, held, revenue, funding, promotion, refund } = account
    expect([available, held, revenue, funding, promotion, refund].reduce((sum, at) => sum + Number(at), 0)).toBe(0)
    let [hash, sum] = ['0'.repeat(64), 0]
    for (const [n, row] of (chains.get(account.user_id) ?? []).entries()) {
      const [amount, sequence] = [Number(row.amount), Number(row.sequence)]
      sum += row.from_account === 'available' ? -amount : amount
      const whole = { ...row, amount, sequence, ...numbers(row) } as Transfer
      hash = hashOf(hash, whole)
      expect([sequence, row.hash, Number(row.available_after)]).toEqual([n + 1, hash, sum])
    }
    expect([account.hash, Number(account.available)]).toEqual([hash, sum])
  }
  expect(await numberOf("select count(*) from transfers where kind = 'charge'")).toBe(
    await numberOf('select count(*) from transfers t join charges c on c.id = t.charge_id and c.amount = t.amount'),
  )
  expect(await numberOf("select count(*) from subscriptions where status <> 'ended'")).toBe(
    await numberOf(`select count(*) from subscriptions s join slots l on l.subscription_id = s.id
      join keys k on k.id = l.key_id and k.subscription_id = s.id and k.state = 'assigned'`),
  )
}

const numbers = (row: Record<string, string | null>) => ({
  available_after: Number(row.available_after),
  held_after: Number(row.held_after),
  at: Number(row.at),
  boundary: row.boundary === null ? null : Number(row.boundary),
})

test('a purchase answers as the contract shows it, and what it did can be read', async () => {
  await stockBaseline(databaseUrl, { users: ['bob'], creditsEach: PRICE, plan, keys: 1 })
  const { status, body } = await buy('bob', 'k')
  expect(status).toBe(201)
  expect(body).toMatchObject({ kind: 'activation', charge: { kind: 'activation', amountMicrodollars: PRICE } })
  const list = await ask('GET', '/v1/subscriptions', 'bob', {})
  expect(list.body.data).toEqual([body.subscription])
  expect(await availableTo('bob')).toBe(0)
})

test('20 equal clicks charge once, and all are answered alike', async () => {
  await stockBaseline(databaseUrl, { users: ['bob'], creditsEach: 5 * PRICE, plan, keys: 20 })
  const answers = await times(20, () => buy('bob', 'click'))
  expect(new Set(statuses(answers))).toEqual(new Set([201]))
  expect(answers.filter(({ replayed }) => replayed)).toHaveLength(19)
  for (const { body } of answers) expect(body).toEqual(answers[0]?.body)
  expect(await availableTo('bob')).toBe(4 * PRICE)
  expect(await buy('bob', 'click', 'another-plan')).toMatchObject({
    status: 409,
    body: { code: 'idempotency_key_reused' },
  })
})

test('20 clicks under keys of their own make one subscription', async () => {
  await stockBaseline(databaseUrl, { users: ['bob'], creditsEach: 5 * PRICE, plan, keys: 20 })
  const answers = await times(20, (n) => buy('bob', `click-${n}`))
  expect(statuses(answers)).toEqual([201, ...Array(19).fill(409)])
  expect(await availableTo('bob')).toBe(4 * PRICE)
})

test('40 buyers for 7 keys buy exactly 7; who got none is not charged, and may try again under the same key', async () => {
  const users = Array.from({ length: 40 }, (_, n) => `user-${n}`)
  await stockBaseline(databaseUrl, { users, creditsEach: PRICE, plan, keys: 7 })
  const answers = await Promise.all(users.map((user) => buy(user, 'one')))
  expect(statuses(answers)).toEqual([...Array(7).fill(201), ...Array(33).fill(409)])
  expect(await numberOf("select count(*) from keys where state = 'assigned'")).toBe(7)
  const left = await Promise.all(users.map(availableTo))
  expect(left.filter((available) => available === PRICE)).toHaveLength(33)
  await stockBaseline(databaseUrl, { users: [], creditsEach: 0, plan, keys: 33 })
  const again = await Promise.all(users.map((user) => buy(user, 'one')))
  expect(new Set(statuses(again))).toEqual(new Set([201]))
  expect(again.filter(({ replayed }) => replayed)).toHaveLength(7)
})

test('20 purchases at once of one user overdraw nothing', async () => {
  const plans = Array.from({ length: 20 }, (_, n) => ({ ...plan, planId: `plan-${n}`, providerId: `provider-${n}` }))
  await stockBaseline(databaseUrl, { users: ['bob'], creditsEach: 7 * PRICE + 1, plan, keys: 0 })
  for (const one of plans) await stockBaseline(databaseUrl, { users: [], creditsEach: 0, plan: one, keys: 2 })
  const answers = await Promise.all(plans.map(({ planId }) => buy('bob', planId, planId)))
  expect(statuses(answers)).toEqual([...Array(7).fill(201), ...Array(13).fill(402)])
  expect(answers.find(({ status }) => status === 402)?.body.requiredMicrodollars).toBe(PRICE)
  expect(await availableTo('bob')).toBe(1)
})

test('due terms are charged once, also by two ticks at once, and again only when they are due again', async () => {
  const boundary = Date.UTC(2026, 0, 31, 12)
  await dueSubscriptions(databaseUrl, { count: 200, plan, boundary, creditsEach: 3 * PRICE })
  const [one, other] = await Promise.all([tick(boundary), tick(boundary)])
  expect(Number(one?.renewed) + Number(other?.renewed)).toBe(200)
  expect(await tick(boundary)).toMatchObject({ renewed: 0, pastDue: 0, failed: 0 })
  const ends = await db.query('select distinct current_period_end as "end" from subscriptions')
  expect(ends.rows.map(({ end }) => Number(end))).toEqual([Date.UTC(2026, 1, 28, 12)])
  expect(await tick(Date.UTC(2026, 2, 31, 12))).toMatchObject({ renewed: 400 })
  expect(await numberOf(`select count(*) from accounts where available = 0`)).toBe(200)
})

test('an unfunded term is past due in its grace, and then the end', async () => {
  const boundary = Date.UTC(2026, 0, 31, 12)
  const kind = { ...plan, graceHours: 24 }
  const [user = ''] = await dueSubscriptions(databaseUrl, { count: 1, plan: kind, boundary, creditsEach: PRICE - 1 })
  expect(await tick(boundary)).toMatchObject({ renewed: 0, pastDue: 1 })
  expect(await tick(boundary)).toMatchObject({ renewed: 0, pastDue: 0 })
  expect(await tick(boundary + 86_400_000)).toMatchObject({ renewed: 0, pastDue: 0, ended: 1 })
  const { body } = await ask('GET', '/v1/subscriptions', user, {})
  expect(body.data).toMatchObject([{ status: 'ended', endReason: 'insufficient_credits' }])
  expect(await availableTo(user)).toBe(PRICE - 1)
})
