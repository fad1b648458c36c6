import { type Saying, say } from '@coding-plans/runtime'
import type {
  AvailableIncreased,
  CreditsHeld,
  CreditsPosted,
  CreditsRefunded,
  CreditsToppedUp,
  HoldCaptured,
  HoldDeclined,
  HoldReleased,
  Microdollars,
} from '@coding-plans/schemas'
import { microdollars } from '@coding-plans/schemas'
import { balanceOf } from './account.ts'
import type { Decline } from './decision.ts'
import type { Transfer } from './transfer.ts'

// Every answer follows from what was written, so a command that comes again hears what it heard the first time.

const after = ({ userId, availableAfter: available, heldAfter: held, sequence: version }: Transfer) => ({
  userId,
  balance: balanceOf({ available, held }),
  held,
  version,
})

export const creditsHeld = (hold: Transfer): CreditsHeld => ({
  ...after(hold),
  holdId: hold.holdId as string,
  amount: hold.amount,
})

export const holdDeclined = ({ userId, holdId, required, available, version, reason }: Decline): HoldDeclined => ({
  userId,
  holdId,
  reason,
  required,
  available,
  version,
})

export const holdReleased = (release: Transfer): HoldReleased => ({
  ...after(release),
  holdId: release.holdId as string,
})

export const holdCaptured = (charge: Transfer): HoldCaptured => ({
  ...after(charge),
  holdId: charge.holdId as string,
  entryId: charge.id,
  chargeId: charge.chargeId as string,
  subscriptionId: charge.subscriptionId as string,
  amount: charge.amount,
  at: charge.at,
  description: charge.description as string,
})

export const creditsPosted = (entry: Transfer): CreditsPosted => ({
  ...after(entry),
  operationId: entry.operationId as string,
  entryId: entry.id,
  creditKind: entry.kind as CreditsPosted['creditKind'],
  amount: signedAmountOf(entry),
  at: entry.at,
  description: entry.description as string,
})

export const creditsRefunded = (refund: Transfer): CreditsRefunded => ({
  ...after(refund),
  refundId: refund.chargeId as string,
  subscriptionId: refund.subscriptionId as string,
  entryId: refund.id,
  amount: refund.amount,
  at: refund.at,
  description: refund.description as string,
})

export const creditsToppedUp = (entry: Transfer, topUpId: string): CreditsToppedUp => ({
  ...after(entry),
  topUpId,
  entryId: entry.id,
  amount: entry.amount,
  at: entry.at,
  description: entry.description as string,
})

const causes: Partial<Record<Transfer['kind'], AvailableIncreased['cause']>> = {
  grant: 'grant',
  payment: 'payment',
  adjustment: 'adjustment',
  top_up: 'top_up',
  refund: 'refund',
  release: 'release',
}

/** Said of every entry after which more is available: that is what recovers an unpaid term (REN-6). */
export const availableIncreased = ({ userId, kind, toAccount, availableAfter, sequence }: Transfer): Saying[] => {
  const cause = causes[kind]
  if (toAccount !== 'available' || !cause) return []
  return [say('AvailableIncreased', { userId, available: availableAfter, version: sequence, cause })]
}

/** As a statement shows it: what leaves the user's credits is negative. */
const signedAmountOf = ({ amount, toAccount }: Transfer): Microdollars =>
  toAccount === 'available' ? amount : microdollars(-amount)
