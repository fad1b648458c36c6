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
