import type { Call, Saying } from '@coding-plans/runtime'
import type { AutoTopUpRefused, HoldDeclined, Instant, Microdollars, UserId } from '@coding-plans/schemas'
import type { Account } from './account.ts'
import type { Transfer } from './transfer.ts'

/** Credits set aside for one operation. `open`, then `captured` or `released`, once. */
export interface Hold {
  readonly holdId: string
  readonly userId: UserId
  readonly amount: Microdollars
  readonly state: 'open' | 'captured' | 'released'
  readonly subscriptionId: string
  /** The term it is for. Captured, the term's key: of one subscription and boundary only one hold is ever captured. */
  readonly boundary: Instant | null
  readonly purpose: string
  readonly operationId: string | null
  readonly openedAt: Instant
  readonly closedAt: Instant | null
  readonly chargeId: string | null
  /** The entry of its charge. */
  readonly entryId: string | null
}

/** What was said when too little was available: no hold, only the answer, for the case that the command comes again. */
export interface Decline {
  readonly holdId: string
  readonly userId: UserId
  readonly required: Microdollars
  readonly available: Microdollars
  readonly version: number
  readonly reason: Exclude<HoldDeclined['reason'], 'unknown'>
}

/** How a user's credits are topped up, if they are (TOP-1). */
export interface AutoTopUp {
  readonly userId: UserId
  readonly enabled: boolean
  readonly amount: Microdollars
  readonly paymentMethodId: string | null
  /** To whom the payment service has attached the method; null: it was not asked. */
  readonly customerId: string | null
  /** Raised by every change; what readers go by. */
  readonly version: number
  readonly setAt: Instant
  /** The operation that set it last; null: a declined payment, or the deletion of its user. */
  readonly operationId: string | null
  /** How many were asked for, each in its turn; and whose turn it was that set the switch, the amount, the method. */
  readonly turns: number
  readonly enabledTurn: number
  readonly amountTurn: number
  readonly methodTurn: number
}

/** One command to set the automatic top-up, and what came of it. `asked`: the payment service has yet to say whose the method is. */
export interface Setting {
  readonly operationId: string
  readonly userId: UserId
  readonly state: 'asked' | 'set' | Exclude<AutoTopUpRefused['reason'], 'unknown'>
  readonly turn: number
  readonly enabled: boolean
  readonly amount: Microdollars | null
  /** Kept only while that is asked. */
  readonly paymentMethodId: string | null
}

/** One top-up: the marker that it was tried, and what came of it. `off` and `closed` were no attempts. */
export interface TopUp {
  readonly topUpId: string
  readonly userId: UserId
  readonly state: 'asked' | 'paid' | 'declined' | 'off' | 'closed' | 'returned'
  readonly amount: Microdollars
  readonly paymentMethodId: string | null
  readonly paymentId: string | null
  readonly askedAt: Instant
}

/** What one command comes to. Nothing to write: it was known before. */
export interface Decision {
  readonly posted?: { readonly account: Account; readonly transfer: Transfer }
  readonly hold?: Hold
  readonly decline?: Decline
  readonly settings?: AutoTopUp
  readonly setting?: Setting
  readonly topUp?: TopUp
  readonly closed?: Account
  readonly says: readonly (Saying | Call)[]
}
