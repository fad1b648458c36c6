import { laneOf, type Message } from '@coding-plans/runtime'
import { MemoryDatabase } from '@coding-plans/runtime/memory'
import type { Instant } from '@coding-plans/schemas'
import { Books, type Buyer } from './books.ts'
import type { PlanVersion } from './domain/plan.ts'
import type { Subscription } from './domain/subscription.ts'
import type { Term } from './domain/term.ts'
import type { Stock, Wish } from './domain/wish.ts'
import { KEPT_BY_SAGAS, KEPT_BY_SUBSCRIPTIONS, without } from './kept-columns.ts'
import { needsOf, needsOfSagas } from './needs.ts'
import type { Saga, SagaKind } from './sagas/saga.ts'
import type { Store } from './store.ts'
import type { Notice } from './wish-store.ts'

const PURCHASES: readonly SagaKind[] = ['activation', 'extension']
const MONEY: readonly SagaKind[] = [...PURCHASES, 'renewal']

const openTables = (database: MemoryDatabase) => ({
  operations: database.table<{ readonly operationId: string }>('operations', ({ operationId }) => operationId),
  versions: database.table<PlanVersion>('plan_versions', ({ planId, version }) => `${planId}|${version}`),
  /** Which version is on sale. */
  plans: database.table<Pick<PlanVersion, 'planId' | 'version'>>('plans', ({ planId }) => planId),
  buyers: database.table<Buyer>('buyers', ({ userId }) => userId),
  subscriptions: database.table<Subscription>('subscriptions', ({ id }) => id, {
    unique: {
      one_live_per_user_and_provider: ({ userId, providerId, status }) =>
        status === 'ended' ? null : `${userId}|${providerId}`,
      one_next_episode: ({ previousSubscriptionId }) => previousSubscriptionId,
    },
    check: {
      ended_whole: ({ status, endedAt, accessUntil }) =>
        (endedAt !== null) === (status === 'ended') && (endedAt === null || endedAt === accessUntil),
      ending_has_a_reason: ({ accessUntil, endReason }) => (accessUntil === null) === (endReason === null),
      past_due_has_a_deadline: ({ status, graceEndsAt }) =>
        status === 'ended' || (status === 'past_due') === (graceEndsAt !== null),
    },
  }),
  terms: database.table<Term>('terms', ({ subscriptionId, boundary }) => `${subscriptionId}|${boundary}`, {
    unique: { one_charge_each: ({ chargeId }) => chargeId },
    check: { a_paid_term_has_a_charge: ({ chargeId, amount }) => (chargeId === null) === (amount === 0) },
  }),
  sagas: database.table<Saga>('sagas', ({ id }) => id, {
    unique: {
      one_money_saga_per_subscription: ({ running, kind, subscriptionId }) =>
        running && MONEY.includes(kind) ? subscriptionId : null,
      one_purchase_per_user_and_provider: ({ running, kind, userId, providerId }) =>
        running && PURCHASES.includes(kind) ? `${userId}|${providerId}` : null,
      one_end_per_subscription: ({ kind, subscriptionId }) => (kind === 'end' ? subscriptionId : null),
      one_erasure_per_user: ({ kind, userId }) => (kind === 'erasure' ? userId : null),
    },
  }),
  stocks: database.table<Stock>('stocks', ({ planId }) => planId),
  wishes: database.table<Wish>('wishes', ({ userId, planId }) => `${userId}|${planId}`),
})

/** The subscription service's store without a database: what SQL reads, and no more. */
export const memoryStore = (database = new MemoryDatabase()) => {
  const tables = openTables(database)
  const { operations, versions, plans, buyers, subscriptions, terms, sagas, stocks, wishes } = tables

  const load = async (messages: readonly Message[], wallClock: Instant): Promise<Books> => {
    const needs = needsOf(messages)
    const isIn = (values: readonly string[]) => {
      const set = new Set(values)
      return (value: string) => set.has(value)
    }
    const [keyed, asked] = [isIn(needs.keys), isIn(needs.sagaIds)]
    const nobody = { reached: 0 as Instant, erasedAt: null }
    buyers.insert(
      needs.known.map((userId) => ({ userId: userId as Buyer['userId'], ...nobody })),
      { orNothing: true },
    )
    const deleted = isIn(needs.deleted)
    const loaded = sagas.where(
      ({ id, kind, running, userId }) => asked(id) || (running ? keyed(userId) : kind === 'erasure' && deleted(userId)),
    )
    const { bought, erased, refunded } = needsOfSagas(loaded)
    const named = isIn([...needs.subscriptionIds, ...loaded.map(({ subscriptionId }) => subscriptionId)])
    const paying = isIn([...needs.buyers, ...needs.terminated, ...refunded])
    const wishing = isIn([...needs.wishes, ...bought].map(({ userId, planId }) => `${userId}|${planId}`))
    const [sold, locked, erasing] = [isIn(needs.plans), isIn(needs.lockedPlans), isIn(erased)]
    const offered = isIn(needs.offers.map(({ planId, planVersion }) => `${planId}|${planVersion}`))
    const isPaidAhead = ({ subscriptionId, endsAt }: Term) => {
      const whose = subscriptions.get(subscriptionId)
      return !!whose && paying(whose.userId) && whose.status !== 'ended' && endsAt > whose.currentPeriodStart
    }
    const purchases = isIn(needs.purchases.map(({ userId, planId }) => `${userId}|${planId}`))
    const followed = isIn([...subscriptions].flatMap(({ previousSubscriptionId: id }) => id ?? []))
    return new Books({
      buyers: buyers.where(({ userId }) => keyed(userId)),
      sagas: loaded,
      subscriptions: subscriptions.where(
        ({ id, status, userId }) => named(id) || (status !== 'ended' && keyed(userId)),
      ),
      operations: needs.operationIds.filter((id) => operations.get(id)),
      terms: terms.where(isPaidAhead),
      episodes: subscriptions.where(({ id, userId, planId }) => purchases(`${userId}|${planId}`) && !followed(id)),
      versions: versions.where(
        ({ planId, version }) =>
          sold(planId) && (plans.get(planId)?.version === version || offered(`${planId}|${version}`)),
      ),
      stocks: stocks.where(({ planId }) => locked(planId)),
      wishes: wishes.where(
        ({ userId, planId, wished }) => wishing(`${userId}|${planId}`) || (wished && erasing(userId)),
      ),
      wallClock,
    })
  }

  const saveWishes = (books: Books) => {
    wishes.update(books.wishes.changed)
    wishes.insert(books.wishes.added)
    stocks.upsert([...books.stocks.changed, ...books.stocks.added])
    for (const { planId, notice, at: noticeAt } of books.restocks) {
      const decided = new Set(books.wishes.of(planId).map(({ userId }) => userId))
      const waiting = wishes.where(
        (wish) => wish.planId === planId && wish.wished && wish.notice === null && !decided.has(wish.userId),
      )
      wishes.update(waiting.map((wish) => ({ ...wish, notice, noticeAt })))
    }
  }

  const store: Store = {
    load: (_, messages, wallClock) => load(messages, wallClock),
    save: async (_, books) => {
      operations.insert(books.operations.added)
      versions.insert(books.versions.added)
      plans.upsert(books.versions.added.map(({ planId, version }) => ({ planId, version })))
      buyers.update(books.buyers.changed)
      subscriptions.update(without(KEPT_BY_SUBSCRIPTIONS, books.subscriptions.changed))
      subscriptions.insert(books.subscriptions.added)
      terms.insert(books.terms.added)
      sagas.update(without(KEPT_BY_SAGAS, books.sagas.changed))
      sagas.insert(books.sagas.added)
      saveWishes(books)
    },
    takeRetries: async (_, lanes, wallClock, most) => {
      const due = sagas
        .where(({ userId, retryAt }) => retryAt !== null && retryAt <= wallClock && lanes.includes(laneOf(userId)))
        .toSorted((a, b) => (a.retryAt as number) - (b.retryAt as number))
        .slice(0, most)
        .map((saga) => ({ ...saga, retryAt: null }))
      sagas.update(due)
      return due
    },
    takeNotices: async (_, lanes, most) => {
      const marked = wishes
        .where(({ planId, notice }) => notice !== null && lanes.includes(laneOf(planId)))
        .toSorted(
          (a, b) =>
            (a.noticeAt as number) - (b.noticeAt as number) ||
            (a.planId < b.planId ? -1 : a.planId > b.planId ? 1 : a.askedAt - b.askedAt),
        )
        .slice(0, most)
      wishes.update(marked.map((wish) => ({ ...wish, notice: null, noticeAt: null })))
      return marked as Notice[]
    },
  }
  return { database, tables, store }
}
