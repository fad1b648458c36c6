import { insertRows, inTransaction } from '@coding-plans/runtime'
import { instant } from '@coding-plans/schemas'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { event, T0 } from '../events.testing.ts'
import { answeringStore } from './answering.ts'
import { keepsTheContract } from './contract.testing.ts'
import { type GatewayDatabase, openGatewayDatabase } from './database.testing.ts'
import { forgetting } from './forgetting.ts'
import { knownAt, operationRow, purchase } from './kept.testing.ts'

let db: GatewayDatabase
beforeAll(async () => {
  db = await openGatewayDatabase()
})
beforeEach(() => db.empty())
afterAll(() => db?.close())

keepsTheContract(() => db)

test('what is old is forgotten; what a kept key refers to is not', async () => {
  const acceptor = db.instance()
  const verdicts = await Promise.all(['kept', 'refused', 'pending'].map((key) => acceptor.accept(purchase(key))))
  const [kept = '', refused = ''] = verdicts.map((verdict) => ('operationId' in verdict ? verdict.operationId : ''))
  await db.learn(event('PlanPublished'))
  await db.learn(
    event('SubscriptionActivated', { operationId: kept }),
    event('PurchaseRefused', { operationId: refused }),
  )
  await db.knex.raw(`update operations set accepted_at = now() - interval '31 days'`)
  await inTransaction(db.knex, (tx) => forgetting.run(tx, [], instant(0)))
  expect(await db.knex('operations').count('* as n')).toMatchObject([{ n: 2 }])
  expect(await db.knex('idempotency_keys').count('* as n')).toMatchObject([{ n: 2 }])
  expect(await db.shown(refused)).toBeNull()
})

test('EXT-3: a wait that ran out counts as an answer, also when its process died', async () => {
  await db.activate('op_buy')
  await db.knex.raw(`update operations set accepted_at = now() - interval '2 minutes'`)
  await answeringStore(db.knex).numberAbandoned()
  const { horizon } = await answeringStore(db.knex).answers([], [])
  expect(await knownAt(db, horizon)).toMatchObject({ knownSubscriptionId: 'sub_1' })
})

test('EXT-3: numbers are given out in the order of their commits, by any number of instances', async () => {
  const ids = Array.from({ length: 60 }, (_, place) => `op_${place}`)
  await insertRows(
    db.knex,
    'operations',
    ids.map((id) => operationRow(id, { outcome: 'refused', answer: {}, finishedAt: T0 })),
  )
  const seen: number[] = []
  await Promise.all(
    ids.map(async (id) => {
      const { horizon } = await answeringStore(db.knex).answers([id], [])
      const [row] = (await db.knex('operations').where({ id }).select('answered_no')) as { answered_no: number }[]
      expect(row?.answered_no).toBeLessThanOrEqual(horizon)
      seen.push(row?.answered_no ?? 0)
    }),
  )
  expect(new Set(seen).size).toBe(60)
})
