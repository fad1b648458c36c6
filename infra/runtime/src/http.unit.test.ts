import { expect, test } from 'vitest'
import { createHttp } from './http.ts'
import { MOST_CONNECTIONS } from './http-limits.ts'
import { openLog } from './log.ts'
import { Metrics } from './metrics.ts'

const SECRET = Buffer.alloc(32, 7)
const BEARER = `Bearer ${SECRET.toString('base64')}`

const serve = () =>
  createHttp({
    service: 'credits-ledger',
    log: openLog('credits-ledger', 'silent'),
    metrics: new Metrics('credits-ledger'),
    internalSecret: SECRET,
    ready: async () => ({ ready: false, reasons: ['The service is starting.'] }),
    open: async () => ({ unpublished: 1, calls: 2, due: 3 }),
  })

test('every service answers machines, with the headers that keep a browser from doing anything with it', async () => {
  const http = await serve()
  for (const [path, status] of [
    ['/healthz', 200],
    ['/readyz', 503],
    ['/metrics', 200],
    ['/openapi.json', 200],
    ['/internal/open', 401],
    ['/nowhere', 404],
  ] as const) {
    const { statusCode, headers } = await http.inject(path)
    expect([path, statusCode]).toEqual([path, status])
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    })
    expect(headers).not.toHaveProperty('x-powered-by')
  }
  expect(http.server).toMatchObject({
    requestTimeout: 60_000,
    headersTimeout: 10_000,
    maxConnections: MOST_CONNECTIONS,
  })
})

test('what services ask each other is answered to the bearer of the internal secret alone', async () => {
  const http = await serve()
  for (const authorization of ['', 'Bearer ', BEARER.slice(0, -1), `${BEARER}x`, BEARER.toLowerCase(), BEARER.slice(7)])
    expect((await http.inject({ url: '/internal/open', headers: { authorization } })).statusCode).toBe(401)
  const answer = await http.inject({ url: '/internal/open', headers: { authorization: BEARER } })
  expect(answer.json()).toEqual({ unpublished: 1, calls: 2, due: 3 })
})
