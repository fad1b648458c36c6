import { instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { addDuration, readDuration } from './duration.ts'

const at = (iso: string) => instant(Date.parse(iso))
const after = (from: string, text: string) => {
  const duration = readDuration(text)
  const reached = duration && addDuration(at(from), duration)
  return reached === null ? null : new Date(reached).toISOString()
}

test.each([
  ['2026-01-31T10:00:00.000Z', 'P1M', '2026-02-28T10:00:00.000Z'],
  ['2028-01-31T10:00:00.000Z', 'P1M', '2028-02-29T10:00:00.000Z'],
  ['2026-01-31T10:00:00.000Z', 'P2M', '2026-03-31T10:00:00.000Z'],
  ['2028-02-29T00:00:00.001Z', 'P1Y', '2029-02-28T00:00:00.001Z'],
  ['2026-11-30T23:59:59.999Z', 'P1Y3M', '2028-02-29T23:59:59.999Z'],
  ['2026-12-31T12:34:56.789Z', 'P1M', '2027-01-31T12:34:56.789Z'],
  ['2026-01-01T00:00:00.000Z', 'P30D', '2026-01-31T00:00:00.000Z'],
  ['2026-01-01T00:00:00.000Z', 'P2W', '2026-01-15T00:00:00.000Z'],
  ['2026-01-01T00:00:00.000Z', 'PT36H', '2026-01-02T12:00:00.000Z'],
  ['2026-01-01T00:00:00.000Z', 'PT90M', '2026-01-01T01:30:00.000Z'],
  ['2026-01-01T00:00:00.000Z', 'PT0.5S', '2026-01-01T00:00:00.500Z'],
  ['2026-01-01T00:00:00.000Z', 'PT1,025S', '2026-01-01T00:00:01.025Z'],
  ['2026-01-31T00:00:00.000Z', 'P1Y1M1W1DT1H1M1S', '2027-03-08T01:01:01.000Z'],
  ['2026-01-01T00:00:00.000Z', 'P0D', '2026-01-01T00:00:00.000Z'],
  ['2026-01-01T00:00:00.000Z', 'PT0S', '2026-01-01T00:00:00.000Z'],
])('%s and %s later is %s: calendar parts clamp, the rest is exact', (from, text, reached) => {
  expect(after(from, text)).toBe(reached)
})

test.each([
  '',
  'P',
  'PT',
  'P1',
  '1M',
  'p1m',
  'P1MT',
  'P-1D',
  '-P1D',
  '+P1D',
  'P1.5D',
  'PT0.5H',
  'P1D1M',
  'PT1S1M',
  'P1H',
  ' P1D',
  'P1D\n',
  'PT1.0001S',
  'P9999999999D',
  'one month',
])('%j is no duration', (text) => {
  expect(readDuration(text)).toBeNull()
})

test('a duration that leads beyond all instants leads nowhere', () => {
  expect(after('2026-01-01T00:00:00.000Z', 'P999999999Y')).toBeNull()
  expect(after('2026-01-01T00:00:00.000Z', 'P999999999D')).toBeNull()
})
