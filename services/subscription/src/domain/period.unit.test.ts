import { instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { boundaryAfter, type Period } from './period.ts'

const months = (periodCount = 1): Period => ({ periodUnit: 'month', periodCount })
const days = (periodCount: number): Period => ({ periodUnit: 'day', periodCount })
const from = (iso: string) => instant(Date.parse(iso))
const isoAfter = (start: string, period: Period, periods: number) =>
  new Date(boundaryAfter(from(start), period, periods)).toISOString()

test.each([
  ['2026-01-31T10:20:30.456Z', 1, '2026-02-28T10:20:30.456Z'],
  ['2026-01-31T10:20:30.456Z', 2, '2026-03-31T10:20:30.456Z'],
  ['2026-01-31T10:20:30.456Z', 3, '2026-04-30T10:20:30.456Z'],
  ['2026-01-31T10:20:30.456Z', 25, '2028-02-29T10:20:30.456Z'],
  ['2024-02-29T00:00:00.000Z', 12, '2025-02-28T00:00:00.000Z'],
  ['2024-02-29T00:00:00.000Z', 48, '2028-02-29T00:00:00.000Z'],
  ['2026-12-15T23:59:59.999Z', 1, '2027-01-15T23:59:59.999Z'],
  ['2026-08-30T12:00:00.000Z', 6, '2027-02-28T12:00:00.000Z'],
])('requirements 4: a month from %s, %i times, ends %s', (start, periods, end) => {
  expect(isoAfter(start, months(), periods)).toBe(end)
})

test('requirements 4: a period of three months counts three at a time from the anchor', () => {
  const ends = [1, 2, 3, 4].map((periods) => isoAfter('2025-11-30T08:00:00.000Z', months(3), periods).slice(0, 10))
  expect(ends).toEqual(['2026-02-28', '2026-05-30', '2026-08-30', '2026-11-30'])
})

test('requirements 4: days are exact multiples of 86,400,000 ms', () => {
  expect(isoAfter('2026-03-28T12:34:56.789Z', days(30), 1)).toBe('2026-04-27T12:34:56.789Z')
  expect(boundaryAfter(instant(5), days(7), 3)).toBe(5 + 3 * 7 * 86_400_000)
})
