import { type Instant, instant } from '@coding-plans/schemas'

/** What is known of the time that a plan's key may be used: told by the assignment, then by what becomes of the subscription. */
export interface Term {
  readonly subscriptionId: string
  /** Copied at the assignment; no later publish alters it (CAT-5). */
  readonly graceHours: number
  /** The end of what is paid. */
  readonly endsAt: Instant
  /** Access is given until then, if nothing more is heard. */
  readonly validUntil: Instant
  /** The subscription's version that this rests on; 0: nothing was heard of it yet. */
  readonly version: number
}

const HOUR = 3_600_000
/** A renewal is under way, or a top-up's outcome is awaited, at least so long (TOP-2). */
const SHORTEST_MARGIN_HOURS = 1

/** What renews is not cut off while the renewal is under way; counted from the present after an outage of ours (CAN-3, REN-7). */
const renewing = (endsAt: Instant, graceHours: number, asOf: Instant) =>
  instant(Math.max(endsAt, asOf) + Math.max(graceHours, SHORTEST_MARGIN_HOURS) * HOUR)

type Beginning = Pick<Term, 'subscriptionId' | 'graceHours' | 'endsAt'>

export const begin = (beginning: Beginning, asOf: Instant): Term => ({
  ...beginning,
  validUntil: renewing(beginning.endsAt, beginning.graceHours, asOf),
  version: 0,
})

/** The end of what is paid is another: renewed, extended, given days. */
export const move = (term: Term, endsAt: Instant, ends: boolean, asOf: Instant): Term => ({
  ...term,
  endsAt,
  validUntil: ends ? endsAt : renewing(endsAt, term.graceHours, asOf),
})

/** It ends with its term. Flagged at the boundary or later, it is for the next term: the one that is due is being renewed. */
export const flag = (term: Term, at: Instant, asOf: Instant): Term => move(term, term.endsAt, at < term.endsAt, asOf)

export const unflag = (term: Term, asOf: Instant): Term => move(term, term.endsAt, false, asOf)

/** The due term is not paid; access stays that long (REN-6). */
export const grace = (term: Term, graceEndsAt: Instant): Term => ({ ...term, validUntil: graceEndsAt })

/** The outcome of a top-up is waited for, with access (TOP-2). */
export const awaitOutcome = (term: Term, until: Instant): Term => ({
  ...term,
  validUntil: instant(Math.max(term.validUntil, until)),
})

/** Access stops exactly there (CAN-3). */
export const stop = (term: Term, accessUntil: Instant): Term => ({ ...term, validUntil: accessUntil })
