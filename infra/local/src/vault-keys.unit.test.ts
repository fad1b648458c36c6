import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keepAll, keepSecret, readKept } from './secrets.ts'
import { readVaultKeys, stageIn, takeStep } from './vault-keys.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'coding-plans-keys-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))
const kept = () => readVaultKeys({}, directory)

test('VLT-1: a key is known before it wraps, and its predecessor is known until it is dropped', () => {
  const old = keepSecret(directory, 'VAULT_KEY')
  const other = keepSecret(directory, 'FINGERPRINT_SECRET')
  expect(stageIn(directory)).toBe('settled')

  takeStep(directory)
  const { VAULT_KEY_NEXT: coming = '' } = kept()
  expect(kept()).toEqual({ VAULT_KEY: old, VAULT_KEY_NEXT: coming })
  expect(Buffer.from(coming, 'base64')).toHaveLength(32)
  expect(stageIn(directory)).toBe('introduced')

  takeStep(directory)
  expect(kept()).toEqual({ VAULT_KEY: coming, VAULT_KEY_PREVIOUS: old })
  expect(stageIn(directory)).toBe('turned')

  // No service is given it any more; it is gone only when all have come up without it.
  takeStep(directory)
  expect(kept()).toEqual({ VAULT_KEY: coming })
  expect(readKept(directory).VAULT_KEY_DROPPED).toBe(old)
  expect(stageIn(directory)).toBe('dropped')

  takeStep(directory)
  expect(stageIn(directory)).toBe('settled')
  expect(readKept(directory)).toEqual({ FINGERPRINT_SECRET: other, VAULT_KEY: coming })
  expect(statSync(join(directory, 'secrets.json')).mode & 0o777).toBe(0o600)
  expect(readFileSync(join(directory, 'secrets.json'), 'utf8')).not.toContain(old)
})

test('VLT-1: a key that was not yet dropped stays known when the next one comes', () => {
  keepAll(directory, { VAULT_KEY: 'b', VAULT_KEY_NEXT: 'c', VAULT_KEY_PREVIOUS: 'a' })
  takeStep(directory)
  expect(kept()).toEqual({ VAULT_KEY: 'c', VAULT_KEY_PREVIOUS: 'b,a' })
})

test('the vault’s keys come from one place: the environment if it names one, else the data directory', () => {
  keepSecret(directory, 'VAULT_KEY')
  expect(readVaultKeys({ VAULT_KEY: 'x', VAULT_KEY_PREVIOUS: 'y', HOME: '/' }, directory)).toEqual({
    VAULT_KEY: 'x',
    VAULT_KEY_PREVIOUS: 'y',
  })
})
