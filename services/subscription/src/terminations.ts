import { type Message, type Saying, say } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import type { Books } from './books.ts'
import { iso } from './domain/ids.ts'
import type { Subscription } from './domain/subscription.ts'
import { endNow, isBeingEnded } from './sagas/consequences.ts'
import { stageOf } from './sagas/engine.ts'

/** End it now, by an operator, with as much of what was paid ahead given back as that says (CAN-2). */
export const terminateSubscription = (
  books: Books,
  { body }: Message<'TerminateSubscription'>,
  at: Instant,
): Saying[] => {
  const { userId, operationId, subscriptionId, refund, cause: reason } = body
  if (refund === 'unknown' || reason === 'unknown')
    throw new Error(`A termination with ${refund} refund for ${reason}.`)
  if (!books.note(operationId)) return []
  const refuse = (why: 'not_found' | 'not_cancelable' | 'user_deleted', version: number | null) => [
    say('SubscriptionChangeRefused', { userId, operationId, subscriptionId, reason: why, version }),
  ]
  if (books.isErased(userId)) return refuse('user_deleted', null)
  const subscription = books.subscriptions.get(subscriptionId)
  if (subscription?.userId !== userId) return refuse('not_found', null)
  if (isBeingEnded(books, subscription)) return refuse('not_cancelable', subscription.version)
  const audited = audit(body, subscription, at)
  return [...endNow(stageOf(books, at), subscription, { operationId, boundary: null, at, reason, refund }), audited]
}

const audit = (body: Message<'TerminateSubscription'>['body'], before: Subscription, at: Instant) => {
  const { userId, actor, subscriptionId: target, refund, cause, reason } = body
  return say('ActionAudited', {
    subject: userId,
    actor,
    action: 'subscription.terminate',
    target,
    before: JSON.stringify({ userId, cancelAtPeriodEnd: before.canceledAt !== null }),
    after: JSON.stringify({ userId, accessUntil: iso(at), refund, cause }),
    reason,
    at,
  })
}
