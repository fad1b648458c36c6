import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

const env = {
  KAFKA_BROKERS: '127.0.0.1:1',
  SCHEMA_REGISTRY_URL: 'http://127.0.0.1:2',
  DATABASE_URL: 'postgres://127.0.0.1:3/x',
  INTERNAL_SECRET: Buffer.alloc(32, 7).toString('base64'),
}
const stripe = { ...env, PAYMENTS: 'stripe', STRIPE_SECRET_KEY: 'sk_test_51abc' }

test('the fake payment service needs its address, and nothing of Stripe', () => {
  expect(readConfig({ ...env, FAKE_PAYMENTS_URL: 'http://127.0.0.1:4' })).toMatchObject({ PAYMENTS: 'fake' })
  expect(() => readConfig(env)).toThrow(/^FAKE_PAYMENTS_URL is missing\.$/)
})

test('with Stripe its secret key is needed, and no address of the fake service', () => {
  expect(readConfig(stripe)).toMatchObject({ STRIPE_SECRET_KEY: 'sk_test_51abc', STRIPE_API_URL: null })
  expect(() => readConfig({ ...env, PAYMENTS: 'stripe' })).toThrow(
    /^STRIPE_SECRET_KEY is missing \(PAYMENTS=stripe needs it\)\.$/,
  )
})

test('everything that is wrong is said at once, and no value is repeated', () => {
  const wrong = { ...stripe, STRIPE_SECRET_KEY: 'pk_live_oops', STRIPE_API_URL: 'ftp://oops' }
  expect(() => readConfig({ ...wrong, KAFKA_BROKERS: '' })).toThrow(/KAFKA_BROKERS.*STRIPE_SECRET_KEY.*STRIPE_API_URL/)
  expect(() => readConfig(wrong)).toThrow(/^(?!.*oops)/)
  expect(() => readConfig({ ...env, PAYMENTS: 'other' })).toThrow(/PAYMENTS must be one of fake, stripe/)
})

test('the secret key leaves this machine over TLS alone', () => {
  const at = (url: string) => () => readConfig({ ...stripe, STRIPE_API_URL: url })
  expect(at('http://payments.example.org')).toThrow(/^STRIPE_API_URL must begin with https:/)
  expect(at('http://127.0.0.1:4')()).toMatchObject({ STRIPE_API_URL: 'http://127.0.0.1:4' })
  expect(at('https://payments.example.org')()).toMatchObject({ STRIPE_API_URL: 'https://payments.example.org' })
})
