import { expect, test } from 'vitest'
import { at, DAY } from './bodies.testing.ts'
import { openLiveWorld } from './world.testing.ts'

const END = at(30 * DAY)

test.each(['user', 'operator'] as const)(
  'CAN-1: a resumption undoes the cancellation of the %s: the subscription renews, and resuming cost nothing',
  (by) => {
    const { world, subscription } = openLiveWorld()
    world.cancel(subscription.id, 'period_end', { by })
    const operation = world.resume(subscription.id)
    expect(world.last('CancellationUndone')).toEqual({
      userId: 'ada',
      operationId: operation,
      subscriptionId: subscription.id,
      version: 3,
    })
    expect(world.live()).toMatchObject({ canceledAt: null, canceledBy: null, canceledIn: null })
    expect(world.ledger.charges.size).toBe(1)
    world.due(subscription)
    world.settle()
    expect(world.last('SubscriptionRenewed')).toMatchObject({ boundary: END, cancelAtPeriodEnd: false })
  },
)

test('CAN-1: to resume what was not canceled is harmless, and nothing new is told', () => {
  const { world, subscription } = openLiveWorld()
  world.resume(subscription.id)
  expect(world.last('CancellationUndone')).toMatchObject({ version: subscription.version })
  expect(world.live()).toEqual(subscription)
})

test('IDE-4: a copy of a resumption undoes no later cancellation', () => {
  const { world, subscription } = openLiveWorld()
  world.cancel(subscription.id)
  world.resume(subscription.id)
  const resumption = world.heard.at(-1)!
  world.cancel(subscription.id)
  world.tell(resumption)
  expect(world.live()?.canceledAt).not.toBeNull()
  expect(world.all('CancellationUndone')).toHaveLength(1)
})

test('what is ending, ended or another’s cannot be resumed', () => {
  const { world, subscription } = openLiveWorld()
  world.resume(subscription.id, { user: 'bob' })
  expect(world.last('SubscriptionChangeRefused')).toMatchObject({ reason: 'not_found', version: null })
  world.cancel(subscription.id, 'now')
  world.resume(subscription.id)
  expect(world.last('SubscriptionChangeRefused')).toMatchObject({ reason: 'not_cancelable', version: 2 })
  world.settle()
  world.resume(subscription.id)
  expect(world.last('SubscriptionChangeRefused')).toMatchObject({ reason: 'not_cancelable', version: 3 })
  expect(world.live()).toBeUndefined()
})

test('requirements 4: at the instant of its end a canceled subscription is past resuming; before it, it is not', () => {
  const { world, subscription } = openLiveWorld()
  world.cancel(subscription.id)
  world.resume(subscription.id, { time: END })
  expect(world.last('SubscriptionChangeRefused')).toMatchObject({ reason: 'not_cancelable' })
  const early = openLiveWorld()
  early.world.cancel(early.subscription.id)
  early.world.resume(early.subscription.id, { time: at(30 * DAY - 1) })
  expect(early.world.last('CancellationUndone')).toMatchObject({ version: 3 })
})

test('REN-3: canceled and resumed while the term’s credits are being held: they are given back and held anew, and charged once', () => {
  const { world, subscription } = openLiveWorld()
  world.due(subscription)
  world.cancel(subscription.id, 'period_end', { time: at(DAY) })
  world.step('ledger')
  world.step('subscription')
  world.resume(subscription.id, { time: at(2 * DAY) })
  world.settle()
  expect(world.last('SubscriptionRenewed')).toMatchObject({ boundary: END, currentPeriodEnd: at(60 * DAY) })
  expect([...world.ledger.holds.values()].map(({ state }) => state)).toEqual(['captured', 'released', 'captured'])
  expect(world.ledger.charges.size).toBe(2)
  expect(world.unanswered.size).toBe(0)
})
