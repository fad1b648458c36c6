import { execute, insertRows, type Message, select, type Tx, updateRows, upsertRows } from '@coding-plans/runtime'
import { erased } from './domain/key.ts'
import { type Deleted, Inventory } from './inventory.ts'
import { Needs, type SlotNeed } from './needs.ts'
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

/**
 * Reads and locks what the messages need: stock rows first, then slots, then entitlements, each in sorted order (protocol.md 6).
 * Sent together, they are still answered one after the other, in this order.
 */
export const load = async (tx: Tx, messages: readonly Message[]): Promise<Inventory> => {
  const needs = new Needs(messages)
  const [stocks, slots, entitlements, named, known, answers, envelopes, deleted] = await Promise.all([
    lockStocks(tx, needs),
    lockSlots(tx, [...needs.slots.values()], needs.unlinked),
    lockEntitlements(tx, needs.userIds),
    namedKeys(tx, needs),
    knownKeys(tx, needs.fingerprints, needs.keyIds),
    answersTo(tx, needs.operationIds),
    envelopesOf(tx, needs.revoked),
    tombstonesOf(tx, needs.userIds),
  ])
  const locked = new Set(stocks.map(({ planId }) => planId))
  if (named.some(({ planId }) => !locked.has(planId))) throw new Overtaken()
  const shelves = stocks.map(({ planId, providerId }) => ({
    takes: 0,
    until: null,
    ...needs.stocks.get(planId),
    planId,
    providerId,
  }))
  return new Inventory({
    stocks: stocks.map(stockOf),
    slots: slots.map(slotOf),
    keys: [...named, ...(await sellableKeys(tx, shelves))].map(keyOf),
    known,
    answers: answers.map(answerOf),
    envelopes,
    deleted,
    entitlements: entitlements.map(entitlementOf),
  })
}

/** A key was assigned between the two looks at a subscription, in a stock that is not locked. Trouble: the round is redone. */
class Overtaken extends Error {
  readonly code = '40001'
  constructor() {
    super('A key was assigned while the round was taking its locks.')
  }
}

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
export const save = async (tx: Tx, inventory: Inventory): Promise<void> => {
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
