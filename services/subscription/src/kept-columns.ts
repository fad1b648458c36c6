import type { Subscription } from './domain/subscription.ts'
import type { Saga } from './sagas/saga.ts'

// What an episode and a saga begin with and keep for ever (CAT-5). It is not written again: it is most of a row, and a renewal
// changes each row twice.
export const KEPT_BY_SUBSCRIPTIONS: ReadonlySet<string> = new Set<keyof Subscription>([
  'userId',
  'providerId',
  'planId',
  'planVersion',
  'planName',
  'price',
  'periodUnit',
  'periodCount',
  'graceHours',
  'maxPrepaidPeriods',
  'repurchase',
  'ownership',
  'reveal',
  'upstreamRevocation',
  'lowStockThreshold',
  'previousSubscriptionId',
  'createdAt',
])
export const KEPT_BY_SAGAS: ReadonlySet<string> = new Set<keyof Saga>([
  'kind',
  'userId',
  'providerId',
  'subscriptionId',
])

/** What of these rows may be written again. */
export const without = (kept: ReadonlySet<string>, rows: readonly object[]) =>
  rows.map((row) => Object.fromEntries(Object.entries(row).filter(([property]) => !kept.has(property))))
