import { type Message, type Saying, say } from '@coding-plans/runtime'
import { type Instant, instant } from '@coding-plans/schemas'
import type { Books } from './books.ts'
import { type Due, judgeDue } from './domain/due.ts'
import { renewalIdOf } from './domain/ids.ts'
import { dueIgnored, takeUpDue } from './sagas/consequences.ts'
import { hear, stageOf } from './sagas/engine.ts'

/** A term is over. A purchase that is under way has to be done first: its saga remembers the message. */
export const periodEnded = (
  books: Books,
  { id: messageId, body, asOf }: Message<'PeriodEnded'>,
  at: Instant,
): Saying[] => {
  const { userId, subscriptionId, boundary } = body
  const subscription = subscriptionOf(books, body)
  const what = 'period_ended'
  if (judgeDue(subscription, boundary) === 'ignored')
    return [say('DueIgnored', { userId, subscriptionId, boundary, what })]
  // A copy of one that began a renewal: that answers it, also if it failed; then it is said again as another (IDE-4).
  if (books.sagas.get(renewalIdOf(messageId))) return []
  const due: Due = { what, messageId, boundary, asOf: instant(Math.max(body.asOf, asOf)), attempt: 0 }
  const saga = books.moneySagaOf(subscription)
  if (saga) return hear(books, saga, 'PeriodEnded', due, at)
  return takeUpDue(stageOf(books, at), subscriptionId, due)
}

/** It will be renewed soon, for this amount; nothing is said of what ends, is free or past due (REN-9). */
export const renewalDueSoon = (books: Books, { body }: Message<'RenewalDueSoon'>): Saying[] => {
  const { userId, subscriptionId, boundary, at } = body
  const subscription = subscriptionOf(books, body)
  const { price: amount, status, canceledAt } = subscription
  const renews = judgeDue(subscription, boundary) === 'renews' && canceledAt === null
  if (!renews || status !== 'active' || amount === 0)
    return [dueIgnored(subscription, { boundary, what: 'renewal_due_soon' })]
  return [say('RenewingSoon', { userId, subscriptionId, boundary, amount, at })]
}

/** @throws if it is somebody else's. */
const subscriptionOf = (books: Books, { subscriptionId, userId }: { subscriptionId: string; userId: string }) => {
  const subscription = books.subscription(subscriptionId)
  if (subscription.userId !== userId) throw new Error(`Subscription ${subscriptionId} is not of ${userId}.`)
  return subscription
}
