import { type Saying, say } from '@coding-plans/runtime'
import type { MessageName, PurchaseRefused } from '@coding-plans/schemas'
import type { DueKind } from '../domain/due.ts'
import { holdIdOf } from '../domain/ids.ts'
import { told } from '../domain/subscription.ts'
import type { MoneyMemory, Refusal, Saga } from './saga.ts'
import type { Row, Step } from './table.ts'

// What more than one saga says, learns and changes. What it says needs no more than the saga, so that it can be said again.

type Of<Memory> = { readonly saga: Saga<Memory> }

export const holdOf = ({ id, memory }: Saga<MoneyMemory>) => holdIdOf(id, memory.holds)

export const holdCredits = ({ saga }: Of<MoneyMemory>) => {
  const { userId, memory } = saga
  const { subscriptionId, boundary, amount, kind: purpose } = memory.term
  const { operationId } = memory
  return say('HoldCredits', { userId, holdId: holdOf(saga), amount, purpose, operationId, subscriptionId, boundary })
}

export const captureHold = ({ saga }: Of<MoneyMemory>) => {
  const { userId, memory } = saga
  const { operationId, description } = memory
  const { subscriptionId, boundary, kind: purpose, chargeId } = memory.term
  if (chargeId === null) throw new Error('A free term has nothing to capture.')
  const term = { chargeId, subscriptionId, purpose, boundary }
  return say('CaptureHold', { userId, holdId: holdOf(saga), ...term, operationId, description })
}

export const releaseHold = ({ saga }: Of<MoneyMemory>) =>
  say('ReleaseHold', { userId: saga.userId, holdId: holdOf(saga) })

/** For the attempts before the present one. To release what is not there, or no longer, is harmless. */
export const releaseEarlier = ({ id, userId, memory }: Saga): Saying[] =>
  Array.from({ length: (memory as Partial<MoneyMemory>).holds ?? 0 }, (_, attempt) =>
    say('ReleaseHold', { userId, holdId: holdIdOf(id, attempt) }),
  )

export const removeKey = ({ saga: { userId, subscriptionId, providerId } }: Of<unknown>) =>
  say('RemoveKey', { userId, subscriptionId, providerId })

/** The version is raised when something is told and not before: else what is told meanwhile would look newer. */
export const raiseVersion = ({ books, saga: { subscriptionId } }: Pick<Step<unknown>, 'books' | 'saga'>) => {
  books.subscriptions.put(told(books.subscription(subscriptionId)))
}

export const free = ({ saga: { memory } }: Of<MoneyMemory>) => memory.term.amount === 0

/** The user is being deleted: nothing more begins, and what ran is told so. */
export const learnErased = (): { refusal: Refusal } => ({ refusal: { reason: 'user_deleted' } })

/** The account as it is after a hold ended. */
export const learnAccount = ({ heard: { version } }: { heard: { version: number } }) => ({ accountVersion: version })

/** Too little was available (SUB-3). */
export const learnTooLittle = ({ heard }: Step<unknown, 'HoldDeclined'>): { refusal: Refusal } => {
  const { reason, required, available, version: accountVersion } = heard
  return { refusal: { reason: understood(reason), required, available, accountVersion } }
}

/** @throws if a later version of another service gives a reason that nobody here knows. */
export const understood = <Reason extends string>(reason: Reason): Exclude<Reason, 'unknown'> => {
  if (reason === 'unknown') throw new Error('It was declined for a reason that nobody understands.')
  return reason as Exclude<Reason, 'unknown'>
}

const dueMessages = {
  period_ended: 'PeriodEnded',
  grace_ended: 'GraceEnded',
  top_up_wait_ended: 'TopUpWaitEnded',
  renewal_due_soon: 'RenewalDueSoon',
} as const satisfies Record<DueKind, MessageName>

/** Tells whoever began it that it failed: an operation ends so, and a due term is said again later. */
export const tellFailure = ({ saga: { userId, memory } }: Of<MoneyMemory>) => {
  const { messageId, due, term } = memory
  const isDue = term.kind === 'renewal'
  return say('CommandFailed', {
    subject: userId,
    messageId: isDue ? (due?.messageId ?? messageId) : messageId,
    messageName: isDue ? dueMessages[due?.what ?? 'period_ended'] : 'PurchasePlan',
    reason: `The ${term.kind} failed; what it had got was given back.`,
  })
}

const nothingElse = {
  required: null,
  available: null,
  accountVersion: null,
  slotVersion: null,
  stockVersion: null,
  subscriptionId: null,
  subscriptionVersion: null,
}

export const purchaseRefused = (asked: Pick<PurchaseRefused, 'userId' | 'operationId' | 'planId'>, refusal: Refusal) =>
  say('PurchaseRefused', { ...nothingElse, ...asked, ...refusal })

/** A final state that did not succeed: a hold that comes late is given back; both are answered, also when there is nothing. */
export const givingBack = <State extends string>(state: State) =>
  ({
    CreditsHeld: { to: state, send: releaseHold },
    HoldDeclined: 'ignore',
    HoldReleased: 'ignore',
    CommandFailed: { to: state, again: releaseHold },
  }) satisfies Row<State, MoneyMemory>

/** A key that comes when it is no longer wanted is given back; what is given back, is so for good. */
export const givingKeyBack = <State extends string>(state: State) =>
  ({
    KeyAssigned: { to: state, send: removeKey },
    KeyDeclined: 'ignore',
    KeyRemoved: 'ignore',
  }) satisfies Row<State, unknown>

/** A final state that succeeded: copies name the hold that it has. To release would take it from a paying user. */
export const keeping = {
  CreditsHeld: 'ignore',
  HoldCaptured: 'ignore',
  CommandFailed: 'ignore',
} satisfies Row<never, unknown>
