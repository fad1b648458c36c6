import type { Message } from '@coding-plans/runtime'
import type { KeyAssigned, StockChanged } from '@coding-plans/schemas'
import type { Facts } from './facts.ts'
import { type KeyState, keyStates, type Slot } from './kinds.ts'
import { hear, type News } from './versions.ts'

interface Change {
  readonly userId: string
  readonly providerId: string
  readonly version: number
}

/** What a change of a slot is to those heard before it; and what was in it then: null, if another lies between. */
const change = (
  facts: Facts,
  { userId, providerId, version }: Change,
): { news: News; slot: Slot; before: Slot | null } => {
  const { slots } = facts.of('subject', userId)
  const slot = slots[providerId] ?? { version: 0, missing: [], managedBy: 'none', subscriptionId: null }
  slots[providerId] = slot
  const before = { ...slot }
  const { news } = hear(slot, version)
  return { news, slot, before: news === 'next' && version === before.version + 1 ? before : null }
}

export const keyAssigned = (facts: Facts, { body }: Message<'KeyAssigned'>) => {
  const { userId, providerId, subscriptionId, keyId, slotVersion: version } = body
  const { news, slot, before } = change(facts, { userId, providerId, version })
  if (!news) return
  const { findings } = facts.of('subject', userId)
  if (before?.managedBy === 'user')
    findings.push({
      check: 'own_key_untouched',
      detail: `the key that ${userId} put at ${providerId} is replaced by ${keyId}`,
    })
  if (before?.managedBy === 'plan')
    findings.push({
      check: 'one_key_per_slot',
      detail: `${keyId} goes where ${userId} has the key of ${before.subscriptionId} at ${providerId}`,
    })
  give(facts, body)
  // Heard late, it is there no longer: the slot has changed since.
  if (news === 'late') return
  Object.assign(slot, { managedBy: 'plan', subscriptionId })
  facts.of('subscription', subscriptionId).inSlot = true
}

const give = (facts: Facts, { keyId, userId, subscriptionId }: KeyAssigned) => {
  const key = facts.of('key', keyId)
  if (key.userId !== null && (key.userId !== userId || key.subscriptionId !== subscriptionId))
    key.findings.push({
      check: 'key_has_one_user',
      detail: `${keyId} was given to ${key.userId} for ${key.subscriptionId}, and to ${userId} for ${subscriptionId}`,
    })
  Object.assign(key, { userId, subscriptionId })
}

export const keyRemoved = (facts: Facts, { body }: Message<'KeyRemoved'>) => {
  const { userId, providerId, subscriptionId, slotVersion: version, emptied } = body
  const { slots, findings } = facts.of('subject', userId)
  const known = slots[providerId]
  // "Nothing of it was there" is believed where the slot, as told, holds something else: a key that was left in it is found.
  const isThere = known?.managedBy === 'plan' && known.subscriptionId === subscriptionId
  if (emptied || !isThere) facts.of('subscription', subscriptionId).inSlot = false
  if (!emptied) return
  const { news, slot, before } = change(facts, { userId, providerId, version })
  if (before?.managedBy === 'user')
    findings.push({
      check: 'own_key_untouched',
      detail: `the key that ${userId} put at ${providerId} is removed with ${subscriptionId}`,
    })
  if (news === 'next') Object.assign(slot, { managedBy: 'none', subscriptionId: null })
}

export const slotChanged = (facts: Facts, { body }: Message<'SlotChanged'>) => {
  const { userId, providerId, managedBy, version } = body
  const { news, slot, before } = change(facts, { userId, providerId, version })
  if (before?.managedBy === 'plan')
    facts.of('subject', userId).findings.push({
      check: 'one_key_per_slot',
      detail: `${userId} changes the slot at ${providerId} that holds the key of ${before.subscriptionId}`,
    })
  const holder = managedBy === 'user' ? 'user' : 'none'
  if (news === 'next') Object.assign(slot, { managedBy: holder, subscriptionId: null })
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
