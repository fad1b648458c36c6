import { type DatabaseBed, openDatabases } from '@coding-plans/local/bed'
import { insertRows, inTransaction, migrate, openDatabase, select, type Tx, updateRows } from '@coding-plans/runtime'
import { instant, userId } from '@coding-plans/schemas'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Term } from './domain/term.ts'
import { migrations } from './migrations/index.ts'
import { EVERY_LANE, idsOf, keepsTheContract, term, WALL } from './store.contract.testing.ts'
import { makeClock, sqlStore } from './store.ts'

let databases: DatabaseBed
let knex: ReturnType<typeof openDatabase>

beforeAll(async () => {
  databases = await openDatabases()
  const url = await databases.createDatabase('scheduler_store')
  await migrate(url, migrations)
  knex = openDatabase(url, { idleInTransactionMilliseconds: 60_000 })
})
afterAll(async () => {
  await knex?.destroy()
  await databases?.close()
})
beforeEach(() => knex.raw('truncate terms, clock, advances, ticks, tallies'))

const within = <T>(work: (tx: Tx) => Promise<T>) => inTransaction(knex, work)
const insert = (terms: readonly Term[]) => insertRows(knex, 'terms', terms)
const take = (horizon: number, { lanes = EVERY_LANE, most = 100, wallClock = WALL } = {}) =>
  within((tx) => sqlStore.takeDue(tx, lanes, { horizon: instant(horizon), wallClock, most }))

describe('the contract', () => {
  beforeEach(() => makeClock(knex, 'test', instant(50)))
  keepsTheContract(() => ({
    store: sqlStore,
    transaction: within,
    insert,
    change: async (which, to) =>
      updateRows(
        knex,
        'terms',
        ['subscriptionId'],
        (await select<Term>(knex, 'select * from terms')).filter(which).map(to),
      ),
  }))
})

test('REN-3: two instances with lanes of their own say each of 5,000 terms once, in few calls', async () => {
  await insert(
    Array.from({ length: 5_000 }, (_, i) =>
      term({ subscriptionId: `sub_${i}`, userId: userId(`user_${i}`), lane: i % 12 }),
    ),
  )
  let calls = 0
  const instance = async (lanes: number[]) => {
    const said: Term[] = []
    for (;;) {
      const due = await take(100, { lanes, most: 1_000 })
      if (due.length === 0) return said
      calls += 1
      said.push(...due)
    }
  }
  const [even, odd] = await Promise.all([
    instance(EVERY_LANE.filter((lane) => lane % 2 === 0)),
    instance(EVERY_LANE.filter((lane) => lane % 2 === 1)),
  ])
  expect(even.every(({ lane }) => lane % 2 === 0) && odd.every(({ lane }) => lane % 2 === 1)).toBe(true)
  expect(new Set(idsOf([...even, ...odd])).size).toBe(5_000)
  expect(even.length + odd.length).toBe(5_000)
  expect(calls).toBe(6)
})

test('the clock is made once: at the first start, in the first mode', async () => {
  const made = await makeClock(knex, 'test', instant(5_000))
  expect(made).toMatchObject({ mode: 'test', now: 5_000, version: 0 })
  expect(await makeClock(knex, 'system', instant(9_000))).toEqual(made)
})

test('advances are forgotten 8 days after their answer', async () => {
  const advance = { toInstant: null, byDuration: 'P1D', actor: 'admin-1', outage: false }
  await insertRows(
    knex,
    'advances',
    ['op_b', 'op_a'].map((operationId) => ({ operationId, ...advance })),
  )
  await within((tx) => sqlStore.answerAdvance(tx, 'op_b', WALL))
  await within((tx) => sqlStore.answerAdvance(tx, 'op_a', instant(WALL + 9 * 86_400_000)))
  expect(await select(knex, 'select operation_id from advances')).toEqual([{ operationId: 'op_a' }])
})
