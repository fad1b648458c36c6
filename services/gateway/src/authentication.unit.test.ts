import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { expect, test, vi } from 'vitest'
import { authenticator, mayAct } from './authentication.ts'
import { readConfig } from './config.ts'
import { SECRET, tokenFor } from './desk.testing.ts'

const withSecret = (now = () => Date.now()) => authenticator({ secret: SECRET, jwksUrl: null }, now)
const refused = (code: string) => expect.objectContaining({ problem: expect.objectContaining({ code }) })

test('a token says who asks and what they are', async () => {
  const caller = await withSecret()(`Bearer ${await tokenFor('ada', ['support'])}`)
  expect([caller.id, [...caller.roles]]).toEqual(['ada', ['support']])
  expect(mayAct(caller, ['support', 'billing'])).toBe(true)
  expect(mayAct(caller, ['billing'])).toBe(false)
  expect(mayAct({ id: 'x', roles: new Set(['admin']) }, ['billing'])).toBe(true)
  expect([...(await withSecret()(`bearer ${await tokenFor('ada')}`)).roles]).toEqual([])
})

test('exp is required, and counts in real time also for a token that was good before', async () => {
  let now = Date.now()
  const authenticate = withSecret(() => now)
  const token = await tokenFor('ada')
  await authenticate(`Bearer ${token}`)
  now += 2 * 3_600_000
  await expect(authenticate(`Bearer ${token}`)).rejects.toEqual(refused('unauthorized'))
  const key = new TextEncoder().encode(SECRET)
  const endless = await new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).setSubject('ada').sign(key)
  await expect(withSecret()(`Bearer ${endless}`)).rejects.toEqual(refused('unauthorized'))
})

test('another algorithm, no algorithm, another secret or no subject: 401', async () => {
  const sign = (alg: string, secret: string, sub: string) =>
    new SignJWT({})
      .setProtectedHeader({ alg })
      .setSubject(sub)
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(secret))
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"ada","exp":9999999999}').toString('base64url')}.`
  const tokens = [
    await sign('HS512', SECRET.repeat(2), 'ada'),
    await sign('HS256', 'another secret that is long enough to sign', 'ada'),
    await sign('HS256', SECRET, ''),
    await sign('HS256', SECRET, 'x'.repeat(201)),
    unsigned,
  ]
  for (const token of tokens) await expect(withSecret()(`Bearer ${token}`)).rejects.toEqual(refused('unauthorized'))
})

test('published keys: a good token passes; a token signed with anything else does not; keys out of reach are 503', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }
  const fetched = vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json({ keys: [jwk] }))
  const config = { secret: SECRET, jwksUrl: 'https://keys.test/jwks' }
  const sign = () =>
    new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setSubject('ada')
      .setExpirationTime('1h')
      .sign(privateKey)
  const authenticate = authenticator(config, () => Date.now())
  expect((await authenticate(`Bearer ${await sign()}`)).id).toBe('ada')
  await expect(authenticate(`Bearer ${await tokenFor('ada')}`)).rejects.toEqual(refused('unauthorized'))
  fetched.mockImplementation(async () => {
    throw new TypeError('fetch failed')
  })
  await expect(authenticator(config, () => Date.now())(`Bearer ${await sign()}`)).rejects.toEqual(
    refused('unavailable'),
  )
  fetched.mockImplementation(async () => new Response('', { status: 500 }))
  await expect(authenticator(config, () => Date.now())(`Bearer ${await sign()}`)).rejects.toEqual(
    refused('unavailable'),
  )
  fetched.mockRestore()
})

test('a start without any way to check tokens, or with bad limits, names every variable at once', () => {
  const given = {
    KAFKA_BROKERS: 'x',
    SCHEMA_REGISTRY_URL: 'x',
    DATABASE_URL: 'x',
    INTERNAL_SECRET: Buffer.alloc(32).toString('base64'),
  }
  expect(() => readConfig({ ...given, PURCHASES_PER_MINUTE: '0' })).toThrow(
    /(?=.*KEY_INVENTORY_URL)(?=.*AUTH_JWT_SECRET)(?=.*CRON_SECRET)(?=.*PURCHASES_PER_MINUTE)/,
  )
  const config = readConfig({ ...given, KEY_INVENTORY_URL: 'http://x', AUTH_JWKS_URL: 'https://x', CRON_SECRET: 'x' })
  expect(config).toMatchObject({
    AUTH_JWT_SECRET: null,
    PORT: 8080,
    PURCHASES_PER_MINUTE: 300,
    KEY_TESTS_PER_MINUTE: 10,
  })
})
