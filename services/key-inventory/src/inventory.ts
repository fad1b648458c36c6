import type { Saying } from '@coding-plans/runtime'
import type { Instant, UserId } from '@coding-plans/schemas'
import type { Entitlement } from './domain/entitlement.ts'
import type { Key } from './domain/key.ts'
import { emptySlot, type Slot } from './domain/slot.ts'
import type { Stock } from './domain/stock.ts'
import { Entitlements } from './entitlements.ts'
import { Shelf } from './shelf.ts'
import type { Envelope } from './vault.ts'

export interface SlotRecord {
  readonly slot: Slot
  /** What locks the user's own key. */
  readonly envelope: Envelope | null
}
export interface LockedKey {
  readonly fingerprint: string
  readonly envelope: Envelope
}
/** What an operation was answered. */
export interface Answer {
  readonly operationId: string
  readonly userId: string
  readonly providerId: string
  readonly saying: Pick<Saying, 'name' | 'body'>
}

/** What a round was given by the store. */
export interface Loaded {
  readonly stocks: readonly Stock[]
  /** Available keys to take, and the assigned ones that the messages name. */
  readonly keys: readonly Key[]
  readonly slots: readonly SlotRecord[]
  readonly answers: readonly Answer[]
  /** Keys that are known already, by fingerprint (hexadecimal) and id. */
  readonly known: readonly { readonly id: string; readonly fingerprint: string }[]
  /** What locks the keys whose revocation is told of. */
  readonly envelopes?: ReadonlyMap<string, Envelope>
  readonly deleted?: readonly Deleted[]
  readonly entitlements?: readonly Entitlement[]
}

/** The tombstone of a user, with what was unlinked (GDP-1). */
export interface Deleted {
  readonly userId: string
  readonly keys: number
  readonly slots: number
  readonly at: Instant
}

const slotKey = (userId: string, providerId: string) => `${providerId}|${userId}`

/** The inventory as one round sees and changes it: stock under its plans' locks, slots under their own. */
export class Inventory {
  readonly #shelves: Map<string, Shelf>
  readonly #slots: Map<string, SlotRecord>
  readonly #answers: Map<string, Answer>
  readonly #assigned = new Map<string, Key>()
  readonly #serving = new Map<string, Key>()
  readonly #fingerprints: Map<string, string>
  readonly #ids: Set<string>

  readonly #byId = new Map<string, Key>()
  readonly #envelopes: ReadonlyMap<string, Envelope>
  readonly #deleted: Map<string, Deleted>

  readonly entitlements: Entitlements
  readonly newKeys = new Map<string, LockedKey>()
  readonly newAnswers: Answer[] = []
  readonly changedSlots = new Map<string, SlotRecord>()
  /** Of whom nothing may be left but the tombstone. */
  readonly newlyDeleted: Deleted[] = []

  constructor({ stocks, keys, slots, answers, known, envelopes, deleted, entitlements }: Loaded) {
    this.entitlements = new Entitlements(entitlements ?? [])
    this.#envelopes = envelopes ?? new Map()
    this.#deleted = new Map((deleted ?? []).map((one) => [one.userId, one]))
    const available = Map.groupBy(keys, ({ planId, state }) => (state === 'available' ? planId : ''))
    this.#shelves = new Map(stocks.map((stock) => [stock.planId, new Shelf(stock, available.get(stock.planId) ?? [])]))
    this.#slots = new Map(slots.map((record) => [slotKey(record.slot.userId, record.slot.providerId), record]))
    this.#answers = new Map(answers.map((answer) => [answer.operationId, answer]))
    this.#fingerprints = new Map(known.map(({ id, fingerprint }) => [fingerprint, id]))
    this.#ids = new Set(known.map(({ id }) => id))
    for (const key of keys) this.#index(key)
  }

  get shelves() {
    return this.#shelves.values()
  }

  /** @throws for a plan whose provider is another: it is fixed once published. */
  shelf({ planId, providerId }: { planId: string; providerId: string }): Shelf {
    const shelf = this.#shelves.get(planId)
    if (!shelf) throw new Error(`The stock of ${planId} was not loaded.`)
    if (shelf.before.providerId !== providerId)
      throw new Error(`${planId} belongs to ${shelf.before.providerId}, not to ${providerId}.`)
    return shelf
  }

  /** A slot that nobody ever used is empty, at version 0. */
  slot({ userId, providerId }: { userId: UserId; providerId: string }, at: Instant): Slot {
    return this.#slots.get(slotKey(userId, providerId))?.slot ?? emptySlot(userId, providerId, at)
  }

  /** A user's own key keeps its lock unless it gets another; nothing else in a slot has one. */
  changeSlot(slot: Slot, envelope: Envelope | null = null) {
    const id = slotKey(slot.userId, slot.providerId)
    const locked = slot.managedBy === 'user' ? (envelope ?? this.#slots.get(id)?.envelope ?? null) : null
    this.#slots.set(id, { slot, envelope: locked })
    this.changedSlots.set(id, { slot, envelope: locked })
  }

  /** The key that an assignment got, whatever became of it. */
  assignedBy(assignmentId: string): Key | null {
    return this.#assigned.get(assignmentId) ?? null
  }

  /** The latest key that served a subscription, whether its access has ended or not. */
  serving(subscriptionId: string): Key | null {
    return this.#serving.get(subscriptionId) ?? null
  }

  /** Whether a key is here already: its own from an upload that came before, or another's (INV-3). */
  knows({ keyId, fingerprint }: { keyId: string; fingerprint: string }): 'itself' | 'another' | null {
    if (this.#ids.has(keyId)) return 'itself'
    return this.#fingerprints.has(fingerprint) ? 'another' : null
  }

  addKey(key: Omit<Key, 'sequence'>, locked: LockedKey, at: Instant) {
    this.shelf(key).add(key, at)
    this.newKeys.set(key.id, locked)
    this.#ids.add(key.id)
    this.#fingerprints.set(locked.fingerprint, key.id)
  }

  changeKey(before: Key, after: Key, at: Instant) {
    if (before === after) return
    this.shelf(after).change(before, after, at)
    this.#index(after)
  }

  /** A key of the stock that the messages name. */
  key(id: string): Key | null {
    return this.#byId.get(id) ?? null
  }

  envelopeOf(keyId: string): Envelope | null {
    return this.#envelopes.get(keyId) ?? null
  }

  /** Every key that this user ever had. */
  keysOf(userId: UserId): Key[] {
    return [...this.#byId.values()].filter(({ assignment }) => assignment?.userId === userId)
  }

  deleted(userId: UserId) {
    const known = this.#deleted.get(userId)
    return known ? { keys: known.keys, slots: known.slots, at: known.at } : null
  }

  /** All slots of a user, filled or not. How many were filled. */
  removeSlots(userId: UserId): number {
    const theirs = [...this.#slots].filter(([, { slot }]) => slot.userId === userId)
    for (const [id] of theirs) {
      this.#slots.delete(id)
      this.changedSlots.delete(id)
    }
    return theirs.filter(([, { slot }]) => slot.managedBy !== 'none').length
  }

  bury(userId: UserId, report: Omit<Deleted, 'userId'>) {
    const tombstone = { userId, ...report }
    this.#deleted.set(userId, tombstone)
    this.newlyDeleted.push(tombstone)
  }

  answer(operationId: string): Saying | null {
    return (this.#answers.get(operationId)?.saying as Saying | undefined) ?? null
  }

  remember(answer: Answer) {
    this.#answers.set(answer.operationId, answer)
    this.newAnswers.push(answer)
  }

  #index(key: Key) {
    this.#byId.set(key.id, key)
    if (!key.assignment) return
    const { assignmentId, subscriptionId } = key.assignment
    this.#assigned.set(assignmentId, key)
    if (subscriptionId === null) return
    const served = this.#serving.get(subscriptionId)
    if (!served || served.id === key.id || served.endedAt !== null) this.#serving.set(subscriptionId, key)
  }
}
