import type { Instant } from '@coding-plans/schemas'

/** An ISO-8601 duration: a calendar part and an exact part. */
export interface Duration {
  readonly months: number
  readonly milliseconds: number
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** The last that ISO 8601 tells with four digits of a year; no clock goes further. */
const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

// No sign (the clock does not move backwards), a fraction of seconds only. Nine digits: no component overflows.
const ISO_8601 =
  /^P(?=\d|T\d)(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:[.,](\d{1,3}))?S)?)?$/

/** Read years, months, weeks, days, hours, minutes and seconds, e.g. `P1M`, `P1Y2DT3H`, `PT0.5S`; null if it is no such duration. */
export const readDuration = (text: string): Duration | null => {
  const match = ISO_8601.exec(text)
  if (!match) return null
  const part = (index: number) => Number(match[index] ?? 0)
  const exact = part(3) * 7 * DAY + part(4) * DAY + part(5) * HOUR + part(6) * MINUTE + part(7) * SECOND
  return { months: part(1) * 12 + part(2), milliseconds: exact + Number((match[8] ?? '').padEnd(3, '0')) }
}

/**
 * The instant that far after `from`, in UTC: months first, clamped to the month's last day (31 Jan + P1M = 28 or 29 Feb),
 * then the exact rest. Null beyond the last instant that can be told.
 */
export const addDuration = (from: Instant, { months, milliseconds }: Duration): Instant | null => {
  const reached = addMonths(from, months) + milliseconds
  return reached <= LAST_INSTANT ? (reached as Instant) : null
}

const addMonths = (from: Instant, months: number) => {
  const start = new Date(from)
  const firstOfMonth = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + months, 1))
  const year = firstOfMonth.getUTCFullYear()
  const month = firstOfMonth.getUTCMonth()
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  return Date.UTC(year, month, Math.min(start.getUTCDate(), lastDay)) + (from % DAY)
}
