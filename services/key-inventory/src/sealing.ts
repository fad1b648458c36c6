import { createHash } from 'node:crypto'
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke'

// RFC 9180, base mode. The gateway seals with the same words; a test in infra/e2e joins the two.
const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM)
const INFO = Buffer.from('coding-plans/v1')
const ENCAPSULATED_BYTES = suite.KEM.Nenc

/** What the inventory opens with (INV-2). */
export interface Seals {
  readonly keyId: string
  readonly publicKey: Buffer
  /**
   * `sealed` is the encapsulated secret followed by the ciphertext. null: it was sealed to a key that is not this one.
   * @throws for a seal that does not open: altered, or made for another plan, user or operation.
   */
  open(sealed: { sealingKeyId: string; sealed: Uint8Array }, associated: string): Promise<Uint8Array | null>
}

/** What an upload's seal is bound to. */
export const uploadSeal = ({ planId, operationId }: { planId: string; operationId: string }) =>
  `upload|${planId}|${operationId}`

/** What the seal of a user's own key is bound to. */
export const slotSeal = (slot: { userId: string; providerId: string; operationId: string }) =>
  `slot|${slot.userId}|${slot.providerId}|${slot.operationId}`

/** The key pair follows from the secret alone, so every instance opens what was sealed to any other. */
export const openSeals = async (secret: Uint8Array): Promise<Seals> => {
  const keys = await suite.DeriveKeyPair(secret)
  const publicKey = Buffer.from(await suite.SerializePublicKey(keys.publicKey))
  const keyId = `sk_${createHash('sha256').update(publicKey).digest('hex').slice(0, 16)}`
  return {
    keyId,
    publicKey,
    async open({ sealingKeyId, sealed }, associated) {
      if (sealingKeyId !== keyId) return null
      const bytes = Uint8Array.from(sealed)
      const options = { info: INFO, aad: Buffer.from(associated) }
      return suite.Open(keys, bytes.subarray(0, ENCAPSULATED_BYTES), bytes.subarray(ENCAPSULATED_BYTES), options)
    },
  }
}
