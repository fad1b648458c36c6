import { createHash } from 'node:crypto'
import type pg from 'pg'
import { type Db, insertInto, inTransaction, type Refusal, statement } from './database.ts'
import { type Account, charge, lockAccount, newId, openAccount } from './ledger.ts'
import {
  boundaryAfter,
  type Charge,
  chargeOf,
  insertCharge,
  iso,
  type Subscription,
  showCharge,
  showSubscription,
  type Terms,
  tell,
} from './subscription.ts'

export interface Purchase {
  readonly userId: string
  readonly planId: string
  readonly idempotencyKey: string
  readonly now: number
}

/** What is answered, as it is kept. */
export interface Purchased {
  readonly operationId: string
  readonly body: string
  readonly replayed: boolean
}

interface Offer extends Terms {
  readonly version: number
  readonly name: string
  readonly sale_state: string
  readonly live_subscription_id: string | null
  readonly slot: 'none' | 'user' | 'plan' | null
  readonly previous_subscription_id: string | null
}

const no = (status: number, code: string, title: string): Refusal => ({ status, code, title })
const notFound = no(404, 'not_found', 'Not found')
const closed = no(409, 'plan_closed', 'The plan is closed')
const subscribed = no(409, 'already_subscribed', 'Already subscribed')
const occupied = no(409, 'slot_occupied', 'The slot is occupied')
const soldOut = no(409, 'sold_out', 'Sold out')
const reused = no(409, 'idempotency_key_reused', 'The Idempotency-Key belongs to another request')

// An equal request that is under way is waited for here. If it is refused its key is gone, and this one takes it.
const takeKey = statement<{ operation_id: string }>(
  'take_key',
  `insert into idempotency_keys (scope, request, operation_id) values ($1, $2, $3)
   on conflict do nothing returning operation_id`,
)

const readKept = statement<{ id: string; request: Buffer; answer: string }>(
  'read_kept',
  `select o.id, k.request, o.answer::text as answer
   from idempotency_keys k join operations o on o.id = k.operation_id where k.scope = $1`,
)

// Asked under the lock of the account, by a statement of its own: it sees what the buyer before it did.
const readOffer = statement<Offer>(
  'read_offer',
  `select v.*, s.id as live_subscription_id, l.managed_by as slot,
     (select e.id from subscriptions e where e.user_id = $2 and e.plan_id = $1
      order by e.created_at desc limit 1) as previous_subscription_id
   from plans p join plan_versions v using (plan_id, version)
   left join subscriptions s on s.user_id = $2 and s.provider_id = v.provider_id and s.status <> 'ended'
   left join slots l on l.user_id = $2 and l.provider_id = v.provider_id
   where p.plan_id = $1`,
)

// The oldest key that nobody else is just taking. Only a buyer whom nothing else can refuse comes here, so what is taken is sold.
const takeStock = statement<{ id: string; masked: string }>(
  'take_stock',
  `update keys set state = 'assigned', user_id = $2, subscription_id = $3, assigned_at = $4, ownership = $5, reveal = $6,
     upstream_revocation = $7
   where id = (
     select id from keys where plan_id = $1 and state = 'available' and (expires_at is null or expires_at > $4)
     order by sequence limit 1 for update skip locked)
   returning id, masked`,
)

const fillSlot = statement(
  'fill_slot',
  `insert into slots (user_id, provider_id, managed_by, subscription_id, key_id, enabled, masked, created_at, updated_at)
   values ($1, $2, 'plan', $3, $4, true, $5, $6, $6)
   on conflict (user_id, provider_id) do update set managed_by = 'plan', subscription_id = excluded.subscription_id,
     key_id = excluded.key_id, enabled = true, masked = excluded.masked, created_at = excluded.created_at,
     updated_at = excluded.updated_at, version = slots.version + 1`,
)

export const SUBSCRIPTION_COLUMNS = [
  'id',
  'user_id',
  'provider_id',
  'plan_id',
  'plan_version',
  'plan_name',
  'price',
  'period_unit',
  'period_count',
  'grace_hours',
  'max_prepaid_periods',
  'repurchase',
  'ownership',
  'reveal',
  'upstream_revocation',
  'low_stock_threshold',
  'status',
  'current_period_start',
  'current_period_end',
  'anchor',
  'anchor_periods',
  'previous_subscription_id',
  'created_at',
  'version',
] as const

const insertSubscription = insertInto<Subscription>('subscriptions', SUBSCRIPTION_COLUMNS)

const insertOperation = insertInto<Record<string, unknown>>('operations', [
  'id',
  'caller',
  'kind',
  'subject',
  'started_at',
  'answer',
  'finished_at',
])

const digest = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest()

/**
 * Money, key, slot and subscription in one transaction, or a refusal and nothing. A live subscription is never extended here:
 * what is measured is the first purchase.
 */
export const purchase = (pool: pg.Pool, asked: Purchase): Promise<Purchased | { refusal: Refusal }> =>
  inTransaction<Purchased | { refusal: Refusal }>(pool, async (tx) => {
    const { userId, planId, idempotencyKey, now } = asked
    const scope = digest([userId, 'purchase', idempotencyKey])
    const request = digest(['/v1/subscriptions', { planId }])
    const operationId = newId('op')
    const [fresh] = await takeKey(tx, scope, request, operationId)
    if (!fresh) return replay(tx, scope, request)

    const account = (await lockAccount(tx, userId))[0] ?? (await openAccount(tx, userId))[0]
    if (!account) throw new Error(`${userId} has no account.`)
    const [offer] = await readOffer(tx, planId, userId)
    if (!offer) return { refusal: notFound }
    if (offer.sale_state !== 'open') return { refusal: closed }
    if (offer.live_subscription_id) return { refusal: subscribed }
    const { price, provider_id } = offer
    if (account.available < price) return { refusal: tooLittle(price, account.available) }
    if (offer.slot === 'user') return { refusal: occupied }

    const subscription = begin(offer, userId, now)
    const { id, ownership, reveal, upstream_revocation } = subscription
    const [key] = await takeStock(tx, planId, userId, id, now, ownership, reveal, upstream_revocation)
    if (!key) return { refusal: soldOut }
    await insertSubscription(tx, subscription)
    await fillSlot(tx, userId, provider_id, id, key.id, key.masked, now)
    const paid = price > 0 ? await pay(tx, account, { subscription, operationId }) : null
    const currentPeriodEnd = iso(subscription.current_period_end)
    await tell(tx, subscription, 'activated', now, { priceMicrodollars: price, currentPeriodEnd })

    const shown = { subscription: showSubscription(subscription), charge: paid && showCharge(paid) }
    const body = JSON.stringify({ operationId, kind: 'activation', ...shown })
    const who = { id: operationId, caller: userId, kind: 'purchase', subject: userId }
    await insertOperation(tx, { ...who, answer: body, started_at: now, finished_at: now })
    return { operationId, body, replayed: false }
  })

type Bought = { readonly subscription: Subscription; readonly operationId: string }

const pay = async (tx: Db, account: Account, { subscription, operationId }: Bought): Promise<Charge> => {
  const paid = chargeOf(subscription, 'activation', subscription.created_at)
  const { id: charge_id, subscription_id, boundary, amount, at, description } = paid
  const why = { subscription_id, operation_id: operationId, charge_id, boundary, description, cause: operationId }
  await charge(tx, account, { ...why, amount, at })
  await insertCharge(tx, paid)
  return paid
}

const replay = async (tx: Db, scope: Buffer, request: Buffer) => {
  const [kept] = await readKept(tx, scope)
  if (!kept?.request.equals(request)) return { refusal: reused }
  return { operationId: kept.id, body: kept.answer, replayed: true }
}

const tooLittle = (required: number, available: number): Refusal => ({
  ...no(402, 'insufficient_credits', 'Not enough credits'),
  amounts: { requiredMicrodollars: required, availableMicrodollars: available },
})

/** A new life, on the plan's terms of today. */
const begin = (offer: Offer, userId: string, now: number): Subscription => ({
  ...offer,
  id: newId('sub'),
  user_id: userId,
  plan_version: offer.version,
  plan_name: offer.name,
  status: 'active',
  current_period_start: now,
  current_period_end: boundaryAfter(now, offer, 1),
  anchor: now,
  anchor_periods: 1,
  canceled_at: null,
  access_until: null,
  grace_ends_at: null,
  end_reason: null,
  ended_at: null,
  created_at: now,
  version: 1,
})
