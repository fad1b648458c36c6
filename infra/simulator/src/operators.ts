import { createHash } from 'node:crypto'
import { say } from '@coding-plans/runtime'
import { microdollars, userId } from '@coding-plans/schemas'
import { PLANS, type Plan, versionOf } from './plans.ts'
import { type Begun, deletionOf, oneOf, type Request, sealed } from './requests.ts'
import type { World } from './world.ts'

const DAY = 24 * 3_600_000
/** As many as an operator may give at once (EXT-6). */
const MOST_DAYS = 90

type SaleState = 'open' | 'closed' | 'hidden'

/** What operators may ask, as the routes of the gateway would make it of their requests; null: it makes no sense now. */
export class Operators {
  readonly #world: World
  readonly #uploaded: string[] = []

  constructor(world: World) {
    this.#world = world
  }

  get #random() {
    return this.#world.random
  }

  get #gateway() {
    return this.#world.rooms.gateway.tables
  }

  cancel(user: string, providerId: string): Request | null {
    const one = oneOf(this.#world, user, providerId)
    if (!one) return null
    const how = { subscriptionId: one.id, at: 'period_end', by: 'operator', actor: 'admin', reason: 'so' } as const
    const command = ({ id: operationId }: Begun) =>
      say('CancelSubscription', { userId: userId(user), operationId, ...how })
    return { kind: 'cancel', caller: 'admin', subject: user, about: user, command }
  }

  terminate(user: string, providerId: string): Request | null {
    const one = oneOf(this.#world, user, providerId)
    if (!one) return null
    const refund = this.#random.pick(['none', 'prorated', 'full'] as const)
    const cause = this.#random.pick(['admin_terminated', 'dispute'] as const)
    const how = { subscriptionId: one.id, refund, cause, actor: 'admin', reason: 'so' } as const
    const command = ({ id: operationId }: Begun) =>
      say('TerminateSubscription', { userId: userId(user), operationId, ...how })
    return { kind: 'terminate', caller: 'admin', subject: user, about: user, command }
  }

  grantDays(user: string, providerId: string): Request | null {
    const one = oneOf(this.#world, user, providerId)
    if (!one) return null
    // Mostly few, so that terms come due.
    const days = this.#random.below(this.#random.chance(0.7) ? 5 : MOST_DAYS) + 1
    const how = { subscriptionId: one.id, days, actor: 'admin', reason: 'sorry' }
    const command = ({ id: operationId }: Begun) => say('GrantDays', { userId: userId(user), operationId, ...how })
    return { kind: 'grant_days', caller: 'admin', subject: user, about: user, command }
  }

  delete(user: string): Request {
    return deletionOf(user, 'admin')
  }

  credit(user: string, amount: number): Request | null {
    if (amount === 0) return null
    const creditKind = amount < 0 ? 'adjustment' : this.#random.pick(['grant', 'payment', 'adjustment'] as const)
    const how = { amount: microdollars(amount), creditKind, reason: 'so', actor: 'admin' } as const
    const command = ({ id: operationId }: Begun) => say('PostCredits', { userId: userId(user), operationId, ...how })
    return { kind: 'post_credits', caller: 'admin', subject: user, about: user, command }
  }

  /** New keys; at times one that was there before, one that expires, one that is none. */
  upload(planId: string, count: number): Request | null {
    const plan = this.#gateway.plans.get(planId)
    if (!plan) return null
    const { providerId, lowStockThreshold } = plan
    const lines = Array.from({ length: count }, (_, place) => ({ line: place + 1, ...this.#line() }))
    const how = { providerId, lowStockThreshold, allOrNothing: this.#random.chance(0.3), actor: 'admin' }
    const command = ({ id: operationId }: Begun) =>
      say('UploadKeys', { planId, operationId, ...how, ...sealed(JSON.stringify(lines)) })
    return { kind: 'upload_keys', caller: 'admin', subject: planId, command }
  }

  #line(): { key: string; upstreamPlanId?: string; expiresAt?: string } {
    const random = this.#random
    if (random.chance(0.05)) return { key: ' ' }
    if (random.chance(0.05) && this.#uploaded.length > 0) return { key: random.pick(this.#uploaded) }
    const key = `key-${createHash('sha256').update(String(random.next())).digest('hex').slice(0, 12)}`
    this.#uploaded.push(key)
    const upstream = random.chance(0.2) ? { upstreamPlanId: 'pro' } : {}
    if (!random.chance(0.15)) return { key, ...upstream }
    const now = this.#gateway.clock.get('clock')?.now ?? this.#world.now
    return { key, ...upstream, expiresAt: new Date(now + random.below(20) * DAY).toISOString() }
  }

  republish(planId: string): Request {
    const saleState = this.#random.chance(0.8) ? 'open' : this.#random.pick(['closed', 'hidden'] as const)
    return this.publish(PLANS.find((one) => one.planId === planId) ?? this.#random.pick(PLANS), saleState)
  }

  publish(plan: Plan, saleState: SaleState): Request {
    const { planId } = plan
    const { price, ...version } = versionOf(plan, this.#random)
    // It is fixed once published: refused.
    const moved = this.#gateway.plans.get(planId) && this.#random.chance(0.03) ? { providerId: 'elsewhere' } : {}
    const how = { ...version, ...moved, price: microdollars(price), saleState, actor: 'admin' }
    const command = ({ id: operationId }: Begun) => say('PublishPlan', { operationId, ...how })
    return { kind: 'publish_plan', caller: 'admin', subject: planId, command }
  }

  settleRevocation(): Request | null {
    const pending = this.#gateway.stockKeys.where(({ state }) => state.startsWith('revocation'))
    if (pending.length === 0) return null
    const { keyId, planId } = this.#random.pick(pending)
    const outcome = this.#random.pick(['done', 'failed', 'requeue'] as const)
    const how = { keyId, outcome, reason: outcome === 'failed' ? 'the vendor is away' : null, actor: 'admin' }
    const command = ({ id: operationId }: Begun) => say('SettleRevocation', { planId, operationId, ...how })
    return { kind: 'settle_revocation', caller: 'admin', subject: planId, command }
  }

  tick(): Request {
    const command = ({ id: operationId }: Begun) =>
      say('RunBillingTick', { clock: 'clock', operationId, waitMilliseconds: 10_000 })
    return { kind: 'billing_tick', caller: 'admin', subject: 'clock', command }
  }

  /** Moves the test clock; in system mode time passes by itself. */
  advance(hours: number, outage: boolean): Request {
    const command = ({ id: operationId }: Begun) =>
      say('AdvanceClock', { clock: 'clock', operationId, to: null, by: `PT${hours}H`, actor: 'admin', outage })
    return { kind: 'advance_clock', caller: 'admin', subject: 'clock', command }
  }
}
