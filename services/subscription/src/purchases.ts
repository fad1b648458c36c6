import type { Message, Saying } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import type { Books } from './books.ts'
import { subscriptionIdOf } from './domain/ids.ts'
import type { PlanVersion } from './domain/plan.ts'
import { judgePurchase, startOf } from './domain/purchase.ts'
import { begun, extended, type Subscription } from './domain/subscription.ts'
import { describeTerm, termOf } from './domain/term.ts'
import { begin } from './sagas/engine.ts'
import type { ActivationMemory, ExtensionMemory, RenewalMemory } from './sagas/saga.ts'
import { purchaseRefused } from './sagas/steps.ts'

/** What is to be bought, and when: the command's time, and the instant that its period begins by. */
interface Order {
  readonly message: Message<'PurchasePlan'>
  readonly offered: PlanVersion
  readonly at: Instant
  readonly start: Instant
}

/** Buy one period of a plan: an activation, or the extension of what the buyer knew. */
export const purchasePlan = (books: Books, message: Message<'PurchasePlan'>, at: Instant): Saying[] => {
  const { userId, operationId, planId, planVersion } = message.body
  if (!books.note(operationId)) return []
  const start = books.reach(userId, startOf(message, at))
  const current = books.currentVersion(planId)
  const offered = books.version(planId, planVersion)
  const live = offered && books.live(userId, offered.providerId)
  const unpaid = live && books.unpaidOne(live)
  const running = offered && (books.purchaseOf(userId, offered.providerId) ?? (live && books.moneySagaOf(live)))
  const verdict = judgePurchase({
    command: message.body,
    current,
    offered,
    live,
    busy: running !== undefined && running.id !== unpaid?.id,
    unpaid: unpaid !== undefined,
    erased: books.isErased(userId),
    unendedTerms: live ? books.unendedTerms(live.id, start).length : 0,
    at: start,
  })
  if (typeof verdict === 'object') {
    const rests = { subscriptionId: live?.id ?? null, subscriptionVersion: live?.version ?? null }
    const owed = verdict.refused === 'insufficient_credits' && unpaid ? owedBy(unpaid.memory) : {}
    return [purchaseRefused({ userId, operationId, planId }, { reason: verdict.refused, ...rests, ...owed })]
  }
  const order: Order = { message, offered: offered as PlanVersion, at, start }
  return verdict === 'activation' ? activate(books, order) : extend(books, order, live as Subscription)
}

/** Money that covers the due term recovers it by itself (EXT-5). */
const owedBy = ({ term, available, accountVersion }: RenewalMemory) => ({
  required: term.amount,
  available,
  accountVersion,
})

const waiting = { due: null, end: null, grants: [], holds: 0, accountVersion: null, refusal: null }

const activate = (books: Books, { message, offered: plan, at, start }: Order): Saying[] => {
  const { userId, operationId } = message.body
  const { providerId, planId, price: amount } = plan
  const subscriptionId = subscriptionIdOf(operationId)
  const previousSubscriptionId = books.previous(userId, planId)
  const episode = begun({ id: subscriptionId, userId, plan, createdAt: at, start, previousSubscriptionId })
  const endsAt = episode.currentPeriodEnd
  const term = termOf({ subscriptionId, boundary: start, endsAt, kind: 'activation', amount })
  const description = describeTerm(plan.name, term)
  const memory: ActivationMemory = {
    messageId: message.id,
    operationId,
    term,
    description,
    episode,
    key: null,
    ...waiting,
  }
  return begin(books, { kind: 'activation', id: operationId, userId, providerId, subscriptionId, memory }, at)
}

/** One period of today's version: its price, its length (CAT-5). */
const extend = (books: Books, { message, offered, at }: Order, live: Subscription): Saying[] => {
  const { userId, operationId, planId, planVersion } = message.body
  const { id: subscriptionId, providerId, currentPeriodEnd: boundary, canceledIn: clears } = live
  const { periodUnit, periodCount, price: amount, name } = offered
  const period = { periodUnit, periodCount }
  const { currentPeriodEnd: endsAt } = extended(live, period, clears)
  const term = termOf({ subscriptionId, boundary, endsAt, kind: 'extension', amount })
  const description = describeTerm(name, term)
  const bought = { planId, planVersion, term, description, period, clears, at }
  const memory: ExtensionMemory = { messageId: message.id, operationId, ...bought, ...waiting }
  return begin(books, { kind: 'extension', id: operationId, userId, providerId, subscriptionId, memory }, at)
}
