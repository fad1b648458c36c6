import { messageId } from '@coding-plans/runtime'
import { message } from '@coding-plans/runtime/testing'
import { instant, type MessageName } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { at, DAY } from './bodies.testing.ts'
import type { Paying } from './participants.testing.ts'
import { stepAgain } from './sagas/engine.ts'
import { openLiveWorld, type World } from './world.testing.ts'

// One attempt at an unpaid term is a dead letter: the term, and what is waited for, outlive it.

const END = at(30 * DAY)

/** Ada's subscription is due, she has nothing left, and pays automatically. */
const openDue = (paying: Paying | null, graceHours = 0) => {
  const { world, subscription } = openLiveWorld({ graceHours }, 20)
  if (paying) world.topUpBy('ada', { amount: 1, paying })
  world.settle()
  world.due(subscription)
  return { world, subscription }
}

/** Another attempt, for a little credit; its hold is a dead letter, and is being released. */
const failAttempt = (world: World) => {
  world.credit('ada', 1)
  world.step('subscription')
  world.step('ledger', true)
  world.step('subscription')
}

const renewals = (world: World) => world.all('SubscriptionRenewed').length

test('TOP-2: what another term’s request covers waits for it too, though its own first hold failed', () => {
  const { world, subscription } = openLiveWorld({}, 20)
  world.addPlan('bolt', 8)
  world.topUpBy('ada', { amount: 1, paying: 'unknown' })
  world.settle()
  world.due(subscription)
  world.due(world.live('ada', 'bolt')!)
  world.step('ledger')
  world.step('subscription')
  world.step('ledger', true)
  expect(world.all('TopUpCredits')).toMatchObject([{ shortfall: 28 }])
  world.settle()
  // Its due message failed with it, and is said again.
  world.due(world.live('ada', 'bolt')!)
  world.settle()
  world.settlePayment(0, true)
  world.settle()
  expect(world.all('SubscriptionEnded')).toEqual([])
  expect(renewals(world)).toBe(2)
})

test('protocol 5: an attempt that fails while the request is unanswered does not end it', () => {
  const { world } = openDue('unknown')
  world.step('ledger')
  world.step('subscription')
  const [request] = world.queues.ledger.splice(0)
  failAttempt(world)
  world.settle()
  expect(world.last('CommandFailed')).toMatchObject({ messageName: 'PeriodEnded' })
  world.queues.ledger.push(request!)
  world.due(world.live()!)
  world.settle()
  expect(world.all('SubscriptionEnded')).toEqual([])
  world.settlePayment(0, true)
  world.settle()
  expect(renewals(world)).toBe(1)
  expect(world.all('TopUpCredits')).toHaveLength(1)
})

test('CAN-1: canceled while unpaid it ends at once, also after an attempt that failed', () => {
  const { world, subscription } = openDue('unknown')
  world.settle()
  failAttempt(world)
  world.settle()
  world.now = instant(END + 60_000)
  world.cancel(subscription.id)
  world.settle()
  expect(world.last('SubscriptionEnded')).toMatchObject({ endedAt: instant(END + 60_000), reason: 'user_canceled' })
  world.settlePayment(0, true)
  world.settle()
  expect(world.ledger.charges.size).toBe(1)
})

test('CAN-1: canceled while a due term’s renewal failed and is not said again yet, it ends at once', () => {
  const { world, subscription } = openDue('unknown')
  for (const queue of ['ledger', 'subscription'] as const) world.step(queue)
  world.queues.ledger.splice(0)
  failAttempt(world)
  world.settle()
  expect([...world.books.sagas].filter(({ running }) => running)).toEqual([])
  world.cancel(subscription.id)
  world.settle()
  expect(world.last('SubscriptionEnded')).toMatchObject({ reason: 'user_canceled' })
})

test('CAN-1: canceled in grace while a failed attempt gives back, it ends at once', () => {
  const { world, subscription } = openDue(null, 48)
  world.settle()
  world.now = at(31 * DAY)
  failAttempt(world)
  world.cancel(subscription.id)
  world.settle()
  expect(world.last('SubscriptionEnded')).toMatchObject({ endedAt: at(31 * DAY), reason: 'user_canceled' })
})

test('REN-6, TOP-2: the top-up that is paid renews at once, also after an attempt that failed', () => {
  const { world } = openDue('unknown')
  world.settle()
  failAttempt(world)
  world.settle()
  world.settlePayment(0, true)
  world.settle()
  expect(renewals(world)).toBe(1)
})

test('TOP-2: declined while a failed attempt gives back, it ends there and then, or has its grace', () => {
  for (const graceHours of [0, 48]) {
    const { world } = openDue('unknown', graceHours)
    world.settle()
    failAttempt(world)
    world.settlePayment(0, false)
    world.step('subscription')
    world.settle()
    if (graceHours === 0) expect(world.last('SubscriptionEnded')).toMatchObject({ reason: 'insufficient_credits' })
    else expect(world.last('SubscriptionPastDue')).toMatchObject({ graceEndsAt: at(32 * DAY) })
  }
})

test('REN-6: credits that come while a failed attempt gives back recover it at once', () => {
  const { world } = openDue(null, 48)
  world.settle()
  failAttempt(world)
  world.credit('ada', 30)
  world.step('subscription')
  world.settle()
  expect(renewals(world)).toBe(1)
})

test('REN-6: a deadline that passes while a failed attempt gives back has its last attempt, or is said again', () => {
  const { world, subscription } = openDue(null, 48)
  world.settle()
  failAttempt(world)
  world.deadline(subscription.id)
  world.settle()
  expect(world.last('CommandFailed')).toMatchObject({ messageName: 'GraceEnded' })
  world.deadline(subscription.id)
  world.settle()
  expect(world.last('SubscriptionEnded')).toMatchObject({ endedAt: at(32 * DAY) })
})

test('a due message that is redriven late does not hide the deadline that is to be answered', () => {
  const { world, subscription } = openDue(null, 48)
  const redriven = world.heard.at(-1)!
  world.settle()
  world.deadline(subscription.id)
  world.step('ledger', true)
  world.step('subscription')
  world.tell({ ...redriven, id: messageId('billing-scheduler', 'an earlier one', 0) })
  world.settle()
  expect(world.last('CommandFailed')).toMatchObject({ messageName: 'GraceEnded' })
})

test('protocol 3: what is said again has a new id in each failing attempt', () => {
  const { world } = openDue(null, 48)
  world.settle()
  const ids = [1, 2].flatMap(() => {
    failAttempt(world)
    world.step('ledger', true)
    world.step('subscription')
    const [saga] = [...world.books.sagas].filter(({ retryAt }) => retryAt !== null)
    const again = stepAgain(saga!).map(({ cause }) => messageId('subscription', cause!, 0))
    world.settle()
    return again
  })
  expect(new Set(ids).size).toBe(2)
})

test.each([
  ['TopUpDeclined', 'declined'],
  ['TopUpUnanswered', 'unknown'],
  ['CreditsToppedUp', 'paid'],
  ['AvailableIncreased', 'paid'],
] as const)(
  'protocol 3: %s that cannot be handled does not leave the due message unanswered for ever',
  (name, paying) => {
    const { world } = openDue(paying, 48)
    const isNext = () => world.queues.subscription[0]?.name === (name as MessageName)
    for (let steps = 0; !isNext() && steps < 10; steps += 1)
      world.step(world.queues.subscription.length > 0 ? 'subscription' : 'ledger')
    expect(isNext()).toBe(true)
    world.step('subscription', true)
    world.settle()
    expect(world.unanswered.size).toBe(0)
    expect(renewals(world)).toBe(paying === 'paid' ? 1 : 0)
  },
)

test('protocol 3: an event that another service cannot read makes no attempt fail', () => {
  const { world } = openDue('unknown')
  world.settle()
  const awaited = world.said.findLast(({ name }) => name === 'TopUpAwaited')!
  world.credit('ada', 1)
  world.step('subscription')
  const body = { subject: 'ada', messageId: awaited.id, messageName: awaited.name, reason: 'a bug' }
  const { correlationId } = awaited
  expect(world.tell(message('CommandFailed', body, { source: 'key-inventory', correlationId }))).toEqual([])
  world.settle()
  world.settlePayment(0, true)
  world.settle()
  expect(renewals(world)).toBe(1)
})

test('IDE-4: a copy of TopUpUnanswered after the outcome changes nothing', () => {
  const { world } = openDue('unknown', 48)
  world.settle()
  const copy = world.heard.find(({ name }) => name === 'TopUpUnanswered')!
  world.settlePayment(0, false)
  world.settle()
  const before = world.live()
  expect(world.tell(copy)).toEqual([])
  expect(world.live()).toEqual(before)
})

test('REN-6: what a late hold of an earlier attempt kept from the present one is tried again when it is given back', () => {
  const { world } = openDue(null, 48)
  world.settle()
  failAttempt(world)
  world.settle()
  world.redrive()
  world.credit('ada', 19)
  world.settle()
  expect(renewals(world)).toBe(1)
  expect(world.all('HoldCredits').length).toBeGreaterThan(3)
})

test('late credits: what an earlier attempt got, and could not be given back, is given back later', () => {
  const { world } = openDue(null, 48)
  world.settle()
  failAttempt(world)
  world.credit('ada', 50)
  world.settle()
  expect(renewals(world)).toBe(1)
  world.redrive()
  world.step('ledger')
  world.step('subscription')
  world.step('ledger', true)
  world.settle()
  expect([...world.ledger.holds.values()].map(({ state }) => state).sort()).toEqual([
    'captured',
    'captured',
    'released',
  ])
  expect(world.ledger.available.get('ada')).toBe(31)
})
