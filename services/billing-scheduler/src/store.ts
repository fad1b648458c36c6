import { execute, insertRows, type Message, select, type Tx, updateRows, upsertRows } from '@coding-plans/runtime'
import type { AdvanceClock, Instant, RunBillingTick } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import type { Agenda, Outcome, Tick } from './agenda.ts'
import type { Advance, Clock, ClockMode } from './domain/clock.ts'
import type { Term } from './domain/term.ts'

type On = Tx | Knex

/** What the service asks of its store. `store.memory.ts` keeps the same in maps, for the simulator. */
export interface Store {
  loadAgenda(tx: Tx, messages: readonly Message[], at: { wallClock: Instant }): Promise<Agenda>
  saveAgenda(tx: Tx, agenda: Agenda): Promise<void>
  takeDue(tx: Tx, lanes: readonly number[], up: Horizon): Promise<Term[]>
  hasUnanswered(tx: Tx, horizon: Instant): Promise<boolean>
  countUnanswered(on: On, horizon: Instant): Promise<number>
  findFurthestSaid(tx: Tx): Promise<Instant | null>
  readGeneration(tx: Tx): Promise<number>
  readClock(on: On): Promise<Clock>
  lockClock(tx: Tx): Promise<Clock>
  writeClock(tx: Tx, clock: Clock): Promise<unknown>
  findNextAdvance(tx: Tx): Promise<Advance | null>
  answerAdvance(tx: Tx, operationId: string, wallClock: Instant): Promise<void>
  findAnsweredTicks(tx: Tx, wallClock: Instant): Promise<AnsweredTick[]>
  answerTick(tx: Tx, operationId: string, wallClock: Instant): Promise<void>
}

/** Up to which instant terms are taken as due, and how many of them at once. */
export interface Horizon {
  readonly horizon: Instant
  readonly wallClock: Instant
  readonly most: number
}

/** Locks the terms that these messages are about. */
export const loadAgenda = async (
  tx: Tx,
  messages: readonly Message[],
  { wallClock }: { wallClock: Instant },
): Promise<Agenda> => {
  const subscriptions = messages.flatMap(({ body }) => ('subscriptionId' in body ? [body.subscriptionId] : []))
  const users = messages.flatMap(({ name, key }) => (name === 'CommandFailed' ? [key] : []))
  const operations = messages.flatMap(({ name, body }) =>
    name === 'AdvanceClock' || name === 'RunBillingTick' ? [(body as AdvanceClock | RunBillingTick).operationId] : [],
  )
  const locked = select<Term>(
    tx,
    `select * from terms where subscription_id = any(?) or (user_id = any(?) and state = 'said')
     order by subscription_id for update`,
    [subscriptions, users],
  )
  const asked =
    operations.length === 0
      ? []
      : select<Pick<Advance, 'operationId'>>(
          tx,
          `select operation_id from advances where operation_id = any(?)
           union all select operation_id from ticks where operation_id = any(?)`,
          [operations, operations],
        )
  const [terms, known] = await Promise.all([locked, asked])
  return {
    terms: new Map(terms.map((term) => [term.subscriptionId, term])),
    changed: new Set(),
    known: new Set(known.map(({ operationId }) => operationId)),
    requested: [],
    ticks: [],
    counted: new Map(),
    wallClock,
  }
}

export const saveAgenda = async (tx: Tx, { terms, changed, requested, ticks, counted }: Agenda) => {
  const rows = [...changed].map((id) => terms.get(id) as Term)
  await Promise.all([
    upsertRows(tx, 'terms', ['subscriptionId'], rows),
    insertRows(tx, 'advances', requested, 'on conflict do nothing'),
    insertRows(
      tx,
      'tallies',
      [...counted.values()],
      'on conflict (lane, outcome) do update set count = tallies.count + excluded.count',
    ),
    rows.length > 0 && raiseGeneration(tx),
  ])
  if (ticks.length > 0) await saveTicks(tx, ticks)
}

/**
 * Mark as said what is due in these lanes: of each user without an unanswered due, all that waits at that user's earliest
 * instant. In due order, older subscriptions first (LED-3).
 */
export const takeDue = async (
  tx: Tx,
  lanes: readonly number[],
  { horizon, wallClock, most }: Horizon,
): Promise<Term[]> => {
  const due = await select<Term>(
    tx,
    `with earliest as (
       select t.user_id, t.due from terms t
       where t.state = 'waiting' and t.due <= ? and t.lane = any(?) and (t.retry_at is null or t.retry_at <= ?)
         -- One look in an index for each of them; as "not exists" it is joined with all terms there are.
         and (select true from terms o where o.user_id = t.user_id and o.state in ('waiting', 'said')
             and (o.state = 'said' or o.due < t.due) limit 1) is null
       order by t.due, t.created_at, t.subscription_id
       limit ?
     ), said as (
       update terms t set state = 'said', retry_at = null
       from (select distinct user_id, due from earliest) e
       where t.user_id = e.user_id and t.due = e.due and t.state = 'waiting'
         and (t.retry_at is null or t.retry_at <= ?)
       returning t.*
     )
     select * from said order by due, created_at, subscription_id`,
    [horizon, lanes, wallClock, most, wallClock],
  )
  if (due.length > 0) await raiseGeneration(tx)
  return due
}

const UNANSWERED = `select from terms where state = 'said' union all select from terms where state = 'waiting' and due <= ?`

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
    `select max(due) as furthest from terms where state = 'said'`,
  )
  return rows[0]?.furthest ?? null
}

const raiseGeneration = (tx: Tx) => execute(tx, `select nextval('term_generation')`)

/** Another number whenever a term was said, answered or begun since. */
export const readGeneration = async (tx: Tx): Promise<number> => {
  const rows = await select<{ lastValue: number }>(tx, 'select last_value from term_generation')
  return rows[0]?.lastValue ?? 0
}

const CLOCK_COLUMNS = 'mode, now, version, operation_id, target, horizon, moved_at, outage'

/** The clock as it was made at the first start: then, and in that mode. */
export const makeClock = async (knex: Knex, mode: ClockMode, now: Instant): Promise<Clock> => {
  const still = { operationId: null, target: null, horizon: null, movedAt: null, outage: false }
  const first: Clock = { mode, now, version: 0, ...still }
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
    `select operation_id, to_instant, by_duration, actor, outage from advances
     where answered_at is null order by turn limit 1`,
  )
  return rows[0] ?? null
}

// A command topic is kept for 7 days; after that no copy can ask for the same advance again.
const ADVANCES_ARE_KEPT_MILLISECONDS = 8 * 86_400_000

/** Note the answer of an advance, and forget those that were answered long ago. */
export const answerAdvance = async (tx: Tx, operationId: string, wallClock: Instant) => {
  await updateRows(tx, 'advances', ['operationId'], [{ operationId, answeredAt: wallClock }])
  await execute(tx, 'delete from advances where answered_at < ?', [wallClock - ADVANCES_ARE_KEPT_MILLISECONDS])
}

export const OUTCOMES = [
  'renewed',
  'ended',
  'pastDue',
  'recovered',
  'topUps',
  'duplicates',
  'errors',
] as const satisfies Outcome[]
export type Counts = Record<Outcome, number>

export interface AnsweredTick {
  readonly operationId: string
  readonly asOf: Instant
  readonly counts: Counts
}

/** Each with what was counted before it. */
const saveTicks = async (tx: Tx, ticks: readonly Tick[]) => {
  const before = await readTallies(tx)
  await insertRows(
    tx,
    'ticks',
    ticks.map((tick) => ({ ...tick, before })),
    'on conflict do nothing',
  )
}

/** All lanes' together; they are kept apart so that lanes do not wait for one another. */
const readTallies = async (tx: Tx): Promise<Counts> => {
  const rows = await select<{ outcome: Outcome; count: number }>(
    tx,
    'select outcome, sum(count)::bigint as count from tallies group by outcome',
  )
  const counts = new Map(rows.map(({ outcome, count }) => [outcome, count]))
  return Object.fromEntries(OUTCOMES.map((outcome) => [outcome, counts.get(outcome) ?? 0])) as Counts
}

/**
 * Ticks up to whose instant nothing is unanswered, or whose wait is over, with what was counted since. In test mode that
 * instant is where the clock goes to: an advance that was asked for before is joined, also if it has not begun yet.
 */
export const findAnsweredTicks = async (tx: Tx, wallClock: Instant): Promise<AnsweredTick[]> => {
  const ticks = await select<{ operationId: string; asOf: Instant; before: Counts }>(
    tx,
    `select t.operation_id, up.at as as_of, t.before
     from ticks t cross join clock c cross join lateral (select coalesce(t.as_of, c.target, c.now) as at) up
     where t.answered_at is null and (t.wait_until <= ? or (
       (t.as_of is not null or not exists (
         select from advances a where a.answered_at is null and a.operation_id is distinct from c.operation_id))
       and not exists (select from terms where state in ('waiting', 'said') and due <= up.at)))`,
    [wallClock],
  )
  if (ticks.length === 0) return []
  const now = await readTallies(tx)
  return ticks.map(({ operationId, asOf, before }) => {
    const counts = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, now[outcome] - before[outcome]])) as Counts
    return { operationId, asOf, counts }
  })
}

// A tick that cannot be answered is not waited for by anybody for longer.
const TICKS_WAIT_MILLISECONDS = 3_600_000

/** Note the answer of a tick, and forget those that were answered long ago or in vain. */
export const answerTick = async (tx: Tx, operationId: string, wallClock: Instant) => {
  await updateRows(tx, 'ticks', ['operationId'], [{ operationId, answeredAt: wallClock }])
  await execute(tx, 'delete from ticks where answered_at < ? or (answered_at is null and asked_at < ?)', [
    wallClock - ADVANCES_ARE_KEPT_MILLISECONDS,
    wallClock - TICKS_WAIT_MILLISECONDS,
  ])
}

export const sqlStore: Store = {
  loadAgenda,
  saveAgenda,
  takeDue,
  hasUnanswered,
  countUnanswered,
  findFurthestSaid,
  readGeneration,
  readClock,
  lockClock,
  writeClock,
  findNextAdvance,
  answerAdvance,
  findAnsweredTicks,
  answerTick,
}
