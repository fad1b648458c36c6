import { expect, test } from 'vitest'
import { DAY, event, T0 } from './events.testing.ts'
import { learn, open, operation } from './projections.testing.ts'

const BOUNDARY = T0 + 31 * DAY
const kinds = (models: ReturnType<typeof open>) => models.notifications.map(({ kind }) => kind)

test('REN-6: past due shows its deadline; recovered, it is active again; each is told once', () => {
  const models = learn(
    open(),
    event('SubscriptionActivated'),
    event('SubscriptionPastDue'),
    event('SubscriptionPastDue'),
  )
  expect(models.subscriptions.get('sub_1')).toMatchObject({ status: 'past_due', graceEndsAt: BOUNDARY + 2 * DAY })
  learn(models, event('SubscriptionRenewed', { version: 3, recovered: true }))
  expect(models.subscriptions.get('sub_1')).toMatchObject({
    status: 'active',
    graceEndsAt: null,
    currentPeriodStart: BOUNDARY,
  })
  expect(kinds(models)).toEqual(['activated', 'past_due', 'recovered'])
  expect(models.notifications[1]).toMatchObject({
    data: { requiredMicrodollars: 20, availableMicrodollars: 5, graceEndsAt: '2026-02-03T00:00:00.000Z' },
  })
})

test('TOP-2: while a top-up is awaited access lasts until the end of the wait', () => {
  const models = learn(open(), event('SubscriptionActivated'), event('TopUpAwaited'))
  expect(models.subscriptions.get('sub_1')).toMatchObject({ status: 'active', awaitedUntil: BOUNDARY + DAY })
  learn(models, event('SubscriptionRenewed', { version: 3 }))
  expect(models.subscriptions.get('sub_1')).toMatchObject({ awaitedUntil: null })
})

test('REN-6: ended in grace, it is seen past due until its end is seen', () => {
  const models = learn(
    open(),
    event('SubscriptionActivated'),
    event('SubscriptionPastDue'),
    event('SubscriptionEnding', { version: 3 }),
  )
  expect(models.subscriptions.get('sub_1')).toMatchObject({ status: 'past_due', accessUntil: T0 + DAY })
  learn(models, event('SubscriptionEnded', { version: 4, operationId: null, reason: 'insufficient_credits' }))
  expect(models.subscriptions.get('sub_1')).toMatchObject({ status: 'ended', graceEndsAt: BOUNDARY + 2 * DAY })
  expect(models.notifications.at(-1)).toMatchObject({ kind: 'ended', data: { endReason: 'insufficient_credits' } })
})

test('REN-7: after an outage the term begins where it would have, and what was not served is said', () => {
  const periodStart = BOUNDARY + 59 * DAY
  const models = learn(open(), event('SubscriptionActivated'), event('SubscriptionRenewed', { periodStart }))
  expect(models.subscriptions.get('sub_1')).toMatchObject({ currentPeriodStart: periodStart })
  expect(models.charges.at(-1)).toMatchObject({ kind: 'renewal', periodStart })
  expect(models.notifications.at(-1)).toMatchObject({
    kind: 'renewed',
    data: { unservedFrom: new Date(BOUNDARY).toISOString(), currentPeriodStart: new Date(periodStart).toISOString() },
  })
})

test('NOT-1, REN-9: renewing soon tells the amount, and what is available', () => {
  const models = learn(open(), event('CreditsPosted'), event('SubscriptionActivated'), event('RenewingSoon'))
  expect(models.notifications.at(-1)).toMatchObject({
    kind: 'renewing_soon',
    at: T0 + 28 * DAY,
    data: { amountMicrodollars: 20, availableMicrodollars: 100, renewsAt: new Date(BOUNDARY).toISOString() },
  })
})

test('EXT-6: granted days are a charge of nothing that names who and why; past due is active again', () => {
  const models = learn(
    open(operation('op_days', 'grant_days')),
    event('SubscriptionActivated'),
    event('SubscriptionPastDue'),
    event('DaysGranted', { version: 3 }),
  )
  expect(models.operations.get('op_days')?.answer).toMatchObject({
    status: 'active',
    graceEndsAt: null,
    currentPeriodEnd: new Date(BOUNDARY + 3 * DAY).toISOString(),
  })
  expect(models.charges.at(-1)).toMatchObject({
    kind: 'grant',
    amount: 0,
    description: '3 days granted by admin-1: sorry',
  })
  expect(kinds(models)).toEqual(['activated', 'past_due', 'extended'])
})

test('NOT-1, CAN-1: flagged and undone are told once each, however often they are asked for', () => {
  const models = learn(
    open(),
    event('SubscriptionActivated'),
    event('CancellationScheduled'),
    event('CancellationScheduled', { operationId: 'op_again' }),
    event('CancellationUndone', { version: 3 }),
    event('CancellationUndone', { operationId: 'op_once_more', version: 3 }),
  )
  expect(kinds(models)).toEqual(['activated', 'cancellation_scheduled', 'cancellation_undone'])
})

test('TOP-1: the settings are shown with the credits; an older change is not; incomplete is 400', () => {
  const models = learn(
    open(operation('op_top_up', 'set_auto_top_up'), operation('op_bad', 'set_auto_top_up')),
    event('CreditsPosted'),
    event('AutoTopUpSet', { version: 2 }),
    event('AutoTopUpSet', { operationId: null, version: 1, enabled: false }),
    event('AutoTopUpRefused', { operationId: 'op_bad' }),
  )
  expect(models.operations.get('op_top_up')?.answer).toEqual({
    balanceMicrodollars: 100,
    heldMicrodollars: 0,
    availableMicrodollars: 100,
    autoTopUp: { enabled: true, amountMicrodollars: 50, paymentMethodId: 'pm_ok' },
  })
  expect(models.autoTopUps.get('ada')).toMatchObject({ enabled: true, version: 2 })
  expect(models.operations.get('op_bad')?.answer).toMatchObject({ status: 400, code: 'invalid_request' })
})

test('TOP-3: a declined top-up is told; one that was switched off is none; a paid one is a line of the statement', () => {
  const models = learn(
    open(),
    event('TopUpDeclined', { reason: 'off', topUpId: 'tup_0' }),
    event('TopUpDeclined'),
    event('CreditsToppedUp'),
  )
  expect(kinds(models)).toEqual(['top_up_failed'])
  expect(models.movements).toMatchObject([{ kind: 'top_up', entryId: 'ent_9', amount: 50, balanceAfter: 80 }])
})

test('RST-1: a wish answers with the plan; it is kept when told, and gone when withdrawn', () => {
  const models = learn(
    open(operation('op_wish', 'wish_restock'), operation('op_unwish', 'withdraw_wish')),
    event('PlanPublished'),
    event('RestockWished'),
    event('RestockTold'),
    event('RestockTold'),
  )
  expect(models.operations.get('op_wish')?.answer).toMatchObject({ id: 'acme-coding', restockWish: true })
  expect(models.notifications.at(-1)).toMatchObject({ kind: 'restock', planId: 'acme-coding', userId: 'ada' })
  expect(new Set(models.notifications.map(({ id }) => id)).size).toBe(1)
  expect(models.wishes.get('ada\nacme-coding')).toMatchObject({ wished: true })
  learn(models, event('RestockWishWithdrawn'), event('RestockWished'))
  expect(models.wishes.get('ada\nacme-coding')).toMatchObject({ wished: false, version: 2 })
  expect(models.operations.get('op_unwish')).toMatchObject({ outcome: 'succeeded', answer: null })
})

test('RST-1: what can be bought is not wished; the refusal rests on the stock', () => {
  const models = learn(open(operation('op_wish', 'wish_restock')), event('RestockWishRefused'))
  expect(models.operations.get('op_wish')).toMatchObject({
    outcome: 'refused',
    stockVersion: 9,
    answer: { status: 409, code: 'plan_available' },
  })
})

test('INV-9: a settled revocation rests on the stock; from another state it is 409', () => {
  const models = learn(
    open(operation('op_revoke', 'settle_revocation'), operation('op_no', 'settle_revocation')),
    event('RevocationSettled'),
    event('RevocationRefused', { operationId: 'op_no' }),
  )
  expect(models.operations.get('op_revoke')).toMatchObject({
    stockVersion: 10,
    answer: { id: 'key_1', state: 'revoked' },
  })
  expect(models.operations.get('op_no')?.answer).toMatchObject({ status: 409, code: 'revocation_state' })
})

test('GDP-1: nothing late makes a forgotten user anew; what was asked is answered all the same', () => {
  const models = learn(
    open(operation('op_delete', 'delete_account'), operation('op_post', 'post_credits')),
    event('AccountDeletionBegun'),
    event('AccountDeleted'),
  )
  expect(models.operations.get('op_delete')?.answer).toEqual({
    userId: 'ada',
    endedSubscriptions: 1,
    unlinkedKeys: 2,
    removedSlots: 1,
    forgottenWishes: 0,
    remainingCreditsMicrodollars: 80,
  })
  learn(
    models,
    event('SubscriptionActivated'),
    event('SubscriptionRenewed'),
    event('SubscriptionEnded'),
    event('RenewingSoon'),
    event('CreditsPosted'),
    event('KeyAssigned'),
    event('AutoTopUpSet'),
    event('TopUpDeclined'),
    event('RestockTold'),
  )
  const { subscriptions, accounts, slots, autoTopUps } = models
  const kept = [...subscriptions.changed, ...accounts.changed, ...slots.changed, ...autoTopUps.changed]
  expect([...kept, ...models.charges, ...models.movements, ...models.notifications]).toEqual([])
  expect(models.operations.get('op_post')).toMatchObject({ outcome: 'succeeded' })
})

test('GDP-1: an outcome that comes out of the dead letters when its user is forgotten leaves nothing pending', () => {
  const models = learn(open(operation('op_buy', 'purchase')), event('AccountDeletionBegun'), event('AccountDeleted'))
  learn(models, event('SubscriptionActivated'))
  expect(models.operations.get('op_buy')).toMatchObject({ outcome: 'refused', answer: { code: 'account_deleted' } })
  expect(models.subscriptions.changed).toEqual([])
})

test('a billing tick answers with its counts', () => {
  const models = learn(open(operation('op_tick', 'billing_tick')), event('BillingTicked'))
  expect(models.operations.get('op_tick')?.answer).toMatchObject({
    asOf: '2026-01-01T00:00:00.000Z',
    renewed: 2,
    ended: 1,
  })
})

test('a renewal that comes late out of the dead letters moves the end that newer events did not tell', () => {
  const models = open()
  const renewal = event('SubscriptionRenewed', { version: 2 })
  const { currentPeriodEnd } = renewal.body as { currentPeriodEnd: number }
  learn(models, event('SubscriptionActivated'), event('SubscriptionEnded', { version: 3, operationId: null }))
  expect(models.subscriptions.get('sub_1')?.currentPeriodEnd).toBeLessThan(currentPeriodEnd)
  learn(models, renewal, event('SubscriptionActivated'))
  expect(models.subscriptions.get('sub_1')).toMatchObject({ status: 'ended', version: 3, currentPeriodEnd })
})
