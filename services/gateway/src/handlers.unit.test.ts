import { messageNames, routeOf } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { DAY, event, T0 } from './events.testing.ts'
import { decide } from './handlers.ts'
import { learn, open, operation } from './projections.testing.ts'

test('every event has a listener here, or is not for readers', () => {
  const notForReaders = ['PeriodEnded', 'GraceEnded', 'TopUpWaitEnded', 'RenewalDueSoon', 'DueIgnored', 'StockLow']
  const notShown = ['AvailableIncreased', 'TopUpUnanswered', 'PaymentReturned', 'EntitlementChanged']
  const events = messageNames.filter((name) => routeOf(name).kind === 'event')
  expect(events.filter((name) => !decide[name]).toSorted()).toEqual([...notForReaders, ...notShown].toSorted())
  expect(Object.keys(decide).filter((name) => routeOf(name as never).kind === 'command')).toEqual([])
})

test('a purchase succeeds with its subscription and charge, resting on account, slot and stock', () => {
  const models = learn(open(operation('op_buy', 'purchase')), event('SubscriptionActivated'))
  expect(models.operations.get('op_buy')).toMatchObject({
    outcome: 'succeeded',
    accountVersion: 3,
    slotProvider: 'acme',
    slotVersion: 1,
    stockPlan: 'acme-coding',
    stockVersion: 9,
    answer: {
      operationId: 'op_buy',
      kind: 'activation',
      subscription: { id: 'sub_1', status: 'active', renewsAt: '2026-02-01T00:00:00.000Z' },
      charge: { id: 'chg_1', kind: 'activation', amountMicrodollars: 20 },
    },
  })
})

test('CAT-8: a free plan is activated without a charge', () => {
  const models = learn(
    open(operation('op_buy', 'purchase')),
    event('SubscriptionActivated', { price: 0, chargeId: null, accountVersion: null }),
  )
  expect(models.operations.get('op_buy')).toMatchObject({ answer: { charge: null }, accountVersion: null })
  expect(models.charges).toEqual([])
})

test('EXT-1: an extension moves the end and leaves the start; CAN-1: a flag is shown', () => {
  const models = learn(
    open(operation('op_extend', 'purchase'), operation('op_cancel', 'cancel')),
    event('SubscriptionActivated'),
    event('CancellationScheduled'),
    event('SubscriptionExtended', { version: 3 }),
  )
  expect(models.operations.get('op_cancel')?.answer).toMatchObject({ cancelAtPeriodEnd: true, renewsAt: null })
  expect(models.subscriptions.get('sub_1')).toMatchObject({
    currentPeriodStart: T0,
    currentPeriodEnd: T0 + 59 * DAY,
    cancelAtPeriodEnd: false,
    purchasedBy: 'op_extend',
  })
  expect(models.operations.get('op_extend')?.answer).toMatchObject({ kind: 'extension', charge: { kind: 'extension' } })
})

test('CAN-1: a resumption takes the flag back; one that changed nothing shows what there is; a refusal is a problem', () => {
  const models = learn(
    open(operation('op_resume', 'resume'), operation('op_late', 'resume')),
    event('SubscriptionActivated'),
    event('CancellationScheduled'),
    event('CancellationUndone', { version: 3 }),
  )
  expect(models.operations.get('op_resume')?.answer).toMatchObject({ cancelAtPeriodEnd: false })
  expect(models.subscriptions.get('sub_1')).toMatchObject({ cancelAtPeriodEnd: false, version: 3 })
  learn(models, event('CancellationScheduled', { version: 4 }), event('CancellationUndone', { version: 3 }))
  expect(models.subscriptions.get('sub_1')).toMatchObject({ cancelAtPeriodEnd: true, version: 4 })
  learn(models, event('SubscriptionChangeRefused', { operationId: 'op_late' }))
  expect(models.operations.get('op_late')?.answer).toMatchObject({ status: 409, code: 'not_cancelable' })
})

test('CAN-3: while an end is carried out the status stays, with the access cut off', () => {
  const models = learn(open(), event('SubscriptionActivated'), event('SubscriptionEnding'))
  expect(models.subscriptions.get('sub_1')).toMatchObject({ status: 'active', accessUntil: T0 + DAY, endedAt: null })
  learn(models, event('SubscriptionEnded'))
  expect(models.subscriptions.get('sub_1')).toMatchObject({ status: 'ended', endReason: 'user_canceled' })
})

test('IDE-4: a late second copy takes nothing back', () => {
  const models = learn(
    open(),
    event('SubscriptionActivated'),
    event('SubscriptionRenewed'),
    event('SubscriptionEnded', { operationId: null }),
    event('CreditsHeld'),
    event('HoldCaptured'),
  )
  const [ended, account] = [models.subscriptions.get('sub_1'), models.accounts.get('ada')]
  learn(
    models,
    event('SubscriptionActivated'),
    event('SubscriptionRenewed'),
    event('SubscriptionEnding'),
    event('CreditsHeld'),
  )
  expect(models.subscriptions.get('sub_1')).toEqual(ended)
  expect(models.accounts.get('ada')).toEqual(account)
})

test('LED-6: an entry that was redriven leaves the account as it is, and is a line of the statement', () => {
  const models = learn(
    open(),
    event('HoldCaptured', { version: 6, balance: 80 }),
    event('CreditsPosted', { version: 5, balance: 100, at: T0 - DAY }),
    event('HoldReleased', { version: 4 }),
  )
  expect(models.accounts.get('ada')).toMatchObject({ version: 6, balance: 80, at: T0 })
  expect(models.movements).toMatchObject([
    { version: 6, entryId: 'ent_2' },
    { version: 5, entryId: 'ent_1', balanceAfter: 100, at: T0 - DAY },
  ])
})

test('an event of a subscription that was never heard of is nonsense', () => {
  expect(() => learn(open(), event('SubscriptionRenewed'))).toThrow('never activated')
})

test('SUB-3: too few credits says both amounts, and rests on the account', () => {
  const models = learn(
    open(operation('op_buy', 'purchase')),
    event('PurchaseRefused', { reason: 'insufficient_credits', required: 20, available: 5, accountVersion: 3 }),
  )
  expect(models.operations.get('op_buy')).toMatchObject({
    outcome: 'refused',
    accountVersion: 3,
    answer: { status: 402, requiredMicrodollars: 20, availableMicrodollars: 5 },
  })
})

test('SUB-4: a refusal for the slot rests on the slot of the plan’s provider', () => {
  const models = learn(
    open(operation('op_buy', 'purchase')),
    event('PlanPublished'),
    event('PurchaseRefused', { reason: 'slot_occupied', slotVersion: 4, stockVersion: 9, accountVersion: 6 }),
  )
  expect(models.operations.get('op_buy')).toMatchObject({ slotProvider: 'acme', slotVersion: 4, stockVersion: 9 })
})

test('the first outcome stands', () => {
  const models = learn(open(operation('op_buy', 'purchase')), event('PurchaseRefused'), event('SubscriptionActivated'))
  expect(models.operations.get('op_buy')).toMatchObject({ outcome: 'refused', answer: { code: 'sold_out' } })
})

test('an operation fails with its own command only; what fails within its saga is a step', () => {
  const models = open(operation('op_buy', 'purchase'))
  const failed = (messageName: string, source: string) =>
    event('CommandFailed', { messageName }, { correlationId: 'op_buy', source })
  learn(models, failed('HoldCredits', 'credits-ledger'))
  expect(models.operations.get('op_buy')).toMatchObject({ outcome: null, steps: [{ name: 'CommandFailed' }] })
  learn(models, failed('PurchasePlan', 'subscription'))
  expect(models.operations.get('op_buy')).toMatchObject({
    outcome: 'failed',
    answer: { status: 500, code: 'internal' },
  })
})

test('IDE-2: what only listens fails no operation; of a redrive every service may be the one that is asked', () => {
  const models = open(
    operation('op_buy', 'purchase'),
    operation('op_post', 'post_credits'),
    operation('op_redrive', 'redrive_dead_letter'),
  )
  const failed = (messageName: string, correlationId: string, source: string) =>
    learn(models, event('CommandFailed', { messageName }, { correlationId, source })).operations.get(correlationId)
  expect(failed('PurchasePlan', 'op_buy', 'auditor')).toMatchObject({ outcome: null })
  expect(failed('PostCredits', 'op_post', 'auditor')).toMatchObject({ outcome: null })
  expect(failed('PostCredits', 'op_post', 'credits-ledger')).toMatchObject({ outcome: 'failed' })
  expect(failed('RedriveDeadLetter', 'op_redrive', 'key-inventory')).toMatchObject({ outcome: 'failed' })
})

test('a step is noted once, whatever is said again, and tells no secret', () => {
  const held = event('CreditsHeld', {}, { correlationId: 'op_buy' })
  const models = learn(open(operation('op_buy', 'purchase')), held, held)
  expect(models.operations.get('op_buy')?.steps).toEqual([
    { id: held.id, name: 'CreditsHeld', service: 'credits-ledger', at: T0, detail: null },
  ])
})

test('credits posted answer with their entry and the balance after it', () => {
  const models = learn(open(operation('op_post', 'post_credits')), event('CreditsPosted'))
  expect(models.operations.get('op_post')).toMatchObject({
    accountVersion: 1,
    answer: { entryId: 'ent_1', balanceMicrodollars: 100 },
  })
})

test('LED-6: time on an account never runs backwards', () => {
  const models = learn(open(), event('CreditsPosted', { at: T0 + 50 }), event('CreditsHeld'))
  expect(models.movements.map(({ at }) => at)).toEqual([T0 + 50, T0 + 50])
})

test('a user’s slot: put, refused, emptied; a key of somebody else’s subscription is not taken out', () => {
  const models = learn(open(operation('op_slot', 'put_key')), event('SlotChanged'))
  expect(models.operations.get('op_slot')?.answer).toMatchObject({ managedBy: 'user', subscriptionId: null })
  learn(models, event('KeyRemoved', { emptied: false }))
  expect(models.slots.get('ada\nacme')).toMatchObject({ managedBy: 'user', version: 1 })
  const emptied = learn(
    open(operation('op_slot', 'delete_key')),
    event('SlotChanged', { managedBy: 'none', version: 2 }),
  )
  expect(emptied.operations.get('op_slot')).toMatchObject({ outcome: 'succeeded', answer: null, slotVersion: 2 })
  expect(emptied.slots.get('ada\nacme')).toMatchObject({ managedBy: 'none', maskedKey: null })
  const refused = learn(open(operation('op_slot', 'put_key')), event('SlotChangeRefused'))
  expect(refused.operations.get('op_slot')).toMatchObject({ outcome: 'refused', answer: { code: 'slot_managed' } })
})

test('INV-1: an upload reports line by line; all or nothing refuses with the report', () => {
  const models = learn(open(operation('op_upload', 'upload_keys')), event('KeysUploaded'))
  expect(models.operations.get('op_upload')).toMatchObject({
    stockVersion: 9,
    answer: {
      uploadId: 'op_upload',
      accepted: 1,
      duplicates: 1,
      report: [
        { line: 1, outcome: 'accepted' },
        { line: 2, outcome: 'duplicate', reason: 'known' },
      ],
    },
  })
  const refused = learn(open(operation('op_upload', 'upload_keys')), event('UploadRefused'))
  expect(refused.operations.get('op_upload')?.answer).toMatchObject({
    status: 422,
    code: 'entries_invalid',
    report: [],
  })
})

test('CAT-3: a publish that the environment forbids names the variable', () => {
  const models = learn(open(operation('op_publish', 'publish_plan')), event('PlanRefused'))
  expect(models.operations.get('op_publish')?.answer).toMatchObject({
    status: 400,
    variable: 'CODING_PLAN_PRICE_X',
    detail: expect.stringContaining('CODING_PLAN_PRICE_X'),
  })
})

test('a published plan answers as it is offered, with what the stock says', () => {
  const models = learn(open(operation('op_publish', 'publish_plan')), event('StockChanged'), event('PlanPublished'))
  expect(models.operations.get('op_publish')?.answer).toMatchObject({
    id: 'acme-coding',
    version: 1,
    availability: 'available',
  })
  expect(models.planVersions).toHaveLength(1)
})

test('the clock goes by its version; an advance answers when everything is done', () => {
  const models = learn(
    open(operation('op_advance', 'advance_clock')),
    event('ClockMoved', { version: 3, now: T0 + 2 * DAY }),
    event('ClockMoved', { version: 1 }),
    event('ClockAdvanced', { version: 4, now: T0 + 3 * DAY }),
  )
  expect(models.clock.get('clock')).toEqual({ now: T0 + 3 * DAY, settled: true, version: 4 })
  expect(models.operations.get('op_advance')?.answer).toEqual({
    mode: 'test',
    now: '2026-01-04T00:00:00.000Z',
    settled: true,
  })
})
