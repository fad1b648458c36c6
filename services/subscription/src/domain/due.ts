import type { DueIgnored, Instant } from '@coding-plans/schemas'
import { isAlive, type Subscription } from './subscription.ts'

/** What the scheduler can say of a term. */
export type DueKind = Exclude<DueIgnored['what'], 'unknown'>

/** A due message that waits for its answer. */
export interface Due {
  readonly what: DueKind
  readonly messageId: string
  readonly boundary: Instant
  /** The instant it was handled at, at the earliest its own; later than that only after an outage of ours (REN-7). */
  readonly asOf: Instant
  /** How many renewals this message has begun before: what was given back may be asked for again. */
  readonly attempt: number
}

/** The end of the time that an unpaid term was given. */
export interface Deadline extends Due {
  readonly deadline: Instant
}

/**
 * What a due term brings. Inclusive: a cancellation stamped at the boundary came too late for this term, and stays for the
 * next (requirements 4, protocol.md 4).
 */
export const judgeDue = (subscription: Subscription, boundary: Instant): 'ignored' | 'ends' | 'renews' => {
  if (!isAlive(subscription) || subscription.currentPeriodEnd !== boundary) return 'ignored'
  return subscription.canceledAt !== null && subscription.canceledAt < boundary ? 'ends' : 'renews'
}
