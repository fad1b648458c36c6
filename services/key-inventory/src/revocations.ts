import { type Decide, type Message, type Saying, say } from '@coding-plans/runtime'
import { withoutSecret } from './domain/cleaning.ts'
import { type Key, settleRevocation } from './domain/key.ts'
import type { Inventory } from './inventory.ts'
import { recordOfKey, type Vault } from './vault.ts'

type Command = Message<'SettleRevocation'>

const refused = (
  { body: { planId, operationId, keyId } }: Command,
  reason: 'not_found' | 'revocation_state',
  stockVersion: number | null,
) => say('RevocationRefused', { planId, operationId, keyId, reason, stockVersion })

/** The revocation queue by hand: done, failed, or to be tried anew (INV-9). */
export const revocations = (vault: Pick<Vault, 'open'>): Decide<Inventory> => ({
  SettleRevocation(inventory, command) {
    const { planId, operationId, keyId, outcome, reason } = command.body
    if (outcome === 'unknown') throw new Error('An outcome that nobody here knows.')
    const before = inventory.answer(operationId)
    if (before) return [before]
    // Of a plan's stock, not of a user's slot. A refusal too: said again, it may be in another state by then.
    const remembered = (saying: Saying) => {
      inventory.remember({ operationId, userId: planId, providerId: '', saying })
      return saying
    }
    const key = inventory.key(keyId)
    if (key?.planId !== planId) return [remembered(refused(command, 'not_found', null))]
    const shelf = inventory.shelf(key)
    const cleaned = reason === null ? null : clean(inventory, vault, key, reason)
    const settled = settleRevocation(key, outcome, cleaned)
    if (!settled) return [remembered(refused(command, 'revocation_state', shelf.version))]
    const saying = remembered(
      say('RevocationSettled', { planId, operationId, keyId, outcome, stockVersion: shelf.nextVersion }),
    )
    inventory.changeKey(key, settled, command.time)
    return [saying, audit(command, key, settled, cleaned)]
  },
})

const clean = (inventory: Inventory, vault: Pick<Vault, 'open'>, { id }: Key, reason: string) => {
  const envelope = inventory.envelopeOf(id)
  if (!envelope) return reason
  const plaintext = vault.open(envelope, recordOfKey(id))
  try {
    return withoutSecret(reason, plaintext.toString())
  } finally {
    plaintext.fill(0)
  }
}

const audit = ({ body: { planId, actor }, time }: Command, before: Key, after: Key, reason: string | null): Saying =>
  say('ActionAudited', {
    subject: planId,
    actor,
    action: 'key.revocation',
    target: before.id,
    before: JSON.stringify({ state: before.state, attempts: before.attempts }),
    after: JSON.stringify({ state: after.state, attempts: after.attempts }),
    reason,
    at: time,
  })
