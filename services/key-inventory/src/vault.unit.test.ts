import { isTrouble } from '@coding-plans/runtime'
import { expect, test } from 'vitest'
import { openFingerprint, openVault, recordOfKey, recordOfSlot, UnknownWrappingKey, wrappingKeyId } from './vault.ts'

const kek = Buffer.alloc(32, 1)
const older = Buffer.alloc(32, 2)
const vault = openVault({ present: kek })
const lock = (text: string, record: string) => vault.lock(Buffer.from(text), record)

test('VLT-1: what is locked opens in its own row, byte for byte', () => {
  const secret = 'sk-\u0000-🗝-key'
  expect(vault.open(lock(secret, recordOfKey('key_1')), recordOfKey('key_1')).toString()).toBe(secret)
})

test("VLT-1: two rows' ciphertexts cannot be swapped, whole or in part", () => {
  const one = lock('first', recordOfKey('key_1'))
  const two = lock('second', recordOfKey('key_2'))
  expect(() => vault.open(two, recordOfKey('key_1'))).toThrow()
  expect(() => vault.open({ ...one, ciphertext: two.ciphertext }, recordOfKey('key_1'))).toThrow()
  expect(() => vault.open({ ...one, wrappedKey: two.wrappedKey }, recordOfKey('key_1'))).toThrow()
})

test("VLT-1: a user's slot does not open another's", () => {
  const own = lock('own', recordOfSlot('ada', 'acme'))
  expect(() => vault.open(own, recordOfSlot('bob', 'acme'))).toThrow()
  expect(() => vault.open(own, recordOfSlot('ada', 'zenith'))).toThrow()
})

test('VLT-1: an altered byte is noticed', () => {
  const { ciphertext, ...rest } = lock('secret', 'r')
  for (const place of [0, 13, ciphertext.length - 1]) {
    const altered = Buffer.from(ciphertext)
    altered[place] = (altered[place] ?? 0) ^ 1
    expect(() => vault.open({ ...rest, ciphertext: altered }, 'r')).toThrow()
  }
})

test('VLT-1: each record has a data key of its own, and nothing of the secret shows', () => {
  const [one, two] = [lock('the same secret', 'r'), lock('the same secret', 'r')]
  expect(one.wrappedKey.equals(two.wrappedKey)).toBe(false)
  expect(one.ciphertext.equals(two.ciphertext)).toBe(false)
  expect(Buffer.concat([one.ciphertext, one.wrappedKey]).includes('secret')).toBe(false)
})

test('VLT-1: a vault opens what any key it knows has wrapped, and locks under the present one', () => {
  const before = openVault({ present: older }).lock(Buffer.from('old'), 'r')
  const coming = openVault({ present: kek, next: [older] })
  const gone = openVault({ present: kek, previous: [older] })
  for (const both of [coming, gone]) {
    expect(both.open(before, 'r').toString()).toBe('old')
    expect(both.lock(Buffer.from('new'), 'r').wrappingKeyId).toBe(wrappingKeyId(kek))
  }
  expect([coming.previous, gone.previous]).toEqual([[], [wrappingKeyId(older)]])
  expect([coming, gone, vault].map((ring) => ring.roleOf(wrappingKeyId(older)))).toEqual([
    'next',
    'previous',
    'unknown',
  ])
})

test('VLT-1: a key that is not known is trouble, not nonsense, and is named by its id', () => {
  const before = openVault({ present: older }).lock(Buffer.from('old'), 'r')
  const open = () => vault.open(before, 'r')
  expect(open).toThrow(UnknownWrappingKey)
  expect(open).toThrow(wrappingKeyId(older))
  expect(isTrouble(new UnknownWrappingKey('kek_0'))).toBe(true)
})

test('VLT-1: a record wrapped anew opens without the old key, under the same ciphertext', () => {
  const before = openVault({ present: older }).lock(Buffer.from('old'), recordOfKey('key_1'))
  const ring = openVault({ present: kek, previous: [older] })
  const after = { ...before, ...ring.rewrap(before, recordOfKey('key_1')) }
  expect(after.ciphertext).toBe(before.ciphertext)
  expect(after.wrappingKeyId).toBe(wrappingKeyId(kek))
  expect(vault.open(after, recordOfKey('key_1')).toString()).toBe('old')
  expect(() => vault.open(after, recordOfKey('key_2'))).toThrow()
  expect(() => ring.rewrap(before, recordOfKey('key_2'))).toThrow()
})

test('VLT-1: the key that is present counts as present, also where it is named as a previous one', () => {
  const ring = openVault({ present: kek, previous: [kek, older] })
  expect(ring.previous).toEqual([wrappingKeyId(older)])
  expect(ring.roleOf(wrappingKeyId(kek))).toBe('present')
})

test('INV-2: locking wipes the plaintext it was given', () => {
  const plaintext = Buffer.from('sk-live-0123')
  vault.lock(plaintext, 'r')
  expect(plaintext.equals(Buffer.alloc(plaintext.length))).toBe(true)
})

test('INV-3: a fingerprint recognises a key under its own secret alone', () => {
  const fingerprint = openFingerprint(kek)
  expect(fingerprint('sk-1').equals(openFingerprint(kek)('sk-1'))).toBe(true)
  expect(fingerprint('sk-1').equals(fingerprint('sk-2'))).toBe(false)
  expect(fingerprint('sk-1').equals(openFingerprint(older)('sk-1'))).toBe(false)
})
