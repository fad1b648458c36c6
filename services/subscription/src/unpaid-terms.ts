import type { Message, Saying } from '@coding-plans/runtime'
import { type Instant, instant, type UserId } from '@coding-plans/schemas'
import type { Books } from './books.ts'
import type { Deadline, DueKind } from './domain/due.ts'
import { judgeDue } from './domain/due.ts'
import { dueIgnored, takeUpDue } from './sagas/consequences.ts'
import { hear, stageOf } from './sagas/engine.ts'
import type { Hearings } from './sagas/table.ts'

/** More is available: all that this user owes is tried, the oldest boundary first (REN-6). */
export const availableIncreased = (books: Books, { body }: Message<'AvailableIncreased'>, at: Instant): Saying[] =>
  books.unpaidOf(body.userId).flatMap((saga) => hear(books, saga, 'AvailableIncreased', body, at))

/** Other settings of the automatic top-up: what was not tried may be now (TOP-1). */
export const autoTopUpSet = (books: Books, { body }: Message<'AutoTopUpSet'>, at: Instant): Saying[] =>
  books.unpaidOf(body.userId).flatMap((saga) => hear(books, saga, 'AutoTopUpSet', body, at))

type Outcome = 'CreditsToppedUp' | 'TopUpDeclined' | 'TopUpUnanswered'

/** What became of a top-up: for every term that it was asked for. */
export const topUpOutcome = <Name extends Outcome>(books: Books, message: Message<Name>, at: Instant): Saying[] => {
  const { userId, topUpId } = message.body
  const heard = message.body as unknown as Hearings[Name]
  return waitingFor(books, userId, topUpId).flatMap((saga) => hear(books, saga, message.name, heard, at))
}

/** It could not even be asked: as if it were declined. */
export const topUpFailed = (books: Books, userId: UserId, topUpId: string, at: Instant): Saying[] => {
  const heard = { userId, topUpId, reason: 'declined', at } as const
  return waitingFor(books, userId, topUpId).flatMap((saga) => hear(books, saga, 'TopUpDeclined', heard, at))
}

const waitingFor = (books: Books, userId: UserId, topUpId: string) =>
  books.unpaidOf(userId).filter(({ memory }) => memory.topUp?.id === topUpId)

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
  const asOf = instant(Math.max(deadline, handled))
  const due: Deadline = { what: kinds[name], messageId, boundary, asOf, attempt: 0, deadline }
  const isOver = subscription.graceEndsAt === null || subscription.graceEndsAt === deadline
  if (judgeDue(subscription, boundary) === 'ignored' || !isOver) return [dueIgnored(subscription, due)]
  const saga = books.moneySagaOf(subscription)
  if (saga) return hear(books, saga, 'DeadlineReached', due, at)
  return takeUpDue(stageOf(books, at), subscriptionId, due, deadline)
}
