import { type Saying, say } from '@coding-plans/runtime'
import type { Instant, UserId } from '@coding-plans/schemas'
import type { PlanVersion } from './domain/plan.ts'
import { type Subscription, topUpFor } from './domain/subscription.ts'
import type { Term } from './domain/term.ts'
import { type Stock, type Wish, withdrawn } from './domain/wish.ts'
import { Rows } from './rows.ts'
import type { ErasureMemory, MoneyMemory, RenewalMemory, Saga } from './sagas/saga.ts'

/** A user who tried to buy. Its row is the lock under which everything of that user changes. */
export interface Buyer {
  readonly userId: UserId
  /** The latest business time that this user's messages have reached. */
  readonly reached: Instant
  /** The tombstone: nothing begins any more for who is deleted (GDP-1). */
  readonly erasedAt: Instant | null
}

/** What a round has before it. */
export interface Contents {
  /** Operations that were asked for before. */
  readonly operations?: readonly string[]
  readonly versions?: readonly PlanVersion[]
  readonly buyers?: readonly Buyer[]
  readonly subscriptions?: readonly Subscription[]
  readonly terms?: readonly Term[]
  readonly sagas?: readonly Saga[]
  /** The last episode of a user and plan. */
  readonly episodes?: readonly Pick<Subscription, 'id' | 'userId' | 'planId'>[]
  readonly wishes?: readonly Wish[]
  readonly stocks?: readonly Stock[]
  readonly wallClock: Instant
}

/** The plan can be bought again. */
export interface Restock {
  readonly planId: string
  readonly notice: number
  readonly at: Instant
}

const wishKey = ({ userId, planId }: Pick<Wish, 'userId' | 'planId'>) => `${userId}|${planId}`
const versionKey = ({ planId, version }: Pick<PlanVersion, 'planId' | 'version'>) => `${planId}|${version}`
const MONEY: ReadonlySet<Saga['kind']> = new Set(['activation', 'extension', 'renewal'])
const UNPAID: ReadonlySet<string> = new Set(['holding', 'toppingUp', 'pastDue', 'failing'])

/** Everything the messages of a round need, read beforehand, and what their decisions made of it. */
export class Books {
  readonly operations: Rows<{ readonly operationId: string }>
  readonly versions: Rows<PlanVersion>
  readonly buyers: Rows<Buyer>
  readonly subscriptions: Rows<Subscription>
  readonly terms: Rows<Term>
  readonly sagas: Rows<Saga>
  readonly wishes: Rows<Wish>
  readonly stocks: Rows<Stock>
  /** Restocks of this round, of which all are to be told who wished before it. */
  readonly restocks: Restock[] = []
  /** For what is tried again after a while; business time never comes from here. */
  readonly wallClock: Instant
  readonly #episodes = new Map<string, string>()

  constructor(contents: Contents) {
    const operations = (contents.operations ?? []).map((operationId) => ({ operationId }))
    this.operations = new Rows(operations, ({ operationId }) => operationId)
    this.versions = new Rows(contents.versions ?? [], versionKey, ({ planId }) => planId)
    this.buyers = new Rows(contents.buyers ?? [], ({ userId }) => userId)
    this.subscriptions = new Rows(
      contents.subscriptions ?? [],
      ({ id }) => id,
      ({ userId }) => userId,
    )
    this.terms = new Rows(
      contents.terms ?? [],
      ({ subscriptionId, boundary }) => `${subscriptionId}|${boundary}`,
      ({ subscriptionId }) => subscriptionId,
    )
    this.sagas = new Rows(
      contents.sagas ?? [],
      ({ id }) => id,
      ({ userId }) => userId,
    )
    this.wishes = new Rows(contents.wishes ?? [], wishKey, ({ planId }) => planId)
    this.stocks = new Rows(contents.stocks ?? [], ({ planId }) => planId)
    for (const { userId, planId, id } of contents.episodes ?? []) this.#episodes.set(`${userId}|${planId}`, id)
    this.wallClock = contents.wallClock
  }

  /** Notes that an operation was asked for. false: it was before, and this is a copy (IDE-4). */
  note(operationId: string): boolean {
    if (this.operations.get(operationId)) return false
    this.operations.put({ operationId })
    return true
  }

  /** An older stamp is lifted to what this user's messages have reached (protocol.md 7). */
  reach(userId: string, time: Instant): Instant {
    const buyer = this.buyers.get(userId)
    if (!buyer || time <= buyer.reached) return buyer?.reached ?? time
    this.buyers.put({ ...buyer, reached: time })
    return time
  }

  isErased(userId: UserId): boolean {
    return (this.buyers.get(userId)?.erasedAt ?? null) !== null
  }

  /** The plan as it is on sale. */
  currentVersion(planId: string): PlanVersion | undefined {
    return this.versions
      .of(planId)
      .reduce<PlanVersion | undefined>(
        (newest, version) => (newest && newest.version > version.version ? newest : version),
        undefined,
      )
  }

  version(planId: string, version: number): PlanVersion | undefined {
    return this.versions.get(versionKey({ planId, version }))
  }

  /** The one that is not ended, of this user and provider (SUB-6). */
  live(userId: UserId, providerId: string): Subscription | undefined {
    return this.subscriptions
      .of(userId)
      .find((subscription) => subscription.providerId === providerId && subscription.status !== 'ended')
  }

  /** The last episode of the same plan. */
  previous(userId: UserId, planId: string): string | null {
    return this.#episodes.get(`${userId}|${planId}`) ?? null
  }

  /** A new episode begins. */
  open(episode: Subscription) {
    this.subscriptions.put(episode)
    this.#episodes.set(`${episode.userId}|${episode.planId}`, episode.id)
  }

  subscription(id: string): Subscription {
    const subscription = this.subscriptions.get(id)
    if (!subscription) throw new Error(`There is no subscription ${id}.`)
    return subscription
  }

  /** The purchase that runs for this user and provider. */
  purchaseOf(userId: UserId, providerId: string): Saga | undefined {
    return this.#running(userId).find((saga) => saga.providerId === providerId && saga.kind !== 'renewal')
  }

  /** What runs to pay for a term of this subscription: at most one. */
  moneySagaOf({ id, userId }: Pick<Subscription, 'id' | 'userId'>): Saga<MoneyMemory> | undefined {
    return this.#running(userId).find(({ subscriptionId }) => subscriptionId === id) as Saga<MoneyMemory> | undefined
  }

  /** What runs of a user, of any kind. */
  runningOf(userId: UserId): Saga[] {
    return this.sagas.of(userId).filter(({ running }) => running)
  }

  #running(userId: UserId) {
    return this.runningOf(userId).filter(({ kind }) => MONEY.has(kind))
  }

  /** Due terms that are not known to be paid, in the order they are judged in (LED-3, REN-6). */
  unpaidOf(userId: UserId): Saga<RenewalMemory>[] {
    const renewals = this.#running(userId).filter(({ kind, state }) => kind === 'renewal' && UNPAID.has(state))
    return (renewals as Saga<RenewalMemory>[]).toSorted(
      (a, b) =>
        a.memory.dueBoundary - b.memory.dueBoundary ||
        this.subscription(a.subscriptionId).createdAt - this.subscription(b.subscriptionId).createdAt ||
        (a.subscriptionId < b.subscriptionId ? -1 : 1),
    )
  }

  /** The renewal of it that was declined and waits for money. */
  unpaidOne({ id, userId }: Pick<Subscription, 'id' | 'userId'>): Saga<RenewalMemory> | undefined {
    return this.unpaidOf(userId).find(
      ({ subscriptionId, memory }) => subscriptionId === id && memory.available !== null,
    )
  }

  /** A due term of it was declined, be it that its renewal failed and is yet to begin again. */
  isUnpaid(subscription: Subscription): boolean {
    return topUpFor(subscription, subscription.currentPeriodEnd) !== null || this.unpaidOne(subscription) !== undefined
  }

  erasureOf(userId: UserId): Saga<ErasureMemory> | undefined {
    return this.sagas.of(userId).find(({ kind }) => kind === 'erasure') as Saga<ErasureMemory> | undefined
  }

  /** Terms that are not over, the running one included; granted days are none that was bought (EXT-2). */
  unendedTerms(subscriptionId: string, at: Instant): Term[] {
    return this.terms.of(subscriptionId).filter(({ endsAt, kind }) => endsAt > at && kind !== 'grant')
  }

  wish(userId: UserId, planId: string): Wish | undefined {
    return this.wishes.get(wishKey({ userId, planId }))
  }

  /** What this user wishes, of what was read. */
  wishesOf(userId: UserId): Wish[] {
    return [...this.wishes].filter((wish) => wish.userId === userId && wish.wished)
  }

  /** No longer; by whom it was asked for, or because it was bought or its user is deleted. */
  withdraw(wish: Wish, operationId: string | null): Saying {
    const next = withdrawn(wish)
    this.wishes.put(next)
    const { planId, userId, version } = next
    return say('RestockWishWithdrawn', { planId, userId, operationId, version })
  }
}
