import { createHash } from 'node:crypto'
import type { Intent } from '@coding-plans/gateway/in-memory'
import { type Saying, say } from '@coding-plans/runtime'
import { microdollars, userId } from '@coding-plans/schemas'
import type { World } from './world.ts'

const DAY = 24 * 3_600_000

export const USERS = ['ada', 'bob', 'eve', 'kim']
export const PLANS = [
  { planId: 'acme-coding', providerId: 'acme', price: 20, unit: 'day', count: 3, graceHours: 24, revocation: 'manual' },
  { planId: 'acme-pro', providerId: 'acme', price: 45, unit: 'month', count: 1, graceHours: 0, revocation: 'never' },
  { planId: 'bolt-coding', providerId: 'bolt', price: 7, unit: 'day', count: 2, graceHours: 48, revocation: 'never' },
  { planId: 'bolt-free', providerId: 'bolt', price: 0, unit: 'day', count: 1, graceHours: 0, revocation: 'automatic' },
] as const

/** A sealed thing, opened by whoever looks (the inventory in memory keeps no secrets). */
const sealed = (text: string) => ({ sealingKeyId: 'open', sealed: Buffer.from(text) })

export type Request = Omit<Intent, 'key'>

/** What users and operators may ask, as the routes of the gateway would make it of their requests; null: it makes no sense now. */
export class Requests {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  get #random() {
    return this.#world.random
  }

  purchase(user: string, planId: string, horizon: number): Request {
    const command: Intent['command'] = ({ id, facts }) =>
      say('PurchasePlan', {
        userId: userId(user),
        operationId: id,
        planId,
        planVersion: facts?.planVersion ?? 0,
        knownSubscriptionId: facts?.knownSubscriptionId ?? null,
        knownEnd: facts?.knownEnd ?? null,
      })
    const purchase = { userId: user, planId, horizon }
    return { kind: 'purchase', caller: user, subject: user, purchase, command }
  }

  #live(user: string, providerId: string) {
    return this.#world.rooms.gateway.tables.subscriptions.where(
      (one) => one.userId === user && one.providerId === providerId && one.status !== 'ended',
    )[0]
  }

  /** By its own user or, now and then, by an operator. */
  cancel(user: string, providerId: string): Request | null {
    const live = this.#live(user, providerId)
    if (!live) return null
    const at = this.#random.pick(['period_end', 'period_end', 'now'] as const)
    const by = this.#random.chance(0.3) ? ('operator' as const) : ('user' as const)
    const caller = by === 'user' ? user : 'admin'
    const command = ({ id: operationId }: { id: string }) =>
      say('CancelSubscription', {
        ...{ userId: userId(user), operationId, subscriptionId: live.id, by, actor: caller, reason: null },
        at: by === 'user' ? at : 'period_end',
      })
    return { kind: 'cancel', caller, subject: user, about: user, command }
  }

  resume(user: string, providerId: string): Request | null {
    const live = this.#live(user, providerId)
    if (!live) return null
    const command = ({ id: operationId }: { id: string }) =>
      say('ResumeSubscription', { userId: userId(user), operationId, subscriptionId: live.id })
    return { kind: 'resume', caller: user, subject: user, command }
  }

  terminate(user: string, providerId: string): Request | null {
    const live = this.#live(user, providerId)
    if (!live) return null
    const refund = this.#random.pick(['none', 'prorated', 'full'] as const)
    const how = { subscriptionId: live.id, refund, cause: 'admin_terminated', actor: 'admin', reason: 'so' } as const
    const command = ({ id: operationId }: { id: string }) =>
      say('TerminateSubscription', { userId: userId(user), operationId, ...how })
    return { kind: 'terminate', caller: 'admin', subject: user, about: user, command }
  }

  grantDays(user: string, providerId: string): Request | null {
    const live = this.#live(user, providerId)
    if (!live) return null
    const how = { subscriptionId: live.id, days: this.#random.below(5) + 1, actor: 'admin', reason: 'sorry' }
    const command = ({ id: operationId }: { id: string }) =>
      say('GrantDays', { userId: userId(user), operationId, ...how })
    return { kind: 'grant_days', caller: 'admin', subject: user, about: user, command }
  }

  ownKey(user: string, providerId: string): Request {
    const key = `own-${user}-${providerId}-${this.#random.below(1_000)}`
    const command = ({ id: operationId }: { id: string }) =>
      say('PutOwnKey', { userId: userId(user), operationId, providerId, ...sealed(key) })
    return { kind: 'put_key', caller: user, subject: user, command }
  }

  deleteKey(user: string, providerId: string): Request {
    const [removes, enabled] = [this.#random.chance(0.6), this.#random.chance(0.5)]
    const command = ({ id: operationId }: { id: string }) =>
      removes
        ? say('DeleteOwnKey', { userId: userId(user), operationId, providerId })
        : say('EnableOwnKey', { userId: userId(user), operationId, providerId, enabled })
    return { kind: 'delete_key', caller: user, subject: user, command }
  }

  autoTopUp(user: string): Request {
    const enabled = this.#random.chance(0.75)
    const how = enabled
      ? { amount: microdollars(this.#random.below(40) + 1), paymentMethodId: 'pm' }
      : { amount: null, paymentMethodId: null }
    const command = ({ id: operationId }: { id: string }) =>
      say('SetAutoTopUp', { userId: userId(user), operationId, enabled, ...how })
    return { kind: 'set_auto_top_up', caller: user, subject: user, command }
  }

  wish(user: string, planId: string): Request {
    const asks = this.#random.chance(0.7)
    const command = ({ id: operationId }: { id: string }): Saying =>
      asks
        ? say('WishRestock', { planId, userId: userId(user), operationId })
        : say('WithdrawRestockWish', { planId, userId: userId(user), operationId })
    return { kind: asks ? 'wish_restock' : 'withdraw_wish', caller: user, subject: user, command }
  }

  delete(user: string): Request {
    const command = ({ id: operationId }: { id: string }) =>
      say('DeleteAccount', { userId: userId(user), operationId, actor: user })
    return { kind: 'delete_account', caller: user, subject: user, command }
  }

  credit(user: string, amount: number): Request | null {
    if (amount === 0) return null
    const creditKind = amount < 0 ? 'adjustment' : this.#random.pick(['grant', 'payment'] as const)
    const how = { amount: microdollars(amount), creditKind, reason: 'so', actor: 'admin' } as const
    const command = ({ id: operationId }: { id: string }) =>
      say('PostCredits', { userId: userId(user), operationId, ...how })
    return { kind: 'post_credits', caller: 'admin', subject: user, about: user, command }
  }

  upload(planId: string, count: number): Request {
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
    return { kind: 'upload_keys', caller: 'admin', subject: planId, command }
  }

  republish(): Request {
    const { planId, price } = this.#random.pick(PLANS)
    const saleState = this.#random.pick(['open', 'open', 'open', 'closed', 'hidden'] as const)
    return this.publish(planId, price === 0 ? 0 : price + this.#random.below(9) - 4, saleState)
  }

  publish(planId: string, price: number, saleState: 'open' | 'closed' | 'hidden'): Request {
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
    return { kind: 'publish_plan', caller: 'admin', subject: planId, command }
  }

  settleRevocation(): Request | null {
    const pending = this.#world.rooms.gateway.tables.stockKeys.where(({ state }) => state.startsWith('revocation'))
    if (pending.length === 0) return null
    const { keyId, planId } = this.#random.pick(pending)
    const outcome = this.#random.pick(['done', 'failed', 'requeue'] as const)
    const how = { keyId, outcome, reason: outcome === 'failed' ? 'the vendor is away' : null, actor: 'admin' }
    const command = ({ id: operationId }: { id: string }) => say('SettleRevocation', { planId, operationId, ...how })
    return { kind: 'settle_revocation', caller: 'admin', subject: planId, command }
  }

  tick(): Request {
    const command = ({ id: operationId }: { id: string }) =>
      say('RunBillingTick', { clock: 'clock', operationId, waitMilliseconds: 10_000 })
    return { kind: 'billing_tick', caller: 'admin', subject: 'clock', command }
  }
  /** The operator moves the test clock; in system mode time passes by itself. */
  advance(hours: number, outage: boolean): Request {
    const command = ({ id: operationId }: { id: string }) =>
      say('AdvanceClock', { clock: 'clock', operationId, to: null, by: `PT${hours}H`, actor: 'admin', outage })
    return { kind: 'advance_clock', caller: 'admin', subject: 'clock', command }
  }
}
