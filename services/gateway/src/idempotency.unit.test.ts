import { expect, test } from 'vitest'
import { idempotencyKey, keyFrom, newOperationId, operationIdOf } from './idempotency.ts'
import { decideKey } from './key-decision.ts'

const secret = Buffer.alloc(32, 3)
const keyOf = (
  body: unknown,
  { path = '/v1/a', caller = 'ada', operation = 'purchase', key = 'k', from = secret } = {},
) => idempotencyKey(from, { caller, operation, key }, { path, body })
const request = (...given: Parameters<typeof keyOf>) => keyOf(...given).request.toString('hex')
const scope = (...given: Parameters<typeof keyOf>) => keyOf(...given).scope.toString('hex')

test('IDE-1: a body counts by its JSON meaning', () => {
  expect(request({ a: 1, b: { c: [1, 2], d: null } })).toBe(request({ b: { d: null, c: [1, 2] }, a: 1 }))
  expect(request(JSON.parse('{"a":1.0}'))).toBe(request(JSON.parse('{"a":1}')))
  expect(request({ a: undefined })).toBe(request({}))
  for (const other of [{ a: '1' }, { a: 1, b: 0 }, [1], null, { a: [2, 1] }])
    expect(request(other)).not.toBe(request({ a: 1 }))
  expect(request({}, { path: '/v1/b' })).not.toBe(request({}))
})

test('IDE-1: a key is one caller’s and one operation’s own, whatever characters they have', () => {
  const all = [
    scope({}, { caller: 'a', operation: 'b', key: 'c' }),
    scope({}, { caller: 'a","b', operation: 'b', key: 'c' }),
    scope({}, { caller: 'a', operation: 'bc', key: 'c' }),
    scope({}, { caller: 'a', operation: 'b', key: 'cc' }),
  ]
  expect(new Set(all).size).toBe(all.length)
})

test('INV-2: a body that holds a secret cannot be guessed from what is kept', () => {
  expect(request({ key: 'sk' }, { from: Buffer.alloc(32, 4) })).not.toBe(request({ key: 'sk' }))
})

test('the id of an operation follows from its key and attempt; without a key it is one of its own', () => {
  const { scope } = keyOf({})
  expect(operationIdOf(scope, 1)).toBe(operationIdOf(Buffer.from(scope), 1))
  expect(operationIdOf(scope, 1)).not.toBe(operationIdOf(scope, 2))
  expect(operationIdOf(scope, 1)).toMatch(/^op_[0-9a-f]{32}$/)
  expect(newOperationId()).not.toBe(newOperationId())
})

test('an Idempotency-Key has 1 to 200 characters', () => {
  expect(keyFrom('x'.repeat(200))).toHaveLength(200)
  for (const bad of [undefined, '', 'x'.repeat(201), ['a', 'b']])
    expect(() => keyFrom(bad)).toThrow(
      expect.objectContaining({ problem: expect.objectContaining({ code: 'idempotency_key_required' }) }),
    )
})

test('IDE-2: what a kept key decides', () => {
  const kept = { request: 'r', attempt: 3, operationId: 'op_3', outcome: null }
  expect(decideKey({ request: '', attempt: 0, operationId: null, outcome: null }, 'r')).toEqual({
    verdict: 'new',
    attempt: 1,
  })
  expect(decideKey(kept, 'r')).toEqual({ verdict: 'attached', operationId: 'op_3' })
  expect(decideKey(kept, 'other')).toEqual({ verdict: 'reused' })
  expect(decideKey({ ...kept, outcome: 'succeeded' }, 'r')).toEqual({ verdict: 'replayed', operationId: 'op_3' })
  expect(decideKey({ ...kept, outcome: 'succeeded' }, 'other')).toEqual({ verdict: 'reused' })
  for (const outcome of ['refused', 'failed'] as const)
    expect(decideKey({ ...kept, outcome }, 'other')).toEqual({ verdict: 'new', attempt: 4 })
})
