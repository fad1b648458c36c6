import { MemoryDatabase, type MemoryTable } from '@coding-plans/runtime/memory'
import { instant, type UserId } from '@coding-plans/schemas'
import type { Entitlement } from './domain/entitlement.ts'
import { erased, expired, type Key, keyStates } from './domain/key.ts'
import { emptySlot } from './domain/slot.ts'
import { noCounts, type Stock } from './domain/stock.ts'
import type { Answer, Deleted, SlotRecord } from './inventory.ts'
import type { Needs, SlotNeed } from './needs.ts'
import { type Reads, readInventory } from './reads.ts'
import type { Store } from './store.ts'
import type { Envelope } from './vault.ts'

interface KeyRecord {
  readonly key: Key
  readonly fingerprint: string
  /** null: nothing is left to open. */
  readonly envelope: Envelope | null
}

const placeOf = ({ userId, providerId }: { userId: string; providerId: string }) => `${userId}|${providerId}`

const openTables = (database: MemoryDatabase) => ({
  stocks: database.table<Stock>('stock', ({ planId }) => planId, {
    check: {
      every_key_is_in_a_state: ({ counts, uploaded }) =>
        keyStates.reduce((sum, state) => sum + counts[state], 0) === uploaded &&
        keyStates.every((state) => counts[state] >= 0),
    },
  }),
  keys: database.table<KeyRecord>('keys', ({ key }) => key.id, {
    unique: {
      one_fingerprint: ({ fingerprint }) => fingerprint,
      one_assignment: ({ key }) => key.assignment?.assignmentId ?? null,
      one_key_serves_a_subscription: ({ key }) =>
        key.endedAt === null ? (key.assignment?.subscriptionId ?? null) : null,
      one_place_in_the_order: ({ key }) => `${key.planId}|${key.sequence}`,
    },
    check: {
      sold_is_assigned: ({ key }) =>
        (key.assignment === null) ===
        (key.state === 'available' || key.state === 'quarantined' || key.state === 'retired'),
      nothing_is_left_of_evidence: ({ key, envelope }) => (envelope === null) === erased(key),
    },
  }),
  slots: database.table<SlotRecord>('slots', ({ slot }) => placeOf(slot), {
    unique: {
      one_slot_per_subscription: ({ slot }) => slot.subscriptionId,
      one_slot_per_key: ({ slot }) => slot.keyId,
    },
    check: { users_lock_their_own: ({ slot, envelope }) => (envelope !== null) === (slot.managedBy === 'user') },
  }),
  answers: database.table<Answer>('answers', ({ operationId }) => operationId),
  deleted: database.table<Deleted>('deleted_users', ({ userId }) => userId),
  entitlements: database.table<Entitlement>('entitlements', placeOf),
})

type Tables = ReturnType<typeof openTables>

const found = <Row extends object>(table: MemoryTable<Row>, keys: readonly string[]): Row[] =>
  [...new Set(keys)].flatMap((key) => table.get(key) ?? [])

const isNamed = ({ assignmentIds, subscriptionIds, unlinked, revoked }: Needs) => {
  const [assignments, subscriptions, users, ids] = [assignmentIds, subscriptionIds, unlinked, revoked].map(
    (values) => new Set(values),
  ) as [Set<string>, Set<string>, Set<string>, Set<string>]
  return ({ id, assignment }: Key) =>
    ids.has(id) ||
    (assignment !== null &&
      (assignments.has(assignment.assignmentId) ||
        subscriptions.has(assignment.subscriptionId ?? '') ||
        users.has(assignment.userId ?? '')))
}

const readsOf = ({ stocks, keys, slots, answers, deleted, entitlements }: Tables): Reads => {
  const allKeys = () => [...keys].map(({ key }) => key)
  return {
    lockStocks: async (needs) => {
      const made = [...needs.stocks.values()].map(
        ({ planId, providerId }): Stock => ({
          ...{ planId, providerId, version: 0, counts: noCounts, lowStockThreshold: 0, uploaded: 0 },
        }),
      )
      stocks.insert(made, { orNothing: true })
      const [subscriptions, users] = [new Set(needs.subscriptionIds), new Set(needs.unlinked)]
      const touched = allKeys().filter(
        ({ assignment }) => subscriptions.has(assignment?.subscriptionId ?? '') || users.has(assignment?.userId ?? ''),
      )
      const plans = [...needs.stocks.keys(), ...needs.revokedPlans, ...touched.map(({ planId }) => planId)]
      return found(stocks, plans.sort())
    },
    lockSlots: async ({ slots: asked, unlinked }) => {
      const filled = [...asked.values()].filter(({ fills }) => fills)
      slots.insert(filled.map(emptyRecord), { orNothing: true })
      const [places, users] = [new Set([...asked.values()].map(placeOf)), new Set(unlinked)]
      return slots.where(({ slot }) => places.has(placeOf(slot)) || users.has(slot.userId))
    },
    lockEntitlements: async (userIds) => {
      const users = new Set(userIds)
      return entitlements.where(({ userId }) => users.has(userId))
    },
    namedKeys: async (needs) =>
      allKeys()
        .filter(isNamed(needs))
        .toSorted((a, b) => (a.assignment?.assignedAt ?? Infinity) - (b.assignment?.assignedAt ?? Infinity)),
    knownKeys: async (fingerprints, ids) => {
      const [prints, names] = [new Set(fingerprints), new Set(ids)]
      return [...keys]
        .filter(({ key, fingerprint }) => prints.has(fingerprint) || names.has(key.id))
        .map(({ key: { id }, fingerprint }) => ({ id, fingerprint }))
    },
    answers: async (operationIds) => found(answers, operationIds),
    envelopes: async (keyIds) =>
      new Map(found(keys, keyIds).flatMap(({ key, envelope }) => (envelope ? [[key.id, envelope] as const] : []))),
    tombstones: async (userIds) => found(deleted, userIds),
    sellableKeys: async (needs) =>
      needs.flatMap(({ planId, takes, until }) => {
        const available = allKeys()
          .filter((key) => key.planId === planId && key.state === 'available')
          .toSorted((a, b) => a.sequence - b.sequence)
        if (until === null) return available.toSorted(lastingLongest).slice(0, takes + 1)
        const gone = available.filter((key) => expired(key, until))
        const sold = available.filter((key) => !expired(key, until)).slice(0, takes)
        return [...new Set([...sold, ...gone, ...available.toSorted(lastingLongest).slice(0, takes + 1)])]
      }),
  }
}

const lastingLongest = (a: Key, b: Key) => (b.expiresAt ?? Infinity) - (a.expiresAt ?? Infinity) || 0

const emptyRecord = ({ userId, providerId }: SlotNeed): SlotRecord => ({
  slot: emptySlot(userId as UserId, providerId, instant(0)),
  envelope: null,
})

/** The inventory's store without a database: what SQL reads, and no more. */
export const memoryStore = (database = new MemoryDatabase()) => {
  const tables = openTables(database)
  const { stocks, keys, slots, answers, deleted, entitlements } = tables

  const store: Store = {
    load: (_, messages) => readInventory(readsOf(tables), messages),
    save: async (_, inventory) => {
      const shelves = [...inventory.shelves]
      stocks.update(shelves.filter(({ touched }) => touched).map(({ stock }) => stock))
      const changed = shelves.flatMap((shelf) => [...shelf.changed.values()])
      const added = changed.flatMap((key) => {
        const locked = inventory.newKeys.get(key.id)
        return locked ? [{ ...locked, key, envelope: erased(key) ? null : locked.envelope }] : []
      })
      keys.insert(added)
      const older = changed.filter(({ id }) => !inventory.newKeys.has(id))
      keys.update(older.map((key) => (erased(key) ? { key, envelope: null } : { key })))
      slots.update([...inventory.changedSlots.values()])
      entitlements.upsert(inventory.entitlements.changed)
      answers.insert(inventory.newAnswers)
      const users = new Set(inventory.newlyDeleted.map(({ userId }) => userId))
      slots.remove(({ slot }) => users.has(slot.userId))
      answers.remove(({ userId }) => users.has(userId))
      deleted.insert(inventory.newlyDeleted)
    },
  }
  return { database, tables, store }
}
