import { type Saying, say } from '@coding-plans/runtime'
import { instant, MOST_MICRODOLLARS, microdollars } from '@coding-plans/schemas'
import { judgeDue } from '../domain/due.ts'
import { topUpIdOf } from '../domain/ids.ts'
import { isAlive, pastDue, reasonOf, type Subscription, told, topUpFor } from '../domain/subscription.ts'
import { renewalTermOf } from '../domain/term.ts'
import { graceEnd, type TopUp, waitEnd } from '../domain/unpaid.ts'
import { beginEnd, endOfTerm } from './consequences.ts'
import type { RenewalMemory, Saga } from './saga.ts'
import type { Step } from './table.ts'

// A due term whose hold was declined: one top-up, then grace, then the end (REN-5, REN-6, TOP-1, TOP-2).

type Unpaid = Step<RenewalMemory>
type Of = Pick<Unpaid, 'saga'>

const subscriptionOf = ({ books, saga }: Pick<Unpaid, 'books' | 'saga'>) => books.subscription(saga.subscriptionId)

/** Still alive, the same end, and no cancellation stamped before the boundary. */
export const renews = (step: Unpaid) => judgeDue(subscriptionOf(step), step.saga.memory.dueBoundary) === 'renews'

/** Nothing more is waited for: its time is over, or it does not renew any more. Canceled, be it after the boundary, it waits for no money (TOP-3). */
export const lost = (step: Unpaid) =>
  step.saga.memory.overAt !== null || !renews(step) || subscriptionOf(step).canceledAt !== null

/** It is kept with the subscription: an attempt may fail, and another go on waiting for the same outcome. */
const topUpOf = (step: Unpaid) => topUpFor(subscriptionOf(step), step.saga.memory.dueBoundary)

/** No top-up was tried for this term. What is paid is at most once (TOP-1). */
export const untried = (step: Unpaid) => topUpOf(step) === null

const isAwaited = (topUp: TopUp | null) => topUp !== null && topUp.outcome !== 'known'

/** A top-up was asked for and its outcome is not known. */
export const awaited = (step: Unpaid) => isAwaited(topUpOf(step))

export const graced = (step: Unpaid) => subscriptionOf(step).graceHours > 0

export const isPastDue = (step: Unpaid) => subscriptionOf(step).status === 'past_due'

/** What failed is one attempt of several: there may be another. */
export const stillPastDue = (step: Unpaid) => isPastDue(step) && renews(step)

/** Nobody would say it again: its due message was answered when the outcome of a top-up began to be waited for. */
export const stillWaiting = (step: Unpaid) => step.saga.memory.due === null && renews(step)

/** While the attempt that failed gave back, something was heard that another may find. */
export const worthAnother = (step: Unpaid) => step.saga.memory.news && renews(step)
export const learnNews = () => ({ news: true })

export const learnDeclined = ({ heard }: Step<RenewalMemory, 'HoldDeclined'>) => ({
  available: heard.available,
  accountVersion: heard.version,
  enough: false,
})

/** An attempt fails: were its credits held already? */
export const learnFailed = ({ heard }: Step<RenewalMemory, 'CommandFailed'>) => ({
  enough: heard.messageName === 'CreditsHeld',
})
export const learnEnough = () => ({ enough: true })

/** What is given back, by itself or by another term, is no news for what had enough: it would fail, and give back, without end. */
export const isNews = ({ heard, saga }: Step<RenewalMemory, 'AvailableIncreased'>) =>
  heard.cause !== 'release' || !saga.memory.enough

/** Another attempt, so another hold. */
export const learnAttempt = ({ saga: { memory } }: Of) => ({ holds: memory.holds + 1, news: false })

/** A decline now ends it. */
export const learnOver = ({ heard }: Step<RenewalMemory, 'DeadlineReached'>) => ({ due: heard, overAt: heard.deadline })
export const learnLastAttempt = (step: Step<RenewalMemory, 'DeadlineReached'>) => {
  const { deadline: servedUntil, asOf } = step.heard
  // Heard late, the term may be over: then it is for the one that contains the present (REN-7).
  const next = renewalTermOf({ ...subscriptionOf(step), servedUntil }, asOf)
  return { ...learnOver(step), ...learnAttempt(step), ...next }
}

/** It is answered: nobody waits to hear of this due term. */
export const learnAnswered = () => ({ due: null })

/** One request for all that this user has due, unpaid and untried; each is marked before the call is made (TOP-2). */
export const learnAsking = (step: Step<RenewalMemory, 'HoldDeclined'>) => ({
  ...learnDeclined(step),
  asked: topUpIdOf(step.saga.id, step.saga.memory.holds),
})

/** Those that wait with this one: due, and not known to be paid. */
const together = (step: Unpaid): Saga<RenewalMemory>[] =>
  step.books
    .unpaidOf(step.saga.userId)
    .filter((saga) => saga.id !== step.saga.id && !lost({ ...step, saga }) && untried({ ...step, saga }))

export const askTopUp = (step: Unpaid) => {
  const { userId, memory } = step.saga
  const { asked: topUpId, available } = memory
  if (!topUpId || available === null) throw new Error('A top-up is asked for without a decline.')
  const due = step.books.unpaidOf(userId).filter((saga) => topUpOf({ ...step, saga })?.id === topUpId)
  const owed = due.reduce((sum, saga) => sum + saga.memory.term.amount, 0)
  return say('TopUpCredits', {
    userId,
    topUpId,
    shortfall: microdollars(Math.min(MOST_MICRODOLLARS, owed - available)),
  })
}

export const markTried = (step: Unpaid) => {
  const { asked: id } = step.saga.memory
  if (!id) throw new Error('A term is marked for a top-up that nobody asked for.')
  for (const saga of [step.saga, ...together(step)]) {
    const topUp = { boundary: saga.memory.dueBoundary, id, outcome: 'asked' } as const
    step.books.subscriptions.put({ ...step.books.subscription(saga.subscriptionId), topUp })
  }
}

/** Whose money this may be: those who were left without it wait for the outcome that this one was waiting for. */
export const passTopUpOn = (step: Step<RenewalMemory>, paid: Subscription) => {
  const { topUp } = paid
  if (!topUp || !isAwaited(topUpFor(paid, step.saga.memory.dueBoundary))) return
  for (const other of step.books.subscriptions.of(step.saga.userId)) {
    const boundary = other.currentPeriodEnd
    if (other.id !== paid.id && isAlive(other) && topUpFor(other, boundary)?.outcome === 'known')
      step.books.subscriptions.put({ ...other, topUp: { ...topUp, boundary } })
  }
}

export const learnGraced = (step: Step<RenewalMemory, 'HoldDeclined'>) => ({
  ...learnDeclined(step),
  ...learnAnswered(),
})

/** Automatic top-up was switched on, or has another method, and was not tried for this term (TOP-1). */
export const worthTrying = (step: Step<RenewalMemory, 'AutoTopUpSet'>) => step.heard.enabled && untried(step)

/** The due message is answered by the wait, once its outcome is known to take long; in grace there is nothing to answer. */
export const sayAwaited = (step: Unpaid): Saying[] => {
  const { saga, books } = step
  const { due, dueBoundary: boundary, dueFrom } = saga.memory
  if (!due || topUpOf(step)?.outcome !== 'unanswered' || isPastDue(step)) return []
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
 * top-up was awaited, it ends there and then. Canceled, it ends for that reason, with the term or when that was asked for.
 */
export const endUnfunded = (step: Unpaid): Saying[] => {
  const { dueBoundary, overAt, due } = step.saga.memory
  const subscription = subscriptionOf(step)
  const { canceledAt, canceledBy } = subscription
  if (canceledAt !== null) {
    const stopsAt = instant(Math.max(dueBoundary, canceledAt))
    return beginEnd(step, subscription, endOfTerm(dueBoundary, reasonOf(canceledBy), stopsAt))
  }
  const wasAwaited = due === null
  const at = overAt ?? (wasAwaited ? step.at : dueBoundary)
  return beginEnd(step, subscription, endOfTerm(dueBoundary, 'insufficient_credits', at))
}
