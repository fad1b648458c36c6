import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke'
import { expect, test } from 'vitest'
import type { Intent } from '../acceptor.ts'
import { limits, openBench, operation } from '../desk.testing.ts'
import { T0 } from '../events.testing.ts'
import { rateLimit } from '../rate-limit.ts'

const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM)
const said = (intent: Intent | undefined, id = 'op_1') => intent?.command({ id, time: T0 as never, facts: null })

const openSlots = async (known = true) => {
  const pair = await suite.GenerateKeyPair(true)
  const bench = await openBench({
    verdict: ({ sealedFor }) =>
      sealedFor === null
        ? { verdict: 'seal', operationId: 'op_9' }
        : { verdict: 'new', operationId: 'op_9', finished: false },
    reading: { providerKnown: async () => known },
    desk: {
      inventory: {
        sealingKey: async () => ({ keyId: 'k1', publicKey: await suite.SerializePublicKey(pair.publicKey) }),
        reveal: async () => '',
      },
    },
  })
  const opened = async () => {
    const command = said(bench.intents.at(-1), 'op_9') as { body: { sealed: Buffer } }
    const { sealed } = command.body
    const plain = await suite.Open(pair.privateKey, sealed.subarray(0, 32), sealed.subarray(32), {
      info: new TextEncoder().encode('coding-plans/v1'),
      aad: new TextEncoder().encode('slot|ada|acme|op_9'),
    })
    return new TextDecoder().decode(plain)
  }
  const put = (payload: object) => bench.ask({ method: 'PUT', url: '/v1/slots/acme', payload })
  return { ...bench, put, opened }
}

test('SLT-1, INV-2: a key of one’s own travels trimmed and sealed, for this user, slot and operation', async () => {
  const { put, opened, intents } = await openSlots()
  expect((await put({ key: '  sk-mine \n' })).statusCode).toBe(202)
  expect(await opened()).toBe('sk-mine')
  expect(said(intents.at(-1), 'op_9')).toMatchObject({
    name: 'PutOwnKey',
    body: { userId: 'ada', providerId: 'acme', sealingKeyId: 'k1' },
  })
})

test('a key has 1 to 500 characters, any character inside', async () => {
  const { put, intents } = await openSlots()
  for (const payload of [{}, { key: '' }, { key: '   ' }, { key: 'x'.repeat(501) }, { key: 5 }, { key: 'x', more: 1 }])
    expect([payload, (await put(payload)).statusCode]).toEqual([payload, 400])
  expect(intents).toEqual([])
  expect((await put({ key: '🔑'.repeat(500) })).statusCode).toBe(202)
})

test('a provider that no plan names is refused without a word to the inventory', async () => {
  const { put, ask, intents } = await openSlots(false)
  await put({ key: 'sk-mine' })
  await ask({ method: 'PATCH', url: '/v1/slots/nobody', payload: { enabled: true } })
  await ask({ method: 'DELETE', url: '/v1/slots/nobody' })
  for (const intent of intents) expect(said(intent)).toMatchObject({ refused: { status: 404, code: 'not_found' } })
  expect(intents).toHaveLength(3)
})

test('enable, delete and test send their commands; a deleted key answers 204', async () => {
  const { ask, intents } = await openBench({
    found: operation({ outcome: 'succeeded', visible: true, finishedAt: T0 }),
  })
  await ask({ method: 'PATCH', url: '/v1/slots/acme', payload: { enabled: false } })
  const deleted = await ask({ method: 'DELETE', url: '/v1/slots/acme' })
  await ask({ method: 'POST', url: '/v1/slots/acme/test' })
  expect([deleted.statusCode, deleted.body]).toEqual([204, ''])
  expect(intents.map((intent) => said(intent))).toMatchObject([
    { name: 'EnableOwnKey', body: { enabled: false } },
    { name: 'DeleteOwnKey', body: { providerId: 'acme' } },
    { name: 'TestKey', body: { providerId: 'acme', operationId: 'op_1' } },
  ])
})

test('PER-1: tests of keys are limited', async () => {
  const { ask } = await openBench({ desk: { limits: { ...limits, keyTests: rateLimit(1, () => 0) } } })
  expect((await ask({ method: 'POST', url: '/v1/slots/acme/test' })).statusCode).toBe(202)
  expect((await ask({ method: 'POST', url: '/v1/slots/acme/test' })).statusCode).toBe(429)
})

test('CAN-1: a cancellation is at the end of the period unless it says now; a body is not needed', async () => {
  const { ask, intents } = await openBench()
  const url = '/v1/subscriptions/sub_1/cancel'
  await ask({ method: 'POST', url })
  await ask({ method: 'POST', url, payload: '', headers: { 'content-type': 'application/json' } })
  await ask({ method: 'POST', url, payload: {} })
  await ask({ method: 'POST', url, payload: { when: 'now' } })
  expect(intents.map((intent) => said(intent))).toMatchObject(
    ['period_end', 'period_end', 'period_end', 'now'].map((at) => ({
      body: { at, by: 'user', subscriptionId: 'sub_1' },
    })),
  )
  for (const payload of [{ when: 'later' }, { soon: true }, []])
    expect((await ask({ method: 'POST', url, payload })).statusCode).toBe(400)
})
