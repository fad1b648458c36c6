import { type DueIgnored, type Instant, instant, type SubscriptionActivated, type UserId } from '@coding-plans/schemas'

/**
 * The running term of one subscription, as far as time is concerned. `waiting` for its boundary (or to be said again),
 * `said` and not answered, `answered` without a new boundary (it is being ended), `ended` for ever.
 */
export interface Term {
  readonly subscriptionId: string
  readonly userId: UserId
  readonly lane: number
  readonly boundary: Instant
  /** The subscription's: of terms due together the older subscription is judged first (LED-3). */
  readonly createdAt: Instant
  /** The subscription's; what is not newer changes nothing. */
  readonly version: number
  readonly state: 'waiting' | 'said' | 'answered' | 'ended'
  /** How often this boundary was said in vain. */
  readonly attempt: number
  /** Wall clock: not to be said again before. */
  readonly retryAt: Instant | null
}

/** Back-off of a due message that could not be handled: doubles from a second to a minute. */
const FIRST_RETRY_MILLISECONDS = 1_000
const LAST_RETRY_MILLISECONDS = 60_000

export const begun = (event: SubscriptionActivated, lane: number): Term => ({
  subscriptionId: event.subscriptionId,
  userId: event.userId,
  lane,
  boundary: event.currentPeriodEnd,
  createdAt: event.createdAt,
  version: event.version,
  state: 'waiting',
  attempt: 0,
  retryAt: null,
})

/** Renewed or extended: the next boundary waits. */
export const moved = (term: Term, event: { currentPeriodEnd: Instant; version: number }): Term =>
  isOld(term, event)
    ? term
    : { ...term, boundary: event.currentPeriodEnd, version: event.version, state: 'waiting', attempt: 0, retryAt: null }

/** Being ended: what was not said needs no saying. What was said stays unanswered until the end is carried out. */
export const ending = (term: Term, event: { version: number }): Term =>
  isOld(term, event)
    ? term
    : { ...term, version: event.version, state: term.state === 'waiting' ? 'answered' : term.state, retryAt: null }

export const ended = (term: Term, event: { version: number }): Term =>
  isOld(term, event) ? term : { ...term, version: event.version, state: 'ended', retryAt: null }

/** Nothing follows from this boundary; it is not said again unless it moves. */
export const ignored = (term: Term, { boundary }: DueIgnored): Term =>
  term.state === 'said' && term.boundary === boundary ? { ...term, state: 'answered' } : term

/** The due message lies in the dead letters: it is said again, under another id, after a while. */
export const failed = (term: Term, wallClock: Instant): Term => ({
  ...term,
  state: 'waiting',
  attempt: term.attempt + 1,
  retryAt: instant(
    wallClock + Math.min(LAST_RETRY_MILLISECONDS, FIRST_RETRY_MILLISECONDS * 2 ** Math.min(term.attempt, 16)),
  ),
})

/** What makes the id of a term's due message: the same boundary said again after a failure is another message. */
export const causeOf = ({ subscriptionId, boundary, attempt }: Pick<Term, 'subscriptionId' | 'boundary' | 'attempt'>) =>
  `due|${subscriptionId}|${boundary}|${attempt}`

const isOld = (term: Term, { version }: { version: number }) => version <= term.version
