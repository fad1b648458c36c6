import { type Decide, type Message, type Saying, say } from '@coding-plans/runtime'
import { empty, enable, put, refusalOf, type Slot, type SlotRefusal } from './domain/slot.ts'
import { entitleBySlot } from './entitlements.ts'
import type { Inventory } from './inventory.ts'
import type { OpenedKey } from './prepare.ts'

type Command = Message<'PutOwnKey'> | Message<'EnableOwnKey'> | Message<'DeleteOwnKey'>

const refused = ({ body }: Command | Message<'TestKey'>, { version }: Slot, reason: SlotRefusal): Saying => {
  const { userId, operationId, providerId } = body
  return say('SlotChangeRefused', { userId, operationId, providerId, reason, version })
}

interface Change {
  readonly answer: Saying
  /** What the slot holds from now on, if that changed. */
  readonly slot?: Slot
}

const changed = ({ body: { operationId } }: Command, slot: Slot): Change => {
  const { userId, providerId, managedBy, enabled, masked, createdAt, updatedAt, version } = slot
  // The user's commands never lead to a plan's slot; the type of the message has no word for it.
  if (managedBy === 'plan') throw new Error(`The slot of ${providerId} became a plan's by a user's command.`)
  const times = { createdAt, updatedAt, version }
  const held = { managedBy, enabled, maskedKey: masked }
  return { slot, answer: say('SlotChanged', { userId, operationId, providerId, ...held, ...times }) }
}

/** An operation is decided once: what was answered is answered again, whatever the slot holds by then (IDE-4). */
const once = (inventory: Inventory, command: Command, decide: (slot: Slot) => Change): Saying[] => {
  const { userId, operationId, providerId } = command.body
  const before = inventory.answer(operationId)
  if (before) return [before]
  // Not remembered: nothing is kept of who is deleted.
  if (inventory.deleted(userId)) return [refused(command, inventory.slot(command.body, command.time), 'user_deleted')]
  const { answer, slot } = decide(inventory.slot(command.body, command.time))
  inventory.remember({ operationId, userId, providerId, saying: answer })
  return slot ? [...entitleBySlot(inventory.entitlements, slot), answer] : [answer]
}

/** The user's commands on their own slot (SLT-1); what a plan manages is read-only to them. */
export const ownKeys: Decide<Inventory> = {
  PutOwnKey: (inventory, command) => {
    const opened = command.prepared as OpenedKey
    // Not remembered: the gateway tries anew, under the fresh sealing key.
    if ('refused' in opened && opened.refused === 'sealing_key_unknown')
      return [refused(command, inventory.slot(command.body, command.time), opened.refused)]
    return once(inventory, command, (slot) => {
      const reason = 'refused' in opened ? opened.refused : refusalOf(slot, 'put')
      if (reason || 'refused' in opened) return { answer: refused(command, slot, reason ?? 'key_invalid') }
      const filled = put(slot, opened.masked, command.time)
      inventory.changeSlot(filled, opened.envelope)
      return changed(command, filled)
    })
  },

  EnableOwnKey: (inventory, command) =>
    once(inventory, command, (slot) => {
      const reason = refusalOf(slot, 'enable')
      if (reason) return { answer: refused(command, slot, reason) }
      const switched = enable(slot, command.body.enabled, command.time)
      inventory.changeSlot(switched)
      return changed(command, switched)
    }),

  DeleteOwnKey: (inventory, command) =>
    once(inventory, command, (slot) => {
      const reason = refusalOf(slot, 'delete')
      if (reason) return { answer: refused(command, slot, reason) }
      const emptied = empty(slot, command.time)
      inventory.changeSlot(emptied)
      return changed(command, emptied)
    }),

  /** No provider can be tried yet: there is no adapter. */
  TestKey: (inventory, command) => {
    const { userId, operationId, providerId } = command.body
    const slot = inventory.slot(command.body, command.time)
    const reason = refusalOf(slot, 'test')
    return [reason ? refused(command, slot, reason) : say('KeyTested', { userId, operationId, providerId, ok: null })]
  },
}
