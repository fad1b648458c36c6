import {
  type DueIgnored,
  type Instant,
  instant,
  type RenewingSoon,
  type SubscriptionActivated,
  type UserId,
} from '@coding-plans/schemas'

/** What is said of a term, one after the other: that it is renewed soon, that it is over, that the time it was given then is. */
export type DueKind = Exclude<DueIgnored['what'], 'unknown'>

/**
 * The running term of one subscription, as far as time is concerned. `waiting` for its next instant (or to be said again),
 * `said` and not answered, `answered` without a new boundary (it is being ended), `ended` for ever.
 */
export interface Term {
  readonly subscriptionId: string
  readonly userId: UserId
  readonly lane: number
  /** The term's end: what every answer names. */
  readonly boundary: Instant
  /** What is said next, and at which instant. */
  readonly what: DueKind
  readonly due: Instant
  /** Nothing is said beforehand of what costs nothing (REN-9). */
  readonly free: boolean
  /** The subscription's: of terms due together the older subscription is judged first (LED-3). */
  readonly createdAt: Instant
  /** The subscription's; what is not newer changes nothing. */
  readonly version: number
  readonly state: 'waiting' | 'said' | 'answered' | 'ended'
  /** How often this was said in vain. */
  readonly attempt: number
  /** Wall clock: not to be said again before. */
  readonly retryAt: Instant | null
}

/** How long before its end a renewal is told; a shorter term tells it at its start (REN-9). */
const TOLD_BEFORE_MILLISECONDS = 3 * 86_400_000
/** Back-off of a due message that could not be handled: doubles from a second to a minute. */
const FIRST_RETRY_MILLISECONDS = 1_000
const LAST_RETRY_MILLISECONDS = 60_000

const waitFor = (what: DueKind, due: Instant) => ({ what, due, state: 'waiting', attempt: 0, retryAt: null }) as const

/** A paid stretch of time, and when it was heard of: nothing is said for an instant before that. */
interface Stretch {
  readonly start: Instant
  readonly end: Instant
  readonly at: Instant
}

const firstOf = ({ start, end, at }: Stretch, free: boolean) => {
  const soon = instant(Math.max(start, end - TOLD_BEFORE_MILLISECONDS, at))
  return free || soon >= end ? waitFor('period_ended', end) : waitFor('renewal_due_soon', soon)
}

export const begun = (event: SubscriptionActivated, lane: number, at: Instant): Term => {
  const { subscriptionId, userId, currentPeriodStart: start, currentPeriodEnd: end, createdAt, version } = event
  const free = event.price === 0
  const whose = { subscriptionId, userId, lane, createdAt }
  return { ...whose, boundary: end, free, version, ...firstOf({ start, end, at }, free) }
}

/** Renewed, extended or granted days: the next boundary waits. */
export const moved = (term: Term, event: { version: number }, stretch: Stretch): Term =>
  isOld(term, event) ? term : { ...term, boundary: stretch.end, version: event.version, ...firstOf(stretch, term.free) }

/** It is not paid, and has time until then; what is said at its end follows from the answer. */
export const given = (
  term: Term,
  event: { version: number },
  { what, until }: { what: 'grace_ended' | 'top_up_wait_ended'; until: Instant },
): Term => (isOld(term, event) ? term : { ...term, version: event.version, ...waitFor(what, until) })

/** Being ended: what was not said needs no saying. What was said stays unanswered until the end is carried out. */
export const ending = (term: Term, event: { version: number }): Term =>
  isOld(term, event)
    ? term
    : { ...term, version: event.version, state: term.state === 'waiting' ? 'answered' : term.state, retryAt: null }

export const ended = (term: Term, event: { version: number }): Term =>
  isOld(term, event) ? term : { ...term, version: event.version, state: 'ended', retryAt: null }

/** The user was told, or need not be: the end is next. */
export const told = (term: Term, { boundary }: Pick<RenewingSoon, 'boundary'>): Term =>
  term.state === 'said' && term.what === 'renewal_due_soon' && term.boundary === boundary
    ? { ...term, ...waitFor('period_ended', boundary) }
    : term

/** Nothing follows from it; it is not said again unless the boundary moves. */
export const ignored = (term: Term, event: Pick<DueIgnored, 'boundary' | 'what'>): Term => {
  if (event.what === 'renewal_due_soon' || term.what === 'renewal_due_soon') return told(term, event)
  const isMeant = event.what === 'unknown' || event.what === term.what
  return term.state === 'said' && term.boundary === event.boundary && isMeant ? { ...term, state: 'answered' } : term
}

/** The due message lies in the dead letters: it is said again, under another id, after a while. */
export const failed = (term: Term, wallClock: Instant): Term => ({
  ...term,
  state: 'waiting',
  attempt: term.attempt + 1,
  retryAt: instant(
    wallClock + Math.min(LAST_RETRY_MILLISECONDS, FIRST_RETRY_MILLISECONDS * 2 ** Math.min(term.attempt, 16)),
  ),
})

/** What makes the id of a due message: the same said again after a failure is another message. */
export const causeOf = ({
  subscriptionId,
  what,
  boundary,
  due,
  attempt,
}: Pick<Term, 'subscriptionId' | 'what' | 'boundary' | 'due' | 'attempt'>) =>
  `due|${subscriptionId}|${what}|${boundary}|${due}|${attempt}`

const isOld = (term: Term, { version }: { version: number }) => version <= term.version
