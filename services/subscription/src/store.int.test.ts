import { type Bed, openBed } from '@coding-plans/local/bed'
import {
  inTransaction,
  laneOf,
  type Message,
  migrate,
  openDatabase,
  type Parts,
  type Saying,
  select,
  type Tx,
} from '@coding-plans/runtime'
import { message } from '@coding-plans/runtime/testing'
import { instant, microdollars, userId } from '@coding-plans/schemas'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { at, DAY, publishBody } from './bodies.testing.ts'
import type { Books } from './books.ts'
import { publishFixedPrices } from './environment-prices.ts'
import { decide } from './handlers.ts'
import { migrations } from './migrations/index.ts'
import { loadBooks, saveBooks, takeRetries } from './store.ts'
import { action, openStory, perform } from './story.testing.ts'
import { takeNotices } from './wish-store.ts'
import { openLiveWorld, type World } from './world.testing.ts'

let bed: Bed
let knex: ReturnType<typeof openDatabase>

beforeAll(async () => {
  bed = await openBed()
  const url = await bed.servers.createDatabase('subscription_store')
  await migrate(url, migrations)
  knex = openDatabase(url, { idleInTransactionMilliseconds: 60_000 })
})
afterAll(async () => {
  await knex?.destroy()
  await bed?.close()
})
const TABLES = 'plans, plan_versions, operations, buyers, subscriptions, terms, sagas, stocks, wishes'
beforeEach(() => knex.raw(`truncate ${TABLES}`))

const decisions = decide(new Map())
const decideAll = (books: Books, messages: readonly Message[]) =>
  messages.flatMap((one) => (decisions[one.name] as (books: Books, message: Message) => Saying[])(books, one))

/** What the runtime does with a round, without delivery. */
const round = (messages: readonly Message[]): Promise<Saying[]> =>
  inTransaction(knex, async (tx) => {
    const books = await loadBooks(tx, messages, instant(0))
    const said = decideAll(books, messages)
    await saveBooks(tx, books)
    return said
  })

const inRounds = async (messages: readonly Message[], size: number) => {
  const said: Saying[] = []
  for (let from = 0; from < messages.length; from += size)
    said.push(...(await round(messages.slice(from, from + size))))
  return said
}

const WISH = 'user_id, plan_id, wished, version, asked_at, notice, notice_at'
const inOrder = (_: string, value: unknown) =>
  value?.constructor === Object ? Object.fromEntries(Object.entries(value).sort()) : value
const sorted = (rows: Iterable<object>) => [...rows].map((row) => JSON.stringify(row, inOrder)).sort()
const table = async (sql: string) => sorted(await select<object>(knex, sql))

const purchase = (user: string, operationId: string, planVersion = 1) => {
  const known = { knownSubscriptionId: null, knownEnd: null }
  const body = { userId: userId(user), operationId, planId: 'acme-coding', planVersion, ...known }
  return message('PurchasePlan', body, { time: at(0), correlationId: operationId })
}
const publish = () => round([message('PublishPlan', publishBody(), { time: at(0) })])

test.each([1, 5, 1_000])('stories in rounds of %i are decided and kept as in memory', async (size) => {
  const stories = fc.sample(fc.array(action, { maxLength: 100, size: 'max' }), { numRuns: 15, seed: 7 })
  for (const story of stories) {
    await knex.raw(`truncate ${TABLES}`)
    const world: World = openStory()
    for (const one of story) perform(world, one)
    world.settle()
    const said = await inRounds(world.heard, size)
    const { books } = world
    expect(await table('select * from subscriptions')).toEqual(sorted(books.subscriptions))
    expect(await table('select * from terms')).toEqual(sorted(books.terms))
    expect(await table('select * from plan_versions')).toEqual(sorted(books.versions))
    expect(await table('select operation_id from operations')).toEqual(sorted(books.operations))
    expect(await table('select * from buyers')).toEqual(sorted(books.buyers))
    expect(await table(`select ${WISH} from wishes`)).toEqual(sorted(books.wishes))
    expect(await table('select * from stocks')).toEqual(sorted(books.stocks))
    const states = [...books.sagas].map(({ id, kind, state, running }) => ({ id, kind, state, running }))
    expect(await table('select id, kind, state, running from sagas')).toEqual(sorted(states))
    const decided = world.said.filter(({ causationId }) => causationId !== null)
    expect(said.map(({ name }) => name)).toEqual(decided.map(({ name }) => name))
  }
})

test('SUB-6: two rounds at once on one user: the second sees what the first decided', async () => {
  await publish()
  const said = await Promise.all(['op_1', 'op_2', 'op_3'].map((id) => round([purchase('ada', id)])))
  const names = said.flat().map(({ name }) => name)
  expect(names.sort()).toEqual(['HoldCredits', 'PurchaseRefused', 'PurchaseRefused'])
})

test('CAT-2: two publishes at once are two versions', async () => {
  await publish()
  await Promise.all([publish(), publish(), publish()])
  const versions = await select<{ version: number }>(knex, 'select version from plan_versions order by 1')
  expect(versions.map(({ version }) => version)).toEqual([1, 2, 3, 4])
  expect(await select(knex, 'select version from plans')).toEqual([{ version: 4 }])
})

test('CAT-3: instances that start at once publish a fixed price once, and say it once', async () => {
  await publish()
  const sayings: Saying[] = []
  const append = async (_: Tx, said: readonly Saying[]) => {
    sayings.push(...said)
    return () => {}
  }
  const parts = { knex, worker: { append }, environment: { CLOCK: 'system' } } as unknown as Parts
  const prices = new Map([['CODING_PLAN_PRICE_ACME_CODING', microdollars(7)]])
  const now = at(DAY)
  await Promise.all([1, 2, 3].map(() => publishFixedPrices(parts, prices, now)))
  expect(sayings.map(({ name, time }) => [name, time])).toEqual([
    ['PlanPublished', now],
    ['ActionAudited', now],
  ])
  expect(new Set(sayings.map(({ cause }) => cause))).toEqual(new Set(['environment|acme-coding|2']))
  const rows = await select(
    knex,
    'select version, price, published_by, operation_id from plan_versions order by version',
  )
  expect(rows[1]).toEqual({ version: 2, price: 7, publishedBy: 'environment', operationId: null })
  expect(rows).toHaveLength(2)
})

test('the database itself refuses what must never be', async () => {
  const { world } = openLiveWorld()
  await inRounds(world.heard, 1_000)
  const never = [
    // SUB-6: two live ones; REN-3: a term twice, a charge twice.
    `insert into subscriptions select (jsonb_populate_record(s, '{"id": "sub_2"}')).* from subscriptions s`,
    'insert into terms select * from terms',
    'insert into terms select subscription_id, boundary + 1, ends_at, kind, amount, charge_id from terms',
    // REN-2, CAT-8: paid without a charge, free with one.
    'update terms set charge_id = null',
    'update terms set amount = 0',
    // An end without its instant or its reason; a flag without who and when.
    `update subscriptions set status = 'ended'`,
    'update subscriptions set access_until = 0',
    'update subscriptions set canceled_at = 0',
    'update subscriptions set price = -1',
    // Past due without a deadline, or a deadline without it.
    `update subscriptions set status = 'past_due'`,
    'update subscriptions set grace_ends_at = 0',
    // A second running purchase of the same user and provider, a second money saga of the same subscription.
    ...[`'extension', user_id, provider_id, 'sub_2'`, `'renewal', user_id, 'bolt', subscription_id`].map(
      (different) => `with running as (update sagas set running = true returning *)
        insert into sagas (id, kind, user_id, provider_id, subscription_id, lane, state, memory, running, at)
        select 'op_x', ${different}, lane, state, memory, true, at from running`,
    ),
    'update plans set version = 9',
  ]
  for (const sql of never) await expect(knex.raw(sql), sql).rejects.toThrow(/constraint/)
})

test('a round of a thousand buyers takes a handful of statements', async () => {
  await publish()
  let statements = 0
  const note = () => {
    statements += 1
  }
  knex.on('query', note)
  const said = await round(Array.from({ length: 1_000 }, (_, n) => purchase(`user ${n}`, `op_${n}`)))
  knex.off('query', note)
  expect(said.filter(({ name }) => name === 'HoldCredits')).toHaveLength(1_000)
  expect(statements).toBeLessThan(20)
})

test('what is to be said again is given once, in its lanes, when its time has come', async () => {
  await publish()
  const [hold] = await round([purchase('ada', 'op_1')])
  const failure = { subject: 'ada', messageId: 'm', messageName: 'HoldCredits', reason: 'a bug' }
  const fails = () => round([message('CommandFailed', failure, { correlationId: 'op_1' })])
  expect([hold?.name, (await fails())[0]?.name]).toEqual(['HoldCredits', 'ReleaseHold'])
  await fails()
  const [saga] = await select<{ lane: number; failures: number; retryAt: number }>(knex, 'select * from sagas')
  expect(saga).toMatchObject({ failures: 1, retryAt: 1_000 })
  const take = (lane: number, wallClock: number) =>
    inTransaction(knex, (tx: Tx) => takeRetries(tx, [lane], instant(wallClock), 10))
  const { lane } = saga!
  expect(await take(lane, 999)).toEqual([])
  expect(await take((lane + 1) % 12, 1_000)).toEqual([])
  expect(await take(lane, 1_000)).toMatchObject([{ id: 'op_1', state: 'failing' }])
  expect(await take(lane, 2_000)).toEqual([])
})

const wish = (user: string, n: number) => {
  const body = { planId: 'acme-coding', userId: userId(user), operationId: `op_wish_${n}` }
  return message('WishRestock', body, { time: at(0) })
}
const stocked = (available: number, version: number) => {
  const none = { quarantined: 0, assigned: 0, revocationPending: 0, revoked: 0, revocationFailed: 0, retired: 0 }
  const body = { planId: 'acme-coding', providerId: 'acme', version, available, ...none, sellableUntil: null, keys: [] }
  return message('StockChanged', body, { time: at(0) })
}

test('RST-1: those who wait are told once, in the order of asking, by the owner of the plan’s lane', async () => {
  await publish()
  const users = Array.from({ length: 30 }, (_, n) => `user ${(n * 7) % 30}`)
  for (const [n, user] of users.entries()) await round([wish(user, n)])
  const late = 'user late'
  const said = await round([stocked(1, 1), wish(late, 99), stocked(0, 2), wish(late, 100)])
  expect(said.map(({ name }) => name)).toEqual(['RestockWishRefused', 'RestockWished'])
  const take = (lane: number) => inTransaction(knex, (tx) => takeNotices(tx, [lane], 20))
  const lane = laneOf('acme-coding')
  expect(await take((lane + 1) % 12)).toEqual([])
  const told = [...(await take(lane)), ...(await take(lane)), ...(await take(lane))]
  expect(told.map((notice) => notice.userId)).toEqual(users)
  expect(new Set(told.map(({ notice }) => notice))).toEqual(new Set([1]))
  expect(await select(knex, 'select from wishes where wished')).toHaveLength(31)
})

test('RST-1: a wish does not slip between a restock and its notices', async () => {
  await publish()
  const rounds = Array.from({ length: 20 }, (_, n) => (n === 9 ? [stocked(1, 1)] : [wish(`user ${n}`, n)]))
  const said = (await Promise.all(rounds.map(round))).flat()
  const wished = said.filter(({ name }) => name === 'RestockWished').length
  const told = await inTransaction(knex, (tx) => takeNotices(tx, [laneOf('acme-coding')], 100))
  // Whoever was not refused had asked before: each of them is told.
  expect(told).toHaveLength(wished)
  expect(said.filter(({ name }) => name === 'RestockWishRefused')).toHaveLength(19 - wished)
})

test('operations are forgotten when no copy of their command can come any more', async () => {
  await publish()
  await round([purchase('ada', 'op_1'), purchase('bob', 'op_2')])
  await knex.raw("update operations set asked_at = now() - interval '9 days' where operation_id = 'op_1'")
  await round([purchase('eve', 'op_3')])
  const kept = await select<{ operationId: string }>(
    knex,
    "select operation_id from operations where operation_id like 'op__'",
  )
  expect(kept.map(({ operationId }) => operationId).sort()).toEqual(['op_2', 'op_3'])
})
