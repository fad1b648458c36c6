import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke'
import { expect, test } from 'vitest'
import type { Intent } from '../acceptor.ts'
import { openBench, operation } from '../desk.testing.ts'
import { entriesFromLines } from '../entries-upload.ts'
import { body, T0 } from '../events.testing.ts'
import { refusalOf } from '../refusals.ts'

const admin = { sub: 'admin-1', roles: ['admin'] }
const said = (intent: Intent | undefined, id = 'op_1') => intent?.command({ id, time: T0 as never, facts: null })

const publish = (change: object = {}) => ({
  method: 'PUT' as const,
  url: '/v1/admin/plans/acme-coding',
  payload: {
    name: 'Acme Coding',
    providerId: 'acme',
    priceMicrodollars: 0,
    period: { unit: 'month', count: 1 },
    ...change,
  },
})

test('CAT-2: a publish is the whole plan, with what is left out at its default; read-only fields are ignored', async () => {
  const { ask, intents } = await openBench()
  await ask(publish({ id: 'other', availability: 'closed', restockWish: true, version: 9 }), admin)
  expect(said(intents[0])).toMatchObject({
    name: 'PublishPlan',
    body: {
      planId: 'acme-coding',
      actor: 'admin-1',
      providerName: 'acme',
      features: [],
      saleState: 'open',
      repurchase: 'extend',
      maxPrepaidPeriods: 12,
      ownership: 'user',
      reveal: true,
      upstreamRevocation: 'never',
    },
  })
})

test('a plan that makes no sense: 400, and nothing is sent', async () => {
  const { ask, intents } = await openBench()
  const policy = (ownership: string, reveal: boolean, upstreamRevocation: string) => ({
    credentialPolicy: { ownership, reveal, upstreamRevocation },
  })
  const senseless = [
    { priceMicrodollars: -1 },
    { priceMicrodollars: 4.99 },
    { priceMicrodollars: '5' },
    { period: { unit: 'week', count: 1 } },
    { period: { unit: 'month', count: 0 } },
    { period: { unit: 'month', count: 121 } },
    { name: undefined },
    { unknown: 1 },
    { saleState: 'gone' },
    policy('user', true, 'manual'),
    policy('operator', true, 'never'),
    { credentialPolicy: { ownership: 'user' } },
  ]
  for (const change of senseless)
    expect([change, (await ask(publish(change), admin)).statusCode]).toEqual([change, 400])
  for (const id of ['Acme', '-x', 'a'.repeat(64), 'a_b'])
    expect((await ask({ ...publish(), url: `/v1/admin/plans/${id}` }, admin)).statusCode).toBe(400)
  expect(intents).toEqual([])
  await ask(publish(policy('operator', false, 'automatic')), admin)
  expect(intents).toHaveLength(1)
})

test('credits: never 0, negative only as an adjustment, with a reason', async () => {
  const { ask, intents } = await openBench()
  const post = (payload: object) =>
    ask({ method: 'POST', url: '/v1/admin/users/ada/credits', payload, headers: { 'idempotency-key': 'k' } }, admin)
  for (const payload of [
    { amountMicrodollars: 0, kind: 'adjustment', reason: 'x' },
    { amountMicrodollars: -1, kind: 'grant', reason: 'x' },
    { amountMicrodollars: 1.5, kind: 'grant', reason: 'x' },
    { amountMicrodollars: 1, kind: 'charge', reason: 'x' },
    { amountMicrodollars: 1, kind: 'grant', reason: '' },
    { amountMicrodollars: 1, kind: 'grant', reason: 'x'.repeat(301) },
    { amountMicrodollars: 2 ** 53, kind: 'grant', reason: 'x' },
  ])
    expect([payload, (await post(payload)).statusCode]).toEqual([payload, 400])
  await post({ amountMicrodollars: -5, kind: 'adjustment', reason: 'x' })
  expect(intents).toHaveLength(1)
  expect(said(intents[0])).toMatchObject({ body: { userId: 'ada', amount: -5, actor: 'admin-1' } })
})

test('the clock is moved to an instant or by a duration, one of the two', async () => {
  const { ask, intents } = await openBench()
  const advance = (payload: object) => ask({ method: 'POST', url: '/v1/admin/clock/advance', payload }, admin)
  for (const payload of [{}, { to: '2026-01-01T00:00:00Z', by: 'P1D' }, { to: 'tomorrow' }, { outage: 'x', by: 'P1D' }])
    expect([payload, (await advance(payload)).statusCode]).toEqual([payload, 400])
  const pending = await advance({ to: '2026-02-01T00:00:00.000Z' })
  expect(pending.statusCode).toBe(202)
  expect(pending.json()).toMatchObject({
    status: 'pending',
    mode: 'test',
    now: '2026-01-01T00:00:00.000Z',
    settled: false,
  })
  expect(said(intents[0])).toMatchObject({ body: { to: Date.UTC(2026, 1, 1), by: null, actor: 'admin-1' } })
})

test('an operator cancels in the name of the subscription’s user; an unknown one is 404', async () => {
  const row = { userId: 'ada', id: 'sub_1' } as never
  const cancel = { method: 'POST' as const, url: '/v1/admin/subscriptions/sub_1/cancel', payload: { reason: 'asked' } }
  const known = await openBench({ reading: { subscription: async () => row } })
  await known.ask(cancel, admin)
  expect(known.intents[0]).toMatchObject({ subject: 'ada', caller: 'admin-1' })
  expect(said(known.intents[0])).toMatchObject({
    body: { userId: 'ada', by: 'operator', at: 'period_end', reason: 'asked' },
  })
  const unknown = await openBench()
  await unknown.ask(cancel, admin)
  expect(said(unknown.intents[0])).toMatchObject({ refused: { status: 404 } })
})

// --- uploads

const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM)

const openUploads = async (found = operation()) => {
  const pair = await suite.GenerateKeyPair(true)
  const asked: boolean[] = []
  const bench = await openBench({
    found,
    verdict: ({ sealedFor }) =>
      sealedFor === null
        ? { verdict: 'seal', operationId: 'op_9' }
        : { verdict: 'new', operationId: 'op_9', finished: false },
    reading: { plan: async () => ({ ...body('PlanPublished'), available: 0, sellableUntil: null }) },
    desk: {
      inventory: {
        sealingKey: async (fresh = false) => {
          asked.push(fresh)
          return { keyId: fresh ? 'new' : 'old', publicKey: await suite.SerializePublicKey(pair.publicKey) }
        },
        reveal: async () => '',
      },
    },
  })
  const opened = async () => {
    const command = said(
      bench.intents.findLast(({ sealedFor }) => sealedFor),
      'op_9',
    ) as { body: { sealed: Buffer } }
    const plain = await suite.Open(
      pair.privateKey,
      command.body.sealed.subarray(0, 32),
      command.body.sealed.subarray(32),
      {
        info: new TextEncoder().encode('coding-plans/v1'),
        aad: new TextEncoder().encode('upload|acme-coding|op_9'),
      },
    )
    return JSON.parse(new TextDecoder().decode(plain))
  }
  const upload = (payload: object | string, { type = 'application/json', query = '' } = {}) =>
    bench.ask(
      {
        method: 'POST',
        url: `/v1/admin/plans/acme-coding/keys${query}`,
        payload,
        headers: { 'content-type': type, 'idempotency-key': 'k' },
      },
      admin,
    )
  return { ...bench, upload, opened, asked }
}
const NDJSON = { type: 'application/x-ndjson' }

test('INV-1: JSON and NDJSON mean the same; blank lines are skipped, a malformed line is an invalid one', async () => {
  const json = await openUploads()
  await json.upload({
    entries: [{ key: 'sk-1' }, { key: 'sk-2', upstreamPlanId: 'p', expiresAt: '2027-01-01T00:00:00Z' }, {}],
  })
  expect(await json.opened()).toEqual([
    { line: 1, key: 'sk-1' },
    { line: 2, key: 'sk-2', upstreamPlanId: 'p', expiresAt: '2027-01-01T00:00:00Z' },
    { line: 3 },
  ])
  const lines = await openUploads()
  await lines.upload('{"key":"sk-1"}\r\n\n{nonsense\n{"key":5}\n{"key":"a","more":1}\n[1]\n', NDJSON)
  expect(await lines.opened()).toEqual([
    { line: 1, key: 'sk-1' },
    { line: 3, malformed: true },
    { line: 4, malformed: true },
    { line: 5, malformed: true },
    { line: 6, malformed: true },
  ])
})

test('INV-1: 1 to 1000 entries, no unknown fields; a large upload passes, a too large one is 413', async () => {
  const { upload, intents } = await openUploads()
  const entries = (count: number, key = 'sk') => ({
    entries: Array.from({ length: count }, (_, place) => ({ key: `${key}${place}` })),
  })
  for (const payload of [
    {},
    entries(0),
    entries(1001),
    { entries: [{ key: 'x', secret: 1 }] },
    { ...entries(1), more: 1 },
    { entries: [{ key: 5 }] },
  ])
    expect((await upload(payload)).statusCode).toBe(400)
  expect((await upload('\n\n', NDJSON)).statusCode).toBe(400)
  expect((await upload(Array.from({ length: 1001 }, () => '{"key":"x"}').join('\n'), NDJSON)).statusCode).toBe(400)
  expect((await upload('x', { query: '?allOrNothing=maybe', ...NDJSON })).statusCode).toBe(400)
  expect((await upload('x'.repeat(4_200_000), NDJSON)).statusCode).toBe(413)
  expect(intents).toEqual([])
  expect((await upload(entries(1000, 'k'.repeat(3_000)))).statusCode).toBe(202)
})

test('INV-1: a body is what its media type says, however that is written; JSON is never taken for lines, and no body is none', async () => {
  const { upload, ask, intents } = await openUploads()
  const as = (type: string) => ({ type })
  const json = ['application/json', 'Application/JSON', 'application/json; charset=utf-8']
  for (const kind of json)
    for (const sent of ['{"text":"{\\"key\\":\\"x\\"}"}', '"{\\"key\\":\\"x\\"}"', '{"entries":5}', ''])
      expect([kind, sent, (await upload(sent, as(kind))).statusCode]).toEqual([kind, sent, 400])
  const nothing = {
    method: 'POST',
    url: '/v1/admin/plans/acme-coding/keys',
    headers: { 'idempotency-key': 'k' },
  } as const
  expect((await ask(nothing, { roles: ['inventory'] })).json()).toMatchObject({ status: 400, code: 'invalid_request' })
  expect((await upload(Buffer.from('{"key":"\xff"}', 'latin1'), as('application/x-ndjson'))).statusCode).toBe(400)
  expect(intents).toEqual([])
  expect((await upload('{"entries":[{"key":"x"}]}', as('APPLICATION/JSON'))).statusCode).toBe(202)
})

test('INV-1: a line that gives a name twice is an invalid line', () => {
  expect(entriesFromLines('{"key":"a:b"}\n{"key":"x","key":"y"}')).toEqual([
    { line: 1, key: 'a:b' },
    { line: 2, malformed: true },
  ])
})

test('all or nothing, by body or by query', async () => {
  const asJson = await openUploads()
  await asJson.upload({ entries: [{ key: 'x' }], allOrNothing: true })
  const asLines = await openUploads()
  await asLines.upload('{"key":"x"}', { ...NDJSON, query: '?allOrNothing=true' })
  for (const { intents } of [asJson, asLines])
    expect(said(intents.at(-1), 'op_9')).toMatchObject({
      body: { allOrNothing: true, providerId: 'acme', actor: 'admin-1' },
    })
})

test('a key that the inventory does not know any more is fetched anew, once', async () => {
  const answer = refusalOf('UploadRefused', 'sealing_key_unknown')
  const refused = operation({ outcome: 'refused', visible: true, answer, finishedAt: T0 })
  const { upload, asked, intents } = await openUploads(refused)
  expect((await upload({ entries: [{ key: 'x' }] })).json()).toMatchObject({ status: 503, code: 'unavailable' })
  expect(asked).toEqual([false, true])
  expect(said(intents.at(-1), 'op_9')).toMatchObject({ body: { sealingKeyId: 'new' } })
})

test('INV-2: a key is in no problem and in no intent in clear', async () => {
  const { upload, intents } = await openUploads()
  const answer = await upload({ entries: [{ key: 'sk-secret', wrong: 'sk-secret' }] })
  expect(answer.body).not.toContain('sk-secret')
  await upload({ entries: [{ key: 'sk-secret' }] })
  expect(
    JSON.stringify(intents.map((intent) => [intent, said(intent.sealedFor ? intent : undefined, 'op_9')])),
  ).not.toContain('sk-secret')
})
