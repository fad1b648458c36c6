import type { Instant, PurchasePlan, PurchaseRefused } from '@coding-plans/schemas'
import type { PlanVersion } from './plan.ts'
import { isAlive, type Subscription } from './subscription.ts'

export type PurchaseRefusal = Exclude<PurchaseRefused['reason'], 'unknown'>

/** All that a purchase is judged by. */
export interface PurchaseCase {
  readonly command: Pick<PurchasePlan, 'planId' | 'knownSubscriptionId' | 'knownEnd'>
  /** The plan as it is on sale now, and the version that the buyer was shown. */
  readonly current: PlanVersion | undefined
  readonly offered: PlanVersion | undefined
  /** The user's living subscription of that provider. */
  readonly live: Subscription | undefined
  /** Whether a saga runs for it already: a purchase of that provider, or a renewal of the living one that is not unpaid. */
  readonly busy: boolean
  /** A due term of the living subscription is not paid, and waits for money. */
  readonly unpaid: boolean
  /** The user is deleted. */
  readonly erased: boolean
  /** Bought terms of the living subscription that are not over, the running one included. */
  readonly unendedTerms: number
  readonly at: Instant
}

/** What a purchase means, or the first reason against it, in the order of SUB-5. Funds, slot and stock are asked by the saga. */
export const judgePurchase = (purchase: PurchaseCase): 'activation' | 'extension' | { refused: PurchaseRefusal } => {
  const { command, current, offered, live, busy, unendedTerms, unpaid, erased } = purchase
  if (erased) return { refused: 'user_deleted' }
  if (!current || !offered) return { refused: 'not_found' }
  if (current.saleState !== 'open') return { refused: 'plan_closed' }
  if (busy || !isAsKnown(purchase)) return { refused: 'purchase_in_progress' }
  if (!live) return 'activation'
  if (live.planId !== command.planId || live.repurchase === 'reject') return { refused: 'already_subscribed' }
  if (unpaid) return { refused: 'insufficient_credits' }
  if (unendedTerms + 1 > live.maxPrepaidPeriods) return { refused: 'prepaid_limit' }
  return 'extension'
}

/** Whether the truth is what had been answered to the buyer (EXT-3), and nothing about it is due or ending (EXT-1). */
const isAsKnown = ({ command: { knownSubscriptionId, knownEnd }, live, unpaid, at }: PurchaseCase) => {
  if (!live) return knownSubscriptionId === null
  if (!isAlive(live) || (at >= live.currentPeriodEnd && !unpaid)) return false
  return live.id === knownSubscriptionId && live.currentPeriodEnd === knownEnd
}

const LATE_AFTER_MILLISECONDS = 60_000

/** When the period begins: with the command, unless that had to wait for us longer than a minute (SUB-8). */
export const startOf = ({ time, asOf }: { time: Instant; asOf: Instant }, at: Instant): Instant =>
  asOf - time > LATE_AFTER_MILLISECONDS && asOf > at ? asOf : at
