import { createHash } from 'node:crypto'
import {
  type Intent,
  idempotencyKey,
  type OperationKind,
  type ShownOperation,
  type Verdict,
} from '@coding-plans/gateway/in-memory'
import { type Saying, say } from '@coding-plans/runtime'
import { microdollars, userId } from '@coding-plans/schemas'
import type { World } from './world.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const SECRET = Buffer.alloc(32)

export const USERS = ['ada', 'bob', 'eve', 'kim']
const PLANS = [
  { planId: 'acme-coding', providerId: 'acme', price: 20, unit: 'day', count: 3, graceHours: 24, revocation: 'manual' },
  { planId: 'acme-pro', providerId: 'acme', price: 45, unit: 'month', count: 1, graceHours: 0, revocation: 'never' },
  { planId: 'bolt-coding', providerId: 'bolt', price: 7, unit: 'day', count: 2, graceHours: 48, revocation: 'never' },
  { planId: 'bolt-free', providerId: 'bolt', price: 0, unit: 'day', count: 1, graceHours: 0, revocation: 'automatic' },
] as const

/** What somebody asked, and what they know of it. */
export interface Asked {
  readonly operationId: string
  readonly kind: OperationKind
  readonly caller: string
  readonly intent: Intent
  /** Wall clock. */
  readonly at: number
}

export interface Answered extends Asked {
  readonly answer: ShownOperation
}

/** A sealed thing, opened by whoever looks (the inventory in memory keeps no secrets). */
const sealed = (text: string) => ({ sealingKeyId: 'open', sealed: Buffer.from(text) })

/** Everybody outside: users and operators who do what the API allows, and remember what they were answered. */
export class People {
  readonly #world: World
  readonly #tell: (line: string) => void
  #asked = 0
  /** The highest answer number that anybody was shown (EXT-3). */
  #horizon = 0
  readonly waiting: Asked[] = []
  readonly answered: Answered[] = []
  readonly deleted = new Set<string>()
  /** What was said that must not be. */
  readonly complaints: string[] = []

  constructor(world: World, tell: (line: string) => void) {
    this.#world = world
    this.#tell = tell
  }

  /** Plans, stock and some credits: where every story begins. */
  async open() {
    for (const plan of PLANS) await this.#publish(plan.planId, plan.price, 'open')
    for (const { planId } of PLANS) await this.#upload(planId, 1 + this.#random.below(3))
    for (const user of USERS) await this.#credit(user, this.#random.below(60))
  }

  get #random() {
    return this.#world.random
  }

  /** Something that somebody does now. */
  async act() {
    const user = this.#random.pick(USERS)
    const { planId, providerId } = this.#random.pick(PLANS)
    await this.#random.weighted<() => Promise<unknown>>([
      [14, () => this.#purchase(user, planId)],
      [3, () => this.#clickTwice(user, planId)],
      [4, () => this.#again()],
      [4, () => this.#cancel(user, providerId)],
      [3, () => this.#resume(user, providerId)],
      [3, () => this.#ownKey(user, providerId)],
      [2, () => this.#deleteKey(user, providerId)],
      [7, () => this.#autoTopUp(user)],
      [2, () => this.#wish(user, planId)],
      [4, () => this.#credit(user, this.#random.below(40) + 1)],
      [1, () => this.#credit(user, -this.#random.below(30) - 1)],
      [3, () => this.#upload(planId, this.#random.below(2) + 1)],
      [1, () => this.#republish()],
      [2, () => this.#terminate(user, providerId)],
      [2, () => this.#grantDays(user, providerId)],
      [1, () => this.#settleRevocation()],
      [1, () => this.#tick()],
      [0.3, () => this.#delete(user)],
    ])()
  }

  /** Whoever waits looks whether there is an answer. */
  async look() {
    if (this.waiting.length === 0) return
    // One in ten is told "pending" instead: the wait is over.
    const expired = this.waiting.filter(() => this.#random.chance(0.02)).map(({ operationId }) => operationId)
    const { operations, horizon } = await this.#world.rooms.gateway.answers(
      this.waiting.map(({ operationId }) => operationId),
      expired,
    )
    this.#horizon = Math.max(this.#horizon, horizon)
    for (const answer of operations) if (answer.visible) this.#hear(answer)
  }

  #hear(answer: ShownOperation) {
    for (const asked of this.waiting.filter(({ operationId }) => operationId === answer.id)) {
      this.waiting.splice(this.waiting.indexOf(asked), 1)
      this.answered.push({ ...asked, answer })
      const code = answer.outcome === 'succeeded' ? '' : ` ${(answer.answer as { code?: string }).code}`
      this.#tell(`${asked.caller} is answered ${asked.kind}: ${answer.outcome}${code}`)
      if (asked.kind === 'delete_account' && answer.outcome === 'succeeded') this.deleted.add(asked.caller)
    }
  }

  // What can be done.

  async #ask(intent: Omit<Intent, 'key'>, key = `k${++this.#asked}`) {
    const { kind, caller, subject } = intent
    const path = `/${kind}/${subject}`
    const body = { kind, subject, purchase: intent.purchase?.planId }
    const asked = { ...intent, key: idempotencyKey(SECRET, { caller, operation: kind, key }, { path, body }) }
    return this.#accept(asked)
  }

  async #accept(intent: Intent) {
    const dies = () => this.#random.chance(0.03)
    const verdict = await this.#world.rooms.gateway.acceptor(this.#world.append(dies)).accept(intent)
    this.#note(intent, verdict)
    return verdict
  }

  #note(intent: Intent, verdict: Verdict) {
    const { kind, caller } = intent
    this.#tell(`${caller} asks ${kind} of ${intent.purchase?.planId ?? intent.subject}: ${verdict.verdict}`)
    if (!('operationId' in verdict) || verdict.verdict === 'seal') return
    const { operationId } = verdict
    const known = this.answered.find((one) => one.operationId === operationId)
    if (verdict.verdict === 'replayed' && known?.answer.outcome !== 'succeeded' && known)
      this.complaints.push(`IDE-2: ${operationId} is replayed though it was ${known.answer.outcome}`)
    const isLost = this.#random.chance(0.05)
    if (!known && !isLost) this.waiting.push({ operationId, kind, caller, intent, at: this.#world.now })
  }

  #purchase(user: string, planId: string) {
    const command: Intent['command'] = ({ id, facts }) =>
      say('PurchasePlan', {
        userId: userId(user),
        operationId: id,
        planId,
        planVersion: facts?.planVersion ?? 0,
        knownSubscriptionId: facts?.knownSubscriptionId ?? null,
        knownEnd: facts?.knownEnd ?? null,
      })
    const purchase = { userId: user, planId, horizon: this.#horizon }
    return this.#ask({ kind: 'purchase', caller: user, subject: user, purchase, command })
  }

  async #clickTwice(user: string, planId: string) {
    const clicks = this.#random.below(3) + 2
    for (let click = 0; click < clicks; click += 1) await this.#purchase(user, planId)
  }

  /** Something that was asked before, under the same key: after an answer, or without having heard one. */
  async #again() {
    const earlier = this.#random.chance(0.5) ? this.waiting : this.answered
    if (earlier.length === 0) return
    const { intent, operationId, caller } = this.#random.pick(earlier)
    const answer = this.answered.find((one) => one.operationId === operationId)?.answer
    const verdict = await this.#accept(intent)
    if (answer?.outcome !== 'succeeded' || this.deleted.has(caller)) return
    const isReplayed = verdict.verdict === 'replayed' && verdict.operationId === operationId
    if (!isReplayed && verdict.verdict !== 'deleted')
      this.complaints.push(`IDE-1: ${operationId} succeeded, and its key begins ${verdict.verdict}`)
  }

  #live(user: string, providerId: string) {
    return this.#world.rooms.gateway.tables.subscriptions.where(
      (one) => one.userId === user && one.providerId === providerId && one.status !== 'ended',
    )[0]
  }

  /** By its own user or, now and then, by an operator. */
  async #cancel(user: string, providerId: string) {
    const live = this.#live(user, providerId)
    if (!live) return
    const at = this.#random.pick(['period_end', 'period_end', 'now'] as const)
    const by = this.#random.chance(0.3) ? ('operator' as const) : ('user' as const)
    const caller = by === 'user' ? user : 'admin'
    const command = ({ id: operationId }: { id: string }) =>
      say('CancelSubscription', {
        ...{ userId: userId(user), operationId, subscriptionId: live.id, by, actor: caller, reason: null },
        at: by === 'user' ? at : 'period_end',
      })
    await this.#ask({ kind: 'cancel', caller, subject: user, about: user, command })
  }

  async #resume(user: string, providerId: string) {
    const live = this.#live(user, providerId)
    if (!live) return
    const command = ({ id: operationId }: { id: string }) =>
      say('ResumeSubscription', { userId: userId(user), operationId, subscriptionId: live.id })
    await this.#ask({ kind: 'resume', caller: user, subject: user, command })
  }

  async #terminate(user: string, providerId: string) {
    const live = this.#live(user, providerId)
    if (!live) return
    const refund = this.#random.pick(['none', 'prorated', 'full'] as const)
    const how = { subscriptionId: live.id, refund, cause: 'admin_terminated', actor: 'admin', reason: 'so' } as const
    const command = ({ id: operationId }: { id: string }) =>
      say('TerminateSubscription', { userId: userId(user), operationId, ...how })
    await this.#ask({ kind: 'terminate', caller: 'admin', subject: user, about: user, command })
  }

  async #grantDays(user: string, providerId: string) {
    const live = this.#live(user, providerId)
    if (!live) return
    const how = { subscriptionId: live.id, days: this.#random.below(5) + 1, actor: 'admin', reason: 'sorry' }
    const command = ({ id: operationId }: { id: string }) =>
      say('GrantDays', { userId: userId(user), operationId, ...how })
    await this.#ask({ kind: 'grant_days', caller: 'admin', subject: user, about: user, command })
  }

  #ownKey(user: string, providerId: string) {
    const key = `own-${user}-${providerId}-${this.#random.below(1_000)}`
    const command = ({ id: operationId }: { id: string }) =>
      say('PutOwnKey', { userId: userId(user), operationId, providerId, ...sealed(key) })
    return this.#ask({ kind: 'put_key', caller: user, subject: user, command })
  }

  #deleteKey(user: string, providerId: string) {
    const command = ({ id: operationId }: { id: string }) =>
      this.#random.chance(0.6)
        ? say('DeleteOwnKey', { userId: userId(user), operationId, providerId })
        : say('EnableOwnKey', { userId: userId(user), operationId, providerId, enabled: this.#random.chance(0.5) })
    return this.#ask({ kind: 'delete_key', caller: user, subject: user, command })
  }

  #autoTopUp(user: string) {
    const enabled = this.#random.chance(0.75)
    const how = enabled
      ? { amount: microdollars(this.#random.below(40) + 1), paymentMethodId: 'pm' }
      : { amount: null, paymentMethodId: null }
    const command = ({ id: operationId }: { id: string }) =>
      say('SetAutoTopUp', { userId: userId(user), operationId, enabled, ...how })
    return this.#ask({ kind: 'set_auto_top_up', caller: user, subject: user, command })
  }

  #wish(user: string, planId: string) {
    const asks = this.#random.chance(0.7)
    const command = ({ id: operationId }: { id: string }): Saying =>
      asks
        ? say('WishRestock', { planId, userId: userId(user), operationId })
        : say('WithdrawRestockWish', { planId, userId: userId(user), operationId })
    return this.#ask({ kind: asks ? 'wish_restock' : 'withdraw_wish', caller: user, subject: user, command })
  }

  #delete(user: string) {
    const command = ({ id: operationId }: { id: string }) =>
      say('DeleteAccount', { userId: userId(user), operationId, actor: user })
    return this.#ask({ kind: 'delete_account', caller: user, subject: user, command })
  }

  #credit(user: string, amount: number) {
    if (amount === 0) return Promise.resolve()
    const creditKind = amount < 0 ? 'adjustment' : this.#random.pick(['grant', 'payment'] as const)
    const how = { amount: microdollars(amount), creditKind, reason: 'so', actor: 'admin' } as const
    const command = ({ id: operationId }: { id: string }) =>
      say('PostCredits', { userId: userId(user), operationId, ...how })
    return this.#ask({ kind: 'post_credits', caller: 'admin', subject: user, about: user, command })
  }

  #upload(planId: string, count: number) {
    const plan = PLANS.find((one) => one.planId === planId) as (typeof PLANS)[number]
    const lines = Array.from({ length: count }, (_, place) => {
      const line = place + 1
      const key = `key-${createHash('sha256').update(String(this.#random.next())).digest('hex').slice(0, 12)}`
      const expiresAt = this.#random.chance(0.15)
        ? new Date(this.#world.now + this.#random.below(20) * DAY).toISOString()
        : null
      return expiresAt ? { line, key, expiresAt } : { line, key }
    })
    const command = ({ id: operationId }: { id: string }) =>
      say('UploadKeys', {
        ...{
          planId,
          operationId,
          providerId: plan.providerId,
          allOrNothing: false,
          lowStockThreshold: 1,
          actor: 'admin',
        },
        ...sealed(JSON.stringify(lines)),
      })
    return this.#ask({ kind: 'upload_keys', caller: 'admin', subject: planId, command })
  }

  #republish() {
    const { planId, price } = this.#random.pick(PLANS)
    const saleState = this.#random.pick(['open', 'open', 'open', 'closed', 'hidden'] as const)
    return this.#publish(planId, price === 0 ? 0 : price + this.#random.below(9) - 4, saleState)
  }

  #publish(planId: string, price: number, saleState: 'open' | 'closed' | 'hidden') {
    const plan = PLANS.find((one) => one.planId === planId) as (typeof PLANS)[number]
    const { providerId, unit: periodUnit, count: periodCount, graceHours, revocation: upstreamRevocation } = plan
    const words = { name: planId, providerName: providerId, features: [], models: [], position: 0 }
    const policy = { ownership: 'user', reveal: true, repurchase: 'extend', upstreamRevocation, saleState } as const
    const numbers = { price: microdollars(price), graceHours, maxPrepaidPeriods: 3, lowStockThreshold: 1 }
    const command = ({ id: operationId }: { id: string }) =>
      say('PublishPlan', {
        ...{ planId, operationId, actor: 'admin', providerId, periodUnit, periodCount },
        ...words,
        ...policy,
        ...numbers,
      })
    return this.#ask({ kind: 'publish_plan', caller: 'admin', subject: planId, command })
  }

  async #settleRevocation() {
    const pending = this.#world.rooms.gateway.tables.stockKeys.where(({ state }) => state.startsWith('revocation'))
    if (pending.length === 0) return
    const { keyId, planId } = this.#random.pick(pending)
    const outcome = this.#random.pick(['done', 'failed', 'requeue'] as const)
    const how = { keyId, outcome, reason: outcome === 'failed' ? 'the vendor is away' : null, actor: 'admin' }
    const command = ({ id: operationId }: { id: string }) => say('SettleRevocation', { planId, operationId, ...how })
    await this.#ask({ kind: 'settle_revocation', caller: 'admin', subject: planId, command })
  }

  #tick() {
    const command = ({ id: operationId }: { id: string }) =>
      say('RunBillingTick', { clock: 'clock', operationId, waitMilliseconds: 10_000 })
    return this.#ask({ kind: 'billing_tick', caller: 'admin', subject: 'clock', command })
  }

  /** The operator moves the test clock; in system mode time passes by itself. */
  advance(hours: number, outage: boolean) {
    const command = ({ id: operationId }: { id: string }) =>
      say('AdvanceClock', { clock: 'clock', operationId, to: null, by: `PT${hours}H`, actor: 'admin', outage })
    return this.#ask({ kind: 'advance_clock', caller: 'admin', subject: 'clock', command })
  }
}
