import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

const secret = (fill: number) => Buffer.alloc(32, fill).toString('base64')
const whole = {
  KAFKA_BROKERS: 'localhost:9092',
  SCHEMA_REGISTRY_URL: 'http://localhost/apis/ccompat/v7',
  DATABASE_URL: 'postgres://localhost/coding_plans_key_inventory',
  INTERNAL_SECRET: secret(1),
  VAULT_KEY: secret(2),
  FINGERPRINT_SECRET: secret(3),
  SEALING_KEY: secret(4),
  REVEAL_SECRET: secret(8),
}

test('SLT-2: 10 reveals a minute unless told otherwise', () => {
  expect(readConfig(whole).REVEALS_PER_MINUTE).toBe(10)
  expect(readConfig({ ...whole, REVEALS_PER_MINUTE: '3' }).REVEALS_PER_MINUTE).toBe(3)
})

test('VLT-1: every secret is asked for by its own name, and no complaint repeats one', () => {
  const { VAULT_KEY, SEALING_KEY, ...rest } = whole
  const bad = { ...rest, FINGERPRINT_SECRET: 'not-a-secret-of-32-bytes' }
  expect(() => readConfig(bad)).toThrow(/VAULT_KEY .*FINGERPRINT_SECRET .*SEALING_KEY /)
  expect(() => readConfig(bad)).not.toThrow(/not-a-secret/)
})

test('VLT-1: the vault takes one key that is coming and any number that were, and names what is malformed', () => {
  const config = readConfig({ ...whole, VAULT_KEY_NEXT: secret(5), VAULT_KEY_PREVIOUS: `${secret(6)},${secret(7)}` })
  expect(config.VAULT_KEY_NEXT).toEqual([Buffer.alloc(32, 5)])
  expect(config.VAULT_KEY_PREVIOUS).toEqual([Buffer.alloc(32, 6), Buffer.alloc(32, 7)])
  expect(readConfig(whole)).toMatchObject({ VAULT_KEY_NEXT: [], VAULT_KEY_PREVIOUS: [] })
  const bad = { ...whole, VAULT_KEY_NEXT: `${secret(5)},${secret(6)}`, VAULT_KEY_PREVIOUS: `${secret(6)},short` }
  expect(() => readConfig(bad)).toThrow(/VAULT_KEY_NEXT must .*VAULT_KEY_PREVIOUS must /)
  expect(() => readConfig(bad)).not.toThrow(/short/)
})

test('VLT-1: encryption, fingerprint, sealing, reveals and internal calls share no secret', () => {
  expect(() => readConfig({ ...whole, FINGERPRINT_SECRET: whole.VAULT_KEY })).toThrow(
    'VAULT_KEY and FINGERPRINT_SECRET are the same. Each secret must be its own.',
  )
  expect(() => readConfig({ ...whole, REVEAL_SECRET: whole.INTERNAL_SECRET })).toThrow(
    'INTERNAL_SECRET and REVEAL_SECRET are the same. Each secret must be its own.',
  )
})
