import { execute, type Handler, insertRows, select, type Tx, updateRows, upsertRows } from '@coding-plans/runtime'
import { erased } from './domain/key.ts'
import type { Deleted, Inventory } from './inventory.ts'
import type { Needs, SlotNeed } from './needs.ts'
import { type Reads, readInventory } from './reads.ts'
import {
  type AnswerRow,
  answerOf,
  answerRow,
  changedKeyRow,
  type EntitlementRow,
  entitlementOf,
  entitlementRow,
  keyOf,
  newKeyRow,
  type SlotRow,
  type StockRow,
  slotOf,
  slotRow,
  stockOf,
  stockRow,
} from './rows.ts'
import { knownKeys, namedKeys, sellableKeys } from './store-keys.ts'
import { type Envelope, noEnvelope } from './vault.ts'

/** What the service asks of its store. `store.memory.ts` keeps the same in maps, for the simulator. */
export type Store = Pick<Handler<Inventory>, 'load' | 'save'>

const readsIn = (tx: Tx): Reads => ({
  lockStocks: async (needs) => (await lockStocks(tx, needs)).map(stockOf),
  lockSlots: async ({ slots, unlinked }) => (await lockSlots(tx, [...slots.values()], unlinked)).map(slotOf),
  lockEntitlements: async (userIds) => (await lockEntitlements(tx, userIds)).map(entitlementOf),
  namedKeys: async (needs) => (await namedKeys(tx, needs)).map(keyOf),
  knownKeys: (fingerprints, ids) => knownKeys(tx, fingerprints, ids),
  answers: async (operationIds) => (await answersTo(tx, operationIds)).map(answerOf),
  envelopes: (keyIds) => envelopesOf(tx, keyIds),
  tombstones: (userIds) => tombstonesOf(tx, userIds),
  sellableKeys: async (needs) => (await sellableKeys(tx, needs)).map(keyOf),
})

const lockStocks = async (tx: Tx, { stocks, subscriptionIds, unlinked, revokedPlans }: Needs) => {
  const needs = [...stocks.values()]
  const plans = needs.map(({ planId }) => planId)
  const made =
    plans.length > 0 &&
    execute(
      tx,
      `insert into stock (plan_id, provider_id)
       select * from unnest(?::text[], ?::text[]) as r(plan_id, provider_id) order by plan_id on conflict do nothing`,
      [plans, needs.map(({ providerId }) => providerId)],
    )
  const locked = select<StockRow>(
    tx,
    `select * from stock
     where plan_id = any(?::text[])
       or plan_id in (select plan_id from keys where subscription_id = any(?::text[]))
       or plan_id in (select plan_id from keys where user_id = any(?::text[]))
     order by plan_id for update`,
    [[...plans, ...revokedPlans], subscriptionIds, unlinked],
  )
  const [rows] = await Promise.all([locked, made])
  return rows
}

const lockSlots = async (tx: Tx, needs: readonly SlotNeed[], unlinked: readonly string[]) => {
  if (needs.length + unlinked.length === 0) return []
  const places = (slots: readonly SlotNeed[]) => [
    slots.map(({ userId }) => userId),
    slots.map(({ providerId }) => providerId),
  ]
  const filled = needs.filter(({ fills }) => fills)
  const made =
    filled.length > 0 &&
    execute(
      tx,
      `insert into slots (user_id, provider_id, created_at, updated_at)
       select user_id, provider_id, 0, 0 from unnest(?::text[], ?::text[]) as r(user_id, provider_id)
       order by user_id, provider_id on conflict do nothing`,
      places(filled),
    )
  const locked = select<SlotRow>(
    tx,
    // By the user first, which the key of the table begins with: the rest alone would look at every slot there is.
    `select s.* from slots s
     where s.user_id = any(?::text[])
       and ((user_id, provider_id) in (select * from unnest(?::text[], ?::text[])) or user_id = any(?::text[]))
     order by s.user_id, s.provider_id for update`,
    [[...needs.map(({ userId }) => userId), ...unlinked], ...places(needs), unlinked],
  )
  const [rows] = await Promise.all([locked, made])
  return rows
}

const lockEntitlements = async (tx: Tx, userIds: readonly string[]) => {
  if (userIds.length === 0) return []
  return select<EntitlementRow>(
    tx,
    'select * from entitlements where user_id = any(?::text[]) order by user_id, provider_id for update',
    [[...new Set(userIds)]],
  )
}

const answersTo = async (tx: Tx, operationIds: readonly string[]) => {
  if (operationIds.length === 0) return []
  const columns = 'operation_id, user_id, provider_id, name, body'
  return select<AnswerRow>(tx, `select ${columns} from answers where operation_id = any(?::text[])`, [operationIds])
}

const envelopesOf = async (tx: Tx, keyIds: readonly string[]): Promise<ReadonlyMap<string, Envelope>> => {
  if (keyIds.length === 0) return new Map()
  const rows = await select<Envelope & { id: string }>(
    tx,
    'select id, ciphertext, wrapped_key, wrapping_key_id from keys where id = any(?::text[]) and ciphertext is not null',
    [keyIds],
  )
  return new Map(rows.map(({ id, ...envelope }) => [id, envelope]))
}

const tombstonesOf = async (tx: Tx, userIds: readonly string[]) => {
  if (userIds.length === 0) return []
  return select<Deleted>(tx, 'select user_id, keys, slots, at from deleted_users where user_id = any(?::text[])', [
    [...new Set(userIds)],
  ])
}

/** Writes what the round changed, a statement per table and kind of change. */
const save = async (tx: Tx, inventory: Inventory): Promise<void> => {
  const shelves = [...inventory.shelves]
  const keys = shelves.flatMap(({ changed }) => [...changed.values()])
  const uploaded = keys.flatMap((key) => {
    const locked = inventory.newKeys.get(key.id)
    return locked ? [newKeyRow(key, locked)] : []
  })
  const older = keys.filter(({ id }) => !inventory.newKeys.has(id))
  const [evidence, kept] = [older.filter(erased), older.filter((key) => !erased(key))]
  await Promise.all([
    updateRows(
      tx,
      'stock',
      ['planId'],
      shelves.filter(({ touched }) => touched).map(({ stock }) => stockRow(stock)),
    ),
    insertRows(tx, 'keys', uploaded),
    updateRows(tx, 'keys', ['id'], kept.map(changedKeyRow)),
    updateRows(
      tx,
      'keys',
      ['id'],
      evidence.map((key) => ({ ...changedKeyRow(key), ...noEnvelope })),
    ),
    updateRows(tx, 'slots', ['userId', 'providerId'], [...inventory.changedSlots.values()].map(slotRow)),
    upsertRows(tx, 'entitlements', ['userId', 'providerId'], inventory.entitlements.changed.map(entitlementRow)),
    saveAnswers(tx, inventory),
  ])
  await forgetDeleted(tx, inventory)
}

/** A tombstone stays of a deleted user, and that nothing is left of their entitlements; nothing else. */
const forgetDeleted = async (tx: Tx, { newlyDeleted }: Inventory) => {
  if (newlyDeleted.length === 0) return
  const users = newlyDeleted.map(({ userId }) => userId)
  for (const table of ['slots', 'answers', 'reveals'])
    await execute(tx, `delete from ${table} where user_id = any(?::text[])`, [users])
  await insertRows(tx, 'deleted_users', newlyDeleted)
}

// Longer than commands are kept (7 days), so that none can come again that is not known.
const ANSWERS_ARE_KEPT_FOR = '8 days'

const saveAnswers = async (tx: Tx, { newAnswers }: Inventory) => {
  if (newAnswers.length === 0) return
  await execute(
    tx,
    `delete from answers a using unnest(?::text[], ?::text[]) as r(user_id, provider_id)
     where a.user_id = r.user_id and a.provider_id = r.provider_id
       and a.answered_at < now() - interval '${ANSWERS_ARE_KEPT_FOR}'`,
    [newAnswers.map(({ userId }) => userId), newAnswers.map(({ providerId }) => providerId)],
  )
  await insertRows(tx, 'answers', newAnswers.map(answerRow))
}

export const sqlStore: Store = { load: (tx, messages) => readInventory(readsIn(tx), messages), save }
