import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke'

const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM)
const INFORMATION = new TextEncoder().encode('coding-plans/v1')

/** The inventory's public key, and the id by which it knows the private one. */
export interface SealingKey {
  readonly keyId: string
  readonly publicKey: Uint8Array
}

export interface Sealed {
  readonly sealingKeyId: string
  /** Encapsulated secret, then ciphertext. */
  readonly sealed: Buffer
}

/** What a seal is bound to: it opens for this plan or slot, and this operation, alone (INV-2). */
export const uploadBinding = (planId: string, operationId: string) => `upload|${planId}|${operationId}`
export const slotBinding = (userId: string, providerId: string, operationId: string) =>
  `slot|${userId}|${providerId}|${operationId}`

/** HPKE, base mode (RFC 9180). The plaintext's bytes are zeroed. */
export const seal = async ({ keyId, publicKey }: SealingKey, plaintext: string, binding: string): Promise<Sealed> => {
  const bytes = new TextEncoder().encode(plaintext)
  try {
    const { encapsulatedSecret, ciphertext } = await suite.Seal(await suite.DeserializePublicKey(publicKey), bytes, {
      info: INFORMATION,
      aad: new TextEncoder().encode(binding),
    })
    return { sealingKeyId: keyId, sealed: Buffer.concat([encapsulatedSecret, ciphertext]) }
  } finally {
    bytes.fill(0)
  }
}
