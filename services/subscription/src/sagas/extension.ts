import { say } from '@coding-plans/runtime'
import { extended, isAlive } from '../domain/subscription.ts'
import { beginEndAsked, giveDays, learnDays, learnDue, learnEnd, takeUpWaiting } from './consequences.ts'
import type { ExtensionMemory } from './saga.ts'
import {
  captureHold,
  free,
  givingBack,
  holdCredits,
  keeping,
  learnAccount,
  learnTooLittle,
  purchaseRefused,
  raiseVersion,
  releaseHold,
  tellFailure,
} from './steps.ts'
import type { SagaTable, Step } from './table.ts'

type State = 'holding' | 'capturing' | 'extended' | 'releasing' | 'refused' | 'failing' | 'failed'

/** Still alive, and its end is the one that the hold was asked for: never charged on a dead subscription (EXT-4). */
const sameEnd = ({ books, saga: { subscriptionId, memory } }: Step<ExtensionMemory>) => {
  const subscription = books.subscription(subscriptionId)
  return isAlive(subscription) && subscription.currentPeriodEnd === memory.term.boundary
}

/** Charge, term and dates are one step; they are told when the capture is answered. */
const moveEnd = ({ books, saga: { subscriptionId, memory } }: Step<ExtensionMemory>) => {
  books.subscriptions.put(extended(books.subscription(subscriptionId), memory.period, memory.clears))
  books.terms.put(memory.term)
}

const sayExtended = ({ books, saga: { userId, subscriptionId, memory } }: Step<ExtensionMemory>) => {
  const { operationId, planId, planVersion, term, at, accountVersion } = memory
  const { currentPeriodEnd, canceledAt, version } = books.subscription(subscriptionId)
  const { boundary: periodStart, amount, chargeId } = term
  return say('SubscriptionExtended', {
    userId,
    operationId,
    subscriptionId,
    periodStart,
    currentPeriodEnd,
    amount,
    chargeId,
    at,
    cancelAtPeriodEnd: canceledAt !== null,
    version,
    accountVersion,
    planId,
    planVersion,
  })
}

const learnOvertaken = () => ({ refusal: { reason: 'purchase_in_progress' } as const })

const refuse = ({ books, saga: { userId, subscriptionId, memory } }: Step<ExtensionMemory>) => {
  const { operationId, planId, refusal, accountVersion } = memory
  if (!refusal) throw new Error('A purchase is refused without a reason.')
  const { version: subscriptionVersion } = books.subscription(subscriptionId)
  const rests = { accountVersion, subscriptionId, subscriptionVersion }
  return purchaseRefused({ userId, operationId, planId }, { ...rests, ...refusal })
}

/** One period more on the living subscription that the buyer knew (EXT-1, EXT-3). */
export const extension: SagaTable<State, ExtensionMemory> = {
  begins: {
    when: free,
    yes: { to: 'extended', change: [moveEnd, raiseVersion], send: sayExtended },
    no: { to: 'holding', send: holdCredits },
  },
  states: {
    holding: {
      CreditsHeld: {
        when: sameEnd,
        yes: { to: 'capturing', change: moveEnd, send: captureHold },
        no: { to: 'releasing', learn: learnOvertaken, send: releaseHold },
      },
      HoldDeclined: { to: 'refused', learn: learnTooLittle, send: refuse, follow: takeUpWaiting },
      PeriodEnded: { to: 'holding', learn: learnDue },
      EndAsked: { to: 'releasing', learn: learnOvertaken, send: releaseHold, follow: beginEndAsked },
      DaysAsked: { to: 'releasing', learn: learnOvertaken, send: releaseHold, follow: giveDays },
      CommandFailed: { to: 'failing', send: releaseHold },
    },
    capturing: {
      HoldCaptured: {
        to: 'extended',
        learn: learnAccount,
        change: raiseVersion,
        send: sayExtended,
        follow: takeUpWaiting,
      },
      EndAsked: { to: 'capturing', learn: learnEnd },
      DaysAsked: { to: 'capturing', learn: learnDays },
      CommandFailed: { to: 'capturing', again: captureHold },
      CreditsHeld: 'ignore',
    },
    extended: keeping,
    releasing: {
      HoldReleased: { to: 'refused', learn: learnAccount, send: refuse, follow: takeUpWaiting },
      PeriodEnded: { to: 'releasing', learn: learnDue },
      EndAsked: { to: 'releasing', follow: beginEndAsked },
      DaysAsked: { to: 'releasing', follow: giveDays },
      CommandFailed: { to: 'releasing', again: releaseHold },
      CreditsHeld: 'ignore',
      HoldDeclined: 'ignore',
    },
    refused: givingBack('refused'),
    failing: {
      HoldReleased: { to: 'failed', send: tellFailure, follow: takeUpWaiting },
      PeriodEnded: { to: 'failing', learn: learnDue },
      EndAsked: { to: 'failing', follow: beginEndAsked },
      DaysAsked: { to: 'failing', follow: giveDays },
      CommandFailed: { to: 'failing', again: releaseHold },
      CreditsHeld: 'ignore',
      HoldDeclined: 'ignore',
    },
    failed: givingBack('failed'),
  },
}
