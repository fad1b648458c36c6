import { type Bed, openBed } from '@coding-plans/local/bed'
import { insertRows, type Message, migrate, openDatabase, openLog, say } from '@coding-plans/runtime'
import { instant, userId } from '@coding-plans/schemas'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Acceptor, type Intent } from '../acceptor.ts'
import { pageAsked, pageOf } from '../cursor.ts'
import { body, DAY, event, T0 } from '../events.testing.ts'
import { projector } from '../handlers.ts'
import { idempotencyKey } from '../idempotency.ts'
import { migrations } from '../migrations/index.ts'
import { problem } from '../problem.ts'
import { acceptingStore } from './accepting.ts'
import { answeringStore } from './answering.ts'
import { forgetting } from './forgetting.ts'
import { load, save } from './projecting.ts'
import { readingStore } from './reading.ts'

let bed: Bed
let knex: ReturnType<typeof openDatabase>
let appended: string[] = []
const { decide } = projector({ load, save })

beforeAll(async () => {
  bed = await openBed()
  const url = await bed.servers.createDatabase('gateway_store')
  await migrate(url, migrations)
  knex = openDatabase(url, { idleInTransactionMilliseconds: 60_000 }, 20)
})
afterAll(async () => {
  await knex?.destroy()
  await bed?.close()
})
beforeEach(async () => {
  appended = []
  await knex.raw(`truncate operations, idempotency_keys, plans, plan_versions, stock, keys, subscriptions, charges,
    accounts, movements, slots, clock, audit`)
  await knex.raw('update answers set number = 0')
})

// --- what the tests do

const learn = (...messages: Message[]) =>
  knex.transaction(async (tx) => {
    const models = await load(tx, messages)
    for (const message of messages) {
      const project = decide[message.name] as (models: unknown, message: Message) => unknown
      project(models, message)
    }
    await save(tx, models)
  })

const instance = () => {
  const store = acceptingStore(
    knex,
    async (_tx, sayings) => {
      appended.push(...sayings.map(({ cause }) => cause ?? ''))
      return () => {}
    },
    async () => instant(T0),
  )
  return new Acceptor(store, openLog('gateway', 'silent'))
}

const keyed = (key: string, path = '/v1/subscriptions', caller = 'ada') =>
  idempotencyKey(Buffer.alloc(32), { caller, operation: 'purchase', key }, { path, body: { planId: 'acme-coding' } })

const purchase = (key: string, change: Partial<Intent> = {}): Intent => ({
  kind: 'purchase',
  caller: 'ada',
  subject: 'ada',
  key: keyed(key),
  purchase: { userId: 'ada', planId: 'acme-coding', horizon: 0 },
  command: ({ id, facts }) =>
    say('PurchasePlan', {
      userId: userId('ada'),
      operationId: id,
      planId: 'acme-coding',
      planVersion: facts?.planVersion ?? 0,
      knownSubscriptionId: facts?.knownSubscriptionId ?? null,
      knownEnd: facts?.knownEnd ?? null,
    }),
  ...change,
})

const operationRow = (id: string, change: object = {}) => ({
  id,
  caller: 'ada',
  kind: 'purchase',
  subject: 'ada',
  startedAt: T0,
  outcome: null,
  answer: null,
  finishedAt: null,
  ...change,
})
const begin = (...ids: string[]) =>
  insertRows(
    knex,
    'operations',
    ids.map((id) => operationRow(id)),
  )
const shown = (id: string) => readingStore(knex).operation(id)

// --- accepting

test('IDE-1: twenty equal requests at two instances are one operation and one command', async () => {
  const [one, two] = [instance(), instance()]
  const verdicts = await Promise.all(
    Array.from({ length: 20 }, (_, place) => (place % 2 === 0 ? one : two).accept(purchase('k'))),
  )
  expect(new Set(verdicts.map((verdict) => 'operationId' in verdict && verdict.operationId)).size).toBe(1)
  expect(verdicts.filter(({ verdict }) => verdict === 'new')).toHaveLength(1)
  expect(appended).toHaveLength(1)
})

test('IDE-1: another request under a running key is refused; a key is one caller’s own', async () => {
  const acceptor = instance()
  await acceptor.accept(purchase('k'))
  expect(await acceptor.accept(purchase('k', { key: keyed('k', '/v1/elsewhere') }))).toEqual({ verdict: 'reused' })
  const stranger = await acceptor.accept(purchase('k', { key: keyed('k', '/v1/subscriptions', 'bob'), caller: 'bob' }))
  expect(stranger).toMatchObject({ verdict: 'new' })
})

test('IDE-2: a refusal frees the key once it can be read; a success is kept, with its first answer', async () => {
  const acceptor = instance()
  const first = await acceptor.accept(purchase('k'))
  const firstId = 'operationId' in first ? first.operationId : ''
  await learn(event('PurchaseRefused', { operationId: firstId, stockVersion: 9 }))
  expect(await acceptor.accept(purchase('k'))).toMatchObject({ verdict: 'attached', operationId: firstId })
  await learn(event('StockChanged'))
  const second = await acceptor.accept(purchase('k'))
  const secondId = 'operationId' in second ? second.operationId : ''
  expect(second).toMatchObject({ verdict: 'new' })
  expect(secondId).not.toBe(firstId)
  await learn(
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
  const verdict = await instance().accept(purchase('k', { command: () => ({ refused }) }))
  expect(verdict).toMatchObject({ verdict: 'new', finished: true })
  expect(appended).toEqual([])
  expect(await shown('operationId' in verdict ? verdict.operationId : '')).toMatchObject({
    outcome: 'refused',
    visible: true,
    answer: refused,
  })
  expect(await instance().accept(purchase('k'))).toMatchObject({ verdict: 'new', finished: false })
})

test('INV-2: what must be sealed for its operation is not accepted before it is', async () => {
  const acceptor = instance()
  const asked = await acceptor.accept(purchase('k', { sealedFor: null }))
  expect(asked).toMatchObject({ verdict: 'seal' })
  expect(await knex('operations')).toEqual([])
  const operationId = 'operationId' in asked ? asked.operationId : ''
  expect(await acceptor.accept(purchase('k', { sealedFor: operationId }))).toMatchObject({
    verdict: 'new',
    operationId,
  })
})

// --- EXT-3

const activate = async (operationId: string) => {
  await begin(operationId)
  await learn(
    event('PlanPublished'),
    event('StockChanged'),
    event('KeyAssigned'),
    event('CreditsHeld'),
    event('HoldCaptured'),
    event('SubscriptionActivated', { operationId }),
  )
}
const knownAt = async (horizon: number) => {
  let known: unknown
  const command: Intent['command'] = (begun) => {
    known = begun.facts
    return { refused: problem('internal', '') }
  }
  await instance().accept(
    purchase(`k${Math.random()}`, { purchase: { userId: 'ada', planId: 'acme-coding', horizon }, command }),
  )
  return known
}

test('EXT-3: a purchase knows a subscription only once its purchase was answered before the headers came', async () => {
  await activate('op_buy')
  const nothing = { planVersion: 1, knownSubscriptionId: null, knownEnd: null }
  expect(await knownAt(1_000)).toEqual(nothing)
  const { operations, horizon } = await answeringStore(knex).answers(['op_buy'], [])
  expect(operations).toMatchObject([{ id: 'op_buy', visible: true }])
  expect(await knownAt(horizon - 1)).toEqual(nothing)
  expect(await knownAt(horizon)).toEqual({ planVersion: 1, knownSubscriptionId: 'sub_1', knownEnd: T0 + 31 * DAY })
})

test('EXT-3: an extension that is not answered yet makes its subscription unknown again', async () => {
  await activate('op_buy')
  const { horizon } = await answeringStore(knex).answers(['op_buy'], [])
  await begin('op_extend')
  await learn(event('SubscriptionExtended'))
  expect(await knownAt(horizon)).toMatchObject({ knownSubscriptionId: null })
  const later = await answeringStore(knex).answers(['op_extend'], ['op_extend'])
  expect(await knownAt(later.horizon)).toMatchObject({ knownSubscriptionId: 'sub_1', knownEnd: T0 + 59 * DAY })
})

test('EXT-3: a wait that ran out counts as an answer, also when its process died', async () => {
  await activate('op_buy')
  await knex.raw(`update operations set accepted_at = now() - interval '2 minutes'`)
  await answeringStore(knex).numberAbandoned()
  const { horizon } = await answeringStore(knex).answers([], [])
  expect(await knownAt(horizon)).toMatchObject({ knownSubscriptionId: 'sub_1' })
})

test('EXT-3: numbers are given out in the order of their commits, by any number of instances', async () => {
  const ids = Array.from({ length: 60 }, (_, place) => `op_${place}`)
  await insertRows(
    knex,
    'operations',
    ids.map((id) => operationRow(id, { outcome: 'refused', answer: {}, finishedAt: T0 })),
  )
  const seen: number[] = []
  await Promise.all(
    ids.map(async (id) => {
      const { horizon } = await answeringStore(knex).answers([id], [])
      const [row] = (await knex('operations').where({ id }).select('answered_no')) as { answered_no: number }[]
      expect(row?.answered_no).toBeLessThanOrEqual(horizon)
      seen.push(row?.answered_no ?? 0)
    }),
  )
  expect(new Set(seen).size).toBe(60)
})

// --- what is visible

test('SUB-1: neither operation nor subscription is shown before slot, account and stock are, in whatever order they come', async () => {
  await begin('op_buy')
  await learn(event('PlanPublished'), event('SubscriptionActivated'))
  const reading = readingStore(knex)
  const asked = pageAsked({}, 2)
  for (const late of [event('StockChanged'), event('KeyAssigned'), event('CreditsHeld'), event('HoldCaptured')]) {
    expect(await shown('op_buy')).toMatchObject({ outcome: 'succeeded', visible: false })
    expect((await answeringStore(knex).answers(['op_buy'], [])).operations).toEqual([])
    await learn(late)
  }
  expect(await shown('op_buy')).toMatchObject({ visible: true })
  expect(await reading.subscriptions({ userId: 'ada' }, asked)).toMatchObject([{ id: 'sub_1', status: 'active' }])
  expect(await reading.slots('ada')).toMatchObject([{ providerId: 'acme', subscriptionId: 'sub_1' }])
})

test('an ended subscription reads ended only when its slot reads empty', async () => {
  await activate('op_buy')
  await begin('op_cancel')
  const reading = readingStore(knex)
  await learn(event('SubscriptionEnding'), event('SubscriptionEnded'))
  expect(await reading.subscription('sub_1')).toMatchObject({ status: 'active', endedAt: null, accessUntil: T0 + DAY })
  expect(await shown('op_cancel')).toMatchObject({ visible: false })
  await learn(event('KeyRemoved'))
  expect(await reading.subscription('sub_1')).toMatchObject({ status: 'ended', endReason: 'user_canceled' })
  expect(await shown('op_cancel')).toMatchObject({ visible: true })
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
    ]
    return Promise.all(tables.map((table) => knex(table).orderByRaw('1, 2').select()))
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
  ]
  await begin('op_buy', 'op_extend', 'op_cancel', 'op_post', 'op_publish')
  for (const message of story) await learn(message)
  const once = await dump()
  await learn(...story)
  for (const message of story) await learn(message)
  expect(await dump()).toEqual(once)
})

// --- reading

test('LED-6: the balance at any past instant, held credits included; the statement has no holds', async () => {
  await learn(
    event('CreditsPosted'),
    event('CreditsHeld', {}, { time: instant(T0 + 10) }),
    event('HoldCaptured', { at: T0 + 20 }),
  )
  const reading = readingStore(knex)
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

test('HIS-1: pages are newest first, at equal instants the one written later first, and stable under inserts', async () => {
  const post = (version: number) =>
    event('CreditsPosted', { version, entryId: `ent_${version}`, operationId: `op_${version}` })
  await learn(...[1, 2, 3, 4, 5].map(post))
  const reading = readingStore(knex)
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
  await learn(post(6))
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
  await activate('op_buy')
  const reading = readingStore(knex)
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
  await learn(event('PlanPublished'), event('PlanPublished', { planId: 'other' }), event('StockChanged', { keys }))
  const reading = readingStore(knex)
  expect(await reading.stock(undefined)).toMatchObject([
    { planId: 'acme-coding', available: 1, assigned: 1, revocationPending: 0 },
    { planId: 'other', available: 0 },
  ])
  expect(await reading.stock('other')).toHaveLength(1)
  const found = await reading.keys({ planId: 'acme-coding', state: 'available' }, pageAsked({}, 2))
  expect(found.map(({ keyId }) => keyId)).toEqual(['key_2'])
  await learn(event('StockChanged', { version: 8, available: 50 }))
  expect(await reading.stock('acme-coding')).toMatchObject([{ available: 1 }])
})

test('CAT-1: hidden plans are not listed; the order is the position, then the id', async () => {
  await learn(
    event('PlanPublished', { planId: 'b' }),
    event('PlanPublished', { planId: 'a', position: 1 }),
    event('PlanPublished', { planId: 'c', saleState: 'hidden' }),
    event('PlanPublished', { planId: 'd', saleState: 'closed' }),
  )
  const ids = async (hidden: boolean) => (await readingStore(knex).plans({ hidden })).map(({ planId }) => planId)
  expect(await ids(false)).toEqual(['b', 'd', 'a'])
  expect(await ids(true)).toEqual(['b', 'c', 'd', 'a'])
  expect(await readingStore(knex).planVersions('b', pageAsked({}, 1))).toHaveLength(1)
  expect(await readingStore(knex).providerKnown('acme')).toBe(true)
})

test('what is old is forgotten; what a kept key refers to is not', async () => {
  const acceptor = instance()
  const verdicts = await Promise.all(['kept', 'refused', 'pending'].map((key) => acceptor.accept(purchase(key))))
  const [kept = '', refused = ''] = verdicts.map((verdict) => ('operationId' in verdict ? verdict.operationId : ''))
  await learn(event('PlanPublished'))
  await learn(event('SubscriptionActivated', { operationId: kept }), event('PurchaseRefused', { operationId: refused }))
  await knex.raw(`update operations set accepted_at = now() - interval '31 days'`)
  await knex.transaction((tx) => forgetting.run(tx, [], instant(0)))
  expect(await knex('operations').count('* as n')).toMatchObject([{ n: 2 }])
  expect(await knex('idempotency_keys').count('* as n')).toMatchObject([{ n: 2 }])
  expect(await shown(refused)).toBeNull()
})

test('a command that cannot be written does not take its neighbours with it', async () => {
  const store = acceptingStore(
    knex,
    async (_tx, sayings) => {
      if (sayings.some(({ body }) => (body as { planId: string }).planId === 'poison')) throw new Error('too large')
      return () => {}
    },
    async () => instant(T0),
  )
  const acceptor = new Acceptor(store, openLog('gateway', 'silent'))
  const poison = purchase('k2', {
    command: () => say('PurchasePlan', { ...body('CreditsHeld'), planId: 'poison' } as never),
  })
  const outcomes = await Promise.allSettled(
    [purchase('k1'), poison, purchase('k3')].map((intent) => acceptor.accept(intent)),
  )
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})
