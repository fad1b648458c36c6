import { type Saying, say } from '@coding-plans/runtime'
import { type Instant, instant, microdollars } from '@coding-plans/schemas'
import { type Due, judgeDue } from '../domain/due.ts'
import { endIdOf, grantIdOf, renewalIdOf } from '../domain/ids.ts'
import { type EndReason, granted, isAlive, reasonOf, type Subscription } from '../domain/subscription.ts'
import { renewalTermOf } from '../domain/term.ts'
import type { Ending, Grant, MoneyMemory, RenewalMemory } from './saga.ts'
import type { Stage, Step } from './table.ts'

// What follows for a subscription: its end, its next term, days that it is given; at once, or when a saga is over.

const nothingYet = { slotVersion: null, stockVersion: null, accountVersion: null, owed: null }

/** Begin the end of a subscription, and its access. */
export const beginEnd = ({ begin }: Stage, subscription: Subscription, ending: Ending): Saying[] => {
  const { id: subscriptionId, userId, providerId } = subscription
  const id = ending.operationId ?? endIdOf(subscriptionId)
  return begin({ kind: 'end', id, userId, providerId, subscriptionId, memory: { ...ending, ...nothingYet } })
}

/** End it now: what runs to pay for a term gives back, or, if that is decided, is done first. */
export const endNow = (stage: Stage, subscription: Subscription, ending: Ending): Saying[] => {
  const saga = stage.books.moneySagaOf(subscription)
  return saga ? stage.tell(saga, 'EndAsked', ending) : beginEnd(stage, subscription, ending)
}

/** Ended, being ended, or to be ended as soon as a capture is done. */
export const isBeingEnded = (books: Stage['books'], subscription: Subscription) =>
  !isAlive(subscription) || !!books.moneySagaOf(subscription)?.memory.end

export const endOfTerm = (boundary: Instant, reason: EndReason, at = boundary): Ending => ({
  operationId: null,
  boundary,
  at,
  reason,
  refund: 'none',
})

export const dueIgnored = (
  { id: subscriptionId, userId }: Subscription,
  { boundary, what }: Pick<Due, 'boundary' | 'what'>,
) => say('DueIgnored', { userId, subscriptionId, boundary, what })

/** A due term is looked at for the first time, or again after what was in its way: it renews, ends, or has moved. */
export const takeUpDue = (stage: Stage, subscriptionId: string, due: Due, overAt: Instant | null = null): Saying[] => {
  const subscription = stage.books.subscription(subscriptionId)
  const { boundary } = due
  const verdict = judgeDue(subscription, boundary)
  if (verdict === 'ignored') return [dueIgnored(subscription, due)]
  if (verdict === 'ends') return beginEnd(stage, subscription, endOfTerm(boundary, reasonOf(subscription.canceledBy)))
  return beginRenewal(stage, subscription, due, overAt)
}

/** The next term. What was late, if anything, counts from the instant at which it could be said: not while grace served it. */
const beginRenewal = (stage: Stage, subscription: Subscription, due: Due, overAt: Instant | null): Saying[] => {
  const { id: subscriptionId, userId, providerId } = subscription
  const { boundary: dueBoundary, messageId, attempt, asOf } = due
  const servedUntil = instant(Math.max(dueBoundary, subscription.servedUntil ?? 0, overAt ?? 0))
  const dueFrom = instant(dueBoundary + Math.max(0, asOf - servedUntil))
  const waiting = { due, end: null, grants: [], accountVersion: null, holds: 0 }
  const unpaid = { available: null, asked: null, enough: false, news: false, overAt, recovered: false }
  const memory: RenewalMemory = {
    messageId,
    operationId: null,
    ...renewalTermOf({ ...subscription, servedUntil }, asOf),
    dueBoundary,
    dueFrom,
    ...waiting,
    ...unpaid,
  }
  const id = renewalIdOf(messageId, attempt)
  return stage.begin({ kind: 'renewal', id, userId, providerId, subscriptionId, memory })
}

/** What had to wait until this saga was over, in the order of asking: days, an end; then a due term. */
export const takeUpWaiting = (step: Step<MoneyMemory>): Saying[] => {
  const { end, due, grants, term } = step.saga.memory
  const { subscriptionId } = term
  return [
    ...grants.flatMap((grant) => grantDays(step, subscriptionId, grant)),
    ...(end ? beginEnd(step, step.books.subscription(subscriptionId), end) : []),
    ...(due ? takeUpDue(step, subscriptionId, due) : []),
  ]
}

/** The same, after a renewal that gave back: if it is to renew after all, under another hold. */
export const takeUpAgain = (step: Step<MoneyMemory>): Saying[] => {
  const { saga } = step
  const { due } = saga.memory
  const next = due && { ...due, attempt: due.attempt + 1 }
  return takeUpWaiting({ ...step, saga: { ...saga, memory: { ...saga.memory, due: next } } })
}

/** The end moves; a charge of nothing names who and why (EXT-6). */
export const grantDays = ({ books, at }: Stage, subscriptionId: string, grant: Grant): Saying[] => {
  const subscription = books.subscription(subscriptionId)
  const { userId } = subscription
  const periodStart = instant(Math.max(subscription.currentPeriodEnd, at))
  const next = granted(subscription, grant.days, at)
  const { currentPeriodEnd, canceledAt, version } = next
  books.subscriptions.put(next)
  const term = { subscriptionId, boundary: periodStart, endsAt: currentPeriodEnd, chargeId: null }
  books.terms.put({ ...term, kind: 'grant', amount: microdollars(0) })
  const chargeId = grantIdOf(grant.operationId)
  const what = { ...grant, chargeId, periodStart, currentPeriodEnd, at, cancelAtPeriodEnd: canceledAt !== null }
  return [say('DaysGranted', { userId, subscriptionId, ...what, version })]
}

/** The end that was asked for begins at once: what this saga had got is only given back. */
export const beginEndAsked = (step: Step<MoneyMemory, 'EndAsked'>): Saying[] =>
  beginEnd(step, step.books.subscription(step.saga.subscriptionId), step.heard)

/** The days are given at once, in the same way. */
export const giveDays = (step: Step<MoneyMemory, 'DaysAsked'>): Saying[] =>
  grantDays(step, step.saga.subscriptionId, step.heard)

export const learnDue = ({ heard }: Step<MoneyMemory, 'PeriodEnded'>) => ({ due: heard })
export const learnEnd = ({ heard }: Step<MoneyMemory, 'EndAsked'>) => ({ end: heard })
export const learnDays = ({ heard, saga }: Step<MoneyMemory, 'DaysAsked'>) => ({
  grants: [...saga.memory.grants, heard],
})
