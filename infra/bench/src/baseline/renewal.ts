import type pg from 'pg'
import { type Db, inTransaction, statement } from './database.ts'
import { charge, lockAccount } from './ledger.ts'
import { boundaryAfter, chargeOf, insertCharge, iso, type Subscription, tell } from './subscription.ts'

/** What came of a tick. `failed`: left as they were, for the next one. */
export interface Tally {
  renewed: number
  pastDue: number
  ended: number
  failed: number
}

interface Due {
  readonly id: string
  readonly user_id: string
  readonly current_period_end: number
  readonly created_at: number
}

const PAGE = 1_000
const HOUR = 3_600_000

const dueAfter = statement<Due>(
  'due_after',
  `select id, user_id, current_period_end, created_at from subscriptions
   where status <> 'ended' and canceled_at is null and current_period_end <= $1
     and (current_period_end, created_at, id) > ($2, $3, $4)
   order by current_period_end, created_at, id limit ${PAGE}`,
)

// Two ticks may meet here: the second finds it no longer due.
const lockDue = statement<Subscription>(
  'lock_due',
  `select * from subscriptions
   where id = $1 and status <> 'ended' and canceled_at is null and current_period_end <= $2 for update`,
)

const moveTerm = statement(
  'move_term',
  `update subscriptions set status = 'active', grace_ends_at = null, current_period_start = $2, current_period_end = $3,
     anchor_periods = $4, version = version + 1
   where id = $1`,
)

const markPastDue = statement(
  'mark_past_due',
  "update subscriptions set status = 'past_due', grace_ends_at = $2, version = version + 1 where id = $1",
)

const markEnded = statement(
  'mark_ended',
  `update subscriptions set status = 'ended', access_until = $2, ended_at = $2, end_reason = 'insufficient_credits',
     version = version + 1
   where id = $1`,
)

const emptySlot = statement(
  'empty_slot',
  `update slots set managed_by = 'none', subscription_id = null, key_id = null, enabled = false, masked = null,
     updated_at = $2, version = version + 1
   where subscription_id = $1`,
)

// What ends by `never` stays as evidence, erased; anything else waits to be revoked, and is still needed for that.
const endKey = statement(
  'end_key',
  `update keys set ended_at = $2,
     state = case upstream_revocation when 'never' then state else 'revocation_pending' end,
     ciphertext = case upstream_revocation when 'never' then null else ciphertext end,
     wrapped_key = case upstream_revocation when 'never' then null else wrapped_key end,
     wrapping_key_id = case upstream_revocation when 'never' then null else wrapping_key_id end
   where subscription_id = $1 and ended_at is null`,
)

/** The term that is due, in one transaction: paid, or past due, or the end; null: it is not due, or waits in its grace. */
const renew = (pool: pg.Pool, id: string, now: number): Promise<keyof Tally | null> =>
  inTransaction<keyof Tally | null>(pool, async (tx) => {
    const [subscription] = await lockDue(tx, id, now)
    if (!subscription) return null
    const { user_id, price, current_period_end: boundary, grace_hours } = subscription
    const [account] = await lockAccount(tx, user_id)
    if (!account) throw new Error(`${user_id} has no account.`)
    if (account.available < price) {
      const deadline = boundary + grace_hours * HOUR
      if (deadline <= now) return end(tx, subscription, deadline)
      if (subscription.status === 'past_due') return null
      await markPastDue(tx, id, deadline)
      const amounts = { requiredMicrodollars: price, availableMicrodollars: account.available }
      await tell(tx, subscription, 'past_due', boundary, { graceEndsAt: iso(deadline), ...amounts })
      return 'pastDue'
    }
    const next = nextTerm(subscription)
    if (price > 0) {
      const paid = chargeOf(next, 'renewal', boundary)
      const { id: charge_id, description } = paid
      const why = { subscription_id: id, charge_id, boundary, description, cause: charge_id }
      await charge(tx, account, { ...why, amount: price, at: boundary })
      await insertCharge(tx, paid)
    }
    await moveTerm(tx, id, boundary, next.current_period_end, next.anchor_periods)
    const kind = subscription.status === 'past_due' ? 'recovered' : 'renewed'
    const term = { currentPeriodStart: iso(boundary), currentPeriodEnd: iso(next.current_period_end) }
    await tell(tx, subscription, kind, boundary, { amountMicrodollars: price, ...term })
    return 'renewed'
  })

/** It begins at the boundary, whatever the time of processing; its end is counted from the anchor. */
const nextTerm = (subscription: Subscription): Subscription => {
  const { anchor, current_period_end: current_period_start } = subscription
  const anchor_periods = subscription.anchor_periods + 1
  const current_period_end = boundaryAfter(anchor, subscription, anchor_periods)
  return { ...subscription, current_period_start, current_period_end, anchor_periods }
}

const end = async (tx: Db, subscription: Subscription, at: number) => {
  const { id } = subscription
  await markEnded(tx, id, at)
  await emptySlot(tx, id, at)
  await endKey(tx, id, at)
  await tell(tx, subscription, 'ended', at, { endReason: 'insufficient_credits' })
  return 'ended' as const
}

/** One look at all that is due, by due time, then older first, page by page. */
const sweep = async (pool: pg.Pool, now: number, atOnce: number, tally: Tally): Promise<number> => {
  const before = tally.renewed
  let after: readonly unknown[] = [0, 0, '']
  for (;;) {
    const page = await dueAfter(pool, now, ...after)
    // What one user has is done in its order, each on what is left.
    const users = Map.groupBy(page, ({ user_id }) => user_id).values()
    const lane = async () => {
      for (const terms of users) for (const { id } of terms) await count(tally, renew(pool, id, now))
    }
    await Promise.all(Array.from({ length: atOnce }, lane))
    const last = page.at(-1)
    if (!last || page.length < PAGE) return tally.renewed - before
    after = [last.current_period_end, last.created_at, last.id]
  }
}

/** One that fails stops no other. */
const count = async (tally: Tally, outcome: Promise<keyof Tally | null>) => {
  const what = await outcome.catch(() => 'failed' as const)
  if (what) tally[what] += 1
}

/** Everything that is due at `now`, term after term, since a renewed one may be due again. */
export const tick = async (pool: pg.Pool, now: number, atOnce: number): Promise<Tally> => {
  const tally: Tally = { renewed: 0, pastDue: 0, ended: 0, failed: 0 }
  let renewed: number
  do renewed = await sweep(pool, now, atOnce, tally)
  while (renewed > 0)
  return tally
}
