import type { webcrypto } from 'node:crypto'
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke'
import { expect, test } from 'vitest'
import { seal, slotBinding, uploadBinding } from './sealing.ts'

const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM)
const ENCAPSULATED = 32

const open = async (privateKey: webcrypto.CryptoKey, sealed: Buffer, binding: string) => {
  const plain = await suite.Open(privateKey, sealed.subarray(0, ENCAPSULATED), sealed.subarray(ENCAPSULATED), {
    info: new TextEncoder().encode('coding-plans/v1'),
    aad: new TextEncoder().encode(binding),
  })
  return new TextDecoder().decode(plain)
}

test('INV-2: a key travels sealed, for one operation alone', async () => {
  const pair = await suite.GenerateKeyPair(true)
  const publicKey = await suite.SerializePublicKey(pair.publicKey)
  const { sealed, sealingKeyId } = await seal(
    { keyId: 'key-1', publicKey },
    'sk-secret',
    slotBinding('ada', 'acme', 'op_1'),
  )
  expect(sealingKeyId).toBe('key-1')
  expect(sealed.toString('latin1')).not.toContain('sk-secret')
  expect(await open(pair.privateKey, sealed, 'slot|ada|acme|op_1')).toBe('sk-secret')
  for (const other of [
    slotBinding('ada', 'acme', 'op_2'),
    slotBinding('bob', 'acme', 'op_1'),
    uploadBinding('acme', 'op_1'),
  ])
    await expect(open(pair.privateKey, sealed, other)).rejects.toThrow()
})
