import { insertRows, inTransaction } from '@coding-plans/runtime'
import { instant } from '@coding-plans/schemas'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Intent } from '../acceptor.ts'
import { DAY, event, T0 } from '../events.testing.ts'
import { problem } from '../problem.ts'
import { answeringStore } from './answering.ts'
import { type GatewayDatabase, keyed, openGatewayDatabase, operationRow, purchase } from './database.testing.ts'
import { forgetting } from './forgetting.ts'

let db: GatewayDatabase
beforeAll(async () => {
  db = await openGatewayDatabase()
})
beforeEach(() => db.empty())
afterAll(() => db?.close())

test('IDE-1: twenty equal requests at two instances are one operation and one command', async () => {
  const [one, two] = [db.instance(), db.instance()]
  const verdicts = await Promise.all(
    Array.from({ length: 20 }, (_, place) => (place % 2 === 0 ? one : two).accept(purchase('k'))),
  )
  expect(new Set(verdicts.map((verdict) => 'operationId' in verdict && verdict.operationId)).size).toBe(1)
  expect(verdicts.filter(({ verdict }) => verdict === 'new')).toHaveLength(1)
  expect(db.appended).toHaveLength(1)
})

test('IDE-1: another request under a running key is refused; a key is one caller’s own', async () => {
  const acceptor = db.instance()
  await acceptor.accept(purchase('k'))
  expect(await acceptor.accept(purchase('k', { key: keyed('k', '/v1/elsewhere') }))).toEqual({ verdict: 'reused' })
  const stranger = await acceptor.accept(purchase('k', { key: keyed('k', '/v1/subscriptions', 'bob'), caller: 'bob' }))
  expect(stranger).toMatchObject({ verdict: 'new' })
})

test('IDE-2: a refusal frees the key once it can be read; a success is kept, with its first answer', async () => {
  const acceptor = db.instance()
  const first = await acceptor.accept(purchase('k'))
  const firstId = 'operationId' in first ? first.operationId : ''
  await db.learn(event('PurchaseRefused', { operationId: firstId, stockVersion: 9 }))
  expect(await acceptor.accept(purchase('k'))).toMatchObject({ verdict: 'attached', operationId: firstId })
  await db.learn(event('StockChanged'))
  const second = await acceptor.accept(purchase('k'))
  const secondId = 'operationId' in second ? second.operationId : ''
  expect(second).toMatchObject({ verdict: 'new' })
  expect(secondId).not.toBe(firstId)
  await db.learn(
    event('KeyAssigned'),
    event('CreditsHeld'),
    event('HoldCaptured'),
    event('SubscriptionActivated', { operationId: secondId }),
  )
  expect(await acceptor.accept(purchase('k'))).toMatchObject({ verdict: 'replayed', operationId: secondId })
  expect(await acceptor.accept(purchase('k', { key: keyed('k', '/v1/other') }))).toEqual({ verdict: 'reused' })
})

test('a refusal that needs no other service is an operation as well, and keeps no key', async () => {
  const refused = problem('not_found', 'There is no such plan.')
  const verdict = await db.instance().accept(purchase('k', { command: () => ({ refused }) }))
  expect(verdict).toMatchObject({ verdict: 'new', finished: true })
  expect(db.appended).toEqual([])
  expect(await db.shown('operationId' in verdict ? verdict.operationId : '')).toMatchObject({
    outcome: 'refused',
    visible: true,
    answer: refused,
  })
  expect(await db.instance().accept(purchase('k'))).toMatchObject({ verdict: 'new', finished: false })
})

test('INV-2: what must be sealed for its operation is not accepted before it is', async () => {
  const acceptor = db.instance()
  const asked = await acceptor.accept(purchase('k', { sealedFor: null }))
  expect(asked).toMatchObject({ verdict: 'seal' })
  expect(await db.knex('operations')).toEqual([])
  const operationId = 'operationId' in asked ? asked.operationId : ''
  expect(await acceptor.accept(purchase('k', { sealedFor: operationId }))).toMatchObject({
    verdict: 'new',
    operationId,
  })
})

test('a command that cannot be written does not take its neighbours with it', async () => {
  const acceptor = db.instance((planId) => planId === 'poison')
  const intents = [purchase('k1'), purchase('k2', {}, 'poison'), purchase('k3')]
  const outcomes = await Promise.allSettled(intents.map((intent) => acceptor.accept(intent)))
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

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

// --- EXT-3

const knownAt = async (horizon: number) => {
  let known: unknown
  const command: Intent['command'] = (begun) => {
    known = begun.facts
    return { refused: problem('internal', '') }
  }
  await db
    .instance()
    .accept(purchase(`k${Math.random()}`, { purchase: { userId: 'ada', planId: 'acme-coding', horizon }, command }))
  return known
}

test('EXT-3: a purchase knows a subscription only once its purchase was answered before the headers came', async () => {
  await db.activate('op_buy')
  const nothing = { planVersion: 1, knownSubscriptionId: null, knownEnd: null }
  expect(await knownAt(1_000)).toEqual(nothing)
  const { operations, horizon } = await answeringStore(db.knex).answers(['op_buy'], [])
  expect(operations).toMatchObject([{ id: 'op_buy', visible: true }])
  expect(await knownAt(horizon - 1)).toEqual(nothing)
  expect(await knownAt(horizon)).toEqual({ planVersion: 1, knownSubscriptionId: 'sub_1', knownEnd: T0 + 31 * DAY })
})

test('EXT-3: an extension that is not answered yet makes its subscription unknown again', async () => {
  await db.activate('op_buy')
  const { horizon } = await answeringStore(db.knex).answers(['op_buy'], [])
  await db.begin('op_extend')
  await db.learn(event('SubscriptionExtended'))
  expect(await knownAt(horizon)).toMatchObject({ knownSubscriptionId: null })
  const later = await answeringStore(db.knex).answers(['op_extend'], ['op_extend'])
  expect(await knownAt(later.horizon)).toMatchObject({ knownSubscriptionId: 'sub_1', knownEnd: T0 + 59 * DAY })
})

test('EXT-3: a wait that ran out counts as an answer, also when its process died', async () => {
  await db.activate('op_buy')
  await db.knex.raw(`update operations set accepted_at = now() - interval '2 minutes'`)
  await answeringStore(db.knex).numberAbandoned()
  const { horizon } = await answeringStore(db.knex).answers([], [])
  expect(await knownAt(horizon)).toMatchObject({ knownSubscriptionId: 'sub_1' })
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
