import { type Instant, instant, type Microdollars, type SubscriptionEnded, type UserId } from '@coding-plans/schemas'
import { boundaryAfter, type Period, samePeriod } from './period.ts'
import type { PlanVersion } from './plan.ts'
import type { TopUp } from './unpaid.ts'

export type CanceledBy = 'user' | 'operator'
export type EndReason = Exclude<SubscriptionEnded['reason'], 'unknown'>

/** One episode: a life from activation to end. Policy, price and period are copies, which no later publish alters (CAT-5). */
export interface Subscription extends Period {
  readonly id: string
  readonly userId: UserId
  readonly providerId: string
  readonly planId: string
  readonly planVersion: number
  readonly planName: string
  readonly price: Microdollars
  readonly graceHours: number
  readonly maxPrepaidPeriods: number
  readonly repurchase: PlanVersion['repurchase']
  readonly ownership: PlanVersion['ownership']
  readonly reveal: boolean
  readonly upstreamRevocation: PlanVersion['upstreamRevocation']
  readonly lowStockThreshold: number
  readonly status: 'active' | 'past_due' | 'ended'
  /** Until when access is given though the due term is unpaid; set while it is past due. */
  readonly graceEndsAt: Instant | null
  /** The last top-up that was tried for a term of it (TOP-1). It is stored before the call. */
  readonly topUp: TopUp | null
  /** Until when access had been given, be it in grace, when its last term was paid. */
  readonly servedUntil: Instant | null
  readonly currentPeriodStart: Instant
  readonly currentPeriodEnd: Instant
  /** The end is so many copied periods after this instant. */
  readonly anchor: Instant
  readonly anchorPeriods: number
  /** The first stamp of the cancellation that stands, who asked last, and in which operation; null: it will renew. */
  readonly canceledAt: Instant | null
  readonly canceledBy: CanceledBy | null
  readonly canceledIn: string | null
  /** Set while the end is being carried out, and after. */
  readonly accessUntil: Instant | null
  readonly endReason: EndReason | null
  readonly endedAt: Instant | null
  readonly previousSubscriptionId: string | null
  readonly createdAt: Instant
  /** Raised whenever something is said of it. */
  readonly version: number
}

interface Beginning {
  readonly id: string
  readonly userId: UserId
  readonly plan: PlanVersion
  readonly createdAt: Instant
  readonly start: Instant
  readonly previousSubscriptionId: string | null
}

/** A new episode, on the plan's terms of today (REA-1). */
export const begun = ({ id, userId, plan, createdAt, start, previousSubscriptionId }: Beginning): Subscription => ({
  id,
  userId,
  providerId: plan.providerId,
  planId: plan.planId,
  planVersion: plan.version,
  planName: plan.name,
  price: plan.price,
  periodUnit: plan.periodUnit,
  periodCount: plan.periodCount,
  graceHours: plan.graceHours,
  maxPrepaidPeriods: plan.maxPrepaidPeriods,
  repurchase: plan.repurchase,
  ownership: plan.ownership,
  reveal: plan.reveal,
  upstreamRevocation: plan.upstreamRevocation,
  lowStockThreshold: plan.lowStockThreshold,
  status: 'active',
  graceEndsAt: null,
  topUp: null,
  servedUntil: null,
  currentPeriodStart: start,
  currentPeriodEnd: boundaryAfter(start, plan, 1),
  anchor: start,
  anchorPeriods: 1,
  ...notCanceled,
  accessUntil: null,
  endReason: null,
  endedAt: null,
  previousSubscriptionId,
  createdAt,
  version: 1,
})

const notCanceled = { canceledAt: null, canceledBy: null, canceledIn: null }

/** Living, and its end not begun. */
export const isAlive = ({ status, accessUntil }: Subscription) => status !== 'ended' && accessUntil === null

/** The top-up that was tried for the term that is due at this boundary. */
export const topUpFor = ({ topUp }: Subscription, boundary: Instant): TopUp | null =>
  topUp?.boundary === boundary ? topUp : null

/** Something is about to be said of it. */
export const told = (subscription: Subscription): Subscription => ({
  ...subscription,
  version: subscription.version + 1,
})

/**
 * One period stacked on the end, start unchanged (EXT-1). Another period than the copied one makes the new end the anchor.
 * `clears`: the operation whose cancellation stood when the purchase was asked for; one that came later stays (EXT-2).
 */
export const extended = (subscription: Subscription, period: Period, clears: string | null): Subscription => {
  const cleared = subscription.canceledIn === clears ? { ...subscription, ...notCanceled } : subscription
  if (samePeriod(subscription, period)) return { ...cleared, ...onePeriodMore(subscription) }
  const anchor = boundaryAfter(subscription.currentPeriodEnd, period, 1)
  return { ...cleared, currentPeriodEnd: anchor, anchor, anchorPeriods: 0 }
}

/** The next term, which begins at the boundary whatever the time of processing (REN-1), or a later one that begins there. */
export const renewed = (subscription: Subscription, start: Instant = subscription.currentPeriodEnd): Subscription => {
  let next: Subscription = { ...subscription, status: 'active', graceEndsAt: null }
  do next = { ...next, currentPeriodStart: next.currentPeriodEnd, ...onePeriodMore(next) }
  while (next.currentPeriodStart < start)
  return next
}

/**
 * The term that is to be paid next: after an outage of ours the one that contains that instant, beginning where it would
 * have; those that elapsed unserved are not charged (REN-7). What grace has served is: nothing was out then (REN-6).
 */
export const renewedBy = (subscription: Subscription, asOf: Instant): Subscription => {
  const { servedUntil } = subscription
  let next = renewed(subscription)
  while (next.currentPeriodEnd <= asOf && next.currentPeriodEnd > (servedUntil ?? 0)) next = renewed(next)
  return next
}

/** The due term is not paid; access stays until then (REN-5). */
export const pastDue = (subscription: Subscription, graceEndsAt: Instant): Subscription =>
  told({ ...subscription, status: 'past_due', graceEndsAt })

const DAY = 86_400_000

/** Days for nothing, from the end or from now: the new end is the new anchor; a scheduled cancellation stays (EXT-6). */
export const granted = (subscription: Subscription, days: number, at: Instant): Subscription => {
  const anchor = instant(Math.max(subscription.currentPeriodEnd, at) + days * DAY)
  return told({
    ...subscription,
    status: 'active',
    graceEndsAt: null,
    currentPeriodEnd: anchor,
    anchor,
    anchorPeriods: 0,
  })
}

const onePeriodMore = (subscription: Subscription) => {
  const anchorPeriods = subscription.anchorPeriods + 1
  return { anchorPeriods, currentPeriodEnd: boundaryAfter(subscription.anchor, subscription, anchorPeriods) }
}

export interface Cancellation {
  readonly at: Instant
  readonly by: CanceledBy
  readonly operationId: string
}

/** To end with its period. Flagging twice is harmless (CAN-1): the first stamp counts, and nothing new is told. */
export const canceled = (subscription: Subscription, { at, by, operationId }: Cancellation): Subscription => {
  const again = subscription.canceledAt !== null
  return {
    ...(again ? subscription : told(subscription)),
    canceledAt: again ? subscription.canceledAt : at,
    canceledBy: by,
    canceledIn: operationId,
  }
}

/** It will renew again; nothing new is told where nothing was canceled. */
export const resumed = (subscription: Subscription): Subscription =>
  subscription.canceledAt === null ? subscription : told({ ...subscription, ...notCanceled })

export const reasonOf = (by: CanceledBy | null): EndReason => (by === 'operator' ? 'admin_terminated' : 'user_canceled')

/** The end has begun: access stops at this instant. */
export const ending = (subscription: Subscription, at: Instant, reason: EndReason): Subscription =>
  told({ ...subscription, accessUntil: at, endReason: reason })

/** Final (invariant 13). */
export const ended = (subscription: Subscription): Subscription =>
  told({ ...subscription, status: 'ended', endedAt: subscription.accessUntil })
