import { type Message, type Saying, say } from '@coding-plans/runtime'
import type { Books } from './books.ts'
import { type FixedPrices, fixedPriceOf } from './domain/fixed-prices.ts'
import { describeVersion, type PlanVersion, publish } from './domain/plan.ts'
import { isOpen } from './domain/wish.ts'
import { reopened } from './wishes.ts'

/** Publish a plan as a whole, as a new version (CAT-2). */
export const publishPlan =
  (prices: FixedPrices) =>
  (books: Books, { body: command, time: at }: Message<'PublishPlan'>): Saying[] => {
    const { planId, operationId } = command
    const current = books.currentVersion(planId)
    const next = publish({ current, command, fixedPrice: fixedPriceOf(prices, planId), at })
    if (!books.note(operationId)) return []
    if ('reason' in next) return [say('PlanRefused', { planId, operationId, ...next })]
    books.versions.put(next)
    if (!isOpen(current) && isOpen(next)) reopened(books, planId, at)
    return sayPublished(current, next)
  }

/** A new version, and what the audit shows of it (AUD-1). */
export const sayPublished = (before: PlanVersion | undefined, next: PlanVersion): Saying[] => {
  const { planId, publishedBy: actor, publishedAt: at } = next
  const audited = { subject: planId, actor, action: 'plan.publish', target: planId, reason: null, at }
  const change = { before: before ? describeVersion(before) : null, after: describeVersion(next) }
  return [
    say('PlanPublished', { ...next, features: [...next.features], models: [...next.models] }),
    say('ActionAudited', { ...audited, ...change }),
  ]
}
