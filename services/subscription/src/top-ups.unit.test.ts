import { instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { at, DAY } from './bodies.testing.ts'
import type { Paying } from './participants.testing.ts'
import { openLiveWorld } from './world.testing.ts'

const HOUR = 3_600_000
const END = at(30 * DAY)

/** Ada's subscription is due, she has this much left, and pays the rest automatically. */
const openDue = ({ left = 0, amount = 1, paying = 'paid' as Paying, graceHours = 0 } = {}) => {
  const { world, subscription } = openLiveWorld({ graceHours }, 20 + left)
  world.topUpBy('ada', { amount, paying })
  world.settle()
  world.due(subscription)
  world.settle()
  return { world, id: subscription.id }
}

test('REN-5, TOP-2: what is missing is topped up, and the term renewed', () => {
  const { world } = openDue({ left: 5 })
  expect(world.all('TopUpCredits')).toMatchObject([{ shortfall: 15 }])
  expect(world.last('SubscriptionRenewed')).toMatchObject({ boundary: END, recovered: false })
  expect(world.ledger.available.get('ada')).toBe(0)
  expect(world.all('SubscriptionPastDue')).toEqual([])
})

test('TOP-2: the configured amount counts if it is more than the shortfall', () => {
  expect(openDue({ left: 5, amount: 50 }).world.ledger.available.get('ada')).toBe(5 + 50 - 20)
})

test('TOP-1, REN-5: without auto top-up, or declined, it goes on as unfunded: the end, or grace', () => {
  const { world } = openDue({ paying: 'declined' })
  expect(world.last('SubscriptionEnded')).toMatchObject({ endedAt: END, reason: 'insufficient_credits' })
  expect(openDue({ paying: 'declined', graceHours: 48 }).world.last('SubscriptionPastDue')).toMatchObject({
    graceEndsAt: at(32 * DAY),
  })
})

test('TOP-2: for two plans due together there is one request, for what both are short of', () => {
  const { world, subscription } = openLiveWorld({}, 20)
  world.addPlan('bolt', 8)
  world.ledger.post('ada', 6)
  world.topUpBy('ada', { amount: 1, paying: 'paid' })
  world.settle()
  world.due(subscription)
  world.due(world.live('ada', 'bolt')!)
  world.settle()
  expect(world.all('TopUpCredits')).toMatchObject([{ shortfall: 20 + 8 - 6 }])
  expect(world.all('SubscriptionRenewed')).toHaveLength(2)
  expect(world.ledger.available.get('ada')).toBe(0)
})

test('TOP-2: a plan that the rest pays for takes it; the request is for what the other is short of', () => {
  const { world, subscription } = openLiveWorld({}, 20)
  world.addPlan('bolt', 5)
  world.ledger.post('ada', 6)
  world.topUpBy('ada', { amount: 1, paying: 'paid' })
  world.settle()
  world.due(subscription)
  world.due(world.live('ada', 'bolt')!)
  world.settle()
  expect(world.all('TopUpCredits')).toMatchObject([{ shortfall: 20 + 5 - 6 }])
  expect(world.all('SubscriptionRenewed')).toHaveLength(2)
  expect(world.ledger.available.get('ada')).toBe(0)
})

test('TOP-2: while the outcome is not known it waits, with access, for an hour at least', () => {
  const { world, id } = openDue({ paying: 'unknown' })
  expect(world.last('TopUpAwaited')).toMatchObject({ boundary: END, until: instant(END + HOUR), version: 2 })
  expect(world.live()).toMatchObject({ status: 'active', accessUntil: null })
  expect(world.unanswered.size).toBe(0)
  world.settlePayment(0, true)
  world.settle()
  expect(world.last('SubscriptionRenewed')).toMatchObject({ subscriptionId: id, recovered: false })
})

test('TOP-2: when the wait is over it ends as if declined; money that comes later is only credit', () => {
  const { world, id } = openDue({ paying: 'unknown' })
  world.deadline(id)
  world.settle()
  expect(world.last('SubscriptionEnded')).toMatchObject({ endedAt: instant(END + HOUR) })
  world.settlePayment(0, true)
  world.settle()
  expect(world.ledger.available.get('ada')).toBe(20)
  expect(world.all('SubscriptionRenewed')).toEqual([])
})

test('TOP-2: declined in the end, it ends there and then, or has its grace', () => {
  const { world } = openDue({ paying: 'unknown' })
  world.now = instant(END + 60_000)
  world.settlePayment(0, false)
  world.settle()
  expect(world.last('SubscriptionEnded')).toMatchObject({ endedAt: instant(END + 60_000) })
  const { world: patient } = openDue({ paying: 'unknown', graceHours: 48 })
  expect(patient.last('TopUpAwaited')).toMatchObject({ until: at(32 * DAY) })
  patient.settlePayment(0, false)
  patient.settle()
  expect(patient.last('SubscriptionPastDue')).toMatchObject({ graceEndsAt: at(32 * DAY) })
})

test('TOP-2: credits that come meanwhile are tried at once; too few, it waits on for the same outcome', () => {
  const { world } = openDue({ paying: 'unknown' })
  world.credit('ada', 5)
  world.settle()
  expect(world.all('SubscriptionEnded')).toEqual([])
  expect(world.all('TopUpAwaited')).toHaveLength(1)
  world.credit('ada', 15)
  world.settle()
  expect(world.all('SubscriptionRenewed')).toHaveLength(1)
  world.settlePayment(0, true)
  world.settle()
  expect(world.all('TopUpCredits')).toHaveLength(1)
})

test('TOP-3: canceled while the outcome is awaited it ends at once; the paid credit stays', () => {
  const { world, id } = openDue({ paying: 'unknown' })
  world.cancel(id)
  world.settle()
  expect(world.all('SubscriptionEnded')).toHaveLength(1)
  world.settlePayment(0, true)
  world.settle()
  expect(world.ledger.available.get('ada')).toBe(20)
})

test('TOP-3: what is flagged for cancellation never triggers a top-up', () => {
  const { world, subscription } = openLiveWorld({}, 20)
  world.topUpBy('ada', { amount: 50, paying: 'paid' })
  world.settle()
  world.cancel(subscription.id)
  world.due(subscription)
  world.settle()
  expect(world.all('TopUpCredits')).toEqual([])
  expect(world.last('SubscriptionEnded')).toMatchObject({ reason: 'user_canceled' })
})

test('TOP-3: canceled while the first hold is on its way, it triggers no top-up, and ends then', () => {
  const { world, subscription } = openLiveWorld({}, 20)
  world.topUpBy('ada', { amount: 50, paying: 'paid' })
  world.settle()
  world.due(subscription)
  world.now = instant(END + 50)
  world.cancel(subscription.id)
  world.settle()
  expect(world.all('TopUpCredits')).toEqual([])
  expect(world.last('SubscriptionEnded')).toMatchObject({ endedAt: instant(END + 50), reason: 'user_canceled' })
  expect(world.ledger.charges.size).toBe(1)
})

test('TOP-3: stamped at the boundary, before the term is due: no top-up either; funded, it is for the next term', () => {
  const cancelAtBoundary = (credits: number) => {
    const { world, subscription } = openLiveWorld({}, credits)
    world.topUpBy('ada', { amount: 50, paying: 'paid' })
    world.settle()
    world.cancel(subscription.id, 'period_end', { by: 'operator', time: END })
    world.due(world.live()!)
    world.settle()
    expect(world.all('TopUpCredits')).toEqual([])
    return world
  }
  expect(cancelAtBoundary(20).last('SubscriptionEnded')).toMatchObject({ endedAt: END, reason: 'admin_terminated' })
  expect(cancelAtBoundary(40).last('SubscriptionRenewed')).toMatchObject({ boundary: END, cancelAtPeriodEnd: true })
})

test('protocol 5: a plan whose money an older one took waits for the top-up of that one', () => {
  const { world, subscription } = openLiveWorld({}, 20)
  world.now = at(60_000)
  world.addPlan('bolt', 20)
  world.topUpBy('ada', { amount: 1, paying: 'unknown' })
  world.settle()
  world.due(subscription)
  world.settle()
  // A minute later the second is due: its own request, paid at once.
  world.topUpBy('ada', { amount: 1, paying: 'paid' })
  world.settle()
  world.due(world.live('ada', 'bolt')!)
  world.settle()
  expect(world.all('TopUpCredits')).toHaveLength(2)
  expect(world.all('SubscriptionEnded')).toEqual([])
  expect(world.all('TopUpAwaited').map(({ subscriptionId }) => subscriptionId)).toEqual([
    subscription.id,
    world.live('ada', 'bolt')?.id,
  ])
  world.settlePayment(0, true)
  world.settle()
  expect(world.all('SubscriptionRenewed')).toHaveLength(2)
})

test('TOP-1: switched on while a term is unpaid and untried, it is tried then, once', () => {
  const { world, subscription } = openLiveWorld({ graceHours: 48 }, 20)
  world.due(subscription)
  world.settle()
  expect(world.last('SubscriptionPastDue')).toMatchObject({ available: 0 })
  world.topUpBy('ada', { amount: 1, paying: 'declined' })
  world.settle()
  expect(world.ledger.topUps.size).toBe(2)
  // Tried and declined: another method is not tried for this term.
  world.topUpBy('ada', { amount: 1, paying: 'paid' })
  world.settle()
  expect([...world.ledger.topUps.values()].map(({ outcome }) => outcome)).toEqual(['off', 'declined'])
  expect(world.live()?.status).toBe('past_due')
})

test('TOP-1: a renewal that failed and is said again does not top up a second time', () => {
  const { world, id } = openDue({ paying: 'unknown' })
  world.credit('ada', 1)
  world.step('subscription')
  world.step('ledger', true)
  world.settle()
  world.deadline(id)
  world.settle()
  expect(world.all('TopUpCredits')).toHaveLength(1)
  expect(world.last('SubscriptionEnded')).toMatchObject({ endedAt: instant(END + HOUR) })
})

test('a request that cannot be handled counts as declined for all who wait for it', () => {
  const { world, subscription } = openLiveWorld({ graceHours: 48 }, 20)
  world.addPlan('bolt', 8, 48)
  world.due(subscription)
  world.due(world.live('ada', 'bolt')!)
  for (const queue of ['ledger', 'ledger', 'subscription'] as const) world.step(queue)
  world.step('ledger', true)
  world.settle()
  expect(world.all('SubscriptionPastDue')).toHaveLength(2)
  expect(world.unanswered.size).toBe(0)
})
