import { instant } from '@coding-plans/schemas'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { boundaryAfter } from './period.ts'

const anchors = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2090, 0, 1) }).map(instant)
const partsOf = (at: number) => {
  const [date = '', time] = new Date(at).toISOString().split('T')
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number)
  return { months: year * 12 + month - 1, day, time }
}
/** By hand, as on a calendar on the wall. */
const daysIn = (months: number) => {
  const [year, month] = [Math.floor(months / 12), (months % 12) + 1]
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

test('requirements 4: a monthly boundary is the anchor’s day and time in its month, or the last day that month has', () => {
  fc.assert(
    fc.property(anchors, fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 60 }), (anchor, count, periods) => {
      const end = partsOf(boundaryAfter(anchor, { periodUnit: 'month', periodCount: count }, periods))
      const start = partsOf(anchor)
      expect(end.months).toBe(start.months + count * periods)
      expect(end.time).toBe(start.time)
      expect(end.day).toBe(Math.min(start.day, daysIn(end.months)))
    }),
  )
})

test('requirements 4: boundaries follow one another without end, whatever the unit', () => {
  const period = fc.record({
    periodUnit: fc.constantFrom('day' as const, 'month' as const),
    periodCount: fc.integer({ min: 1, max: 36 }),
  })
  fc.assert(
    fc.property(anchors, period, fc.integer({ min: 0, max: 40 }), (anchor, length, periods) => {
      const [end, next] = [boundaryAfter(anchor, length, periods), boundaryAfter(anchor, length, periods + 1)]
      expect(next).toBeGreaterThan(end)
    }),
  )
})
