import { insertRows, type Message, select, type Tx, updateRows, upsertRows } from '@coding-plans/runtime'
import type { AdvanceClock, Instant } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import type { Agenda } from './agenda.ts'
import type { Advance, Clock, ClockMode } from './domain/clock.ts'
import type { Term } from './domain/term.ts'

/** Locks the terms that these messages are about. */
export const loadAgenda = async (tx: Tx, messages: readonly Message[], wallClock: Instant): Promise<Agenda> => {
  const subscriptions = messages.flatMap(({ body }) => ('subscriptionId' in body ? [body.subscriptionId] : []))
  const users = messages.flatMap(({ name, key }) => (name === 'CommandFailed' ? [key] : []))
  const operations = messages.flatMap(({ name, body }) =>
    name === 'AdvanceClock' ? [(body as AdvanceClock).operationId] : [],
  )
  const terms = await select<Term>(
    tx,
    `select * from terms where subscription_id = any(?) or (user_id = any(?) and state = 'said')
     order by subscription_id for update`,
    [subscriptions, users],
  )
  const known =
    operations.length === 0
      ? []
      : await select<Advance>(tx, 'select operation_id from advances where operation_id = any(?)', [operations])
  return {
    terms: new Map(terms.map((term) => [term.subscriptionId, term])),
    changed: new Set(),
    known: new Set(known.map(({ operationId }) => operationId)),
    requested: [],
    wallClock,
  }
}

export const saveAgenda = async (tx: Tx, { terms, changed, requested }: Agenda) => {
  const rows = [...changed].map((id) => terms.get(id) as Term)
  await upsertRows(tx, 'terms', ['subscriptionId'], rows)
  await insertRows(tx, 'advances', requested, 'on conflict do nothing')
  if (rows.length > 0) await raiseGeneration(tx)
}

/**
 * Mark as said what is due in these lanes: of each user without an unanswered due, all that waits at that user's earliest
 * instant. In due order, older subscriptions first (LED-3).
 */
export const takeDue = async (
  tx: Tx,
  lanes: readonly number[],
  { horizon, wallClock, most }: { horizon: Instant; wallClock: Instant; most: number },
): Promise<Term[]> => {
  const due = await select<Term>(
    tx,
    `with earliest as (
       select t.user_id, t.boundary from terms t
       where t.state = 'waiting' and t.boundary <= ? and t.lane = any(?) and (t.retry_at is null or t.retry_at <= ?)
         and not exists (
           select from terms o where o.user_id = t.user_id and o.state in ('waiting', 'said')
             and (o.state = 'said' or o.boundary < t.boundary))
       order by t.boundary, t.created_at, t.subscription_id
       limit ?
     ), said as (
       update terms t set state = 'said', retry_at = null
       from (select distinct user_id, boundary from earliest) e
       where t.user_id = e.user_id and t.boundary = e.boundary and t.state = 'waiting'
         and (t.retry_at is null or t.retry_at <= ?)
       returning t.*
     )
     select * from said order by boundary, created_at, subscription_id`,
    [horizon, lanes, wallClock, most, wallClock],
  )
  if (due.length > 0) await raiseGeneration(tx)
  return due
}

const UNANSWERED = `select from terms where state = 'said' union all select from terms where state = 'waiting' and boundary <= ?`

/** Whether a term is said and not answered, or due up to the horizon and not said. */
export const hasUnanswered = async (tx: Tx, horizon: Instant): Promise<boolean> => {
  const rows = await select<{ unanswered: boolean }>(tx, `select exists(${UNANSWERED}) as unanswered`, [horizon])
  return rows[0]?.unanswered === true
}

export const countUnanswered = async (tx: Tx | Knex, horizon: Instant): Promise<number> => {
  const rows = await select<{ unanswered: number }>(tx, `select count(*) as unanswered from (${UNANSWERED}) u`, [
    horizon,
  ])
  return rows[0]?.unanswered ?? 0
}

export const findFurthestSaid = async (tx: Tx): Promise<Instant | null> => {
  const rows = await select<{ furthest: Instant | null }>(
    tx,
    `select max(boundary) as furthest from terms where state = 'said'`,
  )
  return rows[0]?.furthest ?? null
}

const raiseGeneration = (tx: Tx) => tx.raw(`select nextval('term_generation')`)

/** Another number whenever a term was said, answered or begun since. */
export const readGeneration = async (tx: Tx): Promise<number> => {
  const rows = await select<{ lastValue: number }>(tx, 'select last_value from term_generation')
  return rows[0]?.lastValue ?? 0
}

const CLOCK_COLUMNS = 'mode, now, version, operation_id, target, horizon, moved_at'

/** The clock as it was made at the first start: then, and in that mode. */
export const makeClock = async (knex: Knex, mode: ClockMode, now: Instant): Promise<Clock> => {
  const first: Clock = { mode, now, version: 0, operationId: null, target: null, horizon: null, movedAt: null }
  await insertRows(knex, 'clock', [{ id: 'clock', ...first }], 'on conflict do nothing')
  return readClock(knex)
}

export const readClock = async (tx: Tx | Knex): Promise<Clock> => {
  const rows = await select<Clock>(tx, `select ${CLOCK_COLUMNS} from clock`)
  return rows[0] ?? noClock()
}

export const lockClock = async (tx: Tx): Promise<Clock> => {
  const rows = await select<Clock>(tx, `select ${CLOCK_COLUMNS} from clock for update`)
  return rows[0] ?? noClock()
}

const noClock = (): never => {
  throw new Error('The clock was not made.')
}

export const writeClock = (tx: Tx, clock: Clock) => updateRows(tx, 'clock', ['id'], [{ id: 'clock', ...clock }])

export const findNextAdvance = async (tx: Tx): Promise<Advance | null> => {
  const rows = await select<Advance>(
    tx,
    `select operation_id, to_instant, by_duration, actor from advances
     where answered_at is null order by turn limit 1`,
  )
  return rows[0] ?? null
}

// A command topic is kept for 7 days; after that no copy can ask for the same advance again.
const ADVANCES_ARE_KEPT_MILLISECONDS = 8 * 86_400_000

/** Note the answer of an advance, and forget those that were answered long ago. */
export const answerAdvance = async (tx: Tx, operationId: string, wallClock: Instant) => {
  await updateRows(tx, 'advances', ['operationId'], [{ operationId, answeredAt: wallClock }])
  await tx.raw('delete from advances where answered_at < ?', [wallClock - ADVANCES_ARE_KEPT_MILLISECONDS])
}
