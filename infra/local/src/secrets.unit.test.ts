import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { secretNames, settleSecrets } from './secrets.ts'

const complete = (): Record<string, string> =>
  Object.fromEntries(secretNames.map((name) => [name, randomBytes(32).toString('base64')]))
const settle = (env: NodeJS.ProcessEnv) => settleSecrets({ env, directory: '/nowhere', mayMake: false })

test('secrets of the environment are taken as they are', () => {
  const env = complete()
  expect(settle(env)).toEqual(env)
})

test.each(secretNames.filter((name) => name !== 'REVEAL_SECRET'))(
  'with servers of one’s own a missing %s stops the start with a sentence that names it',
  (name) => {
    const { [name]: _, ...env } = complete()
    expect(() => settle(env)).toThrow(new RegExp(`^${name} is missing \\(it must .+\\)\\.$`))
  },
)

test.each(['VAULT_KEY', 'FINGERPRINT_SECRET', 'IDENTITY_SECRET', 'SEALING_KEY', 'INTERNAL_SECRET', 'REVEAL_SECRET'])(
  'VLT-1: a %s of another length is refused, and its value is not repeated',
  (name) => {
    const short = randomBytes(16).toString('base64')
    expect(() => settle({ ...complete(), [name]: short })).toThrow(`${name} must be 32 bytes, base64.`)
    expect(() => settle({ ...complete(), [name]: `${short}!!` })).toThrow(/^(?!.*!!)/)
  },
)

test('a token’s secret is at least as long as its hash', () => {
  expect(() => settle({ ...complete(), AUTH_JWT_SECRET: 'short' })).toThrow(
    'AUTH_JWT_SECRET must have at least 32 bytes.',
  )
})

test('REVEAL_SECRET may be left out: every launcher makes the same from SEALING_KEY, which another secret does not give', () => {
  const { REVEAL_SECRET, ...env } = complete()
  const made = settle(env).REVEAL_SECRET
  expect(Buffer.from(made, 'base64')).toHaveLength(32)
  const elsewhere = { ...complete(), REVEAL_SECRET: '' }
  expect(settle({ ...elsewhere, SEALING_KEY: env.SEALING_KEY }).REVEAL_SECRET).toBe(made)
  expect(settle(elsewhere).REVEAL_SECRET).not.toBe(made)
})

test('whoever checks tokens by published keys needs no AUTH_JWT_SECRET', () => {
  const { AUTH_JWT_SECRET, ...env } = complete()
  expect(settle({ ...env, AUTH_JWKS_URL: 'https://issuer/keys' }).AUTH_JWT_SECRET).toBe('')
})

test('everything that is wrong is said at once', () => {
  const { CRON_SECRET, ...env } = complete()
  expect(() => settle({ ...env, VAULT_KEY: 'x' })).toThrow(/VAULT_KEY must .*; CRON_SECRET is missing/)
})

test('VLT-1: two secrets that are the same are refused, and neither is shown', () => {
  const env = complete()
  expect(() => settle({ ...env, IDENTITY_SECRET: env.VAULT_KEY })).toThrow(
    /^VAULT_KEY and IDENTITY_SECRET must not be the same\.$/,
  )
})
