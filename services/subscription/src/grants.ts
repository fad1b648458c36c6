import { type Message, type Saying, say } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import type { Books } from './books.ts'
import { iso } from './domain/ids.ts'
import type { Subscription } from './domain/subscription.ts'
import { grantDays, isBeingEnded } from './sagas/consequences.ts'
import { hear, stageOf } from './sagas/engine.ts'

/** Days for nothing, on what is active or past due (EXT-6). What runs to pay for a term gives back, or is done first. */
export const giveDays = (books: Books, { body }: Message<'GrantDays'>, at: Instant): Saying[] => {
  const { userId, operationId, subscriptionId, ...grant } = body
  if (!books.note(operationId)) return []
  const subscription = books.subscriptions.get(subscriptionId)
  const reason = refusalOf(books, body, subscription)
  if (reason || !subscription) {
    const version = reason === 'not_cancelable' ? (subscription?.version ?? null) : null
    return [
      say('SubscriptionChangeRefused', { userId, operationId, subscriptionId, reason: reason ?? 'not_found', version }),
    ]
  }
  const given = { operationId, ...grant }
  const saga = books.moneySagaOf(subscription)
  const said = saga ? hear(books, saga, 'DaysAsked', given, at) : grantDays(stageOf(books, at), subscriptionId, given)
  return [...said, audit(body, subscription, at)]
}

const refusalOf = (books: Books, { userId }: Message<'GrantDays'>['body'], subscription: Subscription | undefined) => {
  if (books.isErased(userId)) return 'user_deleted'
  if (subscription?.userId !== userId) return 'not_found'
  return isBeingEnded(books, subscription) ? 'not_cancelable' : null
}

const audit = (
  { userId, actor, subscriptionId, days, reason }: Message<'GrantDays'>['body'],
  before: Subscription,
  at: Instant,
) =>
  say('ActionAudited', {
    subject: userId,
    actor,
    action: 'subscription.grant_days',
    target: subscriptionId,
    before: JSON.stringify({ userId, status: before.status, currentPeriodEnd: iso(before.currentPeriodEnd) }),
    after: JSON.stringify({ userId, days }),
    reason,
    at,
  })
