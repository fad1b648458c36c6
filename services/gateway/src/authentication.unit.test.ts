import { createHmac } from 'node:crypto'
import { SignJWT } from 'jose'
import { expect, test } from 'vitest'
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

const encode = (value: object | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A token as its parts are written, well signed: what it says is all that can be wrong with it. */
const signed = (header: object | string, payload: object | string) => {
  const text = `${encode(header)}.${encode(payload)}`
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`
}
const HS256 = { alg: 'HS256' }
const LATER = 9_999_999_999

test('the hand-made token of these tests is good as such', async () => {
  const token = signed(HS256, { sub: 'ada', exp: LATER })
  expect(await withSecret()(`Bearer ${token}`)).toMatchObject({ id: 'ada' })
})

test.each([
  ['exp as text', signed(HS256, { sub: 'ada', exp: `${LATER}` })],
  ['exp is null', signed(HS256, { sub: 'ada', exp: null })],
  ['exp twice: the last one counts, and it is over', signed(HS256, `{"sub":"ada","exp":${LATER},"exp":1}`)],
  ['nbf in the future', signed(HS256, { sub: 'ada', exp: LATER, nbf: LATER - 1 })],
  ['nbf as text', signed(HS256, { sub: 'ada', exp: LATER, nbf: '0' })],
  ['sub is a list', signed(HS256, { sub: ['ada'], exp: LATER })],
  ['sub is a number', signed(HS256, { sub: 1, exp: LATER })],
  ['sub holds U+0000', signed(HS256, { sub: 'ada\0', exp: LATER })],
  ['sub holds half a character', signed(HS256, `{"sub":"\\ud800","exp":${LATER}}`)],
  ['roles are one text', signed(HS256, { sub: 'ada', exp: LATER, roles: 'admin' })],
  ['roles hold what is no text', signed(HS256, { sub: 'ada', exp: LATER, roles: [['admin']] })],
  ['something critical that we do not know', signed({ ...HS256, crit: ['x'], x: 1 }, { sub: 'ada', exp: LATER })],
  ['an unencoded payload', signed({ ...HS256, crit: ['b64'], b64: false }, { sub: 'ada', exp: LATER })],
  ['two algorithms, the last one none', signed('{"alg":"HS256","alg":"none"}', { sub: 'ada', exp: LATER })],
  ['an algorithm written otherwise', signed({ alg: 'hs256' }, { sub: 'ada', exp: LATER })],
  ['claims that are a list', signed(HS256, '[]')],
  ['claims that are no JSON', signed(HS256, 'sub=ada')],
  ['a giant', signed(HS256, { sub: 'ada', exp: LATER, more: 'x'.repeat(8_000) })],
  ['five parts', `${signed(HS256, { sub: 'ada', exp: LATER })}.x.y`],
  ['a signature that is cut', signed(HS256, { sub: 'ada', exp: LATER }).slice(0, -1)],
  ['a signature that is empty', signed(HS256, { sub: 'ada', exp: LATER }).replace(/[^.]*$/, '')],
])('401: %s', async (_, token) => {
  await expect(withSecret()(`Bearer ${token}`)).rejects.toEqual(refused('unauthorized'))
})

test('AUTH_ISSUER and AUTH_AUDIENCE: a token for somebody else opens nothing here', async () => {
  const config = { secret: SECRET, jwksUrl: null, issuer: 'https://login.test', audience: 'coding-plans' }
  const authenticate = authenticator(config, () => Date.now())
  const enter = (more: object) => authenticate(`Bearer ${signed(HS256, { sub: 'ada', exp: LATER, ...more })}`)
  expect(await enter({ iss: 'https://login.test', aud: ['other', 'coding-plans'] })).toMatchObject({ id: 'ada' })
  for (const more of [
    {},
    { iss: 'https://login.test', aud: 'other' },
    { iss: 'https://evil.test', aud: 'coding-plans' },
  ])
    await expect(enter(more)).rejects.toEqual(refused('unauthorized'))
})

test('a start without any way to check tokens, or with bad limits, names every variable at once', () => {
  const given = {
    KAFKA_BROKERS: 'x',
    SCHEMA_REGISTRY_URL: 'x',
    DATABASE_URL: 'x',
    INTERNAL_SECRET: Buffer.alloc(32).toString('base64'),
  }
  expect(() => readConfig({ ...given, PURCHASES_PER_MINUTE: '0' })).toThrow(
    /(?=.*KEY_INVENTORY_URL)(?=.*AUTH_JWT_SECRET)(?=.*CRON_SECRET)(?=.*REVEAL_SECRET)(?=.*PURCHASES_PER_MINUTE)/,
  )
  const more = { KEY_INVENTORY_URL: 'http://x', AUTH_JWKS_URL: 'https://x', CRON_SECRET: 'x' }
  const config = readConfig({ ...given, ...more, REVEAL_SECRET: Buffer.alloc(32, 1).toString('base64') })
  expect(config).toMatchObject({
    AUTH_JWT_SECRET: null,
    PORT: 8080,
    PURCHASES_PER_MINUTE: 300,
    KEY_TESTS_PER_MINUTE: 10,
  })
})

test('published keys come over TLS, but for those of this machine', () => {
  const given = {
    KAFKA_BROKERS: 'x',
    SCHEMA_REGISTRY_URL: 'x',
    DATABASE_URL: 'x',
    INTERNAL_SECRET: Buffer.alloc(32).toString('base64'),
    KEY_INVENTORY_URL: 'http://x',
    CRON_SECRET: 'x',
    REVEAL_SECRET: Buffer.alloc(32, 1).toString('base64'),
  }
  for (const url of ['https://login.test/jwks', 'http://127.0.0.1:9/jwks', 'http://localhost/jwks'])
    expect(readConfig({ ...given, AUTH_JWKS_URL: url }).AUTH_JWKS_URL).toBe(url)
  for (const url of ['http://login.test/jwks', 'ftp://login.test/jwks', 'login.test'])
    expect(() => readConfig({ ...given, AUTH_JWKS_URL: url })).toThrow(/AUTH_JWKS_URL must begin with https/)
})
