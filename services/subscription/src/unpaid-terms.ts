import type { Message, Saying } from '@coding-plans/runtime'
import { type AvailableIncreased, type Instant, instant, type TopUpDeclined } from '@coding-plans/schemas'
import type { Books } from './books.ts'
import type { Deadline, DueKind } from './domain/due.ts'
import { judgeDue } from './domain/due.ts'
import { topUpFor } from './domain/subscription.ts'
import type { TopUp } from './domain/unpaid.ts'
import { dueIgnored, takeUpDue } from './sagas/consequences.ts'
import { hear, stageOf } from './sagas/engine.ts'
import type { RenewalMemory, Saga } from './sagas/saga.ts'

/** More is available: all that this user owes is tried, the oldest boundary first (REN-6). */
export const availableIncreased = (
  books: Books,
  { body }: { readonly body: Pick<AvailableIncreased, 'userId' | 'cause'> },
  at: Instant,
): Saying[] => books.unpaidOf(body.userId).flatMap((saga) => hear(books, saga, 'AvailableIncreased', body, at))

/** Other settings of the automatic top-up: what was not tried may be now (TOP-1). */
export const autoTopUpSet = (books: Books, { body }: Message<'AutoTopUpSet'>, at: Instant): Saying[] =>
  books.unpaidOf(body.userId).flatMap((saga) => hear(books, saga, 'AutoTopUpSet', body, at))

interface Outcome {
  readonly name: 'CreditsToppedUp' | 'TopUpDeclined' | 'TopUpUnanswered'
  readonly body: Pick<TopUpDeclined, 'userId' | 'topUpId'> & { readonly reason?: string }
}

/**
 * What became of a top-up: for every term that waits for it, whatever its renewal does meanwhile. What is known is known:
 * a copy, or the "unanswered" that was said before, comes too late.
 */
export const topUpOutcome = (books: Books, outcome: Outcome, at: Instant): Saying[] => {
  const { name, body } = outcome
  const { userId, topUpId } = body
  const waiting = books.subscriptions
    .of(userId)
    .filter(({ topUp, status }) => topUp?.id === topUpId && topUp.outcome !== 'known' && status !== 'ended')
  for (const one of waiting) books.subscriptions.put({ ...one, topUp: one.topUp && learned(one.topUp, outcome) })
  const isWaiting = ({ subscriptionId, memory }: Saga<RenewalMemory>) =>
    waiting.some((one) => one.id === subscriptionId && topUpFor(one, memory.dueBoundary) !== null)
  return books
    .unpaidOf(userId)
    .filter(isWaiting)
    .flatMap((saga) => hear(books, saga, name, body as never, at))
}

/** Switched off: it was no attempt, and may be tried when it is switched on (TOP-1). */
const learned = (topUp: TopUp, { name, body }: Outcome): TopUp | null => {
  if (body.reason === 'off') return null
  return { ...topUp, outcome: name === 'TopUpUnanswered' ? 'unanswered' : 'known' }
}

const kinds = { GraceEnded: 'grace_ended', TopUpWaitEnded: 'top_up_wait_ended' } as const satisfies Record<
  string,
  DueKind
>

/** The time that an unpaid term was given is over: one last attempt, then the end (REN-6, TOP-2). */
export const deadlineReached = <Name extends keyof typeof kinds>(
  books: Books,
  { name, id: messageId, body, asOf: handled }: Message<Name>,
  at: Instant,
): Saying[] => {
  const { userId, subscriptionId, boundary, deadline } = body as Message<'GraceEnded'>['body']
  const subscription = books.subscription(subscriptionId)
  if (subscription.userId !== userId) throw new Error(`Subscription ${subscriptionId} is not of ${userId}.`)
  const asOf = instant(Math.max(deadline, body.asOf, handled))
  const due: Deadline = { what: kinds[name], messageId, boundary, asOf, attempt: 0, deadline }
  const isOver = subscription.graceEndsAt === null || subscription.graceEndsAt === deadline
  if (judgeDue(subscription, boundary) === 'ignored' || !isOver) return [dueIgnored(subscription, due)]
  const saga = books.moneySagaOf(subscription)
  if (saga) return hear(books, saga, 'DeadlineReached', due, at)
  return takeUpDue(stageOf(books, at), subscriptionId, due, deadline)
}
