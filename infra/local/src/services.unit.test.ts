import { AUDITOR, type Service, services } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { type SecretName, type Secrets, secretNames } from './secrets.ts'
import { environmentOf, seatAll } from './services.ts'
import type { VaultKeys } from './vault-keys.ts'

const secrets = Object.fromEntries(secretNames.map((name) => [name, `value of ${name}`])) as Secrets
let port = 20_000
const seats = await seatAll({
  instances: 2,
  gateway: { host: '0.0.0.0', port: 8080, url: 'http://127.0.0.1:8080' },
  port: async () => {
    port += 1
    return port
  },
})

const environment = (
  service: Service,
  env: NodeJS.ProcessEnv = {},
  paymentsUrl: string | null = 'http://127.0.0.1:5',
  vaultKeys: VaultKeys = {},
) => {
  const seat = seats.find((found) => found.service === service)
  if (!seat) throw new Error(`${service} has no seat`)
  return environmentOf(seat, {
    env,
    secrets,
    vaultKeys: () => vaultKeys,
    clock: 'test',
    brokers: ['127.0.0.1:1', '127.0.0.1:2'],
    registryUrl: 'http://127.0.0.1:3/apis/ccompat/v7',
    databaseUrl: (name) => `postgres://127.0.0.1:4/${name}`,
    seats,
    paymentsUrl,
  })
}

const given: Record<Service, readonly SecretName[]> = {
  auditor: ['INTERNAL_SECRET'],
  gateway: ['AUTH_JWT_SECRET', 'CRON_SECRET', 'INTERNAL_SECRET', 'REVEAL_SECRET'],
  subscription: ['INTERNAL_SECRET'],
  'credits-ledger': ['INTERNAL_SECRET'],
  'key-inventory': ['VAULT_KEY', 'FINGERPRINT_SECRET', 'SEALING_KEY', 'INTERNAL_SECRET', 'REVEAL_SECRET'],
  'billing-scheduler': ['INTERNAL_SECRET'],
}

test.each(services)('VLT-1: %s is given the secrets it needs and no other', (service) => {
  const found = secretNames.filter((name) => name in environment(service))
  expect(found.sort()).toEqual([...given[service]].sort())
})

test('CAT-3: prices go to subscription and to nobody else', () => {
  const env = { CODING_PLAN_PRICE_ACME_BASIC: '1' }
  expect(services.filter((service) => 'CODING_PLAN_PRICE_ACME_BASIC' in environment(service, env))).toEqual([
    'subscription',
  ])
})

test('CAT-3: a price that is set to nothing reaches subscription, which refuses it', () => {
  expect(environment('subscription', { CODING_PLAN_PRICE_X: '' })).toHaveProperty('CODING_PLAN_PRICE_X', '')
})

test('VLT-1: the vault’s keys go to the inventory alone, as they stand at each launch', () => {
  const vaultKeys = { VAULT_KEY: 'new', VAULT_KEY_PREVIOUS: 'old' }
  expect(environment('key-inventory', {}, null, vaultKeys)).toMatchObject(vaultKeys)
  for (const service of services.filter((one) => one !== 'key-inventory'))
    expect(Object.keys(environment(service, {}, null, vaultKeys)).join()).not.toMatch(/VAULT_KEY/)
})

test('a service comes to the brokers as itself where it has a password of its own', () => {
  const common = { KAFKA_TLS_CA: '/ca.pem', KAFKA_SASL_USERNAME: 'launcher', KAFKA_SASL_PASSWORD: 'x' }
  const env = { ...common, KAFKA_SASL_PASSWORD_KEY_INVENTORY: 'y' }
  expect(environment('key-inventory', env)).toMatchObject({
    KAFKA_SASL_USERNAME: 'key-inventory',
    KAFKA_SASL_PASSWORD: 'y',
  })
  expect(environment('gateway', env)).toMatchObject(common)
  expect(Object.keys(environment('gateway', env))).not.toContain('KAFKA_SASL_PASSWORD_KEY_INVENTORY')
})

test('what the launcher itself was told does not leak into a service', () => {
  const env = {
    HOME: '/somewhere',
    AWS_SECRET_ACCESS_KEY: 'x',
    DATABASE_URL: 'postgres://other',
    STRIPE_SECRET_KEY: 'sk',
  }
  expect(environment('gateway', env)).not.toHaveProperty('AWS_SECRET_ACCESS_KEY')
  expect(environment('gateway', env)).not.toHaveProperty('STRIPE_SECRET_KEY')
  expect(environment('credits-ledger', env).DATABASE_URL).toBe('postgres://127.0.0.1:4/coding_plans_credits_ledger')
})

test('the secret key of Stripe goes to the ledger and to nobody else; with Stripe there is no fake service', () => {
  const env = { PAYMENTS: 'stripe', STRIPE_SECRET_KEY: 'sk', STRIPE_API_URL: 'http://127.0.0.1:6' }
  for (const name of Object.keys(env))
    expect(services.filter((service) => name in environment(service, env))).toEqual(['credits-ledger'])
  expect(environment('credits-ledger', env, null)).not.toHaveProperty('FAKE_PAYMENTS_URL')
})

test('every process has an address of its own, and the scheduler knows all that others wait for', () => {
  const urls = seats.map(({ url }) => url)
  expect(new Set(urls).size).toBe(2 * services.length)
  expect(environment('billing-scheduler').SERVICE_URLS?.split(',')).toEqual(
    seats.flatMap(({ service, url }) => (service === AUDITOR ? [] : [url])),
  )
  const inventories = seats.filter(({ service }) => service === 'key-inventory').map(({ url }) => url)
  expect(environment('gateway')).toMatchObject({
    KEY_INVENTORY_URL: inventories.join(','),
    HOST: '0.0.0.0',
    PORT: '8080',
    KAFKA_BROKERS: '127.0.0.1:1,127.0.0.1:2',
  })
})

test('only the gateway listens beyond this machine', () => {
  const open = seats.filter(({ host }) => host !== '127.0.0.1')
  expect(open.map(({ name }) => name)).toEqual(['gateway-1'])
})
