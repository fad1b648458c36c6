import { say } from '@coding-plans/runtime'
import { expect, test } from 'vitest'
import { limits, openBench, operation, tokenFor } from './desk.testing.ts'
import { T0 } from './events.testing.ts'
import { rateLimit } from './rate-limit.ts'
import { refusalOf } from './refusals.ts'

const buy = (payload: object | string = { planId: 'acme-coding' }, headers: Record<string, string> = {}) => ({
  method: 'POST' as const,
  url: '/v1/subscriptions',
  payload,
  headers: { 'idempotency-key': 'k', ...headers },
})
const begun = { id: 'op_1', time: T0 as never, facts: null }

test('without a good token: 401, as problem+json', async () => {
  const { app } = await openBench()
  const old = await tokenFor('ada', [], '-1s')
  for (const authorization of [
    '',
    'Basic x',
    'Bearer nonsense',
    `Bearer ${old}`,
    `Bearer ${await tokenFor('ada', 'admin')}`,
  ]) {
    const answer = await app.inject({ url: '/v1/plans', headers: { authorization } })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(answer.json()).toMatchObject({ code: 'unauthorized', status: 401 })
  }
})

test('the order of refusals: 401, 403, 429, 400 body, 400 key', async () => {
  const { app, ask } = await openBench({
    desk: { limits: { ...limits, purchases: rateLimit(3, () => 0) } },
  })
  const bad = buy({ priceMicrodollars: 1 }, { 'idempotency-key': '' })
  expect((await app.inject(bad)).statusCode).toBe(401)
  expect((await ask({ method: 'PUT', url: '/v1/admin/plans/x', payload: 'nonsense' })).statusCode).toBe(403)
  expect((await ask(bad)).json()).toMatchObject({ status: 400, code: 'invalid_request' })
  expect((await ask(buy({ planId: 'x' }, { 'idempotency-key': '' }))).json()).toMatchObject({
    code: 'idempotency_key_required',
  })
  expect((await ask(buy({ planId: 'x' }, { 'idempotency-key': 'x'.repeat(201) }))).json().code).toBe(
    'idempotency_key_required',
  )
  const limited = await ask(bad)
  expect(limited.json()).toMatchObject({ status: 429, code: 'rate_limited' })
  expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0)
  expect((await ask(buy(), { sub: 'bob' })).statusCode).toBe(202)
})

test('CAT-4: a price in a purchase is an unknown field, and unknown fields are refused', async () => {
  const { ask, intents } = await openBench()
  const answer = await ask(buy({ planId: 'acme-coding', priceMicrodollars: 1 }))
  expect(answer.json()).toMatchObject({
    status: 400,
    code: 'invalid_request',
    detail: expect.stringContaining('priceMicrodollars'),
  })
  expect(intents).toEqual([])
})

test('bodies that cannot be read: 400, 413, 415, each with its code', async () => {
  const { ask } = await openBench()
  const json = { 'content-type': 'application/json' }
  expect((await ask(buy('{', json))).json().code).toBe('invalid_request')
  expect((await ask(buy('', json))).json().code).toBe('invalid_request')
  expect((await ask(buy('{"__proto__":{}}', json))).json().code).toBe('invalid_request')
  expect((await ask(buy({ planId: 'x'.repeat(70_000) }))).json()).toMatchObject({ status: 413, code: 'body_too_large' })
  expect((await ask(buy('x', { 'content-type': 'text/plain' }))).json()).toMatchObject({
    status: 415,
    code: 'unsupported_media_type',
  })
  expect((await ask(buy('{}', { 'content-type': 'application/x-ndjson' }))).statusCode).toBe(415)
})

test('an unknown path is a problem as well', async () => {
  const { ask } = await openBench()
  expect((await ask({ url: '/v1/nothing' })).json()).toMatchObject({ status: 404, code: 'not_found' })
})

test('a purchase sends its command with what its sender could know, and waits as it prefers', async () => {
  const { ask, intents, waits } = await openBench()
  await ask(buy({ planId: 'acme-coding' }, { prefer: 'respond-async, wait=3' }))
  await ask(buy())
  await ask(buy({ planId: 'x' }, { prefer: 'wait=99' }))
  await ask(buy({ planId: 'x' }, { prefer: 'wait=0' }))
  expect(waits).toEqual([3_000, 10_000, 30_000, 0])
  const [intent] = intents
  expect(intent).toMatchObject({ kind: 'purchase', caller: 'ada', subject: 'ada', purchase: { horizon: 7 } })
  const known = { planVersion: 4, knownSubscriptionId: 'sub_1', knownEnd: T0 as never }
  expect(intent?.command({ ...begun, facts: known })).toEqual(
    say('PurchasePlan', { userId: 'ada' as never, operationId: 'op_1', planId: 'acme-coding', ...known }),
  )
})

test('still running: 202 with the operation, where to look, and its id', async () => {
  const { ask } = await openBench()
  const answer = await ask(buy())
  expect(answer.statusCode).toBe(202)
  expect(answer.headers).toMatchObject({ location: '/v1/operations/op_1', 'operation-id': 'op_1' })
  expect(answer.json()).toMatchObject({ id: 'op_1', status: 'pending', result: null, problem: null })
})

test('the database does not answer while we wait: what was accepted is pending, not withdrawn', async () => {
  const { ask } = await openBench({ found: null })
  expect((await ask(buy())).json()).toMatchObject({ id: 'op_1', kind: 'purchase', status: 'pending' })
})

test('IDE-1: a success is answered with the kept body; a replay is marked', async () => {
  const found = operation({ outcome: 'succeeded', visible: true, answer: { kind: 'activation' }, finishedAt: T0 })
  const { ask } = await openBench({
    found,
    verdict: () => ({ verdict: 'replayed', operationId: 'op_1', finished: true }),
  })
  const answer = await ask(buy())
  expect([answer.statusCode, answer.json()]).toEqual([201, { kind: 'activation' }])
  expect(answer.headers['idempotency-replayed']).toBe('true')
})

test('IDE-1: another request under the same key: 409', async () => {
  const { ask } = await openBench({ verdict: () => ({ verdict: 'reused' }) })
  expect((await ask(buy())).json()).toMatchObject({ status: 409, code: 'idempotency_key_reused' })
})

test('SUB-3: a refusal is answered with its status, its code and its fields', async () => {
  const answer = refusalOf('PurchaseRefused', 'insufficient_credits', {
    requiredMicrodollars: 20,
    availableMicrodollars: 5,
  })
  const { ask } = await openBench({ found: operation({ outcome: 'refused', visible: true, answer, finishedAt: T0 }) })
  const refused = await ask(buy())
  expect(refused.statusCode).toBe(402)
  expect(refused.headers['operation-id']).toBe('op_1')
  expect(refused.json()).toMatchObject({
    code: 'insufficient_credits',
    requiredMicrodollars: 20,
    availableMicrodollars: 5,
  })
})

test('ERR-1: while database or broker are away nothing is accepted: 503 with Retry-After', async () => {
  const { ask, intents } = await openBench({ desk: { accepting: () => false } })
  const answer = await ask(buy())
  expect(answer.json()).toMatchObject({ status: 503, code: 'unavailable' })
  expect(answer.headers['retry-after']).toBe('1')
  expect(intents).toEqual([])
})

test('ERR-1: what is unexpected says nothing of the inside', async () => {
  const fail = async () => {
    throw new Error('relation "plans" has a secret')
  }
  const { ask } = await openBench({ reading: { plans: fail } })
  const answer = await ask({ url: '/v1/plans' })
  expect(answer.json()).toMatchObject({ status: 500, code: 'internal' })
  expect(answer.body).not.toContain('secret')
})

test('ERR-1: a database that is away makes reads 503', async () => {
  const away = async () => {
    throw Object.assign(new Error('wrapped'), { nativeError: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) })
  }
  const { ask } = await openBench({ reading: { plans: away } })
  expect((await ask({ url: '/v1/plans' })).json()).toMatchObject({ status: 503, code: 'unavailable' })
})

test('PER-1: rate limits are per user, and tell when to come again', async () => {
  let now = 0
  const limit = rateLimit(2, () => now)
  limit('ada')
  limit('ada')
  limit('bob')
  expect(() => limit('ada')).toThrow(expect.objectContaining({ retryAfterSeconds: 60 }))
  now = 59_000
  expect(() => limit('ada')).toThrow(expect.objectContaining({ retryAfterSeconds: 1 }))
  now = 60_000
  limit('ada')
})

test('PER-1: over HTTP one user’s limit is nobody else’s, one limit not the other, and Retry-After is when it is over', async () => {
  let now = 0
  const { ask } = await openBench({
    desk: { limits: { ...limits, purchases: rateLimit(2, () => now), keyTests: rateLimit(1, () => now) } },
  })
  const outcome = async (options: Parameters<typeof ask>[0], sub: string) => {
    const { statusCode, headers } = await ask(options, { sub })
    return [statusCode, headers['retry-after']]
  }
  const tryKey = { method: 'POST', url: '/v1/slots/acme/test' } as const
  expect(await outcome(buy(), 'ada')).toEqual([202, undefined])
  now = 20_500
  expect(await outcome(buy(), 'ada')).toEqual([202, undefined])
  expect(await outcome(buy(), 'ada')).toEqual([429, '40'])
  expect(await outcome(buy(), 'ada ')).toEqual([202, undefined])
  expect(await outcome(tryKey, 'ada')).toEqual([202, undefined])
  expect(await outcome(tryKey, 'ada')).toEqual([429, '60'])
  now = 59_999
  expect(await outcome(buy(), 'ada')).toEqual([429, '1'])
  now = 60_000
  expect(await outcome(buy(), 'ada')).toEqual([202, undefined])
})

test('a request without a good token costs nobody’s limit anything', async () => {
  const { app, ask } = await openBench({ desk: { limits: { ...limits, purchases: rateLimit(1, () => 0) } } })
  for (let n = 0; n < 3; n += 1) expect((await app.inject(buy())).statusCode).toBe(401)
  expect((await ask(buy())).statusCode).toBe(202)
})

test('explanations are limited: each is a message that stays', async () => {
  const { ask } = await openBench({
    desk: { limits: { ...limits, explanations: rateLimit(1, () => 0) } },
    reading: { hasEntry: async () => true },
  })
  const explain = () => ask({ method: 'GET', url: '/v1/credits/entries/ent_1/explanation' })
  expect([(await explain()).statusCode, (await explain()).statusCode]).toEqual([202, 429])
})
