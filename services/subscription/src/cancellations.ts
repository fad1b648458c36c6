import { type Message, type Saying, say } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import type { Books } from './books.ts'
import { judgeDue } from './domain/due.ts'
import { iso } from './domain/ids.ts'
import { type CanceledBy, canceled, reasonOf, resumed, type Subscription } from './domain/subscription.ts'
import { endNow, isBeingEnded } from './sagas/consequences.ts'
import { stageOf } from './sagas/engine.ts'

type Refusal = 'not_found' | 'not_cancelable' | 'user_deleted'

/** Cancel at the period's end, or now; at once too while a due term is unpaid (CAN-1). */
export const cancelSubscription = (books: Books, message: Message<'CancelSubscription'>, at: Instant): Saying[] => {
  const { userId, operationId, subscriptionId, by, at: when } = message.body
  if (by === 'unknown' || when === 'unknown') throw new Error(`A cancellation by ${by} at ${when}.`)
  if (!books.note(operationId)) return []
  const refuse = (reason: Refusal, version: number | null) => [
    say('CancellationRefused', { userId, operationId, subscriptionId, reason, version }),
  ]
  if (books.isErased(userId)) return refuse('user_deleted', null)
  const subscription = books.subscriptions.get(subscriptionId)
  if (subscription?.userId !== userId) return refuse('not_found', null)
  if (isBeingEnded(books, subscription)) {
    return refuse('not_cancelable', subscription.version)
  }
  const endsNow = when === 'now' || books.isUnpaid(subscription)
  const said = endsNow
    ? endNow(stageOf(books, at), subscription, {
        operationId,
        boundary: null,
        at,
        reason: reasonOf(by),
        refund: 'none',
      })
    : schedule(books, subscription, message, by)
  return by === 'operator' ? [...said, audit(message, subscription, endsNow, at)] : said
}

/** It keeps the stamp that the canceler gave it: one from before the boundary counts even if it arrives after (protocol.md 4). */
const schedule = (books: Books, subscription: Subscription, message: Message<'CancelSubscription'>, by: CanceledBy) => {
  const { userId, operationId, subscriptionId } = message.body
  const next = canceled(subscription, { at: message.time, by, operationId })
  books.subscriptions.put(next)
  return [say('CancellationScheduled', { userId, operationId, subscriptionId, by, version: next.version })]
}

/** Undo the cancellation that stands, before the end (CAN-1). One that already decides a due term is past undoing. */
export const resumeSubscription = (books: Books, message: Message<'ResumeSubscription'>): Saying[] => {
  const { userId, operationId, subscriptionId } = message.body
  if (!books.note(operationId)) return []
  const refuse = (reason: Refusal, version: number | null) => [
    say('SubscriptionChangeRefused', { userId, operationId, subscriptionId, reason, version }),
  ]
  if (books.isErased(userId)) return refuse('user_deleted', null)
  const subscription = books.subscriptions.get(subscriptionId)
  if (subscription?.userId !== userId) return refuse('not_found', null)
  if (isBeingEnded(books, subscription) || endsBy(subscription, message.time)) {
    return refuse('not_cancelable', subscription.version)
  }
  const next = resumed(subscription)
  books.subscriptions.put(next)
  return [say('CancellationUndone', { userId, operationId, subscriptionId, version: next.version })]
}

/** Its period is over, and it was canceled in time. */
const endsBy = (subscription: Subscription, time: Instant) =>
  time >= subscription.currentPeriodEnd && judgeDue(subscription, subscription.currentPeriodEnd) === 'ends'

const audit = ({ body }: Message<'CancelSubscription'>, before: Subscription, endsNow: boolean, at: Instant) => {
  const { userId: subject, actor, subscriptionId: target, reason } = body
  const flags = (cancelAtPeriodEnd: boolean) => JSON.stringify({ userId: subject, cancelAtPeriodEnd })
  return say('ActionAudited', {
    subject,
    actor,
    action: 'subscription.cancel',
    target,
    before: flags(before.canceledAt !== null),
    after: endsNow ? JSON.stringify({ userId: subject, accessUntil: iso(at) }) : flags(true),
    reason,
    at,
  })
}
