import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectRefusal, expectShape, forge, inAnHour, operation, watched, watchedUser } from './contract.ts'
import { buy, type Client, eventually, fresh, grant, type House, newKey, openHouse, openShop, USD } from './house.ts'

const PURCHASES_PER_MINUTE = 30
let house: House
let admin: Client
beforeAll(async () => {
  house = await openHouse({ env: { PURCHASES_PER_MINUTE: String(PURCHASES_PER_MINUTE) } })
  admin = watched(house.admin)
})
afterAll(() => house?.close())

const someone = async (credits = 0, roles: readonly string[] = []): Promise<Client & { user: string }> => {
  const user = fresh('user')
  if (credits > 0) await grant(house, user, credits)
  return Object.assign(await watchedUser(house, user, roles), { user })
}
const post = (user: string, amountMicrodollars: unknown = 1) => ({
  call: `POST /admin/users/${user}/credits`,
  body: { amountMicrodollars, kind: 'grant', reason: 'a test' },
})

/** Routes of operators and who may call them; `admin` may all. */
const operatorRoutes: Readonly<Record<string, readonly string[]>> = {
  'PUT /admin/plans/x': ['billing'],
  'GET /admin/plans': ['billing', 'support', 'inventory'],
  'GET /admin/plans/x/versions': ['billing', 'support', 'inventory'],
  'POST /admin/plans/x/keys': ['inventory'],
  'GET /admin/inventory': ['inventory', 'support'],
  'GET /admin/inventory/keys': ['inventory'],
  'POST /admin/inventory/keys/x/revocation': ['inventory'],
  'POST /admin/users/x/credits': ['billing'],
  'DELETE /admin/users/x': ['admin'],
  'GET /admin/users/x/notifications': ['support', 'billing'],
  'GET /admin/users/x/credits': ['support', 'billing'],
  'GET /admin/users/x/credits/entries': ['support', 'billing'],
  'GET /admin/users/x/slots': ['support', 'billing'],
  'GET /admin/users/x/subscriptions': ['support', 'billing'],
  'GET /admin/subscriptions/x': ['support', 'billing'],
  'GET /admin/subscriptions/x/charges': ['support', 'billing'],
  'GET /admin/subscriptions': ['support'],
  'POST /admin/subscriptions/x/cancel': ['billing'],
  'POST /admin/subscriptions/x/terminate': ['billing'],
  'POST /admin/subscriptions/x/grant-days': ['billing'],
  'GET /admin/audit': ['admin'],
  'GET /admin/invariants': ['support', 'billing'],
  'GET /admin/dead-letters': ['admin'],
  'POST /admin/dead-letters/x/redrive': ['admin'],
  'POST /admin/dead-letters/x/rehearse': ['admin'],
  'GET /admin/clock': ['support'],
  'POST /admin/clock/advance': ['admin'],
}
const userRoutes = [
  'GET /plans',
  'PUT /plans/x/restock-wish',
  'DELETE /plans/x/restock-wish',
  'POST /subscriptions',
  'GET /subscriptions',
  'GET /subscriptions/x',
  'GET /subscriptions/x/charges',
  'POST /subscriptions/x/cancel',
  'POST /subscriptions/x/resume',
  'GET /slots',
  'PUT /slots/x',
  'PATCH /slots/x',
  'DELETE /slots/x',
  'POST /slots/x/reveal',
  'POST /slots/x/test',
  'GET /credits',
  'GET /credits/entries',
  'GET /credits/entries/x/explanation',
  'PUT /credits/auto-top-up',
  'GET /notifications',
  'GET /operations/x',
  'GET /operations/x/events',
  // The last: after it whoever asked is deleted.
  'DELETE /me',
]
const later = [
  'GET /subscriptions/x/quota',
  'POST /admin/inventory/keys/x/replace',
  'POST /admin/inventory/keys/x/retire',
  'GET /admin/insights',
]
const bodyFor = (call: string) => (/^(POST|PUT|PATCH)/.test(call) ? { body: {} } : {})

test('Auth: missing, garbled, expired, without exp, signed otherwise or by nobody → 401, on every route', async () => {
  const secret = house.stack.secrets.AUTH_JWT_SECRET
  const claims = { sub: 'mallory', roles: ['admin'], exp: inAnHour() }
  const good = forge(claims, secret)
  const bad: Record<string, string> = {
    'no header': '',
    'another scheme': `Basic ${good}`,
    'no scheme': good,
    'no token': 'Bearer ',
    garbled: 'Bearer not.a.token',
    'half a token': `Bearer ${good.slice(0, -8)}`,
    'another secret': `Bearer ${forge(claims, `${secret}x`)}`,
    'alg none': `Bearer ${forge(claims, secret, { alg: 'none' }).replace(/[^.]*$/, '')}`,
    'alg RS256': `Bearer ${forge(claims, secret, { alg: 'RS256' })}`,
    expired: `Bearer ${forge({ ...claims, exp: Math.floor(Date.now() / 1000) - 120 }, secret)}`,
    'no exp': `Bearer ${forge({ ...claims, exp: undefined }, secret)}`,
    'exp as text': `Bearer ${forge({ ...claims, exp: '2999-01-01' }, secret)}`,
    'no sub': `Bearer ${forge({ ...claims, sub: undefined }, secret)}`,
    'empty sub': `Bearer ${forge({ ...claims, sub: '' }, secret)}`,
  }
  const client = await someone()
  for (const [what, authorization] of Object.entries(bad))
    for (const call of ['GET /plans', 'POST /admin/clock/advance']) {
      const answer = await client(call, { ...bodyFor(call), headers: { authorization } })
      expect({ what, status: answer.status, code: answer.body.code }).toEqual({
        what,
        status: 401,
        code: 'unauthorized',
      })
    }
  for (const call of [...userRoutes, ...Object.keys(operatorRoutes)])
    expectRefusal(await client(call, { ...bodyFor(call), headers: { authorization: '' } }), 401, 'unauthorized')
  expect((await client('GET /plans', { headers: { authorization: `Bearer ${good}` } })).status).toBe(200)
  const roleless = forge({ ...claims, roles: undefined }, secret)
  expect((await client('GET /plans', { headers: { authorization: `Bearer ${roleless}` } })).status).toBe(200)
})

test('PER-1: every route × every role: who may not is told 403, before anything else is looked at', async () => {
  for (const role of ['user', 'support', 'inventory', 'billing', 'admin']) {
    const client = await someone(0, [role])
    for (const [call, roles] of Object.entries(operatorRoutes)) {
      const answer = await client(call, bodyFor(call))
      const allowed = role === 'admin' || roles.includes(role)
      if (!allowed) expectRefusal(answer, 403, 'forbidden')
      else expect([200, 202, 400, 404], `${role} ${call}`).toContain(answer.status)
    }
    for (const call of userRoutes)
      expect([200, 202, 400, 404], `${role} ${call}`).toContain((await client(call, bodyFor(call))).status)
  }
  const both = await someone(0, ['support', 'inventory'])
  expect((await both('GET /admin/inventory/keys')).status).toBe(200)
  expect((await both('GET /admin/subscriptions')).status).toBe(200)
})

test('Operation-Id on success, refusal and replay; operators read any operation, others their own', async () => {
  const { planId } = await openShop(house, { keys: 1, price: USD })
  const client = await someone(USD)
  const refused = await buy(client, fresh('nowhere'))
  const seen = await client(`GET /operations/${refused.headers.get('operation-id')}`)
  expectShape(operation, seen.body)
  expect(seen.body).toMatchObject({ status: 'refused', result: null, problem: { code: 'not_found', status: 404 } })
  const key = newKey()
  const bought = await buy(client, planId, { key })
  const id = bought.headers.get('operation-id')
  expect((await buy(client, planId, { key })).headers.get('operation-id')).toBe(id)
  const { body } = await client(`GET /operations/${id}`)
  expectShape(operation, body)
  expect(body).toMatchObject({ id, status: 'succeeded', problem: null, result: bought.body })
  for (const role of ['support', 'billing', 'admin'])
    expect((await (await someone(0, [role]))(`GET /operations/${id}`)).body).toEqual(body)
  for (const role of ['user', 'inventory'])
    for (const path of [`/operations/${id}`, `/operations/${id}/events`])
      expectRefusal(await (await someone(0, [role]))(`GET ${path}`), 404, 'not_found')
  const short = await buy(await someone(), planId)
  expectRefusal(short, 402, 'insufficient_credits')
  expect(short.headers.get('operation-id')).toMatch(/./)
  const events = await client(`GET /operations/${id}/events`)
  const blocks = (events.body as string).trim().split('\n\n')
  expect(blocks.slice(0, -1).every((block) => block.startsWith('event: step\n'))).toBe(true)
  expect(blocks).toHaveLength(body.steps.length + 1)
  expect(JSON.parse(blocks.at(-1)?.replace('event: done\ndata: ', '') ?? '')).toEqual(body)
})

test('Prefer: wait=0 answers at once, and the outcome is to be found; what is no number of seconds is no reason to refuse', async () => {
  const { user } = await someone()
  const { call, body } = post(user)
  const key = newKey()
  const first = await admin(call, { body, key, headers: { prefer: 'wait=0' } })
  const id = first.headers.get('operation-id')
  expect([201, 202]).toContain(first.status)
  if (first.status === 202) {
    expectShape(operation, first.body)
    expect(first.headers.get('location')).toBe(`/v1/operations/${id}`)
  }
  // Asked while it runs, the stream ends with the outcome.
  expect((await admin(`GET /operations/${id}/events`)).body).toMatch(/event: done\ndata: .*"succeeded".*\n\n$/)
  expectRefusal(await admin(call, { body: { ...body, reason: 'another' }, key }), 409, 'idempotency_key_reused')
  const again = await admin(call, { body, key })
  expect(again.status).toBe(201)
  expect(again.headers.get('operation-id')).toBe(id)
  expect((await admin(`GET /operations/${id}`)).body).toMatchObject({ status: 'succeeded', result: again.body })
  for (const prefer of ['wait=-1', 'wait=soon', 'wait=31', 'wait=', 'handling=lenient', 'respond-async, wait=20'])
    expect((await admin(call, { body, key: newKey(), headers: { prefer } })).status, prefer).toBe(201)
})

test('IDE-1: on each (I) route a key of 1 to 200 characters is required', async () => {
  const { planId } = await openShop(house, { keys: 0, price: 0 })
  const { user } = await someone()
  const routes = [
    { call: 'POST /subscriptions', body: { planId } },
    { call: `POST /admin/plans/${planId}/keys`, body: { entries: [{ key: newKey() }] } },
    post(user),
  ]
  for (const { call, body } of routes) {
    expectRefusal(await admin(call, { body }), 400, 'idempotency_key_required')
    for (const key of ['', 'k'.repeat(201)]) expect((await admin(call, { body, key })).status).toBe(400)
  }
  expect((await admin(post(user).call, { body: post(user).body, key: 'k'.repeat(200) })).status).toBe(201)
  expect((await admin(post(user).call, { body: post(user).body, key: 'k' })).status).toBe(201)
})

test('IDE-1: the same path and the same JSON, however it is written, is the same request; anything else is another', async () => {
  const shop = await openShop(house, { keys: 1, price: USD })
  const other = await openShop(house, { keys: 0, price: USD })
  const [secret, client] = [newKey(), await someone(9 * USD)]
  const cases = [
    {
      client,
      call: 'POST /subscriptions',
      text: `{"planId":"${shop.planId}"}`,
      same: [` {\n"plan\\u0049d" : "${shop.planId}" }`],
      others: [['POST /subscriptions', `{"planId":"${other.planId}"}`]],
    },
    {
      client: admin,
      call: `POST /admin/plans/${shop.planId}/keys`,
      text: `{"entries":[{"key":"${secret}","upstreamPlanId":"u"}],"allOrNothing":false}`,
      same: [`{"allOrNothing":false,"entries":[{"upstreamPlanId":"\\u0075","key":"${secret}"}]}`],
      others: [
        [`POST /admin/plans/${shop.planId}/keys`, `{"entries":[{"key":"${secret}-b"}]}`],
        [
          `POST /admin/plans/${other.planId}/keys`,
          `{"entries":[{"key":"${secret}","upstreamPlanId":"u"}],"allOrNothing":false}`,
        ],
      ],
    },
    {
      client: admin,
      call: post(client.user).call,
      text: '{"amountMicrodollars":1000000,"kind":"grant","reason":"é"}',
      same: [
        '{"reason":"\\u00e9","kind":"grant","amountMicrodollars":1e6}',
        '{ "kind":"grant", "reason":"é", "amountMicrodollars":1000000.0}',
      ],
      others: [
        [post(client.user).call, '{"amountMicrodollars":1000001,"kind":"grant","reason":"é"}'],
        [post(`${client.user}-b`).call, '{"amountMicrodollars":1000000,"kind":"grant","reason":"é"}'],
      ],
    },
  ]
  const key = newKey()
  for (const { client, call, text, same, others } of cases) {
    // One key for all three: each operation has its own.
    const first = await client(call, { body: text, key })
    expect([200, 201], JSON.stringify(first.body)).toContain(first.status)
    expect(first.headers.get('idempotency-replayed')).toBeNull()
    for (const body of [text, ...same]) {
      const again = await client(call, { body, key })
      expect(again).toMatchObject({ status: first.status, body: first.body })
      expect(again.headers.get('idempotency-replayed')).toBe('true')
    }
    for (const [elsewhere = '', body] of others)
      expectRefusal(await client(elsewhere, { body, key }), 409, 'idempotency_key_reused')
  }
  const second = await watchedUser(house, fresh('operator'), ['billing'])
  const theirs = await second(post(client.user).call, { ...post(client.user, 7), key })
  expect(theirs).toMatchObject({ status: 201, body: { balanceMicrodollars: 9 * USD + 7 } })
})

test('IDE-1: equal requests at the same time share one outcome', async () => {
  const { user } = await someone()
  const { call, body } = post(user, 3 * USD)
  const key = newKey()
  const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => admin(call, { body, key, gateway: n })))
  expect(new Set(answers.map(({ status, body }) => `${status} ${body.entryId}`)).size).toBe(1)
  expect((await admin(`GET /admin/users/${user}/credits`)).body.balanceMicrodollars).toBe(3 * USD)
})

test('SUB-5: body before key, key before the domain, a replay before the domain', async () => {
  const { planId, providerId } = await openShop(house, { keys: 1, price: USD })
  const client = await someone(USD)
  const key = newKey()
  expectRefusal(await client('POST /subscriptions', { body: { planId: 1 } }), 400, 'invalid_request')
  expectRefusal(await client('POST /subscriptions', { body: { planId: fresh('no') } }), 400, 'idempotency_key_required')
  expectRefusal(await buy(client, fresh('no'), { key }), 404, 'not_found')
  const bought = await buy(client, planId, { key })
  const spec = {
    name: 'x',
    providerId,
    priceMicrodollars: USD,
    period: { unit: 'month', count: 1 },
    saleState: 'closed',
  }
  await admin(`PUT /admin/plans/${planId}`, { body: spec })
  await client(`POST /subscriptions/${bought.body.subscription.id}/cancel`, { body: { when: 'now' } })
  expect((await buy(client, planId, { key })).body).toEqual(bought.body)
  expectRefusal(await buy(client, planId), 409, 'plan_closed')
})

test('PER-1: limits per user and minute answer 429 with Retry-After, before the body is looked at', async () => {
  const { planId, providerId } = await openShop(house, { price: 0 })
  const [client, other] = [await someone(), await someone()]
  await client(`PUT /slots/${providerId}`, { body: { key: 'sk-own-key' } })
  for (const what of ['reveal', 'test']) {
    const answers = await Promise.all(Array.from({ length: 14 }, () => client(`POST /slots/${providerId}/${what}`)))
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(10).fill(200), ...Array(4).fill(429)])
    for (const { status, body } of answers) if (status === 429) expect(body.code).toBe('rate_limited')
    expect((await other(`POST /slots/${providerId}/${what}`)).status).toBe(404)
  }
  for (let n = 0; n < PURCHASES_PER_MINUTE; n += 1)
    expectRefusal(await other('POST /subscriptions', { body: {} }), 400, 'invalid_request')
  expectRefusal(await other('POST /subscriptions', { body: {} }), 429, 'rate_limited')
  expect((await client('POST /subscriptions', { body: { planId }, key: newKey() })).status).toBe(409)
})

/** Send the head of a request whose body would be this long. @returns the status that is answered to the head alone */
const announce = async (call: string, bytes: number) => {
  const headers = {
    authorization: `Bearer ${await house.stack.token('admin-1', ['admin'])}`,
    'content-type': 'application/json',
    'content-length': bytes,
    'idempotency-key': newKey(),
  }
  const [method = '', path] = call.split(' ')
  const sending = request(`${house.stack.url}/v1${path}`, { method, headers })
  sending.flushHeaders()
  const [{ statusCode }] = (await once(sending, 'response')) as [{ statusCode: number }]
  sending.on('error', () => {}).destroy()
  return statusCode
}

test('Errors: malformed, foreign, unknown and too large bodies on every route that takes one', async () => {
  const valid: Record<string, object> = {
    'POST /subscriptions': { planId: 'x' },
    'POST /subscriptions/x/cancel': { when: 'now' },
    'PUT /slots/x': { key: 'k' },
    'PATCH /slots/x': { enabled: true },
    'PUT /admin/plans/x': { name: 'x', providerId: 'x', priceMicrodollars: 1, period: { unit: 'day', count: 1 } },
    'POST /admin/plans/x/keys': { entries: [{ key: 'k' }] },
    'POST /admin/users/x/credits': { amountMicrodollars: 1, kind: 'grant', reason: 'r' },
    'POST /admin/subscriptions/x/cancel': { reason: 'r' },
    'POST /admin/clock/advance': { by: 'PT0S' },
  }
  for (const [call, body] of Object.entries(valid)) {
    const wrong = [
      { ...body, surplus: 1 },
      '{"',
      '[]',
      'null',
      '"text"',
      '7',
      `{"__proto__":{},${JSON.stringify(body).slice(1)}`,
    ]
    if (!call.startsWith('POST /subscriptions/x')) wrong.push('', '{}')
    for (const sent of wrong.filter((sent) => !(sent === 'null' && call === 'POST /subscriptions/x/cancel')))
      expectRefusal(await admin(call, { body: sent, key: newKey() }), 400, 'invalid_request')
    const headers = { 'content-type': 'application/xml' }
    expectRefusal(await admin(call, { body: '<a/>', key: newKey(), headers }), 415, 'unsupported_media_type')
    // Of 4 MiB the connection may be closed before all is sent, and a client then sees no answer at all: announced only.
    if (call.endsWith('/keys')) {
      expect(await announce(call, 6_000_000)).toBe(413)
      continue
    }
    const huge = { ...body, surplus: 'x'.repeat(70_000) }
    expectRefusal(await admin(call, { body: huge, key: newKey() }), 413, 'body_too_large')
  }
  for (const call of ['POST /slots/x/reveal', 'POST /slots/x/test'])
    expectRefusal(await admin(call, { body: { surplus: 1 } }), 400, 'invalid_request')
})

test('ERR-1: what no id, no name and no text can be is refused, never an error of our own', async () => {
  const long = 'x'.repeat(400)
  for (const id of ['%00', 'a%00b', long, '%F0%9F%98%80', '..%2F..', '%27%3B--', '__proto__'])
    for (const call of [...userRoutes, ...Object.keys(operatorRoutes)].filter((call) =>
      /^(GET|DELETE .*\/x|POST .*reveal)/.test(call),
    )) {
      const answer = await admin(call.replace(/\/x(?=\/|$)/, `/${id}`))
      expect([200, 202, 204, 400, 404, 429], `${call} ${id}`).toContain(answer.status)
    }
  for (const call of ['GET /subscriptions/%zz', 'GET /admin/subscriptions?q=%00', 'GET /admin/inventory?planId=%00'])
    expect([200, 400, 404], call).toContain((await admin(call)).status)
  const nul = 'a\u0000b'
  const { planId, providerId } = await openShop(house, { keys: 0 })
  expect([400, 404]).toContain((await buy(admin, nul)).status)
  expectRefusal(
    await admin(post('x').call, { body: { ...post('x').body, reason: nul }, key: newKey() }),
    400,
    'invalid_request',
  )
  const spec = { name: 'x', providerId, priceMicrodollars: USD, period: { unit: 'month', count: 1 } }
  for (const more of [{ name: nul }, { providerName: nul }, { features: [nul] }, { models: [nul] }])
    expectRefusal(await admin(`PUT /admin/plans/${planId}`, { body: { ...spec, ...more } }), 400, 'invalid_request')
  const token = forge({ sub: nul, exp: inAnHour() }, house.stack.secrets.AUTH_JWT_SECRET)
  expectRefusal(await admin('GET /credits', { headers: { authorization: `Bearer ${token}` } }), 401, 'unauthorized')
})

test('Paths and methods that are not here → 404 not_found; HEAD and OPTIONS do nothing', async () => {
  for (const call of [
    ...later,
    'GET /nowhere',
    'DELETE /plans',
    'PATCH /credits',
    'PUT /subscriptions',
    'GET /plans/x',
  ])
    expectRefusal(await admin(call, bodyFor(call)), 404, 'not_found')
  const head = await admin('HEAD /plans')
  expect([200, 404]).toContain(head.status)
  expect(head.body).toBe('')
  for (const call of ['HEAD /slots/x/reveal', 'OPTIONS /plans', 'OPTIONS /subscriptions'])
    expect((await house.admin(call)).status).toBeLessThan(500)
})

test('OPS-1: every service answers machines without a token; the gateway’s openapi.json has exactly the routes that are', async () => {
  for (const { service, url } of house.stack.services) {
    const ask = async (path: string) => (await fetch(`${url}${path}`)).status
    for (const path of ['/healthz', '/metrics', '/openapi.json'])
      expect(await ask(path), `${service} ${path}`).toBe(200)
    // A machine that stood still for a moment makes nobody ready.
    await eventually(
      () => ask('/readyz'),
      (status) => status === 200,
    )
    expect((await fetch(`${url}/docs`)).status, service).toBe(service === 'gateway' ? 200 : 404)
    expect(await (await fetch(`${url}/metrics`)).text(), service).toContain('messages_handled_total')
    expect((await fetch(`${url}/internal/open`)).status, service).toBe(401)
  }
  const { paths } = (await (await fetch(`${house.stack.url}/openapi.json`)).json()) as { paths: Record<string, object> }
  const listed = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{[^}]*\}/g, 'x')}`),
  )
  for (const call of [...userRoutes, ...Object.keys(operatorRoutes)])
    expect(listed).toContain(call.replace(' ', ' /v1'))
  for (const call of later) expect(listed).not.toContain(call.replace(' ', ' /v1'))
  const nowhere = await fetch(house.stack.url)
  expect(nowhere.status).toBe(404)
  expect(nowhere.headers.get('content-type')).toContain('application/problem+json')
})

test('What was answered is visible to the next read, on every gateway', async () => {
  const { planId, providerId } = await openShop(house, { keys: 5, price: USD })
  const client = await someone(10 * USD)
  for (let n = 0; n < 5; n += 1) {
    const { body } = await buy(client, planId, { gateway: n })
    const look = { gateway: n + 1 }
    expect((await client(`GET /subscriptions/${body.subscription.id}`, look)).body).toEqual(body.subscription)
    expect((await client(`GET /subscriptions/${body.subscription.id}/charges`, look)).body.data).toContainEqual(
      body.charge,
    )
    expect((await client('GET /credits', look)).body.balanceMicrodollars).toBe((9 - n) * USD)
    expect((await client('GET /slots', look)).body.data).toMatchObject([{ providerId, managedBy: 'plan' }])
    const ended = await client(`POST /subscriptions/${body.subscription.id}/cancel`, {
      body: { when: 'now' },
      gateway: n,
    })
    expect((await client('GET /subscriptions?status=ended&limit=1', look)).body.data).toEqual([ended.body])
    expect((await client('GET /slots', look)).body.data).toEqual([])
  }
  const [left] = (await admin(`GET /admin/inventory?planId=${planId}`)).body.data
  expect(left.counts).toMatchObject({ available: 0, assigned: 5 })
  expect((await client('GET /plans')).body.data.find(({ id }: { id: string }) => id === planId).availability).toBe(
    'sold_out',
  )
  await eventually(async () => (await admin('GET /admin/clock')).body.settled, Boolean)
})
