import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto'
import { Trouble } from '@coding-plans/runtime'

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

/** The wrapped half of an envelope. */
export type Wrapping = Omit<Envelope, 'ciphertext'>

/** A vault that knows several key-encryption keys: it wraps with one, and opens what any of them has wrapped. */
export interface KeyRing extends Vault {
  /** Whose data keys this vault wraps anew, by id. */
  readonly previous: readonly string[]
  /** What part a key plays here. */
  roleOf(wrappingKeyId: string): KeyRole
  /** The id of the key that it wraps with. */
  readonly present: string
  /** The ids of all keys it knows. */
  readonly known: readonly string[]
  /** The same data key, wrapped by the present key-encryption key for the same record. @throws as `open` does. */
  rewrap(wrapping: Wrapping, record: string): Wrapping
}
export type KeyRole = 'present' | 'next' | 'previous' | 'unknown'

/** The keys of a ring, by the part that each plays. */
export interface KeyEncryptionKeys {
  readonly present: Uint8Array
  readonly next?: readonly Uint8Array[]
  readonly previous?: readonly Uint8Array[]
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

/** Trouble, not nonsense: an instance that knows the key is coming, or this one was started without it. */
export class UnknownWrappingKey extends Trouble {
  constructor(id: string) {
    super(`The wrapping key ${id} is not known.`)
  }
}

export const openVault = ({ present, next = [], previous = [] }: KeyEncryptionKeys): KeyRing => {
  const presentId = wrappingKeyId(present)
  const [nextIds, previousIds] = [next, previous].map((keys) => keys.map(wrappingKeyId)) as [string[], string[]]
  const keys = new Map([present, ...next, ...previous].map((key) => [wrappingKeyId(key), key]))
  const keyOf = (id: string) => {
    const key = keys.get(id)
    if (!key) throw new UnknownWrappingKey(id)
    return key
  }
  const wrap = (dataKey: Uint8Array, record: string): Wrapping => ({
    wrappedKey: encrypt(present, dataKey, `data-key|${record}`),
    wrappingKeyId: presentId,
  })
  const unwrap = (wrapping: Wrapping, record: string) =>
    decrypt(keyOf(wrapping.wrappingKeyId), wrapping.wrappedKey, `data-key|${record}`)
  return {
    present: presentId,
    known: [...keys.keys()],
    previous: previousIds.filter((id) => id !== presentId),
    roleOf(id) {
      if (id === presentId) return 'present'
      if (previousIds.includes(id)) return 'previous'
      return nextIds.includes(id) ? 'next' : 'unknown'
    },
    lock(plaintext, record) {
      const dataKey = randomBytes(KEY_BYTES)
      try {
        return { ciphertext: encrypt(dataKey, plaintext, `secret|${record}`), ...wrap(dataKey, record) }
      } finally {
        dataKey.fill(0)
        plaintext.fill(0)
      }
    },
    open(envelope, record) {
      const dataKey = unwrap(envelope, record)
      try {
        return decrypt(dataKey, envelope.ciphertext, `secret|${record}`)
      } finally {
        dataKey.fill(0)
      }
    },
    rewrap(wrapping, record) {
      const dataKey = unwrap(wrapping, record)
      try {
        return wrap(dataKey, record)
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
