import { type Instant, instant } from '@coding-plans/schemas'

/** A top-up that was asked for a due term: its outcome is not heard yet, not known (the call was given up), or known. */
export interface TopUp {
  /** The due term that it is for. */
  readonly boundary: Instant
  readonly id: string
  readonly outcome: 'asked' | 'unanswered' | 'known'
}

const HOUR = 3_600_000
/** How long a top-up's outcome is waited for at least (TOP-2). */
const SHORTEST_WAIT_HOURS = 1

const hoursAfter = (from: Instant, hours: number) => instant(from + hours * HOUR)

/** Until when access stays though a term is unpaid; counted from the present after an outage of ours (REN-5, REN-7). */
export const graceEnd = (dueFrom: Instant, graceHours: number) => hoursAfter(dueFrom, graceHours)

/** Until when the outcome of a top-up is waited for; then it counts as declined (TOP-2). */
export const waitEnd = (dueFrom: Instant, graceHours: number) =>
  hoursAfter(dueFrom, Math.max(graceHours, SHORTEST_WAIT_HOURS))
