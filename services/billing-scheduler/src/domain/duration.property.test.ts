import { instant } from '@coding-plans/schemas'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addDuration } from './duration.ts'

const from = fc.date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true })
const count = fc.nat({ max: 240 })

test('months later is the same time of the same day, or of the last day of a shorter month', () => {
  fc.assert(
    fc.property(from, count, (start, months) => {
      const reached = new Date(addDuration(instant(start.getTime()), { months, milliseconds: 0 }) as number)
      const monthsBetween =
        (reached.getUTCFullYear() - start.getUTCFullYear()) * 12 + reached.getUTCMonth() - start.getUTCMonth()
      expect(monthsBetween).toBe(months)
      expect(reached.toISOString().slice(10)).toBe(start.toISOString().slice(10))
      const dayAfter = new Date(reached.getTime() + 86_400_000)
      if (reached.getUTCDate() !== start.getUTCDate()) {
        expect(reached.getUTCDate()).toBeLessThan(start.getUTCDate())
        expect(dayAfter.getUTCDate()).toBe(1)
      }
    }),
  )
})

test('a longer duration never leads to an earlier instant', () => {
  fc.assert(
    fc.property(from, count, fc.nat(), (start, months, milliseconds) => {
      const shorter = addDuration(instant(start.getTime()), { months, milliseconds }) as number
      const longer = addDuration(instant(start.getTime()), { months: months + 1, milliseconds }) as number
      expect(longer).toBeGreaterThan(shorter)
      expect(shorter).toBeGreaterThanOrEqual(start.getTime())
    }),
  )
})
