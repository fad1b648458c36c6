import { expect, test } from 'vitest'
import { seal } from './sealing.testing.ts'
import { openSeals, slotSeal, uploadSeal } from './sealing.ts'

const seals = await openSeals(Buffer.alloc(32, 3))
const text = (opened: Uint8Array | null) => opened && Buffer.from(opened).toString()

test('INV-2: what was sealed to the public key is opened', async () => {
  const sealed = await seal(seals.publicKey, 'sk-🗝', 'upload|gold|op_1')
  expect(text(await seals.open({ sealingKeyId: seals.keyId, sealed }, 'upload|gold|op_1'))).toBe('sk-🗝')
})

test('INV-2: a seal is bound to its plan or user, and to its operation', async () => {
  const sealed = await seal(seals.publicKey, 'sk', uploadSeal({ planId: 'gold', operationId: 'op_1' }))
  const open = (associated: string) => seals.open({ sealingKeyId: seals.keyId, sealed }, associated)
  await expect(open(uploadSeal({ planId: 'gold', operationId: 'op_2' }))).rejects.toThrow()
  await expect(open(uploadSeal({ planId: 'iron', operationId: 'op_1' }))).rejects.toThrow()
  await expect(open(slotSeal({ userId: 'gold', providerId: 'acme', operationId: 'op_1' }))).rejects.toThrow()
})

test('INV-2: an altered or shortened seal does not open', async () => {
  const sealed = await seal(seals.publicKey, 'sk', 'a')
  for (const bytes of [Buffer.from(sealed).fill(0, 40, 41), sealed.subarray(0, 20), Buffer.alloc(0)])
    await expect(seals.open({ sealingKeyId: seals.keyId, sealed: bytes }, 'a')).rejects.toThrow()
})

test('every instance with the same secret opens the same seals; another secret has another key', async () => {
  const twin = await openSeals(Buffer.alloc(32, 3))
  expect([twin.keyId, twin.publicKey]).toEqual([seals.keyId, seals.publicKey])
  const other = await openSeals(Buffer.alloc(32, 4))
  expect(other.keyId).not.toBe(seals.keyId)
  const sealed = await seal(seals.publicKey, 'sk', 'a')
  expect(await other.open({ sealingKeyId: seals.keyId, sealed }, 'a')).toBeNull()
})
