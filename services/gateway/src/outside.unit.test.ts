import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { MOST_CONNECTIONS, MOST_HEADER_BYTES, MOST_HEADERS } from '@coding-plans/runtime'
import type { FastifyInstance } from 'fastify'
import { afterEach, expect, test } from 'vitest'
import { openBench, tokenFor } from './desk.testing.ts'

// What no route sees, and what every answer carries: a server that really listens, spoken to by the byte.

let app: FastifyInstance | undefined
afterEach(async () => {
  app?.server.closeAllConnections()
  await app?.close()
})

const HURRIED = { requestTimeout: 300, http: { headersTimeout: 200, connectionsCheckingInterval: 20 } }

const listen = async (options: Parameters<typeof openBench>[0] = {}) => {
  const bench = await openBench(options)
  app = bench.app
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { ...bench, port: (app.server.address() as AddressInfo).port }
}

/** Sends these bytes and hears what comes until the other end hangs up. */
const speak = async (port: number, bytes: string | Buffer) => {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  let said = ''
  socket.on('data', (part) => {
    said += part.toString('utf8')
  })
  socket.on('error', () => {})
  await once(socket, 'close')
  const [head = '', body = ''] = said.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body }
}
const get = (lines: string[], path = '/v1/plans') =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`

const mustRefuse = ({ status, head, body }: Awaited<ReturnType<typeof speak>>, expected: number, code: string) => {
  expect([status, JSON.parse(body)]).toEqual([expected, expect.objectContaining({ status: expected, code })])
  expect(head).toContain('content-type: application/problem+json')
  expect(head).toContain('cache-control: no-store')
  expect(head).toContain('x-content-type-options: nosniff')
}

test('headers that are too large, or too many, are 431; just below they are read', async () => {
  const { port } = await listen()
  const large = 'x'.repeat(MOST_HEADER_BYTES)
  mustRefuse(await speak(port, get([`x-large: ${large}`])), 431, 'headers_too_large')
  mustRefuse(await speak(port, get([], `/v1/plans?q=${large}`)), 431, 'headers_too_large')
  const few = Array.from({ length: MOST_HEADERS - 3 }, (_, n) => `x-${n}: x`)
  mustRefuse(await speak(port, get([...few, 'a: b', 'c: d'])), 431, 'headers_too_large')
  mustRefuse(await speak(port, get(few)), 401, 'unauthorized')
  // No header is dropped in silence: a token behind thousands of others would be.
  expect(app?.server.maxHeadersCount).toBe(0)
})

test('whoever sends slowly is hung up on: at the headers, at the body, and a connection that says nothing', async () => {
  const { port } = await listen({ server: HURRIED })
  mustRefuse(await speak(port, 'GET /v1/plans HTTP/1.1\r\nhost: x\r\nx-slow'), 408, 'request_timeout')
  const started = `POST /v1/subscriptions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\ncontent-type: application/json\r\nauthorization: Bearer ${await tokenFor('ada')}\r\n\r\n{`
  mustRefuse(await speak(port, started), 408, 'request_timeout')
  const silent = await speak(port, '')
  expect(silent.status === 408 || silent.head === '').toBe(true)
})

test('the limits of time and of connections are set on every server, and are no accident', async () => {
  const { server } = (await openBench()).app
  expect(server).toMatchObject({ requestTimeout: 60_000, headersTimeout: 10_000, keepAliveTimeout: 72_000 })
  expect(server.maxConnections).toBe(MOST_CONNECTIONS)
})

test.each([
  ['no HTTP at all', 'hello\r\n\r\n'],
  ['two lengths', 'POST /v1/me HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx'],
  [
    'a length and chunks, as smugglers do',
    'POST /v1/me HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['a header name with a space', get(['x y: z'])],
  ['a bare line feed in a header', get(['x: a\nauthorization: b'])],
])('400, and the connection ends: %s', async (_, bytes) => {
  const { port } = await listen()
  mustRefuse(await speak(port, bytes), 400, 'invalid_request')
})

const post = async (port: number, url: string, body: string | Buffer, roles: string[] = []) => {
  const head = `PUT ${url} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\nauthorization: Bearer ${await tokenFor('ada', roles)}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`
  return speak(port, Buffer.concat([Buffer.from(head), Buffer.from(body)]))
}
const spec = (more: string) =>
  `{"name":"A","providerId":"acme","priceMicrodollars":1,"period":{"unit":"month","count":1}${more}}`

test.each<[string, string | Buffer]>([
  ['a prototype', spec(',"__proto__":{"name":"x"}')],
  ['a prototype within', spec(',"id":{"__proto__":{"x":1}}')],
  ['a constructor’s prototype', spec(',"constructor":{"prototype":{"x":1}}')],
  ['a number beyond all numbers', spec(',"graceHours":1e400')],
  [
    'a price that is no safe whole number',
    spec(',"position":1').replace('Microdollars":1', 'Microdollars":9007199254740993'),
  ],
  ['half a character', spec(',"providerName":"\\ud800"')],
  ['U+0000', spec(',"providerName":"\\u0000"')],
  ['no UTF-8', Buffer.from(spec(',"providerName":"\xff\xfe"'), 'latin1')],
  ['one name twice', spec(',"name":"B"')],
  ['depth where nothing deep belongs', spec(`,"features":${'['.repeat(20_000)}${']'.repeat(20_000)}`)],
  ['depth in what is ignored', spec(`,"id":${'['.repeat(20_000)}${']'.repeat(20_000)}`)],
  ['brackets without end', '['.repeat(60_000)],
])('JSON that cannot be meant is 400: %s', async (_, body) => {
  const { port, intents } = await listen()
  mustRefuse(await post(port, '/v1/admin/plans/acme', body, ['billing']), 400, 'invalid_request')
  expect(intents).toEqual([])
})

test('an address that is too long: 400 in the query, 404 in the path; bad escapes are 400', async () => {
  const { ask } = await openBench()
  expect((await ask({ url: `/v1/credits/entries?cursor=${'x'.repeat(501)}` })).json().code).toBe('invalid_request')
  expect((await ask({ url: `/v1/subscriptions/${'x'.repeat(201)}` })).json().code).toBe('invalid_request')
  expect((await ask({ url: `/v1/subscriptions/${'x'.repeat(400)}` })).json().code).toBe('not_found')
  const bad = await ask({ url: '/v1/subscriptions/%E0%A4%A' })
  expect([bad.statusCode, bad.headers['cache-control'], bad.headers['x-content-type-options']]).toEqual([
    400,
    'no-store',
    'nosniff',
  ])
})

test('every answer, a refusal as well, is kept by nobody and shown in no frame', async () => {
  const { ask, app: asked } = await openBench()
  const answers = [
    await ask({ url: '/v1/credits' }),
    await ask({ url: '/v1/credits', headers: { authorization: '' } }),
    await ask({ url: '/v1/nowhere' }),
    await ask({ url: '/nowhere' }),
    await ask({ url: '/v1/credits/entries', headers: { accept: 'text/csv' } }),
    await asked.inject('/healthz'),
    await asked.inject('/openapi.json'),
  ]
  for (const { headers } of answers)
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': 'max-age=31536000',
    })
})

test('/docs works under its own policy: nothing inline, nothing from elsewhere, each part with its type', async () => {
  const { app: asked } = await openBench()
  const page = await asked.inject('/docs/')
  expect(page.statusCode).toBe(200)
  const policy = String(page.headers['content-security-policy'])
  expect(policy).toContain("script-src 'self';")
  expect(policy).toContain("connect-src 'self';")
  expect(page.body.match(/<script(?![^>]*\ssrc=)/g) ?? []).toEqual([])
  expect(page.body.match(/\son\w+=|javascript:|<style/g) ?? []).toEqual([])
  const parts = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => String(address))
  expect(parts.length).toBeGreaterThan(4)
  const types = { js: /javascript/, css: /text\/css/, png: /image\/png/ } as Record<string, RegExp>
  for (const part of parts) {
    const { origin, pathname } = new URL(part, 'http://here/docs/')
    expect(origin).toBe('http://here')
    const { statusCode, headers } = await asked.inject(pathname)
    expect([part, statusCode]).toEqual([part, 200])
    expect(headers['content-type']).toMatch(types[pathname.split('.').at(-1) ?? ''] ?? /never/)
    expect(headers['x-content-type-options']).toBe('nosniff')
  }
  expect((await asked.inject('/docs/json')).json().openapi).toBe('3.1.0')
})
