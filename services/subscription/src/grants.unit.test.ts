import { instant, microdollars } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { at, DAY } from './bodies.testing.ts'
import { openLiveWorld } from './world.testing.ts'

const END = at(30 * DAY)

test('EXT-6: days move the end, which becomes the new anchor; a zero charge names who and why; it is audited', () => {
  const { world, subscription } = openLiveWorld({ periodUnit: 'month', periodCount: 1 })
  world.now = at(DAY)
  world.grant(subscription.id, 5)
  const end = at((31 + 5) * DAY)
  expect(world.last('DaysGranted')).toMatchObject({
    days: 5,
    periodStart: at(31 * DAY),
    currentPeriodEnd: end,
    actor: 'admin-1',
    reason: 'sorry',
    version: 2,
  })
  expect(world.last('ActionAudited')).toMatchObject({ action: 'subscription.grant_days', target: subscription.id })
  expect(world.live()).toMatchObject({ anchor: end, anchorPeriods: 0, currentPeriodStart: at(0) })
  expect(world.ledger.charges.size).toBe(1)
  world.due(world.live()!)
  world.settle()
  expect(new Date(world.live()!.currentPeriodEnd).toISOString()).toBe('2026-03-06T00:00:00.000Z')
})

test('EXT-6: a double click grants once', () => {
  const { world, subscription } = openLiveWorld()
  world.grant(subscription.id, 5)
  const command = world.heard.at(-1)!
  world.tell(command)
  expect(world.all('DaysGranted')).toHaveLength(1)
  expect(world.live()?.currentPeriodEnd).toBe(at(35 * DAY))
})

test('EXT-6: on a past due one they count from now, and it is active again', () => {
  const { world, subscription } = openLiveWorld({ graceHours: 48 }, 20)
  world.due(subscription)
  world.settle()
  world.now = at(31 * DAY)
  world.grant(subscription.id, 2)
  world.settle()
  expect(world.live()).toMatchObject({ status: 'active', graceEndsAt: null, currentPeriodEnd: at(33 * DAY) })
  expect(world.waits.size).toBe(0)
  // The credits that come now are for nobody's debt.
  world.credit('ada', 20)
  world.settle()
  expect(world.ledger.available.get('ada')).toBe(20)
})

test('EXT-6: a scheduled cancellation stays', () => {
  const { world, subscription } = openLiveWorld()
  world.cancel(subscription.id)
  world.grant(subscription.id, 1)
  expect(world.last('DaysGranted')).toMatchObject({ cancelAtPeriodEnd: true })
  world.due(world.live()!)
  world.settle()
  expect(world.last('SubscriptionEnded')).toMatchObject({ endedAt: at(31 * DAY), reason: 'user_canceled' })
})

test('protocol 5: an undecided renewal gives back, and its due message is answered', () => {
  const { world, subscription } = openLiveWorld()
  world.due(subscription)
  world.grant(subscription.id, 3)
  world.settle()
  expect(world.ledger.available.get('ada')).toBe(980)
  expect(world.last('DueIgnored')).toMatchObject({ boundary: END, what: 'period_ended' })
  expect(world.live()?.currentPeriodEnd).toBe(at(33 * DAY))
})

test('protocol 5: a renewal that is decided is done first', () => {
  const { world, subscription } = openLiveWorld()
  world.due(subscription)
  world.step('ledger')
  world.step('subscription')
  world.grant(subscription.id, 3)
  expect(world.all('DaysGranted')).toEqual([])
  world.settle()
  expect(world.live()?.currentPeriodEnd).toBe(at(63 * DAY))
  expect(world.last('DaysGranted')).toMatchObject({ periodStart: at(60 * DAY), version: 3 })
})

test('EXT-4: an extension in flight gives back and says so', () => {
  const { world, subscription } = openLiveWorld()
  const purchase = world.purchase()
  world.grant(subscription.id, 3)
  world.settle()
  expect(world.outcomes(purchase)).toMatchObject([{ body: { reason: 'purchase_in_progress' } }])
  expect(world.ledger.available.get('ada')).toBe(980)
})

test('EXT-2: granted days are no bought term', () => {
  const { world, subscription } = openLiveWorld({ maxPrepaidPeriods: 2 })
  world.grant(subscription.id, 3)
  const operation = world.purchase()
  world.settle()
  expect(world.outcomes(operation)).toMatchObject([
    { name: 'SubscriptionExtended', body: { periodStart: at(33 * DAY) } },
  ])
})

test('EXT-6: not on what is not there, is another’s, or is being ended', () => {
  const { world, subscription } = openLiveWorld()
  const refusals = [world.grant('sub_nowhere', 1), world.grant(subscription.id, 1, 'bob')]
  world.cancel(subscription.id, 'now')
  refusals.push(world.grant(subscription.id, 1))
  expect(refusals.map((id) => world.outcomes(id)[0]?.body)).toMatchObject([
    { reason: 'not_found' },
    { reason: 'not_found' },
    { reason: 'not_cancelable' },
  ])
})

test('CAN-2: granted days are worth nothing when it is terminated', () => {
  const { world, subscription } = openLiveWorld({ price: microdollars(30) })
  world.grant(subscription.id, 30)
  world.now = at(45 * DAY)
  world.terminate(subscription.id, 'full')
  world.settle()
  expect(world.last('SubscriptionEnded')).toMatchObject({ refundAmount: null, endedAt: instant(at(45 * DAY)) })
})
