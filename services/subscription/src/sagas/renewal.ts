import { say } from '@coding-plans/runtime'
import { instant } from '@coding-plans/schemas'
import { renewed } from '../domain/subscription.ts'
import { waitEnd } from '../domain/unpaid.ts'
import {
  beginEndAsked,
  dueIgnored,
  giveDays,
  learnDays,
  learnDue,
  learnEnd,
  takeUpAgain,
  takeUpWaiting,
} from './consequences.ts'
import type { RenewalMemory } from './saga.ts'
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
import {
  askTopUp,
  awaited,
  endUnfunded,
  graced,
  isNews,
  isPastDue,
  learnAnswered,
  learnAsking,
  learnAttempt,
  learnDeclined,
  learnEnough,
  learnFailed,
  learnGraced,
  learnLastAttempt,
  learnNews,
  learnOver,
  lost,
  markTried,
  passTopUpOn,
  renews,
  sayAwaited,
  sayPastDue,
  stillPastDue,
  stillWaiting,
  untried,
  worthAnother,
  worthTrying,
} from './unpaid.ts'

type State =
  | 'holding'
  | 'capturing'
  | 'renewed'
  | 'toppingUp'
  | 'pastDue'
  | 'unfunded'
  | 'releasing'
  | 'abandoned'
  | 'failing'
  | 'failed'

/** Charge, term and dates are one step (REN-2); they are told when the capture is answered. */
const moveDates = (step: Step<RenewalMemory>) => {
  const { books, saga, at } = step
  const { subscriptionId, memory } = saga
  const subscription = books.subscription(subscriptionId)
  passTopUpOn(step, subscription)
  const servedUntil = instant(Math.min(at, waitEnd(memory.dueFrom, subscription.graceHours)))
  books.subscriptions.put({ ...renewed(subscription, memory.term.boundary), servedUntil })
  books.terms.put(memory.term)
}

const learnRecovered = (step: Step<RenewalMemory>) => ({ recovered: isPastDue(step) })
const learnPaid = (step: Step<RenewalMemory, 'HoldCaptured'>) => ({ ...learnAccount(step), ...learnAnswered() })

const sayRenewed = ({ books, saga: { userId, subscriptionId, memory } }: Step<RenewalMemory>) => {
  const { currentPeriodEnd, canceledAt, version } = books.subscription(subscriptionId)
  const { dueBoundary, term, recovered, accountVersion } = memory
  const { amount, chargeId, boundary } = term
  return say('SubscriptionRenewed', {
    userId,
    subscriptionId,
    boundary: dueBoundary,
    currentPeriodEnd,
    amount,
    chargeId,
    cancelAtPeriodEnd: canceledAt !== null,
    version,
    accountVersion,
    periodStart: boundary === dueBoundary ? null : boundary,
    recovered,
  })
}

/** Nobody holds credits for it any more: the due message is answered, the days are given. */
const giveDaysNow = (step: Step<RenewalMemory, 'DaysAsked'>) => {
  const { due } = step.saga.memory
  const said = giveDays(step)
  return due ? [...said, dueIgnored(step.books.subscription(step.saga.subscriptionId), due)] : said
}

/** What is said of the end of an unpaid term's time is to be answered, though that term's own end is said once more. */
const learnDueAgain = (step: Step<RenewalMemory, 'PeriodEnded'>) => {
  const { due } = step.saga.memory
  return due?.boundary === step.heard.boundary && due.what !== 'period_ended' ? {} : learnDue(step)
}

const tellFailureOfDue = (step: Step<RenewalMemory>) => (step.saga.memory.due ? [tellFailure(step)] : [])

const sayIgnored = ({ books, saga, heard }: Step<RenewalMemory, 'PeriodEnded'>) => [
  dueIgnored(books.subscription(saga.subscriptionId), heard),
]

/** The next term, at the copied price, from the boundary on. It never asks for the slot (REN-8). */
export const renewal: SagaTable<State, RenewalMemory> = {
  begins: {
    when: free,
    yes: { to: 'renewed', learn: learnAnswered, change: [moveDates, raiseVersion], send: sayRenewed },
    no: { to: 'holding', send: holdCredits },
  },
  states: {
    holding: {
      CreditsHeld: {
        when: renews,
        yes: { to: 'capturing', learn: learnRecovered, change: moveDates, send: captureHold },
        no: { to: 'releasing', send: releaseHold },
      },
      HoldDeclined: {
        when: lost,
        yes: { to: 'unfunded', learn: learnDeclined, follow: endUnfunded },
        no: {
          when: untried,
          yes: { to: 'toppingUp', learn: learnAsking, change: markTried, send: askTopUp },
          no: {
            when: awaited,
            yes: { to: 'toppingUp', learn: learnDeclined, follow: sayAwaited },
            no: {
              when: graced,
              yes: { to: 'pastDue', learn: learnGraced, follow: sayPastDue },
              no: { to: 'unfunded', learn: learnDeclined, follow: endUnfunded },
            },
          },
        },
      },
      CreditsToppedUp: 'ignore',
      TopUpDeclined: 'ignore',
      TopUpUnanswered: 'ignore',
      AvailableIncreased: 'ignore',
      AutoTopUpSet: 'ignore',
      PeriodEnded: { to: 'holding', learn: learnDueAgain },
      DeadlineReached: { to: 'holding', learn: learnOver },
      EndAsked: { to: 'releasing', send: releaseHold, follow: beginEndAsked },
      DaysAsked: { to: 'releasing', send: releaseHold, follow: giveDays },
      CommandFailed: { to: 'failing', learn: learnFailed, send: releaseHold },
    },
    toppingUp: {
      AvailableIncreased: {
        when: isNews,
        yes: { to: 'holding', learn: learnAttempt, send: holdCredits },
        no: { to: 'toppingUp' },
      },
      CreditsToppedUp: 'ignore',
      TopUpDeclined: {
        when: graced,
        yes: { to: 'pastDue', learn: learnAnswered, follow: sayPastDue },
        no: { to: 'unfunded', follow: endUnfunded },
      },
      TopUpUnanswered: { to: 'toppingUp', follow: sayAwaited },
      AutoTopUpSet: 'ignore',
      PeriodEnded: { to: 'toppingUp', learn: learnDueAgain },
      DeadlineReached: { to: 'holding', learn: learnLastAttempt, send: holdCredits },
      EndAsked: { to: 'abandoned', follow: beginEndAsked },
      DaysAsked: { to: 'abandoned', follow: giveDaysNow },
      HoldDeclined: 'ignore',
      HoldReleased: 'ignore',
      CommandFailed: 'ignore',
    },
    pastDue: {
      AvailableIncreased: {
        when: isNews,
        yes: { to: 'holding', learn: learnAttempt, send: holdCredits },
        no: { to: 'pastDue' },
      },
      AutoTopUpSet: {
        when: worthTrying,
        yes: { to: 'holding', learn: learnAttempt, send: holdCredits },
        no: { to: 'pastDue' },
      },
      CreditsToppedUp: 'ignore',
      TopUpDeclined: 'ignore',
      TopUpUnanswered: 'ignore',
      PeriodEnded: { to: 'pastDue', follow: sayIgnored },
      DeadlineReached: { to: 'holding', learn: learnLastAttempt, send: holdCredits },
      EndAsked: { to: 'abandoned', follow: beginEndAsked },
      DaysAsked: { to: 'abandoned', follow: giveDaysNow },
      HoldDeclined: 'ignore',
      HoldReleased: 'ignore',
      CommandFailed: 'ignore',
    },
    capturing: {
      HoldCaptured: { to: 'renewed', learn: learnPaid, change: raiseVersion, send: sayRenewed, follow: takeUpWaiting },
      EndAsked: { to: 'capturing', learn: learnEnd },
      DaysAsked: { to: 'capturing', learn: learnDays },
      CommandFailed: { to: 'capturing', again: captureHold },
      CreditsHeld: 'ignore',
    },
    renewed: keeping,
    unfunded: givingBack('unfunded'),
    releasing: {
      HoldReleased: { to: 'abandoned', follow: takeUpAgain },
      PeriodEnded: { to: 'releasing', learn: learnDueAgain },
      DeadlineReached: { to: 'releasing', learn: learnOver },
      EndAsked: { to: 'releasing', follow: beginEndAsked },
      DaysAsked: { to: 'releasing', follow: giveDays },
      CommandFailed: { to: 'releasing', again: releaseHold },
      CreditsHeld: 'ignore',
      HoldDeclined: 'ignore',
    },
    abandoned: givingBack('abandoned'),
    failing: {
      HoldReleased: {
        when: worthAnother,
        yes: { to: 'holding', learn: learnAttempt, send: holdCredits },
        no: {
          when: stillPastDue,
          yes: { to: 'pastDue', learn: learnAttempt, follow: tellFailureOfDue },
          no: {
            when: stillWaiting,
            yes: { to: 'toppingUp', learn: learnAttempt },
            no: { to: 'failed', follow: tellFailureOfDue },
          },
        },
      },
      AvailableIncreased: { when: isNews, yes: { to: 'failing', learn: learnNews }, no: { to: 'failing' } },
      AutoTopUpSet: { when: worthTrying, yes: { to: 'failing', learn: learnNews }, no: { to: 'failing' } },
      CreditsToppedUp: 'ignore',
      TopUpDeclined: { to: 'failing', learn: learnNews },
      TopUpUnanswered: 'ignore',
      PeriodEnded: { to: 'failing', learn: learnDueAgain },
      DeadlineReached: { to: 'failing', learn: learnOver },
      EndAsked: { to: 'failing', follow: beginEndAsked },
      DaysAsked: { to: 'failing', follow: giveDays },
      CommandFailed: { to: 'failing', again: releaseHold },
      CreditsHeld: { to: 'failing', learn: learnEnough },
      HoldDeclined: 'ignore',
    },
    failed: givingBack('failed'),
  },
}
