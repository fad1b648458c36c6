import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { afterEach, expect, test } from 'vitest'
import { authenticator } from './authentication.ts'
import { SECRET, tokenFor } from './desk.testing.ts'
import {
  ASK_AGAIN_AFTER_MILLISECONDS,
  ASK_FIRST_AGAIN_AFTER_MILLISECONDS,
  KEYS_FRESH_FOR_MILLISECONDS,
  KEYS_GOOD_FOR_MILLISECONDS,
} from './published-keys.ts'

const unauthorized = expect.objectContaining({ problem: expect.objectContaining({ status: 401 }) })
const unavailable = expect.objectContaining({ problem: expect.objectContaining({ status: 503 }) })

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

const newKey = async (kid: string, alg = 'ES256') => {
  const { publicKey, privateKey } = await generateKeyPair(alg)
  const sign = (sub = 'ada', expires: string | number = '12h') =>
    new SignJWT().setProtectedHeader({ alg, kid }).setSubject(sub).setExpirationTime(expires).sign(privateKey)
  return { kid, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg }, sign }
}
type Key = Awaited<ReturnType<typeof newKey>>

/** An issuer as a real server, in a time of its own. */
const openIssuer = async (...published: Key[]) => {
  const issuer = { keys: published, asked: 0, passed: 0, answer: null as ((response: ServerResponse) => void) | null }
  server = createServer((_, response) => {
    issuer.asked += 1
    if (issuer.answer) issuer.answer(response)
    else response.end(JSON.stringify({ keys: issuer.keys.map(({ jwk }) => jwk) }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
  const began = Date.now()
  const authenticate = authenticator({ secret: SECRET, jwksUrl }, () => began + issuer.passed)
  const enter = async (token: string) => (await authenticate(`Bearer ${token}`)).id
  return { issuer, enter }
}
const broken = (response: ServerResponse) => response.writeHead(500).end('{}')

test('a key that appears opens as soon as it is met, and keys are asked for once', async () => {
  const [first, second] = [await newKey('k1'), await newKey('k2', 'RS256')]
  const { issuer, enter } = await openIssuer(first)
  expect(await enter(await first.sign())).toBe('ada')
  expect(await enter(await first.sign('bob'))).toBe('bob')
  expect(issuer.asked).toBe(1)
  issuer.keys = [first, second]
  issuer.passed += ASK_AGAIN_AFTER_MILLISECONDS
  expect(await enter(await second.sign('cy'))).toBe('cy')
  expect(issuer.asked).toBe(2)
})

test('a key that is taken back opens no longer than its time, for a token that was good before as well', async () => {
  const [old, fresh] = [await newKey('old'), await newKey('fresh')]
  const { issuer, enter } = await openIssuer(old)
  const token = await old.sign()
  expect(await enter(token)).toBe('ada')
  issuer.keys = [fresh]
  issuer.passed = KEYS_FRESH_FOR_MILLISECONDS - 1
  expect(await enter(token)).toBe('ada')
  issuer.passed = KEYS_FRESH_FOR_MILLISECONDS
  await expect(enter(token)).rejects.toEqual(unauthorized)
  expect(await enter(await fresh.sign())).toBe('ada')
})

test('a token is believed no longer than the keys that let it in, however late it came first', async () => {
  const [old, fresh] = [await newKey('old'), await newKey('fresh')]
  const { issuer, enter } = await openIssuer(old)
  await enter(await old.sign())
  issuer.keys = [fresh]
  issuer.passed = KEYS_FRESH_FOR_MILLISECONDS - 1
  const late = await old.sign('bob')
  expect(await enter(late)).toBe('bob')
  issuer.passed = KEYS_FRESH_FOR_MILLISECONDS
  await expect(enter(late)).rejects.toEqual(unauthorized)
})

test('an issuer that is away: a token that came in at the last moment is out with the hour too, not ten minutes later', async () => {
  const [old, fresh] = [await newKey('old'), await newKey('fresh')]
  const { issuer, enter } = await openIssuer(old)
  const token = await old.sign()
  await enter(token)
  issuer.answer = broken
  issuer.passed = KEYS_GOOD_FOR_MILLISECONDS - 1
  expect(await enter(token)).toBe('ada')
  issuer.passed = KEYS_GOOD_FOR_MILLISECONDS
  await expect(enter(token)).rejects.toEqual(unavailable)
  issuer.answer = null
  issuer.keys = [fresh]
  issuer.passed += ASK_AGAIN_AFTER_MILLISECONDS
  await expect(enter(token)).rejects.toEqual(unauthorized)
})

test('an issuer that is away and hangs holds up nobody whose key is known', async () => {
  const known = await newKey('known')
  const { issuer, enter } = await openIssuer(known)
  const token = await known.sign()
  await enter(token)
  issuer.answer = broken
  issuer.passed = KEYS_FRESH_FOR_MILLISECONDS
  await enter(token)
  const held: ServerResponse[] = []
  issuer.answer = (response) => held.push(response)
  issuer.passed += ASK_AGAIN_AFTER_MILLISECONDS
  const began = performance.now()
  expect(await enter(token)).toBe('ada')
  // It is given up after three seconds.
  expect(performance.now() - began).toBeLessThan(1_500)
})

test('who invents key ids is refused, and makes us ask no oftener than we would by ourselves', async () => {
  const known = await newKey('known')
  const { issuer, enter } = await openIssuer(known)
  await enter(await known.sign())
  issuer.passed += ASK_AGAIN_AFTER_MILLISECONDS
  const invented = await Promise.all(Array.from({ length: 50 }, async (_, n) => (await newKey(`invented-${n}`)).sign()))
  const answers = await Promise.allSettled(invented.map(enter))
  for (const answer of answers) expect(answer).toMatchObject({ status: 'rejected', reason: unauthorized })
  for (const token of invented) await expect(enter(token)).rejects.toEqual(unauthorized)
  expect(issuer.asked).toBe(2)
})

test('an issuer that is away: known keys open for an hour, of others nobody can tell (503), and it is not hammered', async () => {
  const [known, unknown] = [await newKey('known'), await newKey('unknown')]
  const { issuer, enter } = await openIssuer(known)
  await enter(await known.sign())
  issuer.answer = broken
  issuer.passed = KEYS_FRESH_FOR_MILLISECONDS
  for (let n = 0; n < 5; n += 1) {
    expect(await enter(await known.sign(`user-${n}`))).toBe(`user-${n}`)
    await expect(enter(await unknown.sign())).rejects.toEqual(unavailable)
  }
  expect(issuer.asked).toBe(2)
  issuer.passed = KEYS_GOOD_FOR_MILLISECONDS
  await expect(enter(await known.sign('late'))).rejects.toEqual(unavailable)
  issuer.answer = null
  issuer.passed += ASK_AGAIN_AFTER_MILLISECONDS
  expect(await enter(await known.sign('late'))).toBe('late')
})

test.each<[string, (response: ServerResponse) => void]>([
  ['fails', broken],
  ['answers no keys', (response) => response.end('{"keys":"none"}')],
  ['answers no JSON', (response) => response.end('<html>')],
  ['sends us elsewhere', (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
  ['answers without end', (response) => response.end(`{"keys":[],"more":"${'x'.repeat(300_000)}"}`)],
])('before anything was read, while the issuer %s: 503, and in as soon as it is well', async (_, answer) => {
  const key = await newKey('k')
  const { issuer, enter } = await openIssuer(key)
  issuer.answer = answer
  await expect(enter(await key.sign())).rejects.toEqual(unavailable)
  await expect(enter(await key.sign())).rejects.toEqual(unavailable)
  expect(issuer.asked).toBe(1)
  issuer.answer = null
  issuer.passed += ASK_FIRST_AGAIN_AFTER_MILLISECONDS
  expect(await enter(await key.sign())).toBe('ada')
})

test('published keys alone count: not the secret, nor a public key taken for one, nor a key the token brings', async () => {
  const known = await newKey('known', 'RS256')
  const { issuer, enter } = await openIssuer(known)
  const claims = () => new SignJWT().setSubject('eve').setExpirationTime('1h')
  const publicText = new TextEncoder().encode(await exportSPKI(known.publicKey))
  const eve = await generateKeyPair('RS256')
  const brought = { alg: 'RS256', kid: 'known', jwk: await exportJWK(eve.publicKey), jku: 'http://127.0.0.1:1/' }
  const tokens = [
    await tokenFor('eve', ['admin']),
    await claims().setProtectedHeader({ alg: 'HS256', kid: 'known' }).sign(publicText),
    await claims().setProtectedHeader(brought).sign(eve.privateKey),
    await claims().setProtectedHeader({ alg: 'RS256', kid: '../known' }).sign(eve.privateKey),
    await claims().setProtectedHeader({ alg: 'RS256' }).sign(eve.privateKey),
  ]
  await enter(await known.sign())
  issuer.passed += ASK_AGAIN_AFTER_MILLISECONDS
  for (const token of tokens) await expect(enter(token)).rejects.toEqual(unauthorized)
})
