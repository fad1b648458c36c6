import type { Bodies, Instant, UserId } from '@coding-plans/schemas'

export type ManagedBy = 'none' | 'user' | 'plan'
export type SlotRefusal = Exclude<Bodies['SlotChangeRefused']['reason'], 'unknown'>
export type SlotCommand = 'put' | 'enable' | 'delete' | 'test' | 'install' | 'uninstall'

/** The user's place for one provider's key: at most one, the user's own or a plan's. */
export interface Slot {
  readonly userId: UserId
  readonly providerId: string
  readonly managedBy: ManagedBy
  readonly subscriptionId: string | null
  /** The stock's key in it; a user's own key has no id. */
  readonly keyId: string | null
  readonly enabled: boolean
  readonly masked: string | null
  readonly createdAt: Instant
  readonly updatedAt: Instant
  /** Raised by every change and kept when the slot is emptied. */
  readonly version: number
}

type Cell = { to: ManagedBy } | { refused: SlotRefusal | 'slot_occupied' } | 'stays'

/**
 * Commands across. `install` and `uninstall` are the plan machinery's and have no way to a user's own key. Exclusivity lets
 * no second plan of a provider come so far (SUB-6), but for an assignment that lay in the dead letters, and was given up.
 */
export const slotTransitions: Readonly<Record<ManagedBy, Readonly<Record<SlotCommand, Cell>>>> = {
  none: {
    put: { to: 'user' },
    enable: { refused: 'not_found' },
    delete: { refused: 'not_found' },
    test: { refused: 'not_found' },
    install: { to: 'plan' },
    uninstall: 'stays',
  },
  user: {
    put: { to: 'user' },
    enable: { to: 'user' },
    delete: { to: 'none' },
    test: 'stays',
    install: { refused: 'slot_occupied' },
    uninstall: 'stays',
  },
  plan: {
    put: { refused: 'slot_managed' },
    enable: { refused: 'slot_managed' },
    delete: { refused: 'slot_managed' },
    test: 'stays',
    install: { refused: 'slot_occupied' },
    uninstall: { to: 'none' },
  },
}

export const emptySlot = (userId: UserId, providerId: string, at: Instant): Slot => ({
  userId,
  providerId,
  managedBy: 'none',
  subscriptionId: null,
  keyId: null,
  enabled: false,
  masked: null,
  createdAt: at,
  updatedAt: at,
  version: 0,
})

/** Why the slot says no to a command; null: it does not. */
export const refusalOf = <Command extends SlotCommand>(slot: Slot, command: Command) => {
  const cell = slotTransitions[slot.managedBy][command]
  const refused = typeof cell === 'object' && 'refused' in cell ? cell.refused : null
  return refused as (Command extends 'install' ? 'slot_occupied' : SlotRefusal) | null
}

const move = (slot: Slot, command: SlotCommand, change: Partial<Slot>, at: Instant): Slot => {
  const cell = slotTransitions[slot.managedBy][command]
  if (typeof cell !== 'object' || !('to' in cell))
    throw new Error(`The slot of ${slot.providerId} is managed by ${slot.managedBy}: no way to ${command}.`)
  return { ...slot, ...change, managedBy: cell.to, updatedAt: at, version: slot.version + 1 }
}

const created = ({ managedBy, createdAt }: Slot, at: Instant) => (managedBy === 'none' ? at : createdAt)
const nothing = { subscriptionId: null, keyId: null, enabled: false, masked: null }

/** The user's own key goes in, enabled; one that is there is replaced (SLT-1). */
export const put = (slot: Slot, masked: string, at: Instant) =>
  move(slot, 'put', { ...nothing, enabled: true, masked, createdAt: created(slot, at) }, at)

export const enable = (slot: Slot, enabled: boolean, at: Instant) => move(slot, 'enable', { enabled }, at)

/** The user takes their own key out. */
export const empty = (slot: Slot, at: Instant) => move(slot, 'delete', nothing, at)

/** A plan's key goes into an empty slot, enabled. */
export const install = (slot: Slot, key: { subscriptionId: string; keyId: string; masked: string }, at: Instant) =>
  move(slot, 'install', { ...key, enabled: true, createdAt: at }, at)

/** Only the subscription whose key it is can take it out; anything else in the slot stays (REA-2). */
export const holdsKeyOf = ({ managedBy, subscriptionId }: Slot, ended: string) =>
  managedBy === 'plan' && subscriptionId === ended

export const uninstall = (slot: Slot, subscriptionId: string, at: Instant) =>
  holdsKeyOf(slot, subscriptionId) ? move(slot, 'uninstall', nothing, at) : slot
