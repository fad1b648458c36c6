import { type Message, type Saying, say } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import type { Books } from './books.ts'
import { judgeDue } from './domain/due.ts'
import { renewalIdOf } from './domain/ids.ts'
import { takeUpDue } from './sagas/consequences.ts'
import { begin, hear } from './sagas/engine.ts'

/** A term is over. A purchase that is under way has to be done first: its saga remembers the message. */
export const periodEnded = (books: Books, { id: messageId, body }: Message<'PeriodEnded'>, at: Instant): Saying[] => {
  const { userId, subscriptionId, boundary } = body
  const subscription = books.subscription(subscriptionId)
  if (subscription.userId !== userId) throw new Error(`Subscription ${subscriptionId} is not of ${userId}.`)
  if (judgeDue(subscription, boundary) === 'ignored') return [say('DueIgnored', { userId, subscriptionId, boundary })]
  // A copy of one that began a renewal: that answers it, also if it failed; then it is said again as another (IDE-4).
  if (books.sagas.get(renewalIdOf(messageId))) return []
  const due = { messageId, boundary, attempt: 0 }
  const saga = books.moneySagaOf(subscription)
  if (saga) return hear(books, saga, 'PeriodEnded', due, at)
  return takeUpDue({ books, begin: (beginning) => begin(books, beginning, at) }, subscriptionId, due)
}
