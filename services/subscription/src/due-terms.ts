import { type Message, type Saying, say } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import type { Books } from './books.ts'
import { judgeDue } from './domain/due.ts'
import { renewalIdOf } from './domain/ids.ts'
import { begin, hear } from './sagas/engine.ts'
import { takeUpDue } from './sagas/follow.ts'

/** A term is over. A purchase or an older copy that is under way has to be done first: it remembers the message. */
export const periodEnded = (books: Books, message: Message<'PeriodEnded'>, at: Instant): Saying[] => {
  const { userId, subscriptionId, boundary } = message.body
  const subscription = books.subscription(subscriptionId)
  if (subscription.userId !== userId) throw new Error(`Subscription ${subscriptionId} is not of ${userId}.`)
  const due = { messageId: message.id, boundary }
  const saga = books.moneySagaOf(subscription)
  if (judgeDue(subscription, boundary) === 'ignored') return [say('DueIgnored', { userId, subscriptionId, boundary })]
  if (saga) return hear(books, saga, 'PeriodEnded', due, at)
  // A copy of one that began a renewal which failed: that was told, and it is said again under another id (IDE-4).
  if (books.sagas.get(renewalIdOf(message.id))) return []
  return takeUpDue({ books, begin: (beginning) => begin(books, beginning, at) }, subscriptionId, due)
}
