import { afterAll, beforeAll, expect, test } from 'vitest'
import * as shape from './contract.ts'
import { expectRefusal, expectShape, watched, watchedUser } from './contract.ts'
import { buy, type Client, eventually, fresh, grant, type House, newKey, openHouse, openShop, USD } from './house.ts'

// In system mode: the other two move the clock.
let house: House
let admin: Client
beforeAll(async () => {
  house = await openHouse({ clock: 'system' })
  admin = watched(house.admin)
})
afterAll(() => house?.close())

const someone = async (credits = 0, user = fresh('user')): Promise<Client & { user: string }> => {
  if (credits > 0) await grant(house, encodeURIComponent(user), credits)
  return Object.assign(await watchedUser(house, user), { user })
}
const spec = (more: object = {}) => ({
  name: 'A plan',
  providerId: 'acme',
  priceMicrodollars: 20 * USD,
  period: { unit: 'month', count: 1 },
  ...more,
})
const publish = (id: string, more: object = {}) => admin(`PUT /admin/plans/${id}`, { body: spec(more) })
const upload = (
  planId: string,
  body: unknown,
  options: { key?: string; query?: string; headers?: Record<string, string> } = {},
) => {
  const { key = newKey(), query = '', headers = {} } = options
  return admin(`POST /admin/plans/${planId}/keys${query}`, { body, key, headers })
}
const ndjson = { 'content-type': 'application/x-ndjson' }
const outcomesOf = ({ body }: { body: { report: { line: number; outcome: string }[] } }) =>
  body.report.map(({ line, outcome }) => `${line} ${outcome}`)
const availableOf = async (planId: string) =>
  (await admin(`GET /admin/inventory?planId=${planId}`)).body.data[0]?.counts.available ?? 0

test('CAT-2: what is left out of a plan is at its default; each publish is a version and replaces the whole', async () => {
  const id = fresh('plan')
  const first = await publish(id)
  expectShape(shape.operatorPlan, first.body)
  const defaults = {
    providerName: 'acme',
    features: [],
    models: [],
    saleState: 'open',
    repurchase: 'extend',
    graceHours: 0,
    maxPrepaidPeriods: 12,
    lowStockThreshold: 0,
    position: 0,
    credentialPolicy: { ownership: 'user', reveal: true, upstreamRevocation: 'never' },
  }
  expect(first.body).toMatchObject({ id, ...spec(), ...defaults, availability: 'sold_out', restockWish: false })
  const all = {
    providerName: 'Acme Inc. 😀',
    features: ['one', 'zwei'],
    models: ['m-1'],
    saleState: 'closed',
    repurchase: 'reject',
    graceHours: 72,
    maxPrepaidPeriods: 3,
    lowStockThreshold: 5,
    position: 7,
    credentialPolicy: { ownership: 'operator', reveal: false, upstreamRevocation: 'manual' },
    priceMicrodollars: 0,
    period: { unit: 'day', count: 30 },
  }
  expect((await publish(id, all)).body).toMatchObject({ ...spec(all), availability: 'closed' })
  expect((await publish(id)).body).toMatchObject({ ...spec(), ...defaults })
  const { body } = await admin(`GET /admin/plans/${id}/versions`)
  expect(body.data.map((row: { priceMicrodollars: number }) => row.priceMicrodollars)).toEqual([20 * USD, 0, 20 * USD])
  expect(body.data.every((row: { publishedBy: string }) => row.publishedBy === 'admin-1')).toBe(true)
  const versions = body.data.map(({ version }: { version: number }) => version)
  expect(versions).toEqual([...versions].sort((a, b) => b - a))
  expectRefusal(await admin(`GET /admin/plans/${fresh('no')}/versions`), 404, 'not_found')
  // Read-only fields of Plan are ignored: what a client was shown may be sent back.
  const shown = (await admin('GET /plans')).body.data.find((plan: { id: string }) => plan.id === id)
  expect(
    (await admin(`PUT /admin/plans/${id}`, { body: { ...shown, id: 'other', availability: 'available' } })).body.id,
  ).toBe(id)
})

test('Plan: an impossible field is refused, and nothing is published', async () => {
  const id = fresh('plan')
  const bad: object[] = [
    ...['name', 'providerId', 'priceMicrodollars', 'period'].map((field) => ({ [field]: undefined })),
    ...[-1, 1.5, '5', null, 2 ** 53, 1e300].map((priceMicrodollars) => ({ priceMicrodollars })),
    ...[0, -1, 1.5, 1e9, '1'].map((count) => ({ period: { unit: 'month', count } })),
    ...[{ unit: 'week', count: 1 }, { unit: 'day' }, 'P1M', { unit: 'day', count: 1, more: 1 }].map((period) => ({
      period,
    })),
    ...[-1, 0.5, '1'].flatMap((n) => [{ graceHours: n }, { maxPrepaidPeriods: n }, { lowStockThreshold: n }]),
    { position: 0.5 },
    { saleState: 'gone' },
    { repurchase: 'maybe' },
    { features: 'one' },
    { models: [1] },
    { name: '' },
    { credentialPolicy: null },
    { more: 1 },
  ]
  for (const more of bad) expectRefusal(await publish(id, more), 400, 'invalid_request')
  expectRefusal(await admin(`GET /admin/plans/${id}/versions`), 404, 'not_found')
  for (const wrong of ['Upper', '-x', '_x', 'a.b', 'a%20b', 'ä', 'x'.repeat(64)])
    expectRefusal(await publish(wrong), 400, 'invalid_request')
  for (const right of [`0-${'x'.repeat(61)}`, fresh('0')]) expect((await publish(right)).status).toBe(200)
  expect((await publish(fresh('max'), { priceMicrodollars: Number.MAX_SAFE_INTEGER })).status).not.toBe(500)
})

test('Plan: ownership user → never revoked upstream; revealed → ownership user; the provider is fixed', async () => {
  const id = fresh('plan')
  for (const ownership of ['user', 'operator'])
    for (const reveal of [true, false])
      for (const upstreamRevocation of ['never', 'manual', 'automatic']) {
        const allowed = ownership === 'user' ? upstreamRevocation === 'never' : !reveal
        const credentialPolicy = { ownership, reveal, upstreamRevocation }
        const answer = await publish(id, { credentialPolicy })
        if (allowed) expect(answer).toMatchObject({ status: 200, body: { credentialPolicy } })
        else expectRefusal(answer, 400, 'invalid_request')
      }
  expectRefusal(await publish(id, { providerId: 'other' }), 400, 'invalid_request')
  expect((await admin(`GET /admin/plans/${id}/versions`)).body.data).toHaveLength(5)
})

test('CAT-1, CAT-6, CAT-7: ordered by position, then id; hidden ones for operators alone; availability', async () => {
  const tag = fresh('order')
  const wanted = [`b-${tag}`, `a-${tag}`, `c-${tag}`]
  await publish(`c-${tag}`, { position: 5 })
  await publish(`a-${tag}`, { position: 5, saleState: 'closed' })
  await publish(`b-${tag}`, { position: -5 })
  await publish(`h-${tag}`, { saleState: 'hidden' })
  await upload(`c-${tag}`, { entries: [{ key: newKey() }] })
  const listed = async (path: string) =>
    (await admin(`GET ${path}`)).body.data.filter(({ id }: { id: string }) => id.endsWith(tag))
  const plans = await listed('/plans')
  expect(plans.map(({ id }: { id: string }) => id)).toEqual([wanted[0], wanted[1], wanted[2]])
  expect(plans.map(({ availability }: { availability: string }) => availability)).toEqual([
    'sold_out',
    'closed',
    'available',
  ])
  expect(JSON.stringify(plans)).not.toMatch(/"(counts|waiting|lowStockThreshold)"/)
  const all = await listed('/admin/plans')
  expect(all.map(({ id }: { id: string }) => id)).toEqual([wanted[0], `h-${tag}`, wanted[1], wanted[2]])
})

test('INV-1: 1 to 1000 entries; JSON and lines; blank lines skipped, a malformed line is an invalid line', async () => {
  const planId = fresh('plan')
  await publish(planId)
  const many = (count: number) => Array.from({ length: count }, () => ({ key: newKey() }))
  for (const entries of [[], many(1001), 'x', [1], [null], [{ key: 'k', surplus: 1 }]])
    expectRefusal(await upload(planId, { entries }), 400, 'invalid_request')
  const lines = (entries: object[]) => entries.map((entry) => JSON.stringify(entry)).join('\n')
  for (const text of ['', '\n \n', lines(many(1001))])
    expectRefusal(await upload(planId, text, { headers: ndjson }), 400, 'invalid_request')
  expectRefusal(await upload(fresh('no'), { entries: many(1) }), 404, 'not_found')
  const whole = await upload(planId, { entries: many(1000) })
  expectShape(shape.upload, whole.body)
  expect(whole).toMatchObject({ status: 200, body: { accepted: 1000, duplicates: 0, invalid: 0 } })
  expect(whole.body.report).toHaveLength(1000)
  const twice = newKey()
  const text = [
    JSON.stringify({ key: twice }),
    '{"key":',
    '[]',
    '"text"',
    '{"key":7}',
    '{"key":"k","surplus":1}',
    '{}',
    JSON.stringify({ key: ` ${twice} ` }),
  ]
  const reported = await upload(planId, `${text.join('\r\n')}\r\n\r\n`, { headers: ndjson })
  expect(outcomesOf(reported)).toEqual(['1 accepted', ...[2, 3, 4, 5, 6, 7].map((n) => `${n} invalid`), '8 duplicate'])
  expect(reported.body).toMatchObject({ accepted: 1, duplicates: 1, invalid: 6 })
  for (const { outcome, reason } of reported.body.report) if (outcome === 'invalid') expect(reason).toMatch(/./)
  expect(JSON.stringify(reported.body)).not.toContain(twice)
  const gaps = await upload(planId, `\n\n${lines(many(1))}\n\n${lines(many(1))}`, { headers: ndjson })
  expect(gaps.body).toMatchObject({ accepted: 2, invalid: 0 })
  expect(await availableOf(planId)).toBe(1003)
})

test('INV-1: all or nothing keeps nothing, duplicates count; its key is free again', async () => {
  const planId = fresh('plan')
  await publish(planId)
  const [good, key] = [newKey(), newKey()]
  const body = `{"key":"${good}"}\n{"key":"${good}"}`
  const refused = await upload(planId, body, { key, headers: ndjson, query: '?allOrNothing=true' })
  expectRefusal(refused, 422, 'entries_invalid')
  expect(outcomesOf(refused)).toHaveLength(2)
  expect(JSON.stringify(refused.body)).not.toContain(good)
  expect(await availableOf(planId)).toBe(0)
  expectRefusal(await upload(planId, body, { headers: ndjson, query: '?allOrNothing=maybe' }), 400, 'invalid_request')
  const kept = await upload(planId, { entries: [{ key: good }], allOrNothing: true }, { key })
  expect(kept.body).toMatchObject({ accepted: 1 })
  expect(await availableOf(planId)).toBe(1)
})

test('IDE-1: lines are compared by their JSON meaning too', async () => {
  const planId = fresh('plan')
  await publish(planId)
  const [secret, key] = [newKey(), newKey()]
  const first = await upload(planId, `{"key":"${secret}","upstreamPlanId":"u"}`, { key, headers: ndjson })
  const again = await upload(planId, `{ "upstreamPlanId":"u", "key":"${secret}" }\n`, { key, headers: ndjson })
  expect(again.body).toEqual(first.body)
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  const other = await upload(planId, `{"key":"${secret}","upstreamPlanId":"v"}`, { key, headers: ndjson })
  expectRefusal(other, 409, 'idempotency_key_reused')
  // What is no JSON has no other meaning than its text.
  const broken = (text: string) => upload(planId, text, { key: `${key}-broken`, headers: ndjson })
  const report = await broken('{"key":')
  expect(report.body).toMatchObject({ accepted: 0, invalid: 1 })
  expect((await broken('{"key":')).body).toEqual(report.body)
  expectRefusal(await broken('{"key"'), 409, 'idempotency_key_reused')
})

test('INV-1: a key is 1 to 500 characters, trimmed, any character inside, and comes back byte for byte', async () => {
  const odd = [
    '😀'.repeat(10),
    'line\nline\r\n\tend',
    'ключ-鍵-🔑-\u200d',
    '"quotes" \\ and, commas',
    `${'ä'.repeat(498)}😀`,
    'nul\u0000nul',
  ]
  const [planId, providerId] = [fresh('plan'), fresh('provider')]
  await publish(planId, { providerId, priceMicrodollars: 0 })
  const unique = odd.map((key) => (key.length > 400 ? key : `${newKey()}${key}${newKey()}`))
  const entries = [...unique.map((key) => ({ key: ` \n${key}\t ` })), { key: 'x'.repeat(501) }, { key: ' \n ' }]
  const report = await upload(planId, { entries })
  expect(report.body).toMatchObject({ accepted: odd.length, invalid: 2, duplicates: 0 })
  for (const key of unique) {
    const client = await someone()
    expect((await buy(client, planId)).status).toBe(201)
    expect((await client(`POST /slots/${providerId}/reveal`)).body.key).toBe(key)
    const [{ maskedKey }] = (await client('GET /slots')).body.data
    expect([...maskedKey].slice(-4).join('')).toBe([...key].slice(-4).join(''))
    expect(maskedKey).not.toContain(key.slice(0, 6))
  }
})

test('SLT-1: one’s own key: put, mask, replace, disable, reveal, delete; refusals', async () => {
  const { providerId } = await openShop(house, { keys: 0 })
  const client = await someone()
  const slot = `/slots/${providerId}`
  for (const call of [`PATCH ${slot}`, `DELETE ${slot}`, `POST ${slot}/reveal`, `POST ${slot}/test`])
    expectRefusal(await client(call, call.startsWith('PATCH') ? { body: { enabled: true } } : {}), 404, 'not_found')
  for (const key of ['', '   ', 'x'.repeat(501), 7, null, 'lone \ud800 surrogate'])
    expectRefusal(await client(`PUT ${slot}`, { body: { key } }), 400, 'invalid_request')
  expectRefusal(await client('PUT /slots/nowhere', { body: { key: 'sk-own' } }), 404, 'not_found')
  expectRefusal(await client(`PATCH ${slot}`, { body: { enabled: 'no' } }), 400, 'invalid_request')
  for (const key of ['a', '12345678', '123456789', ' sk-own-long-key ', '😀😀😀😀😀😀😀😀😀', 'x'.repeat(500)]) {
    const put = await client(`PUT ${slot}`, { body: { key } })
    expectShape(shape.slot, put.body)
    expect(put).toMatchObject({ status: 200, body: { managedBy: 'user', enabled: true, subscriptionId: null } })
    const letters = [...key.trim()]
    const shown = letters.filter((letter) => put.body.maskedKey.includes(letter))
    if (letters.length <= 8) expect(shown).toEqual([])
    else expect([...put.body.maskedKey].slice(-4)).toEqual(letters.slice(-4))
  }
  expect((await client(`PATCH ${slot}`, { body: { enabled: false } })).body.enabled).toBe(false)
  const revealed = await client(`POST ${slot}/reveal`)
  expect(revealed.body.key).toBe('x'.repeat(500))
  expect(revealed.headers.get('cache-control')).toContain('no-store')
  expect((await client(`POST ${slot}/test`)).body).toEqual({ ok: null })
  expectRefusal(await (await someone())(`POST ${slot}/reveal`), 404, 'not_found')
  const gone = await client(`DELETE ${slot}`)
  expect([gone.status, gone.body]).toEqual([204, ''])
  expect((await client('GET /slots')).body).toEqual({ data: [], nextCursor: null })
})

test('SLT-2: what belongs to the operator, or is not to be revealed, is not; plan-managed is read-only', async () => {
  for (const credentialPolicy of [
    { ownership: 'operator', reveal: false, upstreamRevocation: 'manual' },
    { ownership: 'user', reveal: false, upstreamRevocation: 'never' },
  ]) {
    const { planId, providerId, secrets } = await openShop(house, { price: 0, keys: 1, more: { credentialPolicy } })
    const client = await someone()
    const { body } = await buy(client, planId)
    expectRefusal(await client(`POST /slots/${providerId}/reveal`), 403, 'reveal_not_allowed')
    expectRefusal(await client(`PUT /slots/${providerId}`, { body: { key: 'sk-own' } }), 409, 'slot_managed')
    expectRefusal(await client(`PATCH /slots/${providerId}`, { body: { enabled: false } }), 409, 'slot_managed')
    expectRefusal(await client(`DELETE /slots/${providerId}`), 409, 'slot_managed')
    const slots = (await client('GET /slots')).body
    expect(slots.data).toMatchObject([{ managedBy: 'plan', enabled: true, subscriptionId: body.subscription.id }])
    const operation = (await client(`GET /operations/${body.operationId}`)).body
    expect(JSON.stringify([slots, operation])).not.toContain(secrets[0])
  }
})

test('LED-6: credits by kind and sign; the balance after this entry; amounts to the last microdollar', async () => {
  const { user } = await someone()
  const post = (body: object) => admin(`POST /admin/users/${user}/credits`, { body, key: newKey() })
  const good = { amountMicrodollars: 1, kind: 'grant', reason: 'r' }
  const bad = [
    ...[0, -1, 0.5, 1e-7, '1', null, 2 ** 53, -(2 ** 60), 1e300].map((amountMicrodollars) => ({ amountMicrodollars })),
    ...['charge', 'refund', 'top_up', 'GRANT', ''].map((kind) => ({ kind })),
    ...['', 'x'.repeat(301), 5, 'a\u0000b'].map((reason) => ({ reason })),
    { kind: 'payment', amountMicrodollars: -1 },
    { kind: 'adjustment', amountMicrodollars: 0 },
    { kind: 'adjustment', amountMicrodollars: -1.5 },
  ]
  for (const more of bad) expectRefusal(await post({ ...good, ...more }), 400, 'invalid_request')
  let balance = 0
  for (const [kind, amountMicrodollars] of [
    ['grant', 1],
    ['payment', 4_999_999],
    ['adjustment', 7],
    ['adjustment', -9_000_000],
  ] as const) {
    balance += amountMicrodollars
    const { status, body } = await post({ amountMicrodollars, kind, reason: '😀'.repeat(150) })
    expect({ status, ...body }).toMatchObject({ status: 201, balanceMicrodollars: balance })
    const [newest] = (await admin(`GET /admin/users/${user}/credits/entries?limit=1`)).body.data
    expect(newest).toMatchObject({ id: body.entryId, kind, amountMicrodollars, balanceAfterMicrodollars: balance })
  }
  for (const amountMicrodollars of [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER])
    expect([201, 400]).toContain((await post({ ...good, kind: 'adjustment', amountMicrodollars })).status)
})

test('Ids: a user id may be any text', async () => {
  const { planId, providerId } = await openShop(house, { price: USD, keys: 10 })
  for (const name of [
    'auth0|a b/c@x.de',
    '😀 ünï',
    'a%2Fb?c#d',
    'o\'x"--\\',
    ' spaced ',
    '__proto__',
    'x'.repeat(190),
    'a\nb',
  ]) {
    const client = await someone(USD, name.length > 100 ? name : `${name}${fresh('')}${name}`)
    const { body } = await buy(client, planId)
    expect(body.subscription).toMatchObject({ userId: client.user, status: 'active' })
    expect((await client('GET /slots')).body.data).toMatchObject([{ providerId }])
    const found = await admin(`GET /admin/subscriptions?q=${encodeURIComponent(client.user)}`)
    expect(found.body.data).toEqual([body.subscription])
    expect((await admin(`GET /admin/users/${encodeURIComponent(client.user)}/credits`)).body.balanceMicrodollars).toBe(
      0,
    )
  }
})

test('AUD-1: every operator action and reveal is in the audit, without secrets', async () => {
  const { planId, providerId, secrets } = await openShop(house, { price: 0, keys: 1 })
  const client = await someone(USD)
  await buy(client, planId)
  await client(`POST /slots/${providerId}/reveal`)
  const mine = (rows: object[]) =>
    rows.map((row) => JSON.stringify(row)).filter((row) => row.includes(planId) || row.includes(client.user))
  const rows = await eventually(
    async () => mine((await admin('GET /admin/audit?limit=20')).body.data),
    (found) => found.length >= 4,
  )
  expect(rows.join()).not.toContain(secrets[0])
  expect(rows.join()).toContain('admin-1')
})

test('clock: in system mode it is the wall clock, and is not moved', async () => {
  const { body } = await admin('GET /admin/clock')
  expectShape(shape.clock, body)
  expect(body.mode).toBe('system')
  expect(Math.abs(Date.parse(body.now) - Date.now())).toBeLessThan(10_000)
  const move = (by: unknown) => admin('POST /admin/clock/advance', { body: { by } })
  expectRefusal(await move('P1D'), 409, 'clock_not_test')
  expectRefusal(await move(1), 400, 'invalid_request')
  const before = Date.now()
  const { subscription } = (await buy(await someone(), (await openShop(house, { price: 0 })).planId)).body
  const start = Date.parse(subscription.currentPeriodStart)
  expect(start).toBeGreaterThanOrEqual(before - 1_000)
  expect(start).toBeLessThanOrEqual(Date.now() + 1_000)
})
