import { instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { readKey, readUpload } from './upload.ts'

const NOW = instant(Date.parse('2026-03-01T00:00:00.000Z'))
const read = (...entries: object[]) =>
  readUpload(
    entries.map((entry, index) => ({ line: index + 1, ...entry })),
    NOW,
  )
const refusals = (...entries: object[]) => read(...entries).map((line) => ('refused' in line ? line.refused : null))

test('INV-1: a key is trimmed and may have any character inside', () => {
  expect(readKey('  k e\u0000y 🗝 \n')).toEqual({ key: 'k e\u0000y 🗝' })
})

test('INV-1: a key has 1 to 500 characters', () => {
  expect(readKey('🗝'.repeat(500))).toEqual({ key: '🗝'.repeat(500) })
  expect(readKey('x'.repeat(501))).toEqual({ refused: 'key_too_long' })
  expect(readKey(' \t ')).toEqual({ refused: 'key_missing' })
  expect(readKey(undefined)).toEqual({ refused: 'key_missing' })
  expect(readKey(5)).toEqual({ refused: 'key_missing' })
})

test('INV-1: half a surrogate pair is no character', () => {
  expect(readKey('key-\ud83d-key')).toEqual({ refused: 'malformed' })
})

test('INV-1: each line is judged for itself', () => {
  const [plain, whole, bad] = read(
    { key: 'one' },
    { key: ' two ', upstreamPlanId: ' pro ', expiresAt: '2026-03-01T00:00:00.001Z' },
    { malformed: true },
  )
  expect(plain).toEqual({ line: 1, key: 'one', upstreamPlanId: null, expiresAt: null })
  expect(whole).toEqual({ line: 2, key: 'two', upstreamPlanId: 'pro', expiresAt: NOW + 1 })
  expect(bad).toEqual({ line: 3, refused: 'malformed' })
})

test('INV-1: an expiresAt in the past, or now, is invalid', () => {
  expect(refusals({ key: 'k', expiresAt: '2026-03-01T00:00:00.000Z' })).toEqual(['expires_in_the_past'])
  expect(refusals({ key: 'k', expiresAt: '2026-02-28T23:59:59Z' })).toEqual(['expires_in_the_past'])
})

test('INV-1: an expiresAt that is no UTC instant is invalid', () => {
  const never = ['2027-02-30T00:00:00Z', '2027-01-01', 'soon', 5, '2027-01-01T25:00:00Z', '2027-01-01T00:00:00+02:00']
  expect(refusals(...never.map((expiresAt) => ({ key: 'k', expiresAt })))).toEqual(
    never.map(() => 'expires_at_invalid'),
  )
})

test('INV-1: an upstreamPlanId that no database can keep is invalid', () => {
  const never = [5, ' ', 'a\u0000b', '\ud83d', 'x'.repeat(201)]
  const refused = never.map(() => 'upstream_plan_id_invalid')
  expect(refusals(...never.map((upstreamPlanId) => ({ key: 'k', upstreamPlanId })))).toEqual(refused)
})

test('INV-1: an upload has 1 to 1000 lines, each with a number of its own', () => {
  expect(() => readUpload([], NOW)).toThrow()
  expect(() => readUpload({}, NOW)).toThrow()
  const lines = Array.from({ length: 1_001 }, (_, index) => ({ line: index + 1, key: `key ${index}` }))
  expect(readUpload(lines.slice(1), NOW)).toHaveLength(1_000)
  expect(() => readUpload(lines, NOW)).toThrow()
  expect(() => readUpload([{ line: 1 }, { line: 1 }], NOW)).toThrow()
  expect(() => readUpload([{ line: 0 }], NOW)).toThrow()
  expect(() => readUpload([null], NOW)).toThrow()
})
