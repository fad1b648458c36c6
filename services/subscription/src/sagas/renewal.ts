import { say } from '@coding-plans/runtime'
import { judgeDue } from '../domain/due.ts'
import { reasonOf, renewed } from '../domain/subscription.ts'
import { beginEnd, endNow, endOfTerm, learnDue, learnEnd, takeUpAgain, takeUpWaiting } from './consequences.ts'
import type { MoneyMemory } from './saga.ts'
import {
  captureHold,
  free,
  givingBack,
  holdCredits,
  keeping,
  learnAccount,
  raiseVersion,
  releaseHold,
  tellFailure,
} from './steps.ts'
import type { SagaTable, Step } from './table.ts'

type State = 'holding' | 'capturing' | 'renewed' | 'unfunded' | 'releasing' | 'abandoned' | 'failing' | 'failed'

/** Still alive, the same end, and no cancellation stamped before the boundary. */
const renews = ({ books, saga: { subscriptionId, memory } }: Step<MoneyMemory>) =>
  judgeDue(books.subscription(subscriptionId), memory.term.boundary) === 'renews'

/** Charge, term and dates are one step (REN-2); they are told when the capture is answered. */
const moveDates = ({ books, saga: { subscriptionId, memory } }: Step<MoneyMemory>) => {
  books.subscriptions.put(renewed(books.subscription(subscriptionId)))
  books.terms.put(memory.term)
}

const learnAnswered = () => ({ due: null })
const learnPaid = (step: Step<MoneyMemory, 'HoldCaptured'>) => ({ ...learnAccount(step), ...learnAnswered() })

const sayRenewed = ({ books, saga: { userId, subscriptionId, memory } }: Step<MoneyMemory>) => {
  const { currentPeriodEnd, canceledAt, version } = books.subscription(subscriptionId)
  const { boundary, amount, chargeId } = memory.term
  return say('SubscriptionRenewed', {
    userId,
    subscriptionId,
    boundary,
    currentPeriodEnd,
    amount,
    chargeId,
    cancelAtPeriodEnd: canceledAt !== null,
    version,
    accountVersion: memory.accountVersion,
  })
}

/** Unfunded: it ends with the term that was paid. Canceled in time, it ends for that reason. */
const endUnfunded = (step: Step<MoneyMemory>) => {
  const { subscriptionId, boundary } = step.saga.memory.term
  const subscription = step.books.subscription(subscriptionId)
  const reason = renews(step) ? 'insufficient_credits' : reasonOf(subscription.canceledBy)
  return beginEnd(step, subscription, endOfTerm(boundary, reason))
}

/** The next term, at the copied price, from the boundary on. It never asks for the slot (REN-8). */
export const renewal: SagaTable<State, MoneyMemory> = {
  begins: {
    when: free,
    yes: { to: 'renewed', learn: learnAnswered, change: [moveDates, raiseVersion], send: sayRenewed },
    no: { to: 'holding', send: holdCredits },
  },
  states: {
    holding: {
      CreditsHeld: {
        when: renews,
        yes: { to: 'capturing', change: moveDates, send: captureHold },
        no: { to: 'releasing', send: releaseHold },
      },
      HoldDeclined: { to: 'unfunded', learn: learnAnswered, follow: endUnfunded },
      PeriodEnded: { to: 'holding', learn: learnDue },
      EndAsked: { to: 'releasing', send: releaseHold, follow: endNow },
      CommandFailed: { to: 'failing', send: releaseHold },
    },
    capturing: {
      HoldCaptured: { to: 'renewed', learn: learnPaid, change: raiseVersion, send: sayRenewed, follow: takeUpWaiting },
      EndAsked: { to: 'capturing', learn: learnEnd },
      CommandFailed: { to: 'capturing', again: captureHold },
      CreditsHeld: 'ignore',
    },
    renewed: keeping,
    unfunded: givingBack('unfunded'),
    releasing: {
      HoldReleased: { to: 'abandoned', follow: takeUpAgain },
      PeriodEnded: { to: 'releasing', learn: learnDue },
      EndAsked: { to: 'releasing', follow: endNow },
      CommandFailed: { to: 'releasing', again: releaseHold },
      CreditsHeld: 'ignore',
      HoldDeclined: 'ignore',
    },
    abandoned: givingBack('abandoned'),
    failing: {
      HoldReleased: { to: 'failed', send: tellFailure },
      PeriodEnded: { to: 'failing', learn: learnDue },
      EndAsked: { to: 'failing', follow: endNow },
      CommandFailed: { to: 'failing', again: releaseHold },
      CreditsHeld: 'ignore',
      HoldDeclined: 'ignore',
    },
    failed: givingBack('failed'),
  },
}
