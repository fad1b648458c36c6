import { type Instant, instant } from '@coding-plans/schemas'

/** How long one paid term lasts. */
export interface Period {
  readonly periodUnit: 'day' | 'month'
  readonly periodCount: number
}

const DAY = 86_400_000

/**
 * The boundary that lies so many periods after the anchor (requirements 4). Always counted from the anchor, never from the
 * boundary before: else the 31st, once clamped to a short month, would stay clamped.
 */
export const boundaryAfter = (anchor: Instant, { periodUnit, periodCount }: Period, periods: number): Instant =>
  periodUnit === 'day' ? instant(anchor + periods * periodCount * DAY) : monthsAfter(anchor, periods * periodCount)

/** The same day and time so many months later; the last day of a month that has no such day. */
const monthsAfter = (anchor: Instant, months: number): Instant => {
  const from = new Date(anchor)
  const [year, month] = [from.getUTCFullYear(), from.getUTCMonth() + months]
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const timeOfDay = ((anchor % DAY) + DAY) % DAY
  return instant(Date.UTC(year, month, Math.min(from.getUTCDate(), lastDay)) + timeOfDay)
}

export const samePeriod = (a: Period, b: Period) => a.periodUnit === b.periodUnit && a.periodCount === b.periodCount
