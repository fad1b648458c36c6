import { microdollars } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { at, DAY } from './bodies.testing.ts'
import { openLiveWorld, openWorld } from './world.testing.ts'

test('SUB-1: credits are held, then the key is assigned, then the hold is captured, then it is active', () => {
  const world = openWorld()
  const id = world.purchase()
  world.settle()
  expect(world.names(id)).toEqual(['HoldCredits', 'AssignKey', 'CaptureHold', 'SubscriptionActivated'])
  expect(world.last('SubscriptionActivated')).toMatchObject({
    operationId: id,
    price: 20,
    currentPeriodStart: at(0),
    currentPeriodEnd: at(30 * DAY),
    createdAt: at(0),
    previousSubscriptionId: null,
    version: 1,
    accountVersion: 2,
    slotVersion: 1,
    stockVersion: 1,
  })
  const [charge] = world.ledger.charges
  expect(charge).toEqual([world.last('SubscriptionActivated').chargeId, 20])
})

test('SUB-1: while a purchase runs there is an operation and no subscription', () => {
  const world = openWorld()
  world.purchase()
  expect(world.live()).toBeUndefined()
  expect([...world.books.subscriptions, ...world.books.terms]).toEqual([])
})

test('SUB-3: too little is available: refused with both amounts, and no key was asked for', () => {
  const world = openWorld({}, 19)
  const id = world.purchase()
  world.settle()
  expect(world.names(id)).toEqual(['HoldCredits', 'PurchaseRefused'])
  expect(world.last('PurchaseRefused')).toMatchObject({
    reason: 'insufficient_credits',
    required: 20,
    available: 19,
    accountVersion: 1,
    slotVersion: null,
  })
})

test('SUB-3: equal is enough', () => {
  const world = openWorld({}, 20)
  world.purchase()
  world.settle()
  expect(world.live()?.status).toBe('active')
})

test('SUB-4: sold out: the hold is given back before it says no, and it names what it rests on', () => {
  const world = openWorld()
  world.inventory.stock('acme-coding', 0)
  const id = world.purchase()
  world.settle()
  expect(world.names(id)).toEqual(['HoldCredits', 'AssignKey', 'ReleaseHold', 'PurchaseRefused'])
  expect(world.last('PurchaseRefused')).toMatchObject({
    reason: 'sold_out',
    accountVersion: 2,
    slotVersion: 1,
    stockVersion: 1,
  })
  expect(world.ledger.available.get('ada')).toBe(1_000)
})

test('SUB-4, REA-2: a slot that is the user’s own is refused and stays as it is', () => {
  const world = openWorld()
  world.inventory.slots.set('ada|acme', 'own')
  const id = world.purchase()
  world.settle()
  expect(world.outcomes(id)).toMatchObject([{ name: 'PurchaseRefused', body: { reason: 'slot_occupied' } }])
  expect(world.inventory.slots.get('ada|acme')).toBe('own')
  expect(world.names()).not.toContain('RemoveKey')
})

test('SUB-6: one live subscription per provider; another provider is independent', () => {
  const { world } = openLiveWorld()
  world.publish({ planId: 'bolt-coding', providerId: 'bolt' })
  world.inventory.stock('bolt-coding', 1)
  world.purchase({ plan: 'bolt-coding' })
  world.settle()
  expect([world.live('ada', 'acme')?.planId, world.live('ada', 'bolt')?.planId]).toEqual(['acme-coding', 'bolt-coding'])
})

test('SUB-8: the period starts with the command, and when that had to wait longer than a minute, when it is handled', () => {
  for (const [waited, start] of [
    [60_000, 0],
    [60_001, 60_001],
  ] as const) {
    const world = openWorld()
    world.purchase({ waited })
    world.settle()
    expect(world.last('SubscriptionActivated')).toMatchObject({
      createdAt: at(0),
      currentPeriodStart: at(start),
      currentPeriodEnd: at(start + 30 * DAY),
    })
  }
})

test('protocol 7: an older stamp is lifted to what this user’s messages have reached, not another’s', () => {
  const { world, subscription } = openLiveWorld()
  world.due(subscription)
  world.settle()
  world.ledger.post('bob', 100)
  world.publish({ planId: 'bolt-coding', providerId: 'bolt' })
  world.inventory.stock('bolt-coding', 2)
  world.now = at(5)
  for (const user of ['ada', 'bob']) world.purchase({ user, plan: 'bolt-coding' })
  world.settle()
  const starts = world
    .all('SubscriptionActivated')
    .map(({ userId, currentPeriodStart }) => [userId, currentPeriodStart])
  expect(starts.slice(1)).toEqual([
    ['ada', at(30 * DAY)],
    ['bob', at(5)],
  ])
})

test('CAT-4, CAT-5: the price and the length are those of the version that the buyer was shown', () => {
  const world = openWorld()
  world.publish({ price: microdollars(99), periodCount: 7 })
  world.purchase({ version: 1 })
  world.settle()
  expect(world.last('SubscriptionActivated')).toMatchObject({ price: 20, periodCount: 30, planVersion: 1 })
})

test('CAT-8: a free plan takes no credits and no charge, also with a negative balance', () => {
  const world = openWorld({ price: microdollars(0) }, -5)
  const id = world.purchase()
  world.settle()
  expect(world.names(id)).toEqual(['AssignKey', 'SubscriptionActivated'])
  expect(world.last('SubscriptionActivated')).toMatchObject({ chargeId: null, accountVersion: null })
})

test('CAT-8: a free plan that is sold out is refused at once', () => {
  const world = openWorld({ price: microdollars(0) })
  world.inventory.stock('acme-coding', 0)
  const id = world.purchase()
  world.settle()
  expect(world.names(id)).toEqual(['AssignKey', 'PurchaseRefused'])
})

test('REA-1: after the end it can be bought again at once: a new id that points back, today’s price', () => {
  const { world, subscription } = openLiveWorld()
  const ids = [subscription.id]
  for (const price of [30, 40]) {
    world.cancel(ids.at(-1)!, 'now')
    world.settle()
    world.publish({ price: microdollars(price) })
    world.purchase()
    world.settle()
    const activated = world.last('SubscriptionActivated')
    expect(activated).toMatchObject({ price, previousSubscriptionId: ids.at(-1) })
    ids.push(activated.subscriptionId)
  }
  expect(new Set(ids).size).toBe(3)
  expect(world.books.subscriptions.get(ids[0]!)?.status).toBe('ended')
})

test('CAT-7: closed and hidden plans are not bought or extended, even with stock; an unknown plan or version is not found', () => {
  for (const saleState of ['closed', 'hidden'] as const) {
    const { world } = openLiveWorld()
    world.publish({ saleState })
    expect(world.outcomes(world.purchase())).toMatchObject([{ body: { reason: 'plan_closed' } }])
    expect(world.outcomes(world.purchase({ user: 'bob', version: 1 }))).toMatchObject([
      { body: { reason: 'plan_closed' } },
    ])
  }
  const world = openWorld()
  expect(world.outcomes(world.purchase({ plan: 'nothing' }))).toMatchObject([{ body: { reason: 'not_found' } }])
  expect(world.outcomes(world.purchase({ version: 9 }))).toMatchObject([{ body: { reason: 'not_found' } }])
})
