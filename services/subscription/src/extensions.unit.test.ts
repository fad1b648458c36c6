import { instant, microdollars } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { at, DAY } from './bodies.testing.ts'
import { openLiveWorld, openWorld } from './world.testing.ts'

test('EXT-1: bought again it is stacked on the end: same start, same key, one charge of its own', () => {
  const { world } = openLiveWorld()
  world.now = at(DAY)
  const id = world.purchase()
  world.settle()
  expect(world.names(id)).toEqual(['HoldCredits', 'CaptureHold', 'SubscriptionExtended'])
  expect(world.last('SubscriptionExtended')).toMatchObject({
    periodStart: at(30 * DAY),
    currentPeriodEnd: at(60 * DAY),
    amount: 20,
    at: at(DAY),
    version: 2,
    accountVersion: 4,
  })
  expect(world.live()).toMatchObject({ currentPeriodStart: at(0), currentPeriodEnd: at(60 * DAY) })
  expect(world.ledger.charges.size).toBe(2)
})

test('EXT-1: at the instant of its end it is too late', () => {
  const { world } = openLiveWorld()
  world.now = at(30 * DAY)
  const id = world.purchase()
  expect(world.outcomes(id)).toMatchObject([{ body: { reason: 'purchase_in_progress' } }])
})

test('CAT-5: an extension buys one period of today’s version; another period makes the new end the anchor', () => {
  const { world } = openLiveWorld({ periodUnit: 'month', periodCount: 1 })
  world.publish({ price: microdollars(7), periodUnit: 'day', periodCount: 10 })
  world.purchase()
  world.settle()
  const end = at((31 + 10) * DAY)
  expect(world.last('SubscriptionExtended')).toMatchObject({ amount: 7, currentPeriodEnd: end })
  expect(world.live()).toMatchObject({ price: 20, periodUnit: 'month', anchor: end, anchorPeriods: 0 })
  world.due(world.live()!)
  world.settle()
  expect(world.last('SubscriptionRenewed')).toMatchObject({
    amount: 20,
    boundary: end,
    currentPeriodEnd: instant(Date.UTC(2026, 2, 11)),
  })
})

test('EXT-2: the running term counts: with three prepaid terms allowed, two can be added', () => {
  const { world } = openLiveWorld({ maxPrepaidPeriods: 3 })
  for (const reason of [undefined, undefined, 'prepaid_limit']) {
    const id = world.purchase()
    world.settle()
    expect(world.outcomes(id)[0]?.body).toMatchObject(reason ? { reason } : { operationId: id })
  }
  world.now = at(30 * DAY)
  const id = world.purchase()
  world.settle()
  expect(world.outcomes(id)).toMatchObject([{ name: 'SubscriptionExtended' }])
})

test('EXT-3: 20 clicks at once are one activation, and 20 at once on it one extension', () => {
  const world = openWorld()
  const activations = Array.from({ length: 20 }, () => world.purchase({ known: null }))
  world.settle()
  const live = world.live()!
  const extensions = Array.from({ length: 20 }, () => world.purchase({ known: live }))
  world.settle()
  for (const [ids, success] of [
    [activations, 'SubscriptionActivated'],
    [extensions, 'SubscriptionExtended'],
  ] as const) {
    const outcomes = ids.flatMap((id) => world.outcomes(id))
    expect(outcomes).toHaveLength(20)
    expect(outcomes.filter(({ name }) => name === success)).toHaveLength(1)
    expect(outcomes.filter(({ body }) => 'reason' in body && body.reason === 'purchase_in_progress')).toHaveLength(19)
  }
  expect(world.ledger.charges.size).toBe(2)
})

test('EXT-3: what was not yet answered to the buyer is not extended', () => {
  const { world, subscription } = openLiveWorld()
  const unknown = world.purchase({ known: null })
  const older = world.purchase({ known: { ...subscription, currentPeriodEnd: at(DAY) } })
  const gone = openWorld()
  const dead = gone.purchase({ known: subscription })
  for (const [one, id] of [
    [world, unknown],
    [world, older],
    [gone, dead],
  ] as const)
    expect(one.outcomes(id)).toMatchObject([{ body: { reason: 'purchase_in_progress' } }])
})

test('EXT-5: another plan of the provider, or one that is not to be bought twice, is already subscribed', () => {
  const { world, subscription } = openLiveWorld()
  world.publish({ planId: 'acme-pro' })
  const other = world.purchase({ plan: 'acme-pro' })
  const { world: rejecting } = openLiveWorld({ repurchase: 'reject' })
  const again = rejecting.purchase()
  expect(world.outcomes(other)).toMatchObject([
    { body: { reason: 'already_subscribed', subscriptionId: subscription.id, subscriptionVersion: 1 } },
  ])
  expect(rejecting.outcomes(again)).toMatchObject([{ body: { reason: 'already_subscribed' } }])
})
