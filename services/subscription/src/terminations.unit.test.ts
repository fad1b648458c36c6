import { microdollars } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { at, DAY } from './bodies.testing.ts'
import { openLiveWorld } from './world.testing.ts'

test('CAN-2: terminated it ends now; what is not served is given back as one entry, before the end is said', () => {
  const { world, subscription } = openLiveWorld({ price: microdollars(100) })
  world.purchase()
  world.settle()
  world.now = at(15 * DAY)
  const operation = world.terminate(subscription.id, 'prorated')
  world.settle()
  expect(world.names(operation)).toEqual([
    'SubscriptionEnding',
    'RemoveKey',
    'ActionAudited',
    'RefundCredits',
    'SubscriptionEnded',
  ])
  expect(world.last('RefundCredits')).toMatchObject({ amount: 50 + 100, subscriptionId: subscription.id })
  expect(world.last('SubscriptionEnded')).toMatchObject({
    operationId: operation,
    endedAt: at(15 * DAY),
    reason: 'admin_terminated',
    refundAmount: 150,
    refundedUntil: at(60 * DAY),
  })
  expect(world.last('ActionAudited')).toMatchObject({ action: 'subscription.terminate', reason: 'asked for' })
})

test('CAN-2: full is the sum of what has not ended, none is nothing and no entry', () => {
  for (const [refund, amount] of [
    ['full', 40],
    ['none', null],
  ] as const) {
    const { world, subscription } = openLiveWorld()
    world.purchase()
    world.settle()
    world.now = at(DAY)
    world.terminate(subscription.id, refund)
    world.settle()
    expect(world.last('SubscriptionEnded').refundAmount).toBe(amount)
    expect(world.all('RefundCredits')).toHaveLength(amount === null ? 0 : 1)
  }
})

test('CAN-2: a renewal that is decided is paid first, and given back with the rest', () => {
  const { world, subscription } = openLiveWorld()
  world.due(subscription)
  world.step('ledger')
  world.step('subscription')
  world.terminate(subscription.id, 'full')
  world.settle()
  expect(world.names()).toContain('SubscriptionRenewed')
  expect(world.last('SubscriptionEnded')).toMatchObject({ refundAmount: 20 })
  expect(world.ledger.available.get('ada')).toBe(980)
})

test('CAN-2: a refund that fails is said again; only then is the end told', () => {
  const { world, subscription } = openLiveWorld()
  const operation = world.terminate(subscription.id, 'full')
  world.step('inventory')
  world.step('subscription')
  world.step('ledger', true)
  world.step('subscription')
  expect(world.outcomes(operation)).toEqual([])
  world.settle()
  expect(world.outcomes(operation)).toMatchObject([{ name: 'SubscriptionEnded' }])
  expect(world.ledger.refunds.size).toBe(1)
})

test('CAN-2: a past due one is terminated at once; a second time it is not cancelable', () => {
  const { world, subscription } = openLiveWorld({ graceHours: 48 }, 20)
  world.due(subscription)
  world.settle()
  world.terminate(subscription.id, 'full')
  const again = world.terminate(subscription.id)
  world.settle()
  expect(world.last('SubscriptionEnded')).toMatchObject({ reason: 'admin_terminated', refundAmount: null })
  expect(world.outcomes(again)).toMatchObject([{ body: { reason: 'not_cancelable' } }])
})
