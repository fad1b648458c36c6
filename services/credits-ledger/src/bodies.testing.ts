import {
  type CaptureHold,
  type HoldCredits,
  instant,
  microdollars,
  type PostCredits,
  type RefundCredits,
  type ReleaseHold,
  type SetAutoTopUp,
  type SettleAutoTopUp,
  type SettleTopUp,
  type TopUpCredits,
  userId,
} from '@coding-plans/schemas'

// What others ask of the ledger, where a test names only what matters to it. Everything of a hold follows from its id.

export const BOUNDARY = instant(Date.parse('2026-01-01T00:00:00.000Z'))

export const holdCredits = (
  user: string,
  holdId: string,
  amount: number,
  change: Partial<HoldCredits> = {},
): HoldCredits => ({
  userId: userId(user),
  holdId,
  amount: microdollars(amount),
  purpose: 'activation',
  operationId: `op of ${holdId}`,
  subscriptionId: `sub of ${holdId}`,
  boundary: null,
  ...change,
})

export const captureHold = (user: string, holdId: string, change: Partial<CaptureHold> = {}): CaptureHold => ({
  userId: userId(user),
  holdId,
  chargeId: `chg of ${holdId}`,
  subscriptionId: `sub of ${holdId}`,
  purpose: 'activation',
  boundary: BOUNDARY,
  operationId: `op of ${holdId}`,
  description: 'Acme Coding, 1 month',
  ...change,
})

export const releaseHold = (user: string, holdId: string): ReleaseHold => ({ userId: userId(user), holdId })

export const postCredits = (
  user: string,
  operationId: string,
  amount: number,
  change: Partial<PostCredits> = {},
): PostCredits => ({
  userId: userId(user),
  operationId,
  amount: microdollars(amount),
  creditKind: 'grant',
  reason: 'welcome',
  actor: 'admin-1',
  ...change,
})

export const setAutoTopUp = (
  user: string,
  paymentMethodId: string | null,
  amount: number | null,
  change: Partial<SetAutoTopUp> = {},
): SetAutoTopUp => ({
  userId: userId(user),
  operationId: `op of ${user}`,
  enabled: true,
  amount: amount === null ? null : microdollars(amount),
  paymentMethodId,
  ...change,
})

export const settleAutoTopUp = (
  user: string,
  operationId: string,
  outcome: SettleAutoTopUp['outcome'] = 'yours',
): SettleAutoTopUp => ({
  userId: userId(user),
  operationId,
  outcome,
  customerId: outcome === 'yours' ? `cus of ${user}` : null,
})

export const topUpCredits = (user: string, topUpId: string, shortfall: number): TopUpCredits => ({
  userId: userId(user),
  topUpId,
  shortfall: microdollars(shortfall),
})

export const settleTopUp = (user: string, topUpId: string, outcome: SettleTopUp['outcome']): SettleTopUp => ({
  userId: userId(user),
  topUpId,
  outcome,
  paymentId: outcome === 'paid' ? `pay of ${topUpId}` : null,
})

export const refundCredits = (user: string, refundId: string, amount: number): RefundCredits => ({
  userId: userId(user),
  refundId,
  operationId: `op of ${refundId}`,
  subscriptionId: `sub of ${refundId}`,
  amount: microdollars(amount),
  description: 'Acme Coding, refund',
})
