import { type Bodies, instant, microdollars, userId } from '@coding-plans/schemas'

const whose = { userId: userId('ada'), subscriptionId: 'sub_1' }
const JANUARY = instant(Date.parse('2026-01-01T00:00:00.000Z'))
const FEBRUARY = instant(Date.parse('2026-02-01T00:00:00.000Z'))
const price = microdollars(20_000_000)

// What a subscription says of itself, where a test names only what matters to it.

export const activatedBody = (change: Partial<Bodies['SubscriptionActivated']>): Bodies['SubscriptionActivated'] => ({
  ...whose,
  operationId: 'op_1',
  wishVersion: null,
  planId: 'acme-coding',
  planVersion: 1,
  planName: 'Acme Coding',
  providerId: 'acme',
  price,
  periodUnit: 'month',
  periodCount: 1,
  graceHours: 0,
  currentPeriodStart: JANUARY,
  currentPeriodEnd: FEBRUARY,
  previousSubscriptionId: null,
  createdAt: JANUARY,
  chargeId: 'chg_1',
  keyId: 'key_1',
  version: 1,
  accountVersion: 1,
  slotVersion: 1,
  stockVersion: 1,
  ...change,
})

export const renewedBody = (
  change: Pick<Bodies['SubscriptionRenewed'], 'version' | 'boundary' | 'currentPeriodEnd'> &
    Partial<Bodies['SubscriptionRenewed']>,
): Bodies['SubscriptionRenewed'] => ({
  ...whose,
  amount: price,
  chargeId: 'chg_2',
  cancelAtPeriodEnd: false,
  accountVersion: 2,
  periodStart: null,
  recovered: false,
  ...change,
})

export const extendedBody = (
  change: Pick<Bodies['SubscriptionExtended'], 'version' | 'currentPeriodEnd'>,
): Bodies['SubscriptionExtended'] => ({
  ...whose,
  operationId: 'op_2',
  periodStart: FEBRUARY,
  amount: price,
  chargeId: 'chg_2',
  at: JANUARY,
  cancelAtPeriodEnd: false,
  accountVersion: 2,
  planId: 'acme-coding',
  planVersion: 1,
  ...change,
})

export const endingBody = (version: number): Bodies['SubscriptionEnding'] => ({
  ...whose,
  accessUntil: FEBRUARY,
  reason: 'user_canceled',
  version,
})

export const endedBody = (
  change: Pick<Bodies['SubscriptionEnded'], 'version'> & Partial<Bodies['SubscriptionEnded']>,
): Bodies['SubscriptionEnded'] => ({
  ...whose,
  operationId: null,
  stockVersion: null,
  boundary: FEBRUARY,
  endedAt: FEBRUARY,
  reason: 'insufficient_credits',
  slotVersion: 2,
  accountVersion: null,
  refundId: null,
  refundAmount: null,
  refundedUntil: null,
  ...change,
})
