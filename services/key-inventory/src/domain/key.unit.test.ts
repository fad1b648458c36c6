import { instant, userId } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { type Assignment, assign, end, erased, expire, expired, type Key, keyStates, keyTransitions } from './key.ts'

const key: Key = {
  id: 'key_1',
  planId: 'gold',
  providerId: 'acme',
  state: 'available',
  masked: '••••cdef',
  upstreamPlanId: null,
  expiresAt: null,
  sequence: 1,
  uploadedAt: instant(0),
  assignment: null,
  endedAt: null,
  attempts: 0,
  lastError: null,
}
const assignment: Assignment = {
  assignmentId: 'op_1',
  userId: userId('ada'),
  subscriptionId: 'sub_1',
  assignedAt: instant(10),
  ownership: 'user',
  reveal: true,
  upstreamRevocation: 'never',
  slotVersion: 1,
  stockVersion: 1,
}
const sold = (upstreamRevocation: Assignment['upstreamRevocation']) =>
  assign(key, { ...assignment, upstreamRevocation })

test('INV-5: a key that was assigned never returns to stock', () => {
  const reachable = new Set<string>(['assigned'])
  for (const state of reachable)
    for (const next of Object.values(keyTransitions[state as Key['state']])) reachable.add(next)
  expect([...reachable].sort()).toEqual(['assigned', 'revocation_failed', 'revocation_pending', 'revoked'])
  expect(() => assign(sold('never'), assignment)).toThrow('key_1 is assigned')
  expect(() => assign(end(sold('never'), instant(20)), assignment)).toThrow()
})

test('INV-6: only available stock is sold or expires', () => {
  for (const state of keyStates.filter((one) => one !== 'available')) {
    expect(() => assign({ ...key, state }, assignment)).toThrow()
    expect(() => expire({ ...key, state })).toThrow()
  }
  expect(expire(key).state).toBe('retired')
})

test('INV-6: at its instant a key has expired', () => {
  const until = { ...key, expiresAt: instant(100) }
  expect([99, 100, 101].map((now) => expired(until, instant(now)))).toEqual([false, true, true])
  expect(expired(key, instant(Number.MAX_SAFE_INTEGER))).toBe(false)
})

test('SLT-3: a key that is never revoked upstream stays assigned as evidence, erased', () => {
  const ended = end(sold('never'), instant(20))
  expect(ended).toMatchObject({ state: 'assigned', endedAt: 20 })
  expect(erased(ended)).toBe(true)
  expect(erased(sold('never'))).toBe(false)
})

test.each(['manual', 'automatic'] as const)(
  'SLT-3: %s revocation puts the key in the queue, readable still',
  (policy) => {
    const ended = end(sold(policy), instant(20))
    expect(ended).toMatchObject({ state: 'revocation_pending', endedAt: 20 })
    expect(erased(ended)).toBe(false)
  },
)

test('SLT-3: access ends once', () => {
  const ended = end(sold('manual'), instant(20))
  expect(end(ended, instant(30))).toBe(ended)
  expect(end(key, instant(30))).toBe(key)
})
