import { expect, test } from 'vitest'
import { CRON, openBench } from '../desk.testing.ts'

const OPERATORS = ['support', 'inventory', 'billing', 'admin'] as const

/** The contract of this house at this moment: every path, and who besides an admin may call it. */
const scope: Readonly<Record<string, readonly string[] | 'user' | 'machine'>> = {
  'GET /v1/plans': 'user',
  'PUT /v1/plans/:id/restock-wish': 'user',
  'DELETE /v1/plans/:id/restock-wish': 'user',
  'POST /v1/subscriptions': 'user',
  'GET /v1/subscriptions': 'user',
  'GET /v1/subscriptions/:id': 'user',
  'GET /v1/subscriptions/:id/charges': 'user',
  'POST /v1/subscriptions/:id/cancel': 'user',
  'POST /v1/subscriptions/:id/resume': 'user',
  'GET /v1/slots': 'user',
  'PUT /v1/slots/:providerId': 'user',
  'PATCH /v1/slots/:providerId': 'user',
  'DELETE /v1/slots/:providerId': 'user',
  'POST /v1/slots/:providerId/reveal': 'user',
  'POST /v1/slots/:providerId/test': 'user',
  'GET /v1/credits': 'user',
  'GET /v1/credits/entries': 'user',
  'GET /v1/credits/entries/:id/explanation': 'user',
  'PUT /v1/credits/auto-top-up': 'user',
  'GET /v1/notifications': 'user',
  'DELETE /v1/me': 'user',
  'GET /v1/operations/:id': 'user',
  'GET /v1/operations/:id/events': 'user',
  'PUT /v1/admin/plans/:id': ['billing'],
  'GET /v1/admin/plans': ['billing', 'support', 'inventory'],
  'GET /v1/admin/plans/:id/versions': ['billing', 'support', 'inventory'],
  'POST /v1/admin/plans/:id/keys': ['inventory'],
  'GET /v1/admin/inventory': ['inventory', 'support'],
  'GET /v1/admin/inventory/keys': ['inventory'],
  'POST /v1/admin/inventory/keys/:id/revocation': ['inventory'],
  'DELETE /v1/admin/users/:userId': ['admin'],
  'POST /v1/admin/users/:userId/credits': ['billing'],
  'GET /v1/admin/users/:userId/credits': ['support', 'billing'],
  'GET /v1/admin/users/:userId/credits/entries': ['support', 'billing'],
  'GET /v1/admin/users/:userId/notifications': ['support', 'billing'],
  'GET /v1/admin/users/:userId/slots': ['support', 'billing'],
  'GET /v1/admin/users/:userId/subscriptions': ['support', 'billing'],
  'GET /v1/admin/subscriptions': ['support'],
  'GET /v1/admin/subscriptions/:id': ['support', 'billing'],
  'GET /v1/admin/subscriptions/:id/charges': ['support', 'billing'],
  'POST /v1/admin/subscriptions/:id/cancel': ['billing'],
  'POST /v1/admin/subscriptions/:id/terminate': ['billing'],
  'POST /v1/admin/subscriptions/:id/grant-days': ['billing'],
  'GET /v1/admin/dead-letters': ['admin'],
  'POST /v1/admin/dead-letters/redrive': ['admin'],
  'POST /v1/admin/dead-letters/:id/redrive': ['admin'],
  'POST /v1/admin/dead-letters/:id/rehearse': ['admin'],
  'GET /v1/admin/audit': ['admin'],
  'GET /v1/admin/invariants': ['support', 'billing'],
  'GET /v1/admin/clock': ['support'],
  'POST /v1/admin/clock/advance': ['admin'],
  'POST /v1/cron/billing': 'machine',
}

const served = async () => {
  const routes: string[] = []
  const bench = await openBench({
    onApp: (app) =>
      app.addHook('onRoute', ({ method, url }) => {
        if (url.startsWith('/v1/') && method !== 'HEAD') routes.push(`${String(method)} ${url}`)
      }),
  })
  return { routes, ...bench }
}

test('what is served is the contract, no path more and none less', async () => {
  const { routes } = await served()
  expect(routes.toSorted()).toEqual(Object.keys(scope).toSorted())
})

test('PER-1: every route × every role: 403 for whom it is not open, and only for them', async () => {
  const { ask } = await served()
  for (const [route, allowed] of Object.entries(scope)) {
    if (allowed === 'machine') continue
    const [method, path = ''] = route.split(' ')
    const url = path.replace(/:\w+/g, 'x')
    for (const role of [undefined, ...OPERATORS]) {
      const { statusCode } = await ask({ method: method as 'GET', url }, { roles: role ? [role] : [] })
      const open = allowed === 'user' || role === 'admin' || (role !== undefined && allowed.includes(role))
      expect([route, role, statusCode === 403]).toEqual([route, role, !open])
      expect([route, statusCode]).not.toEqual([route, 401])
    }
  }
})

test('PER-1: a machine’s route is open to its secret alone, whatever the role of a person', async () => {
  const { ask, app, intents } = await served()
  const tick = { method: 'POST', url: '/v1/cron/billing' } as const
  for (const role of [undefined, ...OPERATORS])
    expect((await ask(tick, { roles: role ? [role] : [] })).statusCode).toBe(401)
  const bearer = (secret: string) => app.inject({ ...tick, headers: { authorization: `Bearer ${secret}` } })
  for (const secret of ['', CRON.slice(0, -1), `${CRON} `, CRON.toUpperCase()])
    expect((await bearer(secret)).statusCode).toBe(401)
  expect(intents).toEqual([])
  expect((await bearer(CRON)).statusCode).toBe(202)
  expect(intents).toMatchObject([{ kind: 'billing_tick', caller: '' }])
})

test('PER-1: without a token every route is 401', async () => {
  const { app } = await served()
  for (const route of Object.keys(scope)) {
    const [method, path = ''] = route.split(' ')
    const { statusCode } = await app.inject({ method: method as 'GET', url: path.replace(/:\w+/g, 'x') })
    expect([route, statusCode]).toEqual([route, 401])
  }
})

test('/openapi.json is made from the routes, and /docs shows it', async () => {
  const { app } = await served()
  const { paths } = app.swagger() as { paths: Record<string, object> }
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
  )
  expect(described.filter((route) => route.includes('/v1/')).toSorted()).toEqual(Object.keys(scope).toSorted())
  expect((await app.inject('/docs')).statusCode).toBeLessThan(400)
  const buying = (paths['/v1/subscriptions'] as Record<string, { parameters: { name: string; in: string }[] }>).post
  expect(buying?.parameters).toMatchObject([
    { name: 'idempotency-key', in: 'header', required: true },
    { name: 'prefer', in: 'header' },
  ])
  const ticking = (paths['/v1/cron/billing'] as Record<string, { security: object[] }>).post
  expect(ticking?.security).toEqual([{ machine: [] }])
})

test('/openapi.json names every answer: its media types, its codes by status, its headers', async () => {
  const { app } = await served()
  type Answer = { description: string; headers?: object; content?: object }
  type Described = Record<string, Record<string, { responses: Record<string, Answer> }>>
  const { paths, components } = app.swagger() as unknown as { paths: Described; components: { schemas: object } }
  const answersOf = (method: string, path: string) => paths[path]?.[method]?.responses ?? {}
  for (const [path, methods] of Object.entries(paths))
    for (const [method, { responses }] of Object.entries(methods))
      for (const [status, { description, content }] of Object.entries(responses)) {
        const where = `${method} ${path} ${status}`
        expect(status, where).toMatch(/^\d{3}$/)
        if (Number(status) < 400) continue
        expect(Object.keys(content ?? {}), where).toEqual(['application/problem+json'])
        expect(description, where).toMatch(/^[a-z_]+(, [a-z_]+)*$/)
      }
  expect(components.schemas).toHaveProperty('Problem')
  const buying = answersOf('post', '/v1/subscriptions')
  expect(buying).toMatchObject({
    201: { headers: { 'operation-id': {}, 'idempotency-replayed': {} } },
    202: { headers: { location: {} } },
    400: { description: 'invalid_request, idempotency_key_required' },
    402: { description: 'insufficient_credits' },
    409: { description: expect.stringMatching(/plan_closed.*sold_out.*idempotency_key_reused/) },
    429: { headers: { 'retry-after': {} } },
    503: { headers: { 'retry-after': {} } },
  })
  expect(Object.keys(answersOf('get', '/v1/credits/entries')[200]?.content ?? {})).toEqual([
    'application/json',
    'text/csv',
  ])
  expect(Object.keys(answersOf('get', '/v1/operations/{id}/events')[200]?.content ?? {})).toEqual(['text/event-stream'])
})
