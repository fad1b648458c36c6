import { type Bodies, instant, type MessageName, microdollars, userId } from '@coding-plans/schemas'

/** The usual bodies of what is said of a subscription's whole life: grace, top-ups, wishes, deletions. */

export const T0 = Date.UTC(2026, 0, 1)
export const DAY = 86_400_000

const ada = userId('ada')
const boundary = instant(T0 + 31 * DAY)
const whose = { userId: ada, subscriptionId: 'sub_1' }
const account = { balance: microdollars(80), held: microdollars(20), version: 4 }

export const livesBodies: { readonly [Name in MessageName]?: Bodies[Name] } = {
  RenewingSoon: { ...whose, boundary, amount: microdollars(20), at: instant(T0 + 28 * DAY) },
  SubscriptionPastDue: {
    ...whose,
    boundary,
    graceEndsAt: instant(boundary + 2 * DAY),
    amount: microdollars(20),
    available: microdollars(5),
    version: 2,
    accountVersion: 3,
  },
  TopUpAwaited: { ...whose, boundary, until: instant(boundary + DAY), version: 2 },
  DaysGranted: {
    ...whose,
    operationId: 'op_days',
    chargeId: 'chg_days',
    days: 3,
    periodStart: boundary,
    currentPeriodEnd: instant(boundary + 3 * DAY),
    at: instant(T0 + DAY),
    actor: 'admin-1',
    reason: 'sorry',
    cancelAtPeriodEnd: false,
    version: 2,
  },
  RestockWished: { planId: 'acme-coding', userId: ada, operationId: 'op_wish', at: instant(T0), version: 1 },
  RestockWishWithdrawn: { planId: 'acme-coding', userId: ada, operationId: 'op_unwish', version: 2 },
  RestockWishRefused: {
    planId: 'acme-coding',
    userId: ada,
    operationId: 'op_wish',
    reason: 'plan_available',
    stockVersion: 9,
  },
  RestockTold: { planId: 'acme-coding', userId: ada, at: instant(T0 + DAY), restock: 1 },
  AutoTopUpSet: {
    userId: ada,
    operationId: 'op_top_up',
    enabled: true,
    amount: microdollars(50),
    paymentMethodId: 'pm_ok',
    at: instant(T0),
    version: 1,
  },
  AutoTopUpRefused: { userId: ada, operationId: 'op_top_up', reason: 'incomplete' },
  CreditsToppedUp: {
    userId: ada,
    topUpId: 'tup_1',
    entryId: 'ent_9',
    amount: microdollars(50),
    at: instant(T0),
    description: 'Automatic top-up',
    ...account,
  },
  TopUpDeclined: { userId: ada, topUpId: 'tup_1', reason: 'declined', at: instant(T0) },
  CreditsRefused: { userId: ada, operationId: 'op_post', reason: 'user_deleted' },
  AccountDeletionBegun: { userId: ada, operationId: 'op_delete', at: instant(T0) },
  KeysUnlinked: { userId: ada, operationId: 'op_delete', keys: 2, slots: 1, at: instant(T0) },
  AccountClosed: { userId: ada, operationId: 'op_delete', balance: microdollars(80), version: 4 },
  AccountDeleted: {
    userId: ada,
    operationId: 'op_delete',
    at: instant(T0),
    endedSubscriptions: 1,
    unlinkedKeys: 2,
    removedSlots: 1,
    forgottenWishes: 0,
    remainingCredits: microdollars(80),
  },
  RevocationSettled: {
    planId: 'acme-coding',
    operationId: 'op_revoke',
    keyId: 'key_1',
    outcome: 'done',
    stockVersion: 10,
  },
  RevocationRefused: {
    planId: 'acme-coding',
    operationId: 'op_revoke',
    keyId: 'key_1',
    reason: 'revocation_state',
    stockVersion: 10,
  },
  BillingTicked: {
    clock: 'clock',
    operationId: 'op_tick',
    asOf: instant(T0),
    renewed: 2,
    ended: 1,
    pastDue: 0,
    recovered: 0,
    topUps: 0,
    duplicates: 0,
    errors: 0,
  },
}
