import { microdollars } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { at, DAY } from './bodies.testing.ts'
import { openLiveWorld, openWorld, type World } from './world.testing.ts'

const reportOf = (world: World, operation: string) => world.outcomes(operation).map(({ body }) => body)

test('GDP-1: live plans end at once, then keys, account and wishes; the report says what was done', () => {
  const { world } = openLiveWorld()
  world.publish({ planId: 'bolt', providerId: 'bolt', price: microdollars(5) })
  world.inventory.stock('bolt', 1)
  world.purchase({ plan: 'bolt' })
  world.settle()
  world.inventory.slots.set('ada|own', 'own')
  world.publish({ planId: 'gone', providerId: 'gone' })
  world.wish('ada', 'gone')
  world.now = at(DAY)
  const operation = world.erase()
  world.settle()
  expect(reportOf(world, operation)).toEqual([
    {
      userId: 'ada',
      operationId: operation,
      at: at(DAY),
      endedSubscriptions: 2,
      unlinkedKeys: 0,
      removedSlots: 1,
      forgottenWishes: 1,
      remainingCredits: 975,
    },
  ])
  const ends = world.all('SubscriptionEnded')
  expect(ends).toMatchObject([
    { reason: 'account_deleted', endedAt: at(DAY) },
    { reason: 'account_deleted', endedAt: at(DAY) },
  ])
  expect(world.names(operation)).toEqual([
    'AccountDeletionBegun',
    'UnlinkKeys',
    'CloseAccount',
    'RestockWishWithdrawn',
    'AccountDeleted',
  ])
})

test('GDP-1: a purchase in flight gives back, at any step before it is decided', () => {
  for (const steps of [[], ['ledger'], ['ledger', 'subscription'], ['ledger', 'subscription', 'inventory']] as const) {
    const world = openWorld()
    const purchase = world.purchase()
    for (const queue of steps) world.step(queue)
    const deletion = world.erase()
    world.settle()
    expect(world.outcomes(purchase)).toMatchObject([{ name: 'PurchaseRefused', body: { reason: 'user_deleted' } }])
    expect(world.ledger.available.get('ada')).toBe(1_000)
    expect(reportOf(world, deletion)).toMatchObject([{ endedSubscriptions: 0 }])
  }
})

test('GDP-1: a purchase that is decided is done, then ended', () => {
  const world = openWorld()
  const purchase = world.purchase()
  for (const queue of ['ledger', 'subscription', 'inventory', 'subscription'] as const) world.step(queue)
  const deletion = world.erase()
  world.settle()
  expect(world.outcomes(purchase)).toMatchObject([{ name: 'SubscriptionActivated' }])
  expect(reportOf(world, deletion)).toMatchObject([{ endedSubscriptions: 1 }])
  expect(world.inventory.slots.size).toBe(0)
})

test('GDP-1: what is past due, renewing, extending or being ended ends as well, once', () => {
  const { world: pastDue, subscription } = openLiveWorld({ graceHours: 48 }, 20)
  pastDue.due(subscription)
  pastDue.settle()
  const { world: renewing, subscription: other } = openLiveWorld()
  renewing.due(other)
  const { world: extending } = openLiveWorld()
  extending.purchase()
  const { world: ending, subscription: third } = openLiveWorld()
  ending.cancel(third.id, 'now')
  for (const world of [pastDue, renewing, extending, ending]) {
    const deletion = world.erase()
    world.settle()
    expect(world.all('SubscriptionEnded')).toHaveLength(1)
    expect(world.outcomes(deletion)).toHaveLength(1)
    expect([...world.ledger.holds.values()].some(({ state }) => state === 'open')).toBe(false)
    expect(world.unanswered.size + world.waits.size).toBe(0)
  }
})

test('PER-1: whatever is asked for a deleted user is refused', () => {
  const { world, subscription } = openLiveWorld()
  world.erase()
  world.settle()
  const refused = [
    world.purchase(),
    world.cancel(subscription.id),
    world.resume(subscription.id),
    world.grant(subscription.id, 1),
    world.terminate(subscription.id),
    world.wish(),
  ]
  for (const operation of refused) expect(world.outcomes(operation)[0]?.body).toMatchObject({ reason: 'user_deleted' })
})

test('GDP-1: asked twice, both hear of the one deletion; asked again later, its report', () => {
  const { world } = openLiveWorld()
  const operations = [world.erase(), world.erase()]
  world.settle()
  operations.push(world.erase())
  world.settle()
  for (const operation of operations)
    expect(world.outcomes(operation)).toMatchObject([{ body: { endedSubscriptions: 1 } }])
  expect(world.all('UnlinkKeys')).toHaveLength(1)
})

test('GDP-1: a step that fails is said again', () => {
  const world = openWorld()
  const deletion = world.erase('bob')
  world.step('inventory', true)
  world.settle()
  expect(world.outcomes(deletion)).toMatchObject([{ name: 'AccountDeleted' }])
})
