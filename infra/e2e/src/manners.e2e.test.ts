import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, buy, type Client, fresh, grant, type House, newKey, openHouse, openShop } from './house.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house?.close())

const someone = async (credits = 0): Promise<Client & { user: string }> => {
  const user = fresh('user')
  if (credits > 0) await grant(house, user, credits)
  return Object.assign(await house.as(user), { user })
}
const code = ({ status, body }: Answer) => `${status} ${body.code}`

test('401: no token, a garbled one, one without exp, an expired one, one signed by somebody else', async () => {
  const { AUTH_JWT_SECRET } = house.stack.secrets as { AUTH_JWT_SECRET: string }
  const sign = (claims: object, secret = AUTH_JWT_SECRET) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
  }
  const now = Math.floor(Date.now() / 1000)
  const ask = async (token: string) =>
    (await fetch(`${house.stack.url}/v1/credits`, { headers: { authorization: `Bearer ${token}` } })).status
  expect(await ask(sign({ sub: 'u', roles: [], exp: now + 60 }))).toBe(200)
  const bad = [
    '',
    'x.y.z',
    sign({ sub: 'u' }),
    sign({ sub: 'u', exp: now - 1 }),
    sign({ exp: now + 60 }),
    sign({ sub: 'u', exp: now + 60 }, 'x'.repeat(40)),
  ]
  for (const token of bad) expect(await ask(token)).toBe(401)
  const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
  expect(await ask(`${none}.${Buffer.from(JSON.stringify({ sub: 'u', exp: now + 60 })).toString('base64url')}.`)).toBe(
    401,
  )
})

test('machines: health, readiness, metrics, the contract as it is served, a page to read it', async () => {
  for (const { url } of house.stack.services) {
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('messages_handled_total')
    expect((await fetch(`${url}/openapi.json`)).status).toBe(200)
    expect((await fetch(`${url}/internal/open`)).status).toBe(401)
  }
  const { paths } = (await (await fetch(`${house.stack.url}/openapi.json`)).json()) as { paths: object }
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining(['/v1/plans', '/v1/subscriptions', '/v1/admin/plans/{id}/keys']),
  )
  expect((await fetch(`${house.stack.url}/docs`)).status).toBe(200)
})

test.each([
  'POST /subscriptions/x/resume',
  'GET /notifications',
  'GET /admin/insights',
  'DELETE /me',
  'POST /cron/billing',
  'GET /nowhere',
])('what a later version serves is absent: %s', async (call) => {
  expect(code(await house.admin(call))).toBe('404 not_found')
})

test('lists: pages that do not shift under inserts, a limit and a cursor that are checked', async () => {
  const client = await someone()
  for (const amount of [1, 2, 3, 4, 5]) await grant(house, client.user, amount)
  const first = (await client('GET /credits/entries?limit=2')).body
  expect(first.data.map(({ amountMicrodollars }: { amountMicrodollars: number }) => amountMicrodollars)).toEqual([5, 4])
  await grant(house, client.user, 6)
  const second = (await client(`GET /credits/entries?limit=2&cursor=${first.nextCursor}`)).body
  expect(second.data.map(({ amountMicrodollars }: { amountMicrodollars: number }) => amountMicrodollars)).toEqual([
    3, 2,
  ])
  const last = (await client(`GET /credits/entries?limit=2&cursor=${second.nextCursor}`)).body
  expect(last).toMatchObject({ nextCursor: null, data: [{ amountMicrodollars: 1, balanceAfterMicrodollars: 1 }] })
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'cursor=garbage'])
    expect(code(await client(`GET /credits/entries?${query}`))).toBe('400 invalid_request')
  expect(last.data[0].at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('IDE-1: the same request by its JSON meaning is the same; every command answers with its operation', async () => {
  const user = fresh('user')
  const key = newKey()
  const post = (body: string) => house.admin(`POST /admin/users/${user}/credits`, { key, body })
  const once = await post('{"amountMicrodollars":7,"kind":"grant","reason":"r"}')
  const again = await post('{ "reason": "r", "kind": "grant", "amountMicrodollars": 7.0 }')
  expect([once.status, again.status]).toEqual([201, 201])
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(again.body).toEqual(once.body)
  expect(once.headers.get('operation-id')).toMatch(/^op_/)
  expect(code(await post('{"amountMicrodollars":8,"kind":"grant","reason":"r"}'))).toBe('409 idempotency_key_reused')
  for (const body of [
    { amountMicrodollars: 0 },
    { amountMicrodollars: -1 },
    { amountMicrodollars: 0.5 },
    { amountMicrodollars: 1e300 },
  ])
    expect(
      code(
        await house.admin(`POST /admin/users/${user}/credits`, {
          key: newKey(),
          body: { ...body, kind: 'grant', reason: 'r' },
        }),
      ),
    ).toBe('400 invalid_request')
  const adjusted = await house.admin(`POST /admin/users/${user}/credits`, {
    key: newKey(),
    body: { amountMicrodollars: -10, kind: 'adjustment', reason: 'r' },
  })
  expect(adjusted.body.balanceMicrodollars).toBe(-3)
})

test('SLT-2: a key that the policy keeps is never revealed; the tenth reveal in a minute is the last', async () => {
  const kept = await openShop(house, {
    price: 0,
    more: { credentialPolicy: { ownership: 'operator', reveal: false, upstreamRevocation: 'manual' } },
  })
  const shown = await openShop(house, { price: 0 })
  const client = await someone()
  await buy(client, kept.planId)
  await buy(client, shown.planId)
  expect(code(await client(`POST /slots/${kept.providerId}/reveal`))).toBe('403 reveal_not_allowed')
  expect(code(await client(`POST /slots/${fresh('provider')}/reveal`))).toBe('404 not_found')
  const answers: Answer[] = []
  for (let n = 0; n < 11; n += 1) answers.push(await client(`POST /slots/${shown.providerId}/reveal`))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(10)
  const last = answers.at(-1) as Answer
  expect(code(last)).toBe('429 rate_limited')
  expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0)
})

test('CAT-2: a plan is published whole; what cannot be is said, and nothing is published', async () => {
  const planId = fresh('plan')
  const spec = { name: 'P', providerId: fresh('provider'), priceMicrodollars: 5, period: { unit: 'month', count: 1 } }
  const put = (body: object, id = planId) => house.admin(`PUT /admin/plans/${id}`, { body })
  const published = await put(spec)
  expect(published.body).toMatchObject({
    id: planId,
    version: 1,
    repurchase: 'extend',
    graceHours: 0,
    features: [],
    models: [],
    providerName: spec.providerId,
  })
  expect(published.body.credentialPolicy).toEqual({ ownership: 'user', reveal: true, upstreamRevocation: 'never' })
  expect((await put({ ...spec, priceMicrodollars: 6 })).body.version).toBe(2)
  const bad = [
    { ...spec, providerId: fresh('other') },
    { ...spec, priceMicrodollars: -1 },
    { ...spec, period: { unit: 'week', count: 1 } },
    { ...spec, credentialPolicy: { ownership: 'operator', reveal: true, upstreamRevocation: 'never' } },
    { ...spec, credentialPolicy: { ownership: 'user', reveal: true, upstreamRevocation: 'manual' } },
    { ...spec, unknown: 1 },
    { name: 'P' },
  ]
  for (const body of bad) expect((await put(body)).status).toBe(400)
  expect((await put(spec, 'Capital')).status).toBe(400)
  const { data } = (await house.admin(`GET /admin/plans/${planId}/versions`)).body
  expect(
    data.map(({ version, priceMicrodollars }: { version: number; priceMicrodollars: number }) => [
      version,
      priceMicrodollars,
    ]),
  ).toEqual([
    [2, 6],
    [1, 5],
  ])
})

test('the clock moves forward only, by an instant or a duration', async () => {
  const advance = (body: object) => house.admin('POST /admin/clock/advance', { body, headers: { prefer: 'wait=30' } })
  const { now } = (await house.admin('GET /admin/clock')).body
  expect((await advance({ to: new Date(Date.parse(now) - 1).toISOString() })).status).toBe(400)
  for (const body of [{}, { by: 'soon' }, { by: 'P1D', to: now }, { to: 'tomorrow' }])
    expect((await advance(body)).status).toBe(400)
  const moved = await advance({ by: 'PT90S' })
  expect(moved).toMatchObject({
    status: 200,
    body: { mode: 'test', settled: true, now: new Date(Date.parse(now) + 90_000).toISOString() },
  })
  expect((await (await someone())('POST /admin/clock/advance', { body: { by: 'P1D' } })).status).toBe(403)
})
