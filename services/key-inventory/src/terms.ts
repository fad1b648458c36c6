import type { Decide, Message, Saying } from '@coding-plans/runtime'
import { hear, isLast, learn } from './domain/entitlement.ts'
import { awaitOutcome, flag, grace, move, stop, type Term, unflag } from './domain/term.ts'
import type { Inventory } from './inventory.ts'

type TermEvent =
  | 'SubscriptionActivated'
  | 'SubscriptionRenewed'
  | 'SubscriptionExtended'
  | 'DaysGranted'
  | 'CancellationScheduled'
  | 'CancellationUndone'
  | 'SubscriptionPastDue'
  | 'TopUpAwaited'
  | 'SubscriptionEnding'

/**
 * By the subscription's version, never backwards: these events are kept for ever and may come again. Of a subscription
 * whose key is in no slot, or was removed while its end was on its way here, nothing is told.
 */
const heard =
  <Name extends TermEvent>(change: (term: Term, message: Message<Name>) => Term) =>
  ({ entitlements }: Inventory, message: Message<Name>): Saying[] => {
    const { userId, subscriptionId, version } = message.body
    const before = entitlements.givenBy(userId, subscriptionId)
    if (!before?.term || version <= before.term.version) return []
    return entitlements.put(learn(before, { ...change(before.term, message), version }))
  }

/** Until when a plan's key may be used follows what becomes of its subscription (SLT-4, CAN-3, protocol.md 9). */
export const terms: Decide<Inventory> = {
  SubscriptionActivated: heard((term, { body: { currentPeriodEnd, graceHours }, asOf }) =>
    move({ ...term, graceHours }, currentPeriodEnd, false, asOf),
  ),
  SubscriptionRenewed: heard((term, { body: { currentPeriodEnd, cancelAtPeriodEnd }, asOf }) =>
    move(term, currentPeriodEnd, cancelAtPeriodEnd, asOf),
  ),
  SubscriptionExtended: heard((term, { body: { currentPeriodEnd, cancelAtPeriodEnd }, asOf }) =>
    move(term, currentPeriodEnd, cancelAtPeriodEnd, asOf),
  ),
  DaysGranted: heard((term, { body: { currentPeriodEnd, cancelAtPeriodEnd }, asOf }) =>
    move(term, currentPeriodEnd, cancelAtPeriodEnd, asOf),
  ),
  CancellationScheduled: heard((term, { time, asOf }) => flag(term, time, asOf)),
  CancellationUndone: heard((term, { asOf }) => unflag(term, asOf)),
  SubscriptionPastDue: heard((term, { body }) => grace(term, body.graceEndsAt)),
  TopUpAwaited: heard((term, { body }) => awaitOutcome(term, body.until)),
  SubscriptionEnding: heard((term, { body }) => stop(term, body.accessUntil)),

  /**
   * Our own topic: compaction keeps the last record, not the newest, and a late copy of an older one may be the last. Then
   * the present one is said behind it, as it is: what comes back of that is older than nothing, so it goes round once.
   */
  EntitlementChanged({ entitlements }, { body: { userId, providerId, version } }) {
    const before = entitlements.of(userId, providerId)
    const present = hear(before, version)
    if (present !== before) return entitlements.put(present)
    return isLast(present, version) ? entitlements.sayAgain(present) : []
  },
}
