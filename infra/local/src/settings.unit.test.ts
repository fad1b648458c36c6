import { expect, test } from 'vitest'
import { addressOf, readSettings } from './settings.ts'

test('an empty environment has working defaults and may make its own secrets', () => {
  expect(readSettings({})).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
    dataDir: '.local',
    clock: 'system',
    mayMakeSecrets: true,
  })
})

test.each(['0', '65536', '-1', '80a', '8080.5'])('PORT=%s is refused in one sentence', (PORT) => {
  expect(() => readSettings({ PORT })).toThrow(/^PORT must be a whole number from 1 to 65535, not ".+": .+\.$/)
})

test('an unknown clock is refused', () => {
  expect(() => readSettings({ CLOCK: 'fast' })).toThrow('CLOCK must be system or test, not "fast".')
})

test('Stripe takes the payments only with its secret key, and an unknown service does not', () => {
  expect(readSettings({}).payments).toBe('fake')
  expect(readSettings({ PAYMENTS: 'stripe', STRIPE_SECRET_KEY: 'sk_1' }).payments).toBe('stripe')
  expect(() => readSettings({ PAYMENTS: 'stripe' })).toThrow(
    /^STRIPE_SECRET_KEY is missing \(PAYMENTS=stripe needs it\)\.$/,
  )
  expect(() => readSettings({ PAYMENTS: 'other' })).toThrow('PAYMENTS must be fake or stripe, not "other".')
})

test.each([
  { KAFKA_BROKERS: 'a:9092, b:9092' },
  { SCHEMA_REGISTRY_URL: 'http://registry:8081/apis/ccompat/v7/' },
  { DATABASE_URL: 'postgres://user:password@host/db' },
  { NODE_ENV: 'production' },
])('with servers of one’s own or in production no secret is made: %o', (env) => {
  expect(readSettings(env).mayMakeSecrets).toBe(false)
})

test('servers of one’s own are read as they are meant', () => {
  const { own } = readSettings({ KAFKA_BROKERS: 'a:9092, b:9092', SCHEMA_REGISTRY_URL: 'http://registry/v7/' })
  expect(own).toEqual({
    cluster: { brokers: ['a:9092', 'b:9092'] },
    registry: { registryUrl: 'http://registry/v7' },
    databaseUrl: undefined,
  })
})

test('how one gets in to servers of one’s own is refused without them, and hidden', () => {
  expect(() => readSettings({ KAFKA_TLS_CA: '/ca.pem' })).toThrow(/^KAFKA_TLS_CA needs KAFKA_BROKERS/)
  expect(() => readSettings({ SCHEMA_REGISTRY_TLS_CA: '/ca.pem' })).toThrow(/^SCHEMA_REGISTRY_TLS_CA needs/)
  const env = { KAFKA_BROKERS: 'a:9092', KAFKA_SASL_USERNAME: 'ada', KAFKA_SASL_PASSWORD: 'hunter2' }
  expect(() => readSettings(env)).toThrow(/^(?!.*hunter2)KAFKA_SASL_PASSWORD needs KAFKA_TLS_CA/)
})

test('a complaint about DATABASE_URL does not repeat the password in it', () => {
  expect(() => readSettings({ DATABASE_URL: 'mysql://user:hunter2@host/db' })).toThrow(
    /^(?!.*hunter2)DATABASE_URL must be/,
  )
})

test('a wildcard host is reached at this machine’s own address', () => {
  expect(addressOf('0.0.0.0', 1)).toBe('http://127.0.0.1:1')
  expect(addressOf('::1', 1)).toBe('http://[::1]:1')
})
