import { insertRows, inTransaction, select } from '@coding-plans/runtime'
import { instant } from '@coding-plans/schemas'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { pageAsked } from '../cursor.ts'
import { event, T0 } from '../events.testing.ts'
import { decide } from '../handlers.ts'
import { type GatewayDatabase, openGatewayDatabase } from './database.testing.ts'
import { forgetting, forgettingUsers } from './forgetting.ts'
import { operationRow } from './kept.testing.ts'
import { load, save } from './projecting.ts'

let db: GatewayDatabase
beforeAll(async () => {
  db = await openGatewayDatabase()
})
beforeEach(() => db.empty())
afterAll(() => db?.close())

const sweep = () => inTransaction(db.knex, (tx) => forgettingUsers.run(tx, [], instant(T0)))
const asked = pageAsked({}, 2)
const OF_A_USER = ['subscriptions', 'accounts', 'movements', 'slots', 'auto_top_ups', 'wishes', 'notifications']
const left = async (table: string) =>
  (await select<{ n: number }>(db.knex, `select count(*)::int as n from ${table}`))[0]?.n ?? -1

const settledIn = async () => {
  await db.activate('op_buy')
  await db.learn(event('AutoTopUpSet'), event('RestockWished'), event('CreditsPosted', { version: 9 }))
}

test('GDP-1: nothing of a forgotten user is left, whatever is said again from the beginning', async () => {
  await settledIn()
  for (const table of OF_A_USER) expect([table, await left(table)]).not.toEqual([table, 0])
  const begun = event('AccountDeletionBegun')
  await db.learn(begun, event('AccountDeleted'))
  await sweep()
  const everything = [
    event('SubscriptionActivated'),
    event('KeyAssigned'),
    event('CreditsHeld'),
    event('HoldCaptured'),
    event('AutoTopUpSet'),
    event('RestockWished'),
    event('RestockTold'),
    event('SubscriptionRenewed'),
    event('SubscriptionEnded'),
    begun,
    event('AccountDeleted'),
  ]
  await db.learn(...everything)
  for (const table of [...OF_A_USER, 'charges']) expect([table, await left(table)]).toEqual([table, 0])
  expect(await db.reading.deleted('ada')).toBe(true)
})

test('GDP-1: what another process had under way is shown to nobody, and forgotten soon after', async () => {
  await settledIn()
  const late = [event('RestockTold', { restock: 2 }), event('RestockWished', { version: 5 })]
  await inTransaction(db.knex, async (tx) => {
    const models = await load(tx, late)
    await db.learn(event('AccountDeleted'))
    for (const message of late) (decide[message.name] as (state: unknown, message: unknown) => unknown)(models, message)
    await save(tx, models)
  })
  expect([await left('notifications'), await left('wishes')]).not.toEqual([0, 0])
  expect(await db.reading.notifications('ada', asked)).toEqual([])
  expect([...(await db.reading.wishes('ada'))]).toEqual([])
  expect((await db.reading.stock('acme-coding'))[0]?.waiting).toBe(0)
  await sweep()
  expect([await left('notifications'), await left('wishes')]).toEqual([0, 0])
})

test('GDP-1: what they asked for goes with its key once it is answered; their deletion stays', async () => {
  const rows = [
    operationRow('op_answered', { outcome: 'succeeded', answer: '{}', finishedAt: T0 }),
    operationRow('op_for_them', { caller: 'admin-1', kind: 'post_credits', outcome: 'refused', finishedAt: T0 }),
    operationRow('op_unanswered', { outcome: 'succeeded', answer: '{}', finishedAt: T0 }),
    operationRow('op_delete', { kind: 'delete_account', outcome: 'succeeded', answer: '{}', finishedAt: T0 }),
    // Another's, about a plan that happens to have the user's name.
    operationRow('op_plan', { caller: 'admin-1', kind: 'publish_plan', outcome: 'succeeded', finishedAt: T0 }),
  ]
  await insertRows(db.knex, 'operations', rows)
  await db.knex.raw("update operations set answered_no = 1 where id <> 'op_unanswered'")
  await insertRows(db.knex, 'idempotency_keys', [
    { scope: Buffer.from('a'), request: Buffer.alloc(0), attempt: 1, operationId: 'op_answered' },
  ])
  await db.learn(event('AccountDeleted', { operationId: 'op_other' }))
  await sweep()
  const ids = async () =>
    (await select<{ id: string }>(db.knex, 'select id from operations order by id')).map(({ id }) => id)
  expect(await ids()).toEqual(['op_delete', 'op_plan', 'op_unanswered'])
  expect(await left('idempotency_keys')).toBe(0)
  await db.knex.raw('update operations set answered_no = 2')
  await sweep()
  expect(await ids()).toEqual(['op_delete', 'op_plan'])
})

test('a key that was asked about and never used is forgotten after a day', async () => {
  const key = { request: Buffer.alloc(0), attempt: 0, operationId: null }
  await insertRows(db.knex, 'idempotency_keys', [
    { scope: Buffer.from('old'), ...key },
    { scope: Buffer.from('new'), ...key },
  ])
  await db.knex.raw("update idempotency_keys set made_at = now() - interval '25 hours' where scope = 'old'::bytea")
  await inTransaction(db.knex, (tx) => forgetting.run(tx, [], instant(T0)))
  expect(await select(db.knex, "select encode(scope, 'escape') as scope from idempotency_keys")).toEqual([
    { scope: 'new' },
  ])
})
