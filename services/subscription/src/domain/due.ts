import type { Instant } from '@coding-plans/schemas'
import { isAlive, type Subscription } from './subscription.ts'

/** A due message that waits for its answer. */
export interface Due {
  readonly messageId: string
  readonly boundary: Instant
  /** How many renewals this message has begun before: what was given back may be asked for again. */
  readonly attempt: number
}

/**
 * What a due term brings. Inclusive: a cancellation stamped at the boundary came too late for this term, and stays for the
 * next (requirements 4, protocol.md 4).
 */
export const judgeDue = (subscription: Subscription, boundary: Instant): 'ignored' | 'ends' | 'renews' => {
  if (!isAlive(subscription) || subscription.currentPeriodEnd !== boundary) return 'ignored'
  return subscription.canceledAt !== null && subscription.canceledAt < boundary ? 'ends' : 'renews'
}
