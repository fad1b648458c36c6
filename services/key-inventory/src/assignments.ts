import { type Decide, type Message, type Saying, say } from '@coding-plans/runtime'
import type { Bodies, Instant } from '@coding-plans/schemas'
import { assign, end, type Key } from './domain/key.ts'
import { holdsKeyOf, install, refusalOf, uninstall } from './domain/slot.ts'
import { begin } from './domain/term.ts'
import { entitleBySlot } from './entitlements.ts'
import type { Inventory } from './inventory.ts'

/** What the key's own record says of its assignment: the same whenever it is asked; whose it is, the command says. */
const assigned = (
  { id, planId, providerId, masked, assignment }: Key,
  { userId, subscriptionId }: Pick<Bodies['AssignKey'], 'userId' | 'subscriptionId'>,
): Saying => {
  if (!assignment) throw new Error(`Key ${id} was never assigned.`)
  const { assignmentId, assignedAt, slotVersion, stockVersion } = assignment
  const whose = { userId, assignmentId, subscriptionId, planId, providerId }
  return say('KeyAssigned', { ...whose, keyId: id, maskedKey: masked, at: assignedAt, slotVersion, stockVersion })
}

const declined = (
  inventory: Inventory,
  { body, time }: Message<'AssignKey'>,
  reason: Bodies['KeyDeclined']['reason'],
): Saying[] => {
  const { userId, assignmentId, subscriptionId, planId, providerId } = body
  const saying = say('KeyDeclined', {
    userId,
    assignmentId,
    subscriptionId,
    planId,
    providerId,
    reason,
    slotVersion: inventory.slot(body, time).version,
    stockVersion: inventory.shelf(body).version,
  })
  // Nothing is kept of who is deleted.
  if (reason !== 'user_deleted') inventory.remember({ operationId: assignmentId, userId, providerId, saying })
  return [saying]
}

/** The policy goes with the key from here on: a later one of the plan does not reach it (CAT-5). */
const policyOf = ({ ownership, reveal, upstreamRevocation }: Bodies['AssignKey']) => {
  if (ownership === 'unknown' || upstreamRevocation === 'unknown') throw new Error('The policy is not one we know.')
  return { ownership, reveal, upstreamRevocation }
}

/** The entitlement is written with the assignment. A sender that does not know the end tells it with the activation. */
const termOf = ({ subscriptionId, termEndsAt, graceHours }: Bodies['AssignKey'], asOf: Instant) =>
  begin({ subscriptionId, graceHours, endsAt: termEndsAt ?? asOf }, asOf)

export const assignments: Decide<Inventory> = {
  /** The slot is judged first, then the stock: the natural order of refusals (SUB-5). */
  AssignKey(inventory, message) {
    const { body, time, asOf } = message
    const { userId, assignmentId, subscriptionId } = body
    const before = inventory.assignedBy(assignmentId)
    const owner = before?.assignment?.userId ?? null
    if (owner !== null && owner !== userId) throw new Error(`${assignmentId} is another user's.`)
    if (before) return [assigned(before, body)]
    const answer = inventory.answer(assignmentId)
    if (answer) return [answer]

    if (inventory.deleted(userId)) return declined(inventory, message, 'user_deleted')
    const policy = policyOf(body)
    const shelf = inventory.shelf(body)
    const slot = inventory.slot(body, time)
    const occupied = refusalOf(slot, 'install')
    shelf.lowStockThreshold = body.lowStockThreshold
    if (occupied) return declined(inventory, message, occupied)
    const key = shelf.take(asOf, time)
    if (!key) return declined(inventory, message, 'sold_out')

    const filled = install(slot, { subscriptionId, keyId: key.id, masked: key.masked }, time)
    const versions = { slotVersion: filled.version, stockVersion: shelf.nextVersion }
    const sold = assign(key, { assignmentId, userId, subscriptionId, assignedAt: time, ...policy, ...versions })
    inventory.changeSlot(filled)
    inventory.changeKey(key, sold, time)
    return [...entitleBySlot(inventory.entitlements, filled, termOf(body, asOf)), assigned(sold, body)]
  },

  /** Takes out this subscription's key and nothing else; always answered, also when nothing was there (SLT-3, REA-2). */
  RemoveKey(inventory, { body, time }) {
    const { userId, subscriptionId, providerId } = body
    const slot = inventory.slot(body, time)
    const served = inventory.serving(subscriptionId)
    const key = served?.assignment?.userId === userId && served.providerId === providerId ? served : null
    const emptied = holdsKeyOf(slot, subscriptionId)
    const left = uninstall(slot, subscriptionId, time)
    // Before the answer, which lets the end be said: once it is, no access is left (SLT-4).
    const withdrawn = emptied ? entitleBySlot(inventory.entitlements, left) : []
    if (emptied) inventory.changeSlot(left)
    if (key) inventory.changeKey(key, end(key, time), time)
    const stockVersion = key ? inventory.shelf(key).version : null
    const removed = { keyId: key?.id ?? null, slotVersion: left.version, stockVersion }
    return [...withdrawn, say('KeyRemoved', { userId, subscriptionId, providerId, at: time, emptied, ...removed })]
  },
}
