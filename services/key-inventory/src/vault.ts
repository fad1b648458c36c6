import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto'

/** A secret as a row keeps it: under a data key of its own, which is wrapped by a key-encryption key (VLT-1). */
export interface Envelope {
  readonly ciphertext: Buffer
  readonly wrappedKey: Buffer
  readonly wrappingKeyId: string
}

/** An erased secret. */
export const noEnvelope = { ciphertext: null, wrappedKey: null, wrappingKeyId: null }

export interface Vault {
  /** `record` is the id of the row the secret belongs to: it opens in no other. The caller's plaintext is wiped. */
  lock(plaintext: Uint8Array, record: string): Envelope
  /** @throws if the row's ciphertext is not its own, was altered, or its wrapping key is not known. */
  open(envelope: Envelope, record: string): Buffer
}

/** What a record is called that holds the key of the stock, or the user's own. User ids may contain a bar, provider ids do not. */
export const recordOfKey = (keyId: string) => `key:${keyId}`
export const recordOfSlot = (userId: string, providerId: string) => `slot:${userId}|${providerId}`

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** nonce ‖ ciphertext ‖ tag */
const encrypt = (key: Uint8Array, plaintext: Uint8Array, associated: string): Buffer => {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(associated))
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

const decrypt = (key: Uint8Array, box: Buffer, associated: string): Buffer => {
  const decipher = createDecipheriv(CIPHER, key, box.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(associated)).setAuthTag(box.subarray(-TAG_BYTES))
  const begun = decipher.update(box.subarray(NONCE_BYTES, -TAG_BYTES))
  const plaintext = Buffer.concat([begun, decipher.final()])
  begun.fill(0)
  return plaintext
}

/** The name of a key-encryption key: says which one a data key was wrapped by, tells nothing of it. */
export const wrappingKeyId = (key: Uint8Array) =>
  `kek_${createHash('sha256').update('coding-plans/vault|').update(key).digest('hex').slice(0, 16)}`

/** Locks under the first key-encryption key, opens what any of them has wrapped. */
export const openVault = (keys: readonly [Uint8Array, ...Uint8Array[]]): Vault => {
  const known = new Map(keys.map((key) => [wrappingKeyId(key), key]))
  const present = wrappingKeyId(keys[0])
  return {
    lock(plaintext, record) {
      const dataKey = randomBytes(KEY_BYTES)
      try {
        const ciphertext = encrypt(dataKey, plaintext, `secret|${record}`)
        return { ciphertext, wrappedKey: encrypt(keys[0], dataKey, `data-key|${record}`), wrappingKeyId: present }
      } finally {
        dataKey.fill(0)
        plaintext.fill(0)
      }
    },
    open(envelope, record) {
      const wrappingKey = known.get(envelope.wrappingKeyId)
      if (!wrappingKey) throw new Error(`The wrapping key ${envelope.wrappingKeyId} is not known.`)
      const dataKey = decrypt(wrappingKey, envelope.wrappedKey, `data-key|${record}`)
      try {
        return decrypt(dataKey, envelope.ciphertext, `secret|${record}`)
      } finally {
        dataKey.fill(0)
      }
    },
  }
}

/** By what a key is recognised without being known (INV-3): keyed with a secret of its own, over all plans and states. */
export type Fingerprint = (key: string) => Buffer

export const openFingerprint =
  (secret: Uint8Array): Fingerprint =>
  (key) =>
    createHmac('sha256', secret).update(key).digest()
