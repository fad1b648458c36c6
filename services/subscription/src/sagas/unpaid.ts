import { type Saying, say } from '@coding-plans/runtime'
import { microdollars } from '@coding-plans/schemas'
import { judgeDue } from '../domain/due.ts'
import { topUpIdOf } from '../domain/ids.ts'
import { pastDue, reasonOf, told } from '../domain/subscription.ts'
import { graceEnd, waitEnd } from '../domain/unpaid.ts'
import { beginEnd, endOfTerm } from './consequences.ts'
import type { RenewalMemory, Saga } from './saga.ts'
import type { Step } from './table.ts'

// A due term whose hold was declined: one top-up, then grace, then the end (REN-5, REN-6, TOP-1, TOP-2).

type Unpaid = Step<RenewalMemory>
type Of = Pick<Unpaid, 'saga'>

const subscriptionOf = ({ books, saga }: Pick<Unpaid, 'books' | 'saga'>) => books.subscription(saga.subscriptionId)

/** Still alive, the same end, and no cancellation stamped before the boundary. */
export const renews = (step: Unpaid) => judgeDue(subscriptionOf(step), step.saga.memory.dueBoundary) === 'renews'

/** Nothing more is waited for: its time is over, or it does not renew any more. */
export const lost = (step: Unpaid) => step.saga.memory.overAt !== null || !renews(step)

/** No top-up was tried for this term. What is paid is at most once (TOP-1). */
export const untried = (step: Unpaid) =>
  step.saga.memory.topUp === null && subscriptionOf(step).toppedUpFor !== step.saga.memory.dueBoundary

/** A top-up was asked for and its outcome is not known. */
export const awaited = ({ saga: { memory } }: Of) => memory.topUp !== null && memory.topUp.outcome !== 'known'

export const graced = (step: Unpaid) => subscriptionOf(step).graceHours > 0

export const isPastDue = (step: Unpaid) => subscriptionOf(step).status === 'past_due'

/** What failed is one attempt of several: there may be another. */
export const stillPastDue = (step: Unpaid) => isPastDue(step) && renews(step)

export const learnDeclined = ({ heard }: Step<RenewalMemory, 'HoldDeclined'>) => ({
  available: heard.available,
  accountVersion: heard.version,
})

/** Another attempt, so another hold. */
export const learnAttempt = ({ saga: { memory } }: Of) => ({ holds: memory.holds + 1 })

/** A decline now ends it. */
export const learnOver = ({ heard }: Step<RenewalMemory, 'DeadlineReached'>) => ({ due: heard, overAt: heard.deadline })
export const learnLastAttempt = (step: Step<RenewalMemory, 'DeadlineReached'>) => ({
  ...learnOver(step),
  ...learnAttempt(step),
})

/** It is answered: nobody waits to hear of this due term. */
export const learnAnswered = () => ({ due: null })

/** One request for all that this user has due, unpaid and untried; each is marked before the call is made (TOP-2). */
export const learnAsking = (step: Step<RenewalMemory, 'HoldDeclined'>) => ({
  ...learnDeclined(step),
  topUp: { id: topUpIdOf(step.saga.id, step.saga.memory.holds), outcome: 'asked' as const },
})

/** Those that wait with this one: due, and not known to be paid. */
const together = (step: Unpaid): Saga<RenewalMemory>[] =>
  step.books
    .unpaidOf(step.saga.userId)
    .filter((saga) => saga.id !== step.saga.id && !lost({ ...step, saga }) && untried({ ...step, saga }))

export const askTopUp = (step: Unpaid) => {
  const { userId, memory } = step.saga
  const { topUp, term, available } = memory
  if (!topUp || available === null) throw new Error('A top-up is asked for without a decline.')
  const due = step.books
    .unpaidOf(userId)
    .filter(({ id, memory }) => id !== step.saga.id && memory.topUp?.id === topUp.id)
  const owed = due.reduce((sum, saga) => sum + saga.memory.term.amount, term.amount as number)
  return say('TopUpCredits', { userId, topUpId: topUp.id, shortfall: microdollars(owed - available) })
}

export const markTried = (step: Unpaid) => {
  const { topUp } = step.saga.memory
  const others = together(step)
  for (const saga of others) step.books.sagas.put({ ...saga, memory: { ...saga.memory, topUp } })
  for (const saga of [step.saga, ...others]) {
    const subscription = step.books.subscription(saga.subscriptionId)
    step.books.subscriptions.put({ ...subscription, toppedUpFor: saga.memory.dueBoundary })
  }
}

export const learnGraced = (step: Step<RenewalMemory, 'HoldDeclined'>) => ({
  ...learnDeclined(step),
  ...learnAnswered(),
})

/** What became of the top-up. Switched off: it was no attempt (TOP-1). */
export const learnOutcome = ({ heard, saga }: Step<RenewalMemory, 'CreditsToppedUp' | 'TopUpDeclined'>) => {
  const wasOff = 'reason' in heard && heard.reason === 'off'
  return { topUp: wasOff ? null : saga.memory.topUp && { ...saga.memory.topUp, outcome: 'known' as const } }
}
export const learnUnanswered = ({ saga: { memory } }: Of) => ({
  topUp: memory.topUp && { ...memory.topUp, outcome: 'unanswered' as const },
})

/** What was no attempt may be tried when it is switched on. */
export const unmark = (step: Unpaid) => {
  if (step.saga.memory.topUp === null) step.books.subscriptions.put({ ...subscriptionOf(step), toppedUpFor: null })
}

/** Automatic top-up was switched on, or has another method, and was not tried for this term (TOP-1). */
export const worthTrying = (step: Step<RenewalMemory, 'AutoTopUpSet'>) => step.heard.enabled && untried(step)

/** The due message is answered by the wait, once its outcome is known to take long; in grace there is nothing to answer. */
export const sayAwaited = (step: Unpaid): Saying[] => {
  const { saga, books } = step
  const { due, topUp, dueBoundary: boundary, dueFrom } = saga.memory
  if (!due || topUp?.outcome !== 'unanswered' || isPastDue(step)) return []
  const subscription = told(subscriptionOf(step))
  const { id: subscriptionId, userId, graceHours, version } = subscription
  books.subscriptions.put(subscription)
  books.sagas.put({ ...saga, memory: { ...saga.memory, due: null } })
  return [say('TopUpAwaited', { userId, subscriptionId, boundary, until: waitEnd(dueFrom, graceHours), version })]
}

/** Past due it becomes once; a later attempt that is declined changes nothing. */
export const sayPastDue = (step: Unpaid): Saying[] => {
  if (isPastDue(step)) return []
  const { saga, books } = step
  const { dueBoundary: boundary, dueFrom, term, available, accountVersion } = saga.memory
  if (available === null || accountVersion === null) throw new Error('A term is past due without a decline.')
  const before = subscriptionOf(step)
  const subscription = pastDue(before, graceEnd(dueFrom, before.graceHours))
  const { id: subscriptionId, userId, graceEndsAt, version } = subscription
  books.subscriptions.put(subscription)
  const rests = { amount: term.amount, available, accountVersion, version }
  return [
    say('SubscriptionPastDue', { userId, subscriptionId, boundary, graceEndsAt: graceEndsAt ?? boundary, ...rests }),
  ]
}

/**
 * Unfunded: it ends with the time it was given; without any, with the term that was paid. Given up while the outcome of a
 * top-up was awaited, it ends there and then. Canceled in time, it ends for that reason.
 */
export const endUnfunded = (step: Unpaid): Saying[] => {
  const { dueBoundary, overAt, due } = step.saga.memory
  const subscription = subscriptionOf(step)
  if (!renews(step)) return beginEnd(step, subscription, endOfTerm(dueBoundary, reasonOf(subscription.canceledBy)))
  const wasAwaited = due === null
  const at = overAt ?? (wasAwaited ? step.at : dueBoundary)
  return beginEnd(step, subscription, endOfTerm(dueBoundary, 'insufficient_credits', at))
}
