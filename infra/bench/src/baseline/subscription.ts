import { createHash } from 'node:crypto'
import { type Db, insertInto } from './database.ts'
import { newId } from './ledger.ts'

export interface Period {
  readonly period_unit: 'day' | 'month'
  readonly period_count: number
}

/** What a plan sells, and what its subscription copies. */
export interface Terms extends Period {
  readonly plan_id: string
  readonly provider_id: string
  readonly price: number
  readonly grace_hours: number
  readonly max_prepaid_periods: number
  readonly repurchase: string
  readonly ownership: string
  readonly reveal: boolean
  readonly upstream_revocation: string
  readonly low_stock_threshold: number
}

export interface Subscription extends Terms {
  readonly id: string
  readonly user_id: string
  readonly plan_version: number
  readonly plan_name: string
  readonly status: 'active' | 'past_due' | 'ended'
  readonly current_period_start: number
  readonly current_period_end: number
  readonly anchor: number
  readonly anchor_periods: number
  readonly canceled_at: number | null
  readonly access_until: number | null
  readonly grace_ends_at: number | null
  readonly end_reason: string | null
  readonly ended_at: number | null
  readonly previous_subscription_id: string | null
  readonly created_at: number
  readonly version: number
}

const DAY = 86_400_000

/** So many periods after the anchor; the last day of a month that has no such day. Counted from the anchor, or the 31st would stay clamped. */
export const boundaryAfter = (anchor: number, { period_unit, period_count }: Period, periods: number): number => {
  if (period_unit === 'day') return anchor + periods * period_count * DAY
  const from = new Date(anchor)
  const [year, month] = [from.getUTCFullYear(), from.getUTCMonth() + periods * period_count]
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  return Date.UTC(year, month, Math.min(from.getUTCDate(), lastDay)) + (((anchor % DAY) + DAY) % DAY)
}

export const iso = (at: number) => new Date(at).toISOString()
const isoOrNull = (at: number | null) => (at === null ? null : iso(at))

/** As the contract shows it. */
export const showSubscription = (row: Subscription) => ({
  id: row.id,
  userId: row.user_id,
  planId: row.plan_id,
  planName: row.plan_name,
  providerId: row.provider_id,
  status: row.status,
  cancelAtPeriodEnd: row.canceled_at !== null,
  priceMicrodollars: row.price,
  period: { unit: row.period_unit, count: row.period_count },
  currentPeriodStart: iso(row.current_period_start),
  currentPeriodEnd: iso(row.current_period_end),
  accessUntil: iso(row.access_until ?? row.grace_ends_at ?? row.current_period_end),
  renewsAt: row.status === 'active' && row.canceled_at === null ? iso(row.current_period_end) : null,
  graceEndsAt: row.status === 'past_due' ? isoOrNull(row.grace_ends_at) : null,
  endedAt: isoOrNull(row.ended_at),
  endReason: row.end_reason,
  previousSubscriptionId: row.previous_subscription_id,
  createdAt: iso(row.created_at),
})

export interface Charge {
  readonly id: string
  readonly subscription_id: string
  readonly boundary: number
  readonly ends_at: number
  readonly kind: 'activation' | 'renewal'
  readonly amount: number
  readonly at: number
  readonly description: string
}

/** The charge of the term that the subscription is in. One subscription and boundary have one id, whoever asks. */
export const chargeOf = (subscription: Subscription, kind: Charge['kind'], at: number): Charge => {
  const { id, plan_name, price: amount, current_period_start: boundary, current_period_end: ends_at } = subscription
  const natural = createHash('sha256')
    .update(`${id}|${iso(boundary)}`)
    .digest('hex')
    .slice(0, 32)
  const description = `${plan_name}, ${iso(boundary)} to ${iso(ends_at)}`
  return { id: `chg_${natural}`, subscription_id: id, boundary, ends_at, kind, amount, at, description }
}

export const showCharge = ({ id, kind, amount, boundary, ends_at, at, description }: Charge) => ({
  id,
  kind,
  amountMicrodollars: amount,
  periodStart: iso(boundary),
  periodEnd: iso(ends_at),
  at: iso(at),
  description,
})

export const CHARGE_COLUMNS = [
  'id',
  'subscription_id',
  'boundary',
  'ends_at',
  'kind',
  'amount',
  'at',
  'description',
] as const

export const insertCharge = insertInto<Charge>('charges', CHARGE_COLUMNS)

type Row = Record<string, unknown>
const insertNotification = insertInto<Row>('notifications', [
  'id',
  'user_id',
  'at',
  'kind',
  'subscription_id',
  'plan_id',
  'data',
])
const insertEvent = insertInto<Row>('events', ['name', 'user_id', 'subscription_id', 'at', 'body'])

/** Tells the user, and by an event everybody else. */
export const tell = async (tx: Db, row: Subscription, kind: string, at: number, data: object): Promise<void> => {
  const { id: subscription_id, user_id, plan_id } = row
  await insertNotification(tx, { id: newId('ntf'), user_id, at, kind, subscription_id, plan_id, data })
  const body = { planId: plan_id, providerId: row.provider_id, priceMicrodollars: row.price, ...data }
  await insertEvent(tx, { name: `subscription.${kind}`, user_id, subscription_id, at, body })
}
