import { type DatabaseBed, openDatabases } from '@coding-plans/local/bed'
import {
  inTransaction,
  laneOf,
  migrate,
  openDatabase,
  type Parts,
  type Saying,
  select,
  type Tx,
} from '@coding-plans/runtime'
import { microdollars } from '@coding-plans/schemas'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { at, DAY } from './bodies.testing.ts'
import { publishFixedPrices } from './environment-prices.ts'
import { migrations } from './migrations/index.ts'
import {
  inRounds,
  type Kept,
  keepsTheContract,
  published,
  purchase,
  roundOn,
  stocked,
  type TableName,
  wish,
} from './store.contract.testing.ts'
import { sqlStore } from './store.ts'
import { takeNotices } from './wish-store.ts'
import { openLiveWorld } from './world.testing.ts'

let databases: DatabaseBed
let knex: ReturnType<typeof openDatabase>

beforeAll(async () => {
  databases = await openDatabases()
  const url = await databases.createDatabase('subscription_store')
  await migrate(url, migrations)
  knex = openDatabase(url, { idleInTransactionMilliseconds: 60_000 })
})
afterAll(async () => {
  await knex?.destroy()
  await databases?.close()
})
const TABLES = 'plans, plan_versions, operations, buyers, subscriptions, terms, sagas, stocks, wishes'
beforeEach(() => knex.raw(`truncate ${TABLES}`))

// Database name, by what the code calls it; the columns that the code knows.
const COLUMNS: Record<TableName, string> = {
  subscriptions: '* from subscriptions',
  terms: '* from terms',
  versions: '* from plan_versions',
  operations: 'operation_id from operations',
  buyers: '* from buyers',
  wishes: 'user_id, plan_id, wished, version, asked_at, notice, notice_at from wishes',
  stocks: '* from stocks',
  sagas: '* from sagas',
}
const open = (): Kept => ({
  store: sqlStore,
  transaction: (act) => inTransaction(knex, act),
  rows: (table) => select<object>(knex, `select ${COLUMNS[table]}`),
  empty: () => knex.raw(`truncate ${TABLES}`),
})
keepsTheContract(open)

const round = roundOn({ store: sqlStore, transaction: (act) => inTransaction(knex, act) })
const publish = () => round([published()])

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
  await inRounds(round, world.heard, 1_000)
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
