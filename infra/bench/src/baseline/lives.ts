import { createCipheriv, createHmac, randomBytes } from 'node:crypto'
import { type Account, newId, post, type Transfer } from './ledger.ts'
import { chargeOf, type Subscription, type Terms } from './subscription.ts'

// Rows of what is said to have happened before anything is measured.

const unopened = { available: 0, held: 0, revenue: 0, promotion: 0, version: 0, last_at: 0, hash: '0'.repeat(64) }

export interface Books {
  readonly account: Account
  readonly transfers: readonly Transfer[]
}

/** A user who was given so much. */
export const granted = (user_id: string, amount: number, at: number): Books => {
  const account = { ...unopened, user_id }
  if (amount === 0) return { account, transfers: [] }
  const operation_id = newId('op')
  const why = { operation_id, actor: 'operator', description: 'Opening grant', cause: operation_id }
  const posted = post(account, 'grant', { ...why, amount, at })
  return { account: posted.account, transfers: [posted.transfer] }
}

const NONCE_BYTES = 12
const KEY_BYTES = 32
const hex = (bytes: Buffer) => `\\x${bytes.toString('hex')}`

/** nonce ‖ ciphertext ‖ tag */
const encrypt = (key: Buffer, plaintext: Buffer, associated: string): Buffer => {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(associated))
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** A press for keys in envelopes like ours: each under a data key of its own, which is wrapped. Nobody needs to open them. */
export const keyPress = ({ plan_id, provider_id }: Pick<Terms, 'plan_id' | 'provider_id'>, uploaded_at: number) => {
  const [wrapping, fingerprints] = [randomBytes(KEY_BYTES), randomBytes(KEY_BYTES)]
  return (sequence: number) => {
    const [id, dataKey, key] = [newId('key'), randomBytes(KEY_BYTES), `sk-${randomBytes(24).toString('base64url')}`]
    return {
      id,
      plan_id,
      provider_id,
      state: 'available',
      fingerprint: hex(createHmac('sha256', fingerprints).update(key).digest()),
      masked: `••••${key.slice(-4)}`,
      sequence,
      uploaded_at,
      attempts: 0,
      ciphertext: hex(encrypt(dataKey, Buffer.from(key), `secret|key:${id}`)),
      wrapped_key: hex(encrypt(wrapping, dataKey, `data-key|key:${id}`)),
      wrapping_key_id: 'kek_baseline',
    }
  }
}
export type Key = ReturnType<ReturnType<typeof keyPress>>

export interface Life {
  readonly terms: Terms
  readonly start: number
  readonly boundary: number
  /** What is left at the boundary. */
  readonly credits: number
}

/** A new user with a subscription bought at the start and due at the boundary, its key in the slot and its price paid. */
export const lived = (key: Key, { terms, start, boundary, credits }: Life) => {
  const user_id = newId('usr')
  const subscription: Subscription = {
    ...terms,
    id: newId('sub'),
    user_id,
    plan_version: 1,
    plan_name: terms.plan_id,
    status: 'active',
    current_period_start: start,
    current_period_end: boundary,
    // The boundary itself: from a short month a 31st could not be counted.
    anchor: boundary,
    anchor_periods: 0,
    canceled_at: null,
    access_until: null,
    grace_ends_at: null,
    end_reason: null,
    ended_at: null,
    previous_subscription_id: null,
    created_at: start,
    version: 1,
  }
  const { id: subscription_id, provider_id, price, ownership, reveal, upstream_revocation } = subscription
  const charge = chargeOf(subscription, 'activation', start)
  const opened = granted(user_id, price + credits, start)
  const assigned = { user_id, subscription_id, assigned_at: start, ownership, reveal, upstream_revocation }
  return {
    ...(price > 0 ? charged(opened, { charge, at: start }) : opened),
    subscription,
    charges: price > 0 ? [charge] : [],
    key: { ...key, state: 'assigned', ...assigned },
    slot: {
      user_id,
      provider_id,
      managed_by: 'plan',
      subscription_id,
      key_id: key.id,
      enabled: true,
      masked: key.masked,
      created_at: start,
      updated_at: start,
      version: 1,
    },
  }
}

const charged = (
  { account, transfers }: Books,
  { charge, at }: { charge: ReturnType<typeof chargeOf>; at: number },
) => {
  const { id: charge_id, subscription_id, boundary, amount, description } = charge
  const operation_id = newId('op')
  const why = { operation_id, subscription_id, charge_id, boundary, description, cause: operation_id }
  const posted = post(account, 'charge', { ...why, amount, at })
  return { account: posted.account, transfers: [...transfers, posted.transfer] }
}
