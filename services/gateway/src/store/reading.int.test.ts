import { instant } from '@coding-plans/schemas'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { pageAsked, pageOf } from '../cursor.ts'
import { DAY, event, T0 } from '../events.testing.ts'
import { answeringStore } from './answering.ts'
import { type GatewayDatabase, openGatewayDatabase } from './database.testing.ts'

let db: GatewayDatabase
beforeAll(async () => {
  db = await openGatewayDatabase()
})
beforeEach(() => db.empty())
afterAll(() => db?.close())

// --- what is visible

test('SUB-1: neither operation nor subscription is shown before slot, account and stock are, in whatever order they come', async () => {
  await db.begin('op_buy')
  await db.learn(event('PlanPublished'), event('SubscriptionActivated'))
  const { reading } = db
  const asked = pageAsked({}, 2)
  for (const late of [event('StockChanged'), event('KeyAssigned'), event('CreditsHeld'), event('HoldCaptured')]) {
    expect(await db.shown('op_buy')).toMatchObject({ outcome: 'succeeded', visible: false })
    expect((await answeringStore(db.knex).answers(['op_buy'], [])).operations).toEqual([])
    await db.learn(late)
  }
  expect(await db.shown('op_buy')).toMatchObject({ visible: true })
  expect(await reading.subscriptions({ userId: 'ada' }, asked)).toMatchObject([{ id: 'sub_1', status: 'active' }])
  expect(await reading.slots('ada')).toMatchObject([{ providerId: 'acme', subscriptionId: 'sub_1' }])
})

test('an ended subscription reads ended only when its slot reads empty', async () => {
  await db.activate('op_buy')
  await db.begin('op_cancel')
  const { reading } = db
  await db.learn(event('SubscriptionEnding'), event('SubscriptionEnded'))
  expect(await reading.subscription('sub_1')).toMatchObject({ status: 'active', endedAt: null, accessUntil: T0 + DAY })
  expect(await db.shown('op_cancel')).toMatchObject({ visible: false })
  await db.learn(event('KeyRemoved'))
  expect(await reading.subscription('sub_1')).toMatchObject({ status: 'ended', endReason: 'user_canceled' })
  expect(await db.shown('op_cancel')).toMatchObject({ visible: true })
  expect(await reading.slots('ada')).toEqual([])
})

test('IDE-4: everything again, from the beginning and in one batch, changes nothing', async () => {
  const dump = async () => {
    const tables = [
      'operations',
      'plans',
      'plan_versions',
      'stock',
      'keys',
      'subscriptions',
      'charges',
      'accounts',
      'movements',
      'slots',
      'clock',
      'audit',
      'listed_letters',
    ]
    return Promise.all(tables.map((table) => db.knex(table).orderByRaw('1, 2').select()))
  }
  const story = [
    event('PlanPublished'),
    event('StockChanged', {
      keys: [
        {
          keyId: 'key_1',
          state: 'assigned',
          upstreamPlanId: null,
          uploadedAt: T0,
          assignedAt: T0,
          subscriptionId: 'sub_1',
        },
      ],
    }),
    event('CreditsPosted'),
    event('CreditsHeld', {}, { correlationId: 'op_buy' }),
    event('KeyAssigned', {}, { correlationId: 'op_buy' }),
    event('HoldCaptured', {}, { correlationId: 'op_buy' }),
    event('SubscriptionActivated'),
    event('SubscriptionExtended'),
    event('SubscriptionEnding', { version: 3 }),
    event('KeyRemoved'),
    event('SubscriptionEnded', { version: 4 }),
    event('ClockMoved'),
    event('ActionAudited'),
    event('DeadLetterKept'),
    event('DeadLetterRedriven'),
  ]
  await db.begin('op_buy', 'op_extend', 'op_cancel', 'op_post', 'op_publish')
  for (const message of story) await db.learn(message)
  const once = await dump()
  await db.learn(...story)
  for (const message of story) await db.learn(message)
  expect(await dump()).toEqual(once)
})

// --- reading

test('LED-6: the balance at any past instant, held credits included; the statement has no holds', async () => {
  await db.learn(
    event('CreditsPosted'),
    event('CreditsHeld', {}, { time: instant(T0 + 10) }),
    event('HoldCaptured', { at: T0 + 20 }),
  )
  const { reading } = db
  expect(await reading.creditsAt('ada', T0 - 1)).toBeNull()
  expect(await reading.creditsAt('ada', T0)).toEqual({ balance: 100, held: 0 })
  expect(await reading.creditsAt('ada', T0 + 19)).toEqual({ balance: 100, held: 20 })
  expect(await reading.creditsAt('ada', T0 + 20)).toEqual({ balance: 80, held: 0 })
  const entries = await reading.entries('ada', pageAsked({}, 1))
  expect(entries.map(({ kind, amount }) => [kind, amount])).toEqual([
    ['charge', -20],
    ['grant', 100],
  ])
})

test('LED-6, HIS-1: an entry that was redriven is listed in its place, once', async () => {
  const held = event('CreditsHeld', { version: 2 })
  await db.learn(held)
  await db.learn(event('HoldCaptured', { version: 3 }), held)
  const redriven = event('CreditsPosted', { version: 1 })
  await db.learn(redriven, redriven)
  await db.learn(redriven)
  const { reading } = db
  expect((await reading.entries('ada', pageAsked({}, 10))).map(({ entryId }) => entryId)).toEqual(['ent_2', 'ent_1'])
  expect(await reading.hasEntry('ada', 'ent_1')).toBe(true)
  expect(await reading.credits('ada')).toMatchObject({ version: 3, balance: 80, held: 0 })
  expect(await db.knex('movements').count()).toEqual([{ count: 3 }])
})

test('LED-6: a line that is heard late stands, also where the release of a hold that never was has its version', async () => {
  await db.learn(event('CreditsHeld'), event('HoldReleased', { version: 3 }))
  await db.learn(event('HoldCaptured'), event('CreditsPosted'))
  await db.learn(event('HoldReleased', { version: 3 }), event('CreditsPosted'))
  const entries = await db.reading.entries('ada', pageAsked({}, 1))
  expect(entries.map(({ kind, version }) => [kind, version])).toEqual([
    ['charge', 3],
    ['grant', 1],
  ])
  expect(await db.reading.credits('ada')).toMatchObject({ version: 3 })
})

test('HIS-1: pages are newest first, at equal instants the one written later first, and stable under inserts', async () => {
  const post = (version: number) =>
    event('CreditsPosted', { version, entryId: `ent_${version}`, operationId: `op_${version}` })
  await db.learn(...[1, 2, 3, 4, 5].map(post))
  const { reading } = db
  const pageAt = async (cursor?: string) => {
    const asked = pageAsked({ limit: 2, ...(cursor ? { cursor } : {}) }, 1)
    const rows = await reading.entries('ada', asked)
    return pageOf(
      rows,
      asked,
      ({ version }) => [version],
      ({ entryId }) => entryId,
    )
  }
  const first = await pageAt()
  await db.learn(post(6))
  const second = await pageAt(first.nextCursor ?? '')
  const third = await pageAt(second.nextCursor ?? '')
  expect([first.data, second.data, third.data, third.nextCursor]).toEqual([
    ['ent_5', 'ent_4'],
    ['ent_3', 'ent_2'],
    ['ent_1'],
    null,
  ])
})

test('ADM-1: the search takes text literally', async () => {
  await db.activate('op_buy')
  const { reading } = db
  const find = async (q: string, status?: string) =>
    (await reading.subscriptions({ q, ...(status ? { status } : {}) }, pageAsked({}, 2))).length
  expect([
    await find('ACME co'),
    await find('a_me'),
    await find('%'),
    await find('ada'),
    await find('sub_1', 'ended'),
  ]).toEqual([1, 0, 0, 1, 0])
})

test('INV-6: stock by plan and state, and single keys by their filters', async () => {
  const keys = ['key_1', 'key_2'].map((keyId, place) => ({
    keyId,
    state: place === 0 ? 'assigned' : 'available',
    upstreamPlanId: null,
    uploadedAt: T0,
    assignedAt: null,
    subscriptionId: null,
  }))
  await db.learn(event('PlanPublished'), event('PlanPublished', { planId: 'other' }), event('StockChanged', { keys }))
  const { reading } = db
  expect(await reading.stock(undefined)).toMatchObject([
    { planId: 'acme-coding', available: 1, assigned: 1, revocationPending: 0 },
    { planId: 'other', available: 0 },
  ])
  expect(await reading.stock('other')).toHaveLength(1)
  const found = await reading.keys({ planId: 'acme-coding', state: 'available' }, pageAsked({}, 2))
  expect(found.map(({ keyId }) => keyId)).toEqual(['key_2'])
  await db.learn(event('StockChanged', { version: 8, available: 50 }))
  expect(await reading.stock('acme-coding')).toMatchObject([{ available: 1 }])
})

test('CAT-1: hidden plans are not listed; the order is the position, then the id', async () => {
  await db.learn(
    event('PlanPublished', { planId: 'b' }),
    event('PlanPublished', { planId: 'a', position: 1 }),
    event('PlanPublished', { planId: 'c', saleState: 'hidden' }),
    event('PlanPublished', { planId: 'd', saleState: 'closed' }),
  )
  const ids = async (hidden: boolean) => (await db.reading.plans({ hidden })).map(({ planId }) => planId)
  expect(await ids(false)).toEqual(['b', 'd', 'a'])
  expect(await ids(true)).toEqual(['b', 'c', 'd', 'a'])
  expect(await db.reading.planVersions('b', pageAsked({}, 1))).toHaveLength(1)
  expect(await db.reading.providerKnown('acme')).toBe(true)
})

test('OPS-1: dead letters newest first, by service and state; those that may be redriven in the order of their first death', async () => {
  const died = (id: string, diedAt: number, fields: object = {}) =>
    event('DeadLetterKept', { deadLetterId: id, diedAt, ...fields })
  await db.learn(
    died('a', T0, { redrivesLeft: 0 }),
    died('b', T0 + 1),
    died('c', T0 + 2, { service: 'subscription' }),
    died('letter-1', T0 + 3),
  )
  await db.learn(event('DeadLetterRedriven', { diedAt: T0 + 3 }))
  const { reading } = db
  const listed = async (filter: object) => (await reading.deadLetters(filter, pageAsked({}, 2))).map(({ id }) => id)
  expect(await listed({})).toEqual(['letter-1', 'c', 'b', 'a'])
  expect(await listed({ state: 'kept' })).toEqual(['c', 'b', 'a'])
  expect(await listed({ service: 'credits-ledger', state: 'redriven' })).toEqual(['letter-1'])
  expect((await reading.redrivable(undefined, 10)).map(({ id }) => id)).toEqual(['b', 'c'])
  // It died again: what rests on it still comes behind it.
  await db.learn(died('b', T0 + 9, { version: 3, redrives: 1, redrivesLeft: 2 }))
  expect((await reading.redrivable(undefined, 10)).map(({ id }) => id)).toEqual(['b', 'c'])
  expect(await reading.redrivable('subscription', 10)).toMatchObject([{ id: 'c', recordOffset: 17 }])
  expect([await reading.countRedrivable(undefined), await reading.countRedrivable('credits-ledger')]).toEqual([2, 1])
  expect(await reading.deadLetter('a')).toMatchObject({ redrivesLeft: 0, subject: 'ada' })
})
