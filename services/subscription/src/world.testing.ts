import { type Message, type Saying, say } from '@coding-plans/runtime'
import { message } from '@coding-plans/runtime/testing'
import { type Bodies, type Instant, instant, type MessageName, routes, userId } from '@coding-plans/schemas'
import { at, publishBody } from './bodies.testing.ts'
import { Books } from './books.ts'
import type { FixedPrices } from './domain/fixed-prices.ts'
import type { Subscription } from './domain/subscription.ts'
import { decide } from './handlers.ts'
import { InventoryModel, LedgerModel } from './participants.testing.ts'
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
])

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
  /** Commands that could not be handled, to be given to their queue once more. */
  readonly dead: { readonly queue: Queue; readonly message: Message }[] = []
  /** Due messages that nobody answered yet, by subscription. */
  readonly unanswered = new Map<string, Bodies['PeriodEnded'] & { messageId: string }>()
  now: Instant = at(0)
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
    this.#assertAlone()
    return said
  }

  /** What the database's unique indexes say. */
  #assertAlone() {
    const running = [...this.books.sagas].filter(({ running, kind }) => running && kind !== 'end')
    const purchases = running.filter(({ kind }) => kind !== 'renewal')
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
    if (
      (name === 'DueIgnored' || name === 'SubscriptionRenewed') &&
      (body as Bodies['DueIgnored']).boundary === due?.boundary
    )
      this.unanswered.delete(subscriptionId)
    if (name === 'CommandFailed')
      for (const [id, { messageId }] of this.unanswered)
        if (messageId === (body as Bodies['CommandFailed']).messageId) this.unanswered.delete(id)
  }

  /** The next message of a queue is handled; `fails`: as nonsense, by whom it is for. */
  step(queue: Queue, fails = false) {
    const next = this.queues[queue].shift()
    if (!next) return
    if (queue === 'subscription') return void this.tell(next)
    if (fails) this.dead.push({ queue, message: next })
    const model = queue === 'ledger' ? this.ledger : this.inventory
    const said = fails ? [failureOf(next)] : model.handle(next)
    for (const { name, body } of said)
      this.queues.subscription.push(message(name, body, { time: next.time, correlationId: next.correlationId }))
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

  purchase({ user = 'ada', plan = 'acme-coding', version, known, operationId, waited = 0 }: Asked = {}) {
    const offered = this.books.currentVersion(plan)
    const live = known === undefined ? this.live(user, offered?.providerId) : known
    const id = operationId ?? `op_${++this.#operations}`
    if (!this.books.buyers.get(user)) this.books.buyers.put({ userId: userId(user), reached: instant(0) })
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
  due(subscription: Subscription) {
    const { id: subscriptionId, currentPeriodEnd: boundary, userId: owner } = subscription
    this.now = instant(Math.max(this.now, boundary))
    const body = { userId: owner, subscriptionId, boundary, asOf: boundary }
    const said = message('PeriodEnded', body, { time: boundary })
    this.unanswered.set(subscriptionId, { ...body, messageId: said.id })
    return this.tell(said)
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
