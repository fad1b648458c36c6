import { type Message, type Saying, say } from '@coding-plans/runtime'
import { message } from '@coding-plans/runtime/testing'
import {
  type Bodies,
  type Instant,
  instant,
  type MessageName,
  microdollars,
  routes,
  userId,
} from '@coding-plans/schemas'
import { at, publishBody } from './bodies.testing.ts'
import { Books } from './books.ts'
import type { FixedPrices } from './domain/fixed-prices.ts'
import type { Subscription } from './domain/subscription.ts'
import { decide } from './handlers.ts'
import { InventoryModel, LedgerModel, type Paying } from './participants.testing.ts'
import { stepAgain } from './sagas/engine.ts'

type Queue = 'ledger' | 'inventory' | 'subscription'
const OUTCOMES: ReadonlySet<MessageName> = new Set([
  'SubscriptionActivated',
  'SubscriptionExtended',
  'PurchaseRefused',
  'CancellationScheduled',
  'CancellationRefused',
  'CancellationUndone',
  'SubscriptionChangeRefused',
  'SubscriptionEnded',
  'DaysGranted',
  'RestockWished',
  'RestockWishWithdrawn',
  'RestockWishRefused',
  'AccountDeleted',
])

/** What a subscription waits for, as the scheduler has it. */
interface Wait {
  readonly what: 'grace_ended' | 'top_up_wait_ended'
  readonly boundary: Instant
  readonly deadline: Instant
}

interface Unanswered {
  readonly boundary: Instant
  readonly messageId: string
  readonly wait: Wait | null
}

interface Asked {
  readonly user?: string
  readonly plan?: string
  readonly version?: number
  readonly known?: Subscription | null
  readonly operationId?: string
  readonly waited?: number
}

/** The subscription service's decisions among models of ledger, inventory and scheduler; nothing moves unless it is asked to. */
export class World {
  readonly books = new Books({ wallClock: instant(0) })
  readonly ledger = new LedgerModel()
  readonly inventory = new InventoryModel()
  /** Everything the service said, and all it was told. */
  readonly said: Message[] = []
  readonly heard: Message[] = []
  readonly queues: Record<Queue, Message[]> = { ledger: [], inventory: [], subscription: [] }
  /** Messages that could not be handled, to be given to their queue once more. */
  readonly dead: { readonly queue: Queue; readonly message: Message }[] = []
  /** Due messages that nobody answered yet, by subscription. */
  readonly unanswered = new Map<string, Unanswered>()
  /** Unpaid terms that were given time, by subscription. */
  readonly waits = new Map<string, Wait>()
  /** Every top-up that was asked for a due term. */
  readonly topUpsByTerm = new Map<string, Set<string>>()
  now: Instant = at(0)
  /** What a due message said: one that failed is said again under another id. */
  readonly #dueOf = new Map<string, string>()
  readonly #decide
  #operations = 0

  constructor(prices: FixedPrices = new Map()) {
    this.#decide = decide(prices)
  }

  /** The service decides this message now. */
  tell<Name extends MessageName>(one: Message<Name>): Message[] {
    this.heard.push(one)
    const decideOne = this.#decide[one.name] as (books: Books, message: Message) => Saying[]
    const said = decideOne(this.books, one).map((saying) => this.#note(saying, one))
    for (const { name, body } of said)
      if (name === 'TopUpCredits') this.#noteTopUp((body as Bodies['TopUpCredits']).topUpId)
    this.#assertAlone()
    return said
  }

  #noteTopUp(asked: string) {
    for (const { id, topUp } of this.books.subscriptions) {
      if (topUp?.id !== asked) continue
      const term = `${id}|${topUp.boundary}`
      this.topUpsByTerm.set(term, (this.topUpsByTerm.get(term) ?? new Set()).add(asked))
    }
  }

  /** What the database's unique indexes say. */
  #assertAlone() {
    const running = [...this.books.sagas].filter(({ running, kind }) => running && kind !== 'end' && kind !== 'erasure')
    const purchases = running.filter(({ kind }) => kind === 'activation' || kind === 'extension')
    const places = purchases.map(({ userId, providerId }) => `${userId}|${providerId}`)
    const subscriptions = running.map(({ subscriptionId }) => subscriptionId)
    for (const keys of [places, subscriptions])
      if (new Set(keys).size < keys.length) throw new Error('Two sagas run where there may be one.')
  }

  #note(saying: Saying, cause?: Message): Message {
    const correlationId = saying.correlationId ?? cause?.correlationId ?? ''
    const time = saying.time ?? cause?.time ?? this.now
    const causationId = cause?.id ?? null
    const said = message(saying.name, saying.body, { time, correlationId, causationId, source: 'subscription' })
    this.said.push(said)
    const { owner, kind } = routes[said.name]
    if (kind === 'command') this.queues[owner === 'key-inventory' ? 'inventory' : 'ledger'].push(said)
    this.#answerDue(said)
    return said
  }

  #answerDue({ name, body }: Message) {
    const { subscriptionId } = body as { subscriptionId: string }
    const due = this.unanswered.get(subscriptionId)
    if (name === 'SubscriptionEnded') this.unanswered.delete(subscriptionId)
    if (OVER.has(name)) this.waits.delete(subscriptionId)
    if (ANSWERS.has(name) && (body as Bodies['DueIgnored']).boundary === due?.boundary)
      this.unanswered.delete(subscriptionId)
    if (name === 'SubscriptionPastDue') {
      const { boundary, graceEndsAt: deadline } = body as Bodies['SubscriptionPastDue']
      this.waits.set(subscriptionId, { what: 'grace_ended', boundary, deadline })
    }
    if (name === 'TopUpAwaited') {
      const { boundary, until: deadline } = body as Bodies['TopUpAwaited']
      this.waits.set(subscriptionId, { what: 'top_up_wait_ended', boundary, deadline })
    }
    if (name === 'CommandFailed')
      for (const [id, { messageId, wait }] of this.unanswered)
        if (this.#dueOf.get(messageId) === this.#dueOf.get((body as Bodies['CommandFailed']).messageId)) {
          this.unanswered.delete(id)
          if (wait) this.waits.set(id, wait)
        }
  }

  /** The next message of a queue is handled; `fails`: as nonsense, by whom it is for. */
  step(queue: Queue, fails = false) {
    const next = this.queues[queue].shift()
    if (!next) return
    if (queue === 'subscription' && fails && next.name !== 'CommandFailed') return this.#bury(next)
    if (queue === 'subscription') return void this.tell(next)
    if (fails) this.dead.push({ queue, message: next })
    const model = queue === 'ledger' ? this.ledger : this.inventory
    const said = fails ? [failureOf(next)] : model.handle(next)
    const how = { time: next.time, correlationId: next.correlationId, source: routes[next.name].owner }
    for (const { name, body } of said) this.queues.subscription.push(message(name, body, how))
  }

  /** The service itself cannot handle it: its saga is told at once. */
  #bury(next: Message) {
    this.dead.push({ queue: 'subscription', message: next })
    const { time, correlationId } = next
    const { body } = failureOf(next)
    this.tell(
      message('CommandFailed', body as Bodies['CommandFailed'], { time, correlationId, source: 'subscription' }),
    )
  }

  redrive(nth = 0) {
    const [letter] = this.dead.splice(nth % Math.max(1, this.dead.length), 1)
    if (letter) this.queues[letter.queue].push(letter.message)
  }

  /** Until nothing is under way; steps that failed are said again. */
  settle() {
    for (let steps = 0; steps < 10_000; steps += 1) {
      const queue = (['subscription', 'ledger', 'inventory'] as const).find((name) => this.queues[name].length > 0)
      if (queue) this.step(queue)
      else if (!this.retry()) return
    }
    throw new Error('The world does not come to rest.')
  }

  /** As the lane work does when the back-off is over. */
  retry(): boolean {
    const due = [...this.books.sagas].filter(({ retryAt }) => retryAt !== null)
    for (const saga of due) {
      this.books.sagas.put({ ...saga, retryAt: null })
      for (const saying of stepAgain(saga)) this.#note(saying)
    }
    return due.length > 0
  }

  publish(changes: Partial<Bodies['PublishPlan']> = {}) {
    return this.tell(message('PublishPlan', publishBody(changes), { time: this.now }))
  }

  /** Ada buys another plan, of a provider of its own; she is given just what it costs. */
  addPlan(plan: string, price: number, graceHours = 0) {
    this.publish({ planId: plan, providerId: plan, price: microdollars(price), graceHours })
    this.inventory.stock(plan, 1)
    this.ledger.post('ada', price)
    this.purchase({ plan })
    this.settle()
  }

  purchase({ user = 'ada', plan = 'acme-coding', version, known, operationId, waited = 0 }: Asked = {}) {
    const offered = this.books.currentVersion(plan)
    const live = known === undefined ? this.live(user, offered?.providerId) : known
    const id = operationId ?? `op_${++this.#operations}`
    if (!this.books.buyers.get(user)) this.books.buyers.put(newBuyer(user))
    const body = {
      userId: userId(user),
      operationId: id,
      planId: plan,
      planVersion: version ?? offered?.version ?? 1,
      knownSubscriptionId: live?.id ?? null,
      knownEnd: live?.currentPeriodEnd ?? null,
    }
    const asOf = instant(this.now + waited)
    this.tell(message('PurchasePlan', body, { time: this.now, asOf, correlationId: id }))
    return id
  }

  cancel(
    subscriptionId: string,
    when: 'period_end' | 'now' = 'period_end',
    how: { by?: 'user' | 'operator'; user?: string; time?: Instant } = {},
  ) {
    const operationId = `op_${++this.#operations}`
    const { by = 'user', user = 'ada', time = this.now } = how
    const body = { userId: userId(user), operationId, subscriptionId, at: when, by, actor: user, reason: null }
    this.tell(message('CancelSubscription', body, { time, correlationId: operationId }))
    return operationId
  }

  resume(subscriptionId: string, { user = 'ada', time = this.now }: { user?: string; time?: Instant } = {}) {
    const operationId = `op_${++this.#operations}`
    const body = { userId: userId(user), operationId, subscriptionId }
    this.tell(message('ResumeSubscription', body, { time, correlationId: operationId }))
    return operationId
  }

  /** The scheduler says that this subscription's term is over. */
  due(subscription: Subscription, asOf: Instant = subscription.currentPeriodEnd) {
    const { id: subscriptionId, currentPeriodEnd: boundary, userId: owner } = subscription
    this.now = instant(Math.max(this.now, boundary))
    const body = { userId: owner, subscriptionId, boundary, asOf: instant(Math.max(boundary, asOf)) }
    const said = message('PeriodEnded', body, { time: boundary })
    this.#dueOf.set(said.id, `${subscriptionId}|${boundary}`)
    this.unanswered.set(subscriptionId, { boundary, messageId: said.id, wait: null })
    return this.tell(said)
  }

  /** The scheduler says that the time is over which an unpaid term was given. */
  deadline(subscriptionId: string, late: Instant = instant(0)) {
    const wait = this.waits.get(subscriptionId)
    if (!wait) throw new Error(`Subscription ${subscriptionId} waits for nothing.`)
    const { what, boundary, deadline } = wait
    this.now = instant(Math.max(this.now, deadline))
    const body = {
      userId: this.books.subscription(subscriptionId).userId,
      subscriptionId,
      boundary,
      deadline,
      asOf: instant(Math.max(deadline, late)),
    }
    const said = message(what === 'grace_ended' ? 'GraceEnded' : 'TopUpWaitEnded', body, { time: deadline })
    this.waits.delete(subscriptionId)
    this.#dueOf.set(said.id, `${subscriptionId}|${boundary}|${what}|${deadline}`)
    this.unanswered.set(subscriptionId, { boundary, messageId: said.id, wait })
    return this.tell(said as Message)
  }

  /** Credits arrive, by an operator. */
  credit(user: string, amount: number) {
    this.ledger.post(user, amount)
    if (amount > 0) this.#toSubscription([this.ledger.increased(userId(user), 'grant')])
  }

  /** The automatic top-up is set, or switched off. */
  topUpBy(user: string, settings: { amount: number; paying: Paying } | null) {
    if (settings) this.ledger.autoTopUps.set(user, settings)
    else this.ledger.autoTopUps.delete(user)
    const amount = microdollars(settings?.amount ?? 0)
    const set = { userId: userId(user), operationId: 'op_set', enabled: settings !== null, amount, at: this.now }
    this.#toSubscription([say('AutoTopUpSet', { ...set, paymentMethodId: 'pm', version: 1 })])
  }

  /** The payment service says what became of a call that was given up. */
  settlePayment(nth = 0, paid = true) {
    const open = [...this.ledger.topUps].filter(([, { outcome }]) => outcome === 'unknown')
    const [id] = open[nth % Math.max(1, open.length)] ?? []
    if (id) this.#toSubscription(this.ledger.settleTopUp(id, paid))
    return id !== undefined
  }

  #toSubscription(said: readonly Saying[]) {
    for (const { name, body } of said)
      this.queues.subscription.push(message(name, body, { time: this.now, correlationId: 'op_elsewhere' }))
  }

  grant(subscriptionId: string, days: number, user = 'ada') {
    const operationId = `op_${++this.#operations}`
    const body = { userId: userId(user), operationId, subscriptionId, days, actor: 'admin-1', reason: 'sorry' }
    this.tell(message('GrantDays', body, { time: this.now, correlationId: operationId }))
    return operationId
  }

  terminate(subscriptionId: string, refund: 'none' | 'prorated' | 'full' = 'none', user = 'ada') {
    const operationId = `op_${++this.#operations}`
    const how = { refund, cause: 'admin_terminated', actor: 'admin-1', reason: 'asked for' } as const
    const body = { userId: userId(user), operationId, subscriptionId, ...how }
    this.tell(message('TerminateSubscription', body, { time: this.now, correlationId: operationId }))
    return operationId
  }

  erase(user = 'ada') {
    const operationId = `op_${++this.#operations}`
    if (!this.books.buyers.get(user)) this.books.buyers.put(newBuyer(user))
    const body = { userId: userId(user), operationId, actor: user }
    this.tell(message('DeleteAccount', body, { time: this.now, correlationId: operationId }))
    return operationId
  }

  wish(user = 'ada', plan = 'acme-coding', how: 'WishRestock' | 'WithdrawRestockWish' = 'WishRestock') {
    const operationId = `op_${++this.#operations}`
    const body = { planId: plan, userId: userId(user), operationId }
    this.tell(message(how, body, { time: this.now, correlationId: operationId }))
    return operationId
  }

  /** The inventory tells of a plan's stock. */
  stocked(available: number, version: number, plan = 'acme-coding') {
    const none = { quarantined: 0, assigned: 0, revocationPending: 0, revoked: 0, revocationFailed: 0, retired: 0 }
    const body = { planId: plan, providerId: 'acme', version, available, ...none, sellableUntil: null, keys: [] }
    this.tell(message('StockChanged', body, { time: this.now }))
  }

  live(user = 'ada', provider = 'acme') {
    return this.books.live(userId(user), provider)
  }

  /** The names of what was said for an operation or saga. */
  names(correlationId?: string) {
    return this.said.filter((one) => !correlationId || one.correlationId === correlationId).map(({ name }) => name)
  }

  last<Name extends MessageName>(name: Name): Bodies[Name] {
    const found = this.said.findLast((one) => one.name === name)
    if (!found) throw new Error(`${name} was not said; only ${this.names().join(', ')}.`)
    return found.body as Bodies[Name]
  }

  all<Name extends MessageName>(name: Name): Bodies[Name][] {
    return this.said.filter((one) => one.name === name).map(({ body }) => body as Bodies[Name])
  }

  /** What this operation was told, failures included. */
  outcomes(operationId: string) {
    return this.said.filter(({ name, body, correlationId }) => {
      if (name === 'CommandFailed') return correlationId === operationId
      return OUTCOMES.has(name) && (body as { operationId: string }).operationId === operationId
    })
  }
}

const newBuyer = (user: string) => ({ userId: userId(user), reached: instant(0), erasedAt: null })

/** What answers a due message of the same boundary, and what ends the time that an unpaid term was given. */
const ANSWERS: ReadonlySet<MessageName> = new Set([
  'DueIgnored',
  'SubscriptionRenewed',
  'SubscriptionPastDue',
  'TopUpAwaited',
])
const OVER: ReadonlySet<MessageName> = new Set(['SubscriptionRenewed', 'SubscriptionEnded', 'DaysGranted'])

export const failureOf = ({ id, key, name }: Message) =>
  say('CommandFailed', { subject: key, messageId: id, messageName: name, reason: 'a bug' })

/** A world where ada has credits and acme has keys. */
export const openWorld = (changes: Partial<Bodies['PublishPlan']> = {}, credits = 1_000) => {
  const world = new World()
  world.publish(changes)
  world.ledger.post('ada', credits)
  world.inventory.stock(changes.planId ?? 'acme-coding', 100)
  return world
}

/** The same with a subscription that lives. */
export const openLiveWorld = (changes: Partial<Bodies['PublishPlan']> = {}, credits = 1_000) => {
  const world = openWorld(changes, credits)
  world.purchase()
  world.settle()
  const subscription = world.live()
  if (!subscription) throw new Error('The purchase did not succeed.')
  return { world, subscription }
}
