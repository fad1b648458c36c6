import {
  execute,
  insertRows,
  laneOf,
  type Message,
  type Parts,
  select,
  type Tx,
  updateRows,
  upsertRows,
} from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import { Books, type Buyer } from './books.ts'
import type { PlanVersion } from './domain/plan.ts'
import type { Subscription } from './domain/subscription.ts'
import type { Term } from './domain/term.ts'
import type { Stock, Wish } from './domain/wish.ts'
import { KEPT_BY_SAGAS, KEPT_BY_SUBSCRIPTIONS, without } from './kept-columns.ts'
import { type Needs, needsOf, needsOfSagas } from './needs.ts'
import type { Saga } from './sagas/saga.ts'
import { type Notice, saveWishes, takeNotices } from './wish-store.ts'

/** What the service asks of its store. `store.memory.ts` keeps the same in maps, for the simulator. */
export interface Store {
  load(tx: Tx, messages: readonly Message[], wallClock: Instant): Promise<Books>
  save(tx: Tx, books: Books): Promise<void>
  takeRetries(tx: Tx, lanes: readonly number[], wallClock: Instant, most: number): Promise<Saga[]>
  takeNotices(tx: Tx, lanes: readonly number[], most: number): Promise<Notice[]>
}

/** Locks the users of these messages, in sorted order, then the plans to be published; reads what the decisions need. */
export const loadBooks = async (tx: Tx, messages: readonly Message[], wallClock: Instant): Promise<Books> => {
  const needs = needsOf(messages)
  const [buyers, sagas, operations, episodes, versions, stocks] = await Promise.all([
    lockBuyers(tx, needs),
    findSagas(tx, needs),
    findOperations(tx, needs.operationIds),
    findEpisodes(tx, needs),
    findVersions(tx, needs),
    findStocks(tx, needs),
  ])
  const [subscriptions, terms, wishes] = await Promise.all([
    findSubscriptions(tx, needs, sagas),
    findTerms(tx, needs, sagas),
    lockWishes(tx, needs, sagas),
  ])
  return new Books({
    ...{ buyers, sagas, subscriptions, operations, terms, episodes, versions, stocks, wishes, wallClock },
  })
}

/** A plan gets a new version, wishes and restocks under the lock of its row. */
const lockBuyers = async (tx: Tx, { known, keys, lockedPlans }: Needs) => {
  const made =
    known.length > 0 &&
    execute(tx, 'insert into buyers (user_id) select unnest(?::text[]) on conflict do nothing', [known])
  const locked = select<Buyer>(
    tx,
    'select user_id, reached, erased_at from buyers where user_id = any(?) order by user_id for update',
    [keys],
  )
  const plans =
    lockedPlans.length > 0 &&
    execute(tx, 'select from plans where plan_id = any(?) order by plan_id for update', [lockedPlans])
  const [buyers] = await Promise.all([locked, made, plans])
  return buyers
}

const SAGA_COLUMNS = 'id, kind, user_id, provider_id, subscription_id, state, memory, running, failures, retry_at, at'

const findSagas = async (tx: Tx, { sagaIds, keys, deleted }: Needs) => {
  const condition = 'id = any(?) or (running and user_id = any(?))'
  const again = `select ${SAGA_COLUMNS} from sagas where kind = 'erasure' and not running and user_id = any(?)`
  const found = await Promise.all([
    select<Saga>(tx, `select ${SAGA_COLUMNS} from sagas where ${condition}`, [sagaIds, keys]),
    deleted.length === 0 ? [] : select<Saga>(tx, again, [deleted]),
  ])
  return found.flat()
}

const findSubscriptions = (tx: Tx, { subscriptionIds, keys }: Needs, sagas: readonly Saga[]) => {
  const ids = [...subscriptionIds, ...sagas.map(({ subscriptionId }) => subscriptionId)]
  const condition = `id = any(?) or (status <> 'ended' and user_id = any(?))`
  return select<Subscription>(tx, `select * from subscriptions where ${condition}`, [ids, keys])
}

const findOperations = async (tx: Tx, operationIds: readonly string[]) => {
  if (operationIds.length === 0) return []
  const condition = 'operation_id = any(?)'
  const rows = await select<{ operationId: string }>(tx, `select operation_id from operations where ${condition}`, [
    operationIds,
  ])
  return rows.map(({ operationId }) => operationId)
}

const findVersions = async (tx: Tx, { plans, offers }: Needs) => {
  if (plans.length === 0) return []
  return select<PlanVersion>(
    tx,
    `select v.* from plan_versions v join plans p using (plan_id)
     where p.plan_id = any(?) and (v.version = p.version
       or (v.plan_id, v.version) in (select * from unnest(?::text[], ?::int[])))`,
    [plans, offers.map(({ planId }) => planId), offers.map(({ planVersion }) => planVersion)],
  )
}

const findStocks = async (tx: Tx, { lockedPlans }: Needs) =>
  lockedPlans.length === 0
    ? []
    : select<Stock>(tx, 'select * from stocks where plan_id = any(?)', [lockedPlans as string[]])

const WISH_COLUMNS = 'user_id, plan_id, wished, version, asked_at, notice, notice_at'

/** The wishes that are asked for or withdrawn, those of who is buying the plan, and all of who is being deleted. */
const lockWishes = async (tx: Tx, { wishes }: Needs, sagas: readonly Saga[]) => {
  const { bought, erased } = needsOfSagas(sagas)
  const named = [...wishes, ...bought]
  const [plans, users] = [named.map(({ planId }) => planId), named.map(({ userId }) => userId)]
  if (named.length + erased.length === 0) return []
  return select<Wish>(
    tx,
    `select ${WISH_COLUMNS} from wishes
     where (plan_id = any(?) and user_id = any(?)
         and (user_id, plan_id) in (select * from unnest(?::text[], ?::text[])))
       or (wished and user_id = any(?))
     order by plan_id, user_id for update`,
    [plans, users, users, plans, erased],
  )
}

/** What was bought and is not over yet, of those who buy more, and of those whose end may give something back. */
const findTerms = async (tx: Tx, { buyers, terminated }: Needs, sagas: readonly Saga[]) => {
  const users = [...buyers, ...terminated, ...needsOfSagas(sagas).refunded]
  if (users.length === 0) return []
  return select<Term>(
    tx,
    `select t.* from terms t join subscriptions s on s.id = t.subscription_id
     where s.user_id = any(?) and s.status <> 'ended' and t.ends_at > s.current_period_start`,
    [users],
  )
}

/** The buyers' last episodes: those that no other points back to. */
const findEpisodes = async (tx: Tx, { buyers, purchases }: Needs) => {
  if (buyers.length === 0) return []
  return select<Pick<Subscription, 'id' | 'userId' | 'planId'>>(
    tx,
    `select id, user_id, plan_id from subscriptions s
     where (user_id, plan_id) in (select * from unnest(?::text[], ?::text[]))
       and not exists (select from subscriptions later where later.previous_subscription_id = s.id)`,
    [purchases.map(({ userId }) => userId), purchases.map(({ planId }) => planId)],
  )
}

/** Writes what the round changed: a statement per table and kind of change. What is over goes first, for the unique constraints. */
export const saveBooks = async (tx: Tx, books: Books): Promise<void> => {
  const { operations, versions, buyers, subscriptions, terms, sagas } = books
  await Promise.all([
    saveOperations(tx, operations.added),
    saveVersions(tx, versions.added),
    updateRows(tx, 'buyers', ['userId'], buyers.changed),
    updateRows(tx, 'subscriptions', ['id'], without(KEPT_BY_SUBSCRIPTIONS, subscriptions.changed)),
    insertRows(tx, 'subscriptions', subscriptions.added),
    insertRows(tx, 'terms', terms.added),
    updateRows(tx, 'sagas', ['id'], without(KEPT_BY_SAGAS, sagas.changed)),
    insertRows(
      tx,
      'sagas',
      sagas.added.map((saga) => ({ ...saga, lane: laneOf(saga.userId) })),
    ),
    saveWishes(tx, books),
  ])
}

// Longer than commands are kept (7 days), so that none can come again that is not known.
const OPERATIONS_ARE_KEPT_FOR = '8 days'
const MOST_FORGOTTEN_AT_ONCE = 1_000

const saveOperations = async (tx: Tx, added: readonly { operationId: string }[]) => {
  if (added.length === 0) return
  await insertRows(tx, 'operations', added)
  await execute(
    tx,
    `delete from operations where operation_id in (
       select operation_id from operations where asked_at < now() - interval '${OPERATIONS_ARE_KEPT_FOR}'
       order by asked_at limit ${MOST_FORGOTTEN_AT_ONCE} for update skip locked)`,
  )
}

/** New versions, oldest first; the last of a plan is the one on sale. */
export const saveVersions = async (tx: Tx, added: readonly PlanVersion[]) => {
  await insertRows(tx, 'plan_versions', added)
  const onSale = new Map(added.map(({ planId, version }) => [planId, { planId, version }]))
  await upsertRows(tx, 'plans', ['planId'], [...onSale.values()])
}

/** Every plan as it is on sale, locked. */
export const lockCatalogue = async (tx: Tx): Promise<PlanVersion[]> => {
  await execute(tx, 'select from plans order by plan_id for update')
  return select<PlanVersion>(tx, 'select v.* from plan_versions v join plans p using (plan_id, version)')
}

/** The latest business time that any user's message has reached. */
export const findReached = async (tx: Tx): Promise<number> => {
  const rows = await select<{ reached: number | null }>(tx, 'select max(reached) as reached from buyers')
  return rows[0]?.reached ?? 0
}

/** Steps that wait to be said again, and restocks that are yet to be told. */
export const countOwed = async (knex: Parts['knex']): Promise<number> => {
  const [row] = await select<{ count: number }>(
    knex,
    `select (select count(*) from sagas where retry_at is not null)::int
       + (select count(*) from wishes where notice is not null)::int as count`,
  )
  return row?.count ?? 0
}

/** Sagas of these lanes whose step is to be said again by now; each is given once. */
export const takeRetries = (tx: Tx, lanes: readonly number[], wallClock: Instant, most: number): Promise<Saga[]> =>
  select<Saga>(
    tx,
    `update sagas set retry_at = null
     where id in (select id from sagas where retry_at <= ? and lane = any(?) order by retry_at limit ? for update)
     returning ${SAGA_COLUMNS}`,
    [wallClock, lanes, most],
  )

export const sqlStore: Store = { load: loadBooks, save: saveBooks, takeRetries, takeNotices }
