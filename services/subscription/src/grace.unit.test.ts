import { message } from '@coding-plans/runtime/testing'
import { type Instant, instant, microdollars } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { at, DAY } from './bodies.testing.ts'
import { openLiveWorld, type World } from './world.testing.ts'

const END = at(30 * DAY)
const GRACE_END = at(32 * DAY)
const renewals = (world: World) => world.all('SubscriptionRenewed')

/** Ada's subscription with two days of grace, due, and not a credit left. */
const openPastDue = (changes: Parameters<typeof openLiveWorld>[0] = {}) => {
  const { world, subscription } = openLiveWorld({ graceHours: 48, ...changes }, 20)
  world.due(subscription)
  world.settle()
  return { world, id: subscription.id }
}

test('REN-5: unfunded with grace it is past due: access stays, the deadline is told', () => {
  const { world, id } = openPastDue()
  expect(world.last('SubscriptionPastDue')).toEqual({
    userId: 'ada',
    subscriptionId: id,
    boundary: END,
    graceEndsAt: GRACE_END,
    amount: 20,
    available: 0,
    version: 2,
    accountVersion: 3,
  })
  expect(world.live()).toMatchObject({ status: 'past_due', graceEndsAt: GRACE_END, accessUntil: null })
  expect(world.inventory.slots.get('ada|acme')).toBe(id)
  expect(world.unanswered.size).toBe(0)
})

test('REN-6: credits that cover it recover it at once, from the old boundary', () => {
  const { world } = openPastDue()
  world.now = instant(GRACE_END - 60_000)
  world.credit('ada', 19)
  world.settle()
  expect(renewals(world)).toEqual([])
  world.credit('ada', 1)
  world.settle()
  expect(world.last('SubscriptionRenewed')).toMatchObject({
    boundary: END,
    periodStart: null,
    currentPeriodEnd: at(60 * DAY),
    recovered: true,
  })
  expect(world.live()).toMatchObject({ status: 'active', graceEndsAt: null, currentPeriodStart: END })
  expect(world.all('SubscriptionPastDue')).toHaveLength(1)
})

test('REN-6: at the deadline there is one last attempt, then the end, at that instant', () => {
  const { world, id } = openPastDue()
  world.deadline(id)
  world.settle()
  expect(world.last('SubscriptionEnded')).toMatchObject({
    boundary: END,
    endedAt: GRACE_END,
    reason: 'insufficient_credits',
  })
  const { world: other, id: saved } = openPastDue()
  // They came, and were not heard of in time: the last attempt finds them.
  other.ledger.post('ada', 20)
  other.deadline(saved)
  other.settle()
  expect(renewals(other)).toMatchObject([{ recovered: true }])
})

test('REN-6: money that comes after the deadline is only credit', () => {
  const { world, id } = openPastDue()
  world.deadline(id)
  world.credit('ada', 50)
  world.settle()
  const [ended, renewed] = [world.all('SubscriptionEnded').length, renewals(world).length]
  // Either the attempt found it, or it had been declined before: one of the two, and nothing is charged for the dead.
  expect(ended + renewed).toBe(1)
  expect(world.ledger.available.get('ada')).toBe(renewed === 1 ? 30 : 50)
})

test('protocol 5: a deadline that passes while a hold is under way is remembered: a decline then ends it', () => {
  const { world, id } = openPastDue()
  world.credit('ada', 1)
  world.step('subscription')
  world.deadline(id)
  world.settle()
  expect(world.last('SubscriptionEnded')).toMatchObject({ endedAt: GRACE_END })
  expect(world.unanswered.size).toBe(0)
})

test('IDE-4: a copy of the deadline of a term that was paid ends nothing', () => {
  const { world, id } = openPastDue()
  world.ledger.post('ada', 40)
  world.deadline(id)
  const said = world.heard.findLast(({ name }) => name === 'GraceEnded')!
  world.settle()
  world.tell(said)
  world.settle()
  expect(world.last('DueIgnored')).toMatchObject({ boundary: END, what: 'grace_ended' })
  expect(world.live()?.status).toBe('active')
})

test('REN-6, LED-3: of several that wait the oldest boundary is tried first, on what is left', () => {
  const { world, id } = openPastDue()
  world.publish({ planId: 'bolt', providerId: 'bolt', price: microdollars(8), graceHours: 240 })
  world.inventory.stock('bolt', 1)
  world.ledger.post('ada', 8)
  world.purchase({ plan: 'bolt' })
  world.settle()
  world.due(world.live('ada', 'bolt')!)
  world.settle()
  world.credit('ada', 25)
  world.settle()
  expect(renewals(world).map(({ subscriptionId }) => subscriptionId)).toEqual([id])
  expect(world.live('ada', 'bolt')?.status).toBe('past_due')
  world.credit('ada', 3)
  world.settle()
  expect(world.live('ada', 'bolt')?.status).toBe('active')
})

test('CAN-1: while a due term is unpaid, cancel ends it at once, now or at the period’s end', () => {
  for (const when of ['now', 'period_end'] as const) {
    const { world, id } = openPastDue()
    world.now = at(31 * DAY)
    const operation = world.cancel(id, when)
    world.settle()
    expect(world.outcomes(operation)).toMatchObject([
      { name: 'SubscriptionEnded', body: { endedAt: at(31 * DAY), reason: 'user_canceled' } },
    ])
    expect(world.waits.size).toBe(0)
  }
})

test('CAN-1: canceled while its first hold is on its way, it has no grace: credits that come later charge nothing', () => {
  const { world, subscription } = openLiveWorld({ graceHours: 48 }, 20)
  world.due(subscription)
  world.now = instant(END + 50)
  world.cancel(subscription.id)
  world.settle()
  world.now = instant(END + DAY)
  world.credit('ada', 20)
  world.settle()
  expect(renewals(world)).toEqual([])
  expect(world.last('SubscriptionEnded')).toMatchObject({ endedAt: instant(END + 50), reason: 'user_canceled' })
})

test('EXT-5: the same plan again is 402 with that term’s price; another plan is already_subscribed', () => {
  const { world } = openPastDue()
  world.now = at(31 * DAY)
  const same = world.purchase()
  expect(world.outcomes(same)).toMatchObject([
    { name: 'PurchaseRefused', body: { reason: 'insufficient_credits', required: 20, available: 0 } },
  ])
  world.publish({ planId: 'acme-more', name: 'More' })
  const other = world.purchase({ plan: 'acme-more' })
  expect(world.outcomes(other)).toMatchObject([{ body: { reason: 'already_subscribed' } }])
})

const afterOutage = (asOf: Instant, credits = 100, changes = {}) => {
  const { world, subscription } = openLiveWorld({ graceHours: 48, ...changes }, credits)
  world.due(subscription, asOf)
  world.settle()
  return world
}

test('REN-7: after an outage the term that contains the present is charged and starts where it would have', () => {
  const world = afterOutage(at(95 * DAY))
  expect(renewals(world)).toMatchObject([
    { boundary: END, periodStart: at(90 * DAY), currentPeriodEnd: at(120 * DAY), amount: 20 },
  ])
  expect([...world.books.terms].map(({ boundary }) => boundary)).toEqual([at(0), at(90 * DAY)])
  expect(world.live()).toMatchObject({ currentPeriodStart: at(90 * DAY), currentPeriodEnd: at(120 * DAY) })
})

test('REN-7: exactly at a later boundary the term that begins there is charged; a millisecond before, the one before', () => {
  expect(renewals(afterOutage(at(60 * DAY)))).toMatchObject([{ periodStart: at(60 * DAY) }])
  expect(renewals(afterOutage(instant(at(60 * DAY) - 1)))).toMatchObject([{ periodStart: null }])
})

test('REN-7: unfunded after an outage, grace counts from the present', () => {
  const world = afterOutage(at(95 * DAY), 20)
  expect(world.last('SubscriptionPastDue')).toMatchObject({ boundary: END, graceEndsAt: at(97 * DAY) })
  world.credit('ada', 20)
  world.settle()
  expect(renewals(world)).toMatchObject([{ periodStart: at(90 * DAY), recovered: true }])
})

test('REN-7: what grace has served is charged term by term: its end could not be said earlier, so nothing was out', () => {
  const { world, subscription } = openLiveWorld({ periodCount: 1, graceHours: 72 }, 20)
  world.due(subscription)
  world.settle()
  world.now = at(3.5 * DAY)
  world.credit('ada', 30)
  world.settle()
  expect(world.last('SubscriptionRenewed')).toMatchObject({ boundary: at(DAY), currentPeriodEnd: at(2 * DAY) })
  // The scheduler hears of this end only now, and says it as of now.
  world.due(world.live()!, world.now)
  world.settle()
  expect(world.last('SubscriptionPastDue')).toMatchObject({ boundary: at(2 * DAY), graceEndsAt: at(5 * DAY) })
  world.credit('ada', 10)
  world.settle()
  expect(world.last('SubscriptionRenewed')).toMatchObject({ boundary: at(2 * DAY), periodStart: null })
  // Then we are away: from the end of what was served on, what elapsed is not charged.
  world.ledger.post('ada', 100)
  world.due(world.live()!, at(13.5 * DAY))
  world.settle()
  expect(world.last('SubscriptionRenewed')).toMatchObject({ boundary: at(3 * DAY), periodStart: at(13 * DAY) })
})

test('REN-7: a deadline heard after an outage charges the term that contains the present, not one that is over', () => {
  const { world, subscription } = openLiveWorld({ periodCount: 3, graceHours: 24 }, 20)
  world.due(subscription)
  world.settle()
  world.ledger.post('ada', 20)
  world.deadline(subscription.id, at(13 * DAY))
  world.settle()
  expect(renewals(world)).toMatchObject([
    { boundary: at(3 * DAY), periodStart: at(12 * DAY), currentPeriodEnd: at(15 * DAY), recovered: true },
  ])
})

test('REN-9: it says what will be renewed for how much, and nothing of what is flagged, free, past due or moved', () => {
  const soon = (world: World, boundary = END) => {
    const subscription = world.live()!
    const body = { userId: subscription.userId, subscriptionId: subscription.id, boundary, at: at(27 * DAY), asOf: END }
    return world.tell(message('RenewalDueSoon', body, { time: at(27 * DAY) })).map(({ name, body }) => ({ name, body }))
  }
  const { world, subscription } = openLiveWorld()
  expect(soon(world)).toMatchObject([{ name: 'RenewingSoon', body: { boundary: END, amount: 20, at: at(27 * DAY) } }])
  const ignored = [{ name: 'DueIgnored', body: { what: 'renewal_due_soon' } }]
  expect(soon(world, at(DAY))).toMatchObject(ignored)
  world.cancel(subscription.id)
  expect(soon(world)).toMatchObject(ignored)
  expect(soon(openLiveWorld({ price: microdollars(0) }).world)).toMatchObject(ignored)
  expect(soon(openPastDue().world)).toMatchObject(ignored)
})
