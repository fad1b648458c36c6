import { type Instant, instant } from '@coding-plans/schemas'

/** ISO 8601, UTC, milliseconds and `Z`: the only way an instant leaves the house. */
export const iso = (at: number) => new Date(at).toISOString()
export const isoOrNull = (at: number | null) => (at === null ? null : iso(at))

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/

/** @returns null for what is no ISO 8601 instant with a zone. */
export const parseInstant = (text: string): Instant | null => {
  const at = ISO.test(text) && isDate(text.slice(0, 10)) ? Date.parse(text) : Number.NaN
  return Number.isFinite(at) ? instant(at) : null
}

/** Whether the calendar has this day; JavaScript takes 30 February for 2 March. */
const isDate = (day: string) => {
  const at = Date.parse(`${day}T00:00:00.000Z`)
  return Number.isFinite(at) && new Date(at).toISOString().startsWith(day)
}
