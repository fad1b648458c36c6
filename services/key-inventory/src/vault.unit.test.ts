import { expect, test } from 'vitest'
import { openFingerprint, openVault, recordOfKey, recordOfSlot, wrappingKeyId } from './vault.ts'

const kek = Buffer.alloc(32, 1)
const older = Buffer.alloc(32, 2)
const vault = openVault([kek])
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

test('VLT-1: a vault opens what any key it knows has wrapped, and locks under the first', () => {
  const before = openVault([older]).lock(Buffer.from('old'), 'r')
  const both = openVault([kek, older])
  expect(both.open(before, 'r').toString()).toBe('old')
  expect(both.lock(Buffer.from('new'), 'r').wrappingKeyId).toBe(wrappingKeyId(kek))
  expect(() => vault.open(before, 'r')).toThrow(wrappingKeyId(older))
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
