import { type Saying, say } from '@coding-plans/runtime'
import { type Due, judgeDue } from '../domain/due.ts'
import { endIdOf, renewalIdOf } from '../domain/ids.ts'
import { type EndReason, reasonOf, renewed, type Subscription } from '../domain/subscription.ts'
import { describeTerm, termOf } from '../domain/term.ts'
import type { Ending, MoneyMemory } from './saga.ts'
import type { Step } from './table.ts'

type Stage = Pick<Step<unknown>, 'books' | 'begin'>

const nothingYet = { slotVersion: null, accountVersion: null, owed: null }

/** Begin the end of a subscription, and its access. */
export const beginEnd = ({ begin }: Stage, subscription: Subscription, ending: Ending): Saying[] => {
  const { id: subscriptionId, userId, providerId } = subscription
  const id = ending.operationId ?? endIdOf(subscriptionId)
  return begin({ kind: 'end', id, userId, providerId, subscriptionId, memory: { ...ending, ...nothingYet } })
}

export const endOfTerm = (boundary: Due['boundary'], reason: EndReason): Ending => ({
  operationId: null,
  boundary,
  at: boundary,
  reason,
  refund: 'none',
})

/** A due term is looked at for the first time, or again after what was in its way: it renews, ends, or has moved. */
export const takeUpDue = (stage: Stage, subscriptionId: string, due: Due): Saying[] => {
  const subscription = stage.books.subscription(subscriptionId)
  const { userId, canceledBy } = subscription
  const { boundary } = due
  const verdict = judgeDue(subscription, boundary)
  if (verdict === 'ignored') return [say('DueIgnored', { userId, subscriptionId, boundary })]
  if (verdict === 'ends') return beginEnd(stage, subscription, endOfTerm(boundary, reasonOf(canceledBy)))
  return beginRenewal(stage, subscription, due)
}

/** The next term at the copied price (CAT-5). */
const beginRenewal = ({ begin }: Stage, subscription: Subscription, due: Due): Saying[] => {
  const { id: subscriptionId, userId, providerId, price: amount, planName } = subscription
  const { boundary, messageId, attempt } = due
  const { currentPeriodEnd: endsAt } = renewed(subscription)
  const term = termOf({ subscriptionId, boundary, endsAt, kind: 'renewal', amount })
  const description = describeTerm(planName, term)
  const waiting = { due, end: null, accountVersion: null }
  const memory: MoneyMemory = { messageId, operationId: null, term, description, ...waiting }
  const id = renewalIdOf(messageId, attempt)
  return begin({ kind: 'renewal', id, userId, providerId, subscriptionId, memory })
}

/** What had to wait until this saga was over: an end that was asked for, then a due term. */
export const takeUpWaiting = (step: Step<MoneyMemory>): Saying[] => {
  const { end, due, term } = step.saga.memory
  const { subscriptionId } = term
  return [
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

/** The end that was asked for begins at once: what this saga had got is only given back. */
export const endNow = (step: Step<MoneyMemory, 'EndAsked'>): Saying[] =>
  beginEnd(step, step.books.subscription(step.saga.subscriptionId), step.heard)

export const learnDue = ({ heard }: Step<MoneyMemory, 'PeriodEnded'>) => ({ due: heard })
export const learnEnd = ({ heard }: Step<MoneyMemory, 'EndAsked'>) => ({ end: heard })
