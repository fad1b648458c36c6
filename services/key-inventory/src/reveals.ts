import { inTransaction, type Parts, say } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import { type Contents, findContents, noteReveal, secondsToWait } from './store-reveals.ts'
import { recordOfKey, recordOfSlot, type Vault } from './vault.ts'

export type Revealed =
  | { readonly key: string }
  | { readonly refused: 'not_found' | 'reveal_not_allowed' }
  | { readonly refused: 'rate_limited'; readonly retryAfterSeconds: number }

export interface RevealRequest {
  readonly userId: string
  readonly providerId: string
  /** Business time, for the audit. */
  readonly at: Instant
}

/**
 * Show the owner what is in their slot (SLT-2): their own key, or a plan's whose policy allows it. Limit, audit and
 * decryption are one transaction, and the key leaves it only when the audit is committed.
 */
export const openReveals =
  (vault: Vault, perMinute: number, { knex, worker }: Pick<Parts, 'knex' | 'worker'>) =>
  async (request: RevealRequest): Promise<Revealed> => {
    const { userId, providerId, at } = request
    let publish = () => {}
    const revealed = await inTransaction(knex, async (tx): Promise<Revealed> => {
      const retryAfterSeconds = await secondsToWait(tx, userId, perMinute)
      if (retryAfterSeconds > 0) return { refused: 'rate_limited', retryAfterSeconds }
      const shown = show(vault, request, await findContents(tx, userId, providerId))
      if ('refused' in shown) return shown
      const audit = { subject: userId, actor: userId, action: 'slot.reveal', target: providerId, at }
      const body = { ...audit, before: null, after: null, reason: null }
      const cause = `reveal|${await noteReveal(tx, userId)}`
      publish = await worker.append(tx, [say('ActionAudited', body, { cause })], at)
      return shown
    })
    publish()
    return revealed
  }

const show = (vault: Vault, { userId, providerId }: RevealRequest, contents: Contents | null): Revealed => {
  if (!contents || contents.managedBy === 'none') return { refused: 'not_found' }
  const { managedBy, keyId, ownership, reveal, ciphertext, wrappedKey, wrappingKeyId } = contents
  if (managedBy === 'plan' && !(ownership === 'user' && reveal)) return { refused: 'reveal_not_allowed' }
  if (!ciphertext || !wrappedKey || wrappingKeyId === null) throw new Error('The slot holds a key without its lock.')
  const record = keyId === null ? recordOfSlot(userId, providerId) : recordOfKey(keyId)
  const plaintext = vault.open({ ciphertext, wrappedKey, wrappingKeyId }, record)
  try {
    return { key: plaintext.toString() }
  } finally {
    plaintext.fill(0)
  }
}
