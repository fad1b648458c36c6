import type { ClockMoved, ClockRefused, Instant } from '@coding-plans/schemas'
import { addDuration, readDuration } from './duration.ts'

export type ClockMode = Exclude<ClockMoved['mode'], 'unknown'>

/** The business clock, one for all instances. Its last four are null while it stands still. */
export interface Clock {
  readonly mode: ClockMode
  /** What others read; never ahead of an unanswered due term. */
  readonly now: Instant
  /** 0: nobody was told yet. */
  readonly version: number
  /** The advance that runs. */
  readonly operationId: string | null
  readonly target: Instant | null
  /** Due terms are said up to here; before the target while a stop is being made. */
  readonly horizon: Instant | null
  /** Wall clock of the start or the last stop. */
  readonly movedAt: Instant | null
  /** The advance jumps, as if nothing had run meanwhile: all that is due is said as of its target (REN-7). */
  readonly outage: boolean
}

export interface Running extends Clock {
  readonly operationId: string
  readonly target: Instant
  readonly horizon: Instant
  readonly movedAt: Instant
}

/** A request to move the clock, waiting for its turn. */
export interface Advance {
  readonly operationId: string
  readonly toInstant: Instant | null
  readonly byDuration: string | null
  readonly actor: string
  readonly outage: boolean
}

export type Refusal = ClockRefused['reason']

/** A long advance stops about this often, so that its readers see it move. */
const STOP_EVERY_MILLISECONDS = 1_000

export const isRunning = (clock: Clock): clock is Running => clock.operationId !== null

/** Up to which instant terms are due. */
export const horizonOf = ({ now, horizon }: Pick<Clock, 'now' | 'horizon'>): Instant => horizon ?? now

/** Where an advance leads from `now`, or why it leads nowhere. Equal is not backwards. */
export const targetOf = (now: Instant, { toInstant, byDuration }: Advance): Instant | Refusal => {
  if (toInstant !== null) return toInstant < now ? 'backwards' : toInstant
  const duration = byDuration === null ? null : readDuration(byDuration)
  return (duration && addDuration(now, duration)) ?? 'duration_invalid'
}

export const begin = (
  clock: Clock,
  { operationId, target, outage }: Pick<Advance, 'operationId' | 'outage'> & { target: Instant },
  wallClock: Instant,
): Running => ({
  ...clock,
  version: clock.version + 1,
  operationId,
  outage,
  target,
  horizon: target,
  movedAt: wallClock,
})

/**
 * Make a stop at the furthest term that was said, if the last one is long ago: until everything up to there has settled
 * nothing further is said. Without the stop the clock could only move at the target: a purchase that is under way may yet
 * begin a term that is due before any term that is known.
 */
export const stopOnTheWay = (clock: Running, furthestSaid: Instant | null, wallClock: Instant): Running => {
  const isDue = wallClock - clock.movedAt >= STOP_EVERY_MILLISECONDS && clock.horizon === clock.target && !clock.outage
  return isDue && furthestSaid !== null && furthestSaid > clock.now && furthestSaid < clock.target
    ? { ...clock, horizon: furthestSaid }
    : clock
}

/** Everything up to the horizon has settled: the clock is there, and stands still if that was the target. */
export const arrive = (clock: Running, wallClock: Instant): Clock => {
  const there = { ...clock, now: clock.horizon, version: clock.version + 1 }
  return clock.horizon === clock.target
    ? { ...there, operationId: null, target: null, horizon: null, movedAt: null, outage: false }
    : { ...there, horizon: clock.target, movedAt: wallClock }
}
