import type { Message } from '@coding-plans/runtime'
import type { StockChanged } from '@coding-plans/schemas'
import { type Facts, type KeyState, keyStates } from './facts.ts'

export const keyAssigned = (facts: Facts, { body }: Message<'KeyAssigned'>) => {
  const { userId, providerId, subscriptionId, keyId, slotVersion } = body
  const subject = facts.of('subject', userId)
  const slot = subject.slots[providerId]
  if (slot && slotVersion <= slot.version) return
  if (slot?.managedBy === 'user')
    subject.findings.push({
      check: 'own_key_untouched',
      detail: `the key that ${userId} put at ${providerId} is replaced by ${keyId}`,
    })
  if (slot?.managedBy === 'plan')
    subject.findings.push({
      check: 'one_key_per_slot',
      detail: `${keyId} goes where ${userId} has the key of ${slot.subscriptionId} at ${providerId}`,
    })
  subject.slots[providerId] = { version: slotVersion, managedBy: 'plan', subscriptionId }
  facts.of('subscription', subscriptionId).inSlot = true
  const key = facts.of('key', keyId)
  if (key.userId !== null && (key.userId !== userId || key.subscriptionId !== subscriptionId))
    key.findings.push({
      check: 'key_has_one_user',
      detail: `${keyId} was given to ${key.userId} for ${key.subscriptionId}, and to ${userId} for ${subscriptionId}`,
    })
  Object.assign(key, { userId, subscriptionId })
}

export const keyRemoved = (facts: Facts, { body }: Message<'KeyRemoved'>) => {
  const { userId, providerId, subscriptionId, slotVersion, emptied } = body
  const subject = facts.of('subject', userId)
  const slot = subject.slots[providerId]
  // "Nothing of it was there" is believed where the slot, as told, holds something else: a key that was left in it is found.
  const isThere = slot?.managedBy === 'plan' && slot.subscriptionId === subscriptionId
  if (emptied || !isThere) facts.of('subscription', subscriptionId).inSlot = false
  if (!emptied || (slot && slotVersion <= slot.version)) return
  if (slot?.managedBy === 'user')
    subject.findings.push({
      check: 'own_key_untouched',
      detail: `the key that ${userId} put at ${providerId} is removed with ${subscriptionId}`,
    })
  subject.slots[providerId] = { version: slotVersion, managedBy: 'none', subscriptionId: null }
}

export const slotChanged = (facts: Facts, { body }: Message<'SlotChanged'>) => {
  const { userId, providerId, managedBy, version } = body
  const subject = facts.of('subject', userId)
  const slot = subject.slots[providerId]
  if (slot && version <= slot.version) return
  if (slot?.managedBy === 'plan')
    subject.findings.push({
      check: 'one_key_per_slot',
      detail: `${userId} changes the slot at ${providerId} that holds the key of ${slot.subscriptionId}`,
    })
  const holder = managedBy === 'user' ? 'user' : 'none'
  subject.slots[providerId] = { version, managedBy: holder, subscriptionId: null }
}

/** Of a deleted user every slot is empty. */
export const keysUnlinked = (facts: Facts, { body }: Message<'KeysUnlinked'>) => {
  for (const slot of Object.values(facts.of('subject', body.userId).slots))
    Object.assign(slot, { managedBy: 'none', subscriptionId: null })
}

export const keysUploaded = (facts: Facts, { body }: Message<'KeysUploaded'>) => {
  const { planId, operationId, accepted } = body
  const upload = facts.of('upload', operationId)
  if (upload.accepted !== null) return
  upload.accepted = accepted
  facts.of('stock', planId).uploaded += accepted
}

const stateOf = (told: StockChanged['keys'][number]['state']): KeyState | null => {
  const state = told.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
  return keyStates.find((known) => known === state) ?? null
}

/**
 * Counts again, key by key, what the plan's stock says of itself. A sale's news leaves with the buyer's lane, so that of two
 * versions the newer may come first.
 */
export const stockChanged = (facts: Facts, { body, lane }: Message<'StockChanged'>) => {
  const { planId, version, keys } = body
  const stock = facts.of('stock', planId)
  if (version > stock.version) {
    stock.version = version
    for (const state of keyStates) stock.told[state] = body[state]
  }
  const total = facts.of('lane', String(lane))
  for (const { keyId, state: told } of keys) {
    const key = facts.of('stockKey', keyId)
    if (version <= key.version) continue
    const state = stateOf(told)
    for (const counts of [stock.counts, total.keys]) {
      if (key.state) counts[key.state] -= 1
      if (state) counts[state] += 1
    }
    Object.assign(key, { version, state })
  }
}
