import { instant, microdollars } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { at, DAY } from './bodies.testing.ts'
import { openLiveWorld } from './world.testing.ts'

const END = at(30 * DAY)

test('REN-1, REN-2: the next term starts at the boundary: charge, term and dates', () => {
  const { world, subscription } = openLiveWorld()
  world.due(subscription)
  world.settle()
  expect(world.last('SubscriptionRenewed')).toEqual({
    userId: 'ada',
    subscriptionId: subscription.id,
    boundary: END,
    currentPeriodEnd: at(60 * DAY),
    amount: 20,
    chargeId: [...world.ledger.charges.keys()][1],
    cancelAtPeriodEnd: false,
    version: 2,
    accountVersion: 4,
    periodStart: null,
    recovered: false,
  })
  expect(world.live()).toMatchObject({ currentPeriodStart: END, currentPeriodEnd: at(60 * DAY) })
  expect([...world.books.terms].map(({ kind, boundary, amount }) => [kind, boundary, amount])).toEqual([
    ['activation', at(0), 20],
    ['renewal', END, 20],
  ])
})

test('requirements 4: renewals of a month from the 31st come back to the 31st', () => {
  const { world } = openLiveWorld({ periodUnit: 'month', periodCount: 1 })
  const january = world.live()!
  world.books.subscriptions.put({
    ...january,
    anchor: instant(Date.UTC(2026, 0, 31)),
    currentPeriodEnd: instant(Date.UTC(2026, 1, 28)),
  })
  for (const end of ['2026-03-31', '2026-04-30', '2026-05-31']) {
    world.due(world.live()!)
    world.settle()
    expect(new Date(world.live()!.currentPeriodEnd).toISOString()).toBe(`${end}T00:00:00.000Z`)
  }
})

test('CAT-5, CAT-7: it renews at the copied price and period, though the plan is closed and dearer', () => {
  const { world, subscription } = openLiveWorld()
  world.publish({ price: microdollars(500), periodCount: 1, saleState: 'hidden' })
  world.due(subscription)
  world.settle()
  expect(world.last('SubscriptionRenewed')).toMatchObject({ amount: 20, currentPeriodEnd: at(60 * DAY) })
})

test('CAT-8: a free plan renews at once, also with a negative balance', () => {
  const { world, subscription } = openLiveWorld({ price: microdollars(0) }, -1)
  world.due(subscription)
  expect(world.last('SubscriptionRenewed')).toMatchObject({
    amount: 0,
    chargeId: null,
    accountVersion: null,
    version: 2,
  })
})

test('REN-3: copies of a due message charge once', () => {
  const { world, subscription } = openLiveWorld()
  for (let n = 0; n < 3; n += 1) world.due(subscription)
  world.settle()
  world.due(subscription)
  world.settle()
  expect(world.all('SubscriptionRenewed')).toHaveLength(1)
  expect(world.ledger.charges.size).toBe(2)
  expect(world.unanswered.size).toBe(0)
})

test('REN-8: a slot that is not as it should be does not stop a renewal', () => {
  const { world, subscription } = openLiveWorld()
  world.inventory.slots.set('ada|acme', 'own')
  world.due(subscription)
  world.settle()
  expect(world.names()).toContain('SubscriptionRenewed')
})

test('REN-5: unfunded, without grace and top-up, it ends with the term that was paid', () => {
  const { world, subscription } = openLiveWorld({}, 20)
  world.due(subscription)
  world.settle()
  expect(world.last('SubscriptionEnding')).toMatchObject({
    accessUntil: END,
    reason: 'insufficient_credits',
    version: 2,
  })
  expect(world.last('SubscriptionEnded')).toMatchObject({
    operationId: null,
    boundary: END,
    endedAt: END,
    reason: 'insufficient_credits',
    version: 3,
    slotVersion: 2,
    stockVersion: 2,
  })
  expect(world.inventory.slots.size).toBe(0)
})

test('a renewal that fails gives back, tells the scheduler, and is tried anew under another hold', () => {
  const { world, subscription } = openLiveWorld()
  world.due(subscription)
  const due = world.heard.at(-1)
  world.step('ledger', true)
  world.settle()
  expect(world.last('CommandFailed')).toMatchObject({ subject: 'ada', messageName: 'PeriodEnded', messageId: due?.id })
  world.due(subscription)
  world.settle()
  expect(world.names()).toContain('SubscriptionRenewed')
  const holds = world.all('HoldCredits').map(({ holdId }) => holdId)
  expect(new Set(holds).size).toBe(3)
})

test('a renewal that fails names the newest copy of its due message', () => {
  const { world, subscription } = openLiveWorld()
  world.due(subscription)
  world.due(subscription)
  const newest = world.heard.at(-1)
  world.step('ledger', true)
  world.settle()
  expect(world.last('CommandFailed').messageId).toBe(newest?.id)
})

test('IDE-4: a copy of a due message whose renewal failed begins no other', () => {
  const { world, subscription } = openLiveWorld()
  world.due(subscription)
  const due = world.heard.at(-1)!
  world.step('ledger', true)
  world.settle()
  expect(world.tell(due)).toEqual([])
})

test('CAN-1: canceled at the period’s end it lives to the end, then ends, without a charge', () => {
  for (const [by, reason] of [
    ['user', 'user_canceled'],
    ['operator', 'admin_terminated'],
  ] as const) {
    const { world, subscription } = openLiveWorld()
    const id = world.cancel(subscription.id, 'period_end', { by })
    expect(world.outcomes(id)).toMatchObject([{ name: 'CancellationScheduled', body: { by, version: 2 } }])
    world.due(world.live()!)
    world.settle()
    expect(world.last('SubscriptionEnded')).toMatchObject({
      operationId: null,
      boundary: END,
      endedAt: END,
      reason,
      version: 4,
    })
    expect(world.ledger.charges.size).toBe(1)
  }
})

test('CAN-1: flagging twice is harmless', () => {
  const { world, subscription } = openLiveWorld()
  world.cancel(subscription.id)
  const id = world.cancel(subscription.id)
  expect(world.outcomes(id)).toMatchObject([{ name: 'CancellationScheduled', body: { version: 2 } }])
})

test('CAN-1: of two cancellations the first stamp counts', () => {
  const { world, subscription } = openLiveWorld()
  world.cancel(subscription.id, 'period_end', { time: at(30 * DAY - 1) })
  world.cancel(subscription.id, 'period_end', { time: END, by: 'operator' })
  world.due(world.live()!)
  world.settle()
  expect(world.last('SubscriptionEnded')).toMatchObject({ endedAt: END, reason: 'admin_terminated' })
})

test('AUD-1: an operator’s cancellation is audited, a user’s is not', () => {
  const { world, subscription } = openLiveWorld()
  world.cancel(subscription.id)
  world.cancel(subscription.id, 'period_end', { by: 'operator' })
  expect(world.all('ActionAudited').filter(({ action }) => action === 'subscription.cancel')).toMatchObject([
    { subject: 'ada', target: subscription.id, after: '{"userId":"ada","cancelAtPeriodEnd":true}' },
  ])
})

test('CAN-1, CAN-3: canceled now, access ends at that instant, and `ended` is said when the slot is empty', () => {
  const { world, subscription } = openLiveWorld()
  world.now = at(5)
  const id = world.cancel(subscription.id, 'now')
  expect(world.names(id)).toEqual(['SubscriptionEnding', 'RemoveKey'])
  expect(world.last('SubscriptionEnding')).toMatchObject({ accessUntil: at(5), reason: 'user_canceled', version: 2 })
  expect(world.live()?.status).toBe('active')
  world.settle()
  expect(world.outcomes(id)).toMatchObject([
    { name: 'SubscriptionEnded', body: { boundary: null, endedAt: at(5), version: 3, slotVersion: 2 } },
  ])
  expect(world.live()).toBeUndefined()
})

test('while the end is carried out a purchase is in progress, and nothing more can be canceled', () => {
  const { world, subscription } = openLiveWorld()
  world.cancel(subscription.id, 'now')
  const refusals = [world.purchase(), world.cancel(subscription.id, 'now'), world.cancel(subscription.id)]
  world.settle()
  const late = world.cancel(subscription.id)
  expect([...refusals, late].map((id) => world.outcomes(id)[0]?.body)).toMatchObject([
    { reason: 'purchase_in_progress' },
    { reason: 'not_cancelable', version: 2 },
    { reason: 'not_cancelable', version: 2 },
    { reason: 'not_cancelable', version: 3 },
  ])
})

test('a subscription that is unknown or another’s cannot be canceled', () => {
  const { world, subscription } = openLiveWorld()
  for (const id of [world.cancel('sub_nothing'), world.cancel(subscription.id, 'now', { user: 'bob' })])
    expect(world.outcomes(id)).toMatchObject([{ body: { reason: 'not_found', version: null } }])
})

test('a due message for an ended or ending subscription, or for an end that has moved, is ignored', () => {
  const { world, subscription } = openLiveWorld()
  world.purchase()
  world.settle()
  world.due(subscription)
  world.cancel(subscription.id, 'now')
  world.due(world.live()!)
  world.settle()
  world.due(subscription)
  expect(world.all('DueIgnored').map(({ boundary }) => boundary)).toEqual([END, at(60 * DAY), END])
  expect(world.names()).not.toContain('SubscriptionRenewed')
})

test('CAN-1, IDE-4: a copy of a cancellation that was cleared does not come back', () => {
  const { world, subscription } = openLiveWorld()
  world.cancel(subscription.id)
  const [cancellation] = world.heard.filter(({ name }) => name === 'CancelSubscription')
  world.purchase()
  world.settle()
  expect(world.tell(cancellation!)).toEqual([])
  expect(world.live()?.canceledAt).toBeNull()
})

test('SUB-9: each charged term is told to the rest of the platform by one event, that names its charge', () => {
  const { world, subscription } = openLiveWorld()
  world.now = at(DAY)
  world.purchase()
  world.settle()
  world.now = at(60 * DAY)
  for (const _ of [1, 2]) world.due({ ...subscription, currentPeriodEnd: world.now })
  world.settle()
  const told = world.said.flatMap(({ name, body }) =>
    name === 'SubscriptionActivated' || name === 'SubscriptionExtended' || name === 'SubscriptionRenewed'
      ? [(body as { chargeId: string }).chargeId]
      : [],
  )
  expect(told).toEqual([...world.ledger.charges.keys()])
  expect(told).toHaveLength(3)
})
