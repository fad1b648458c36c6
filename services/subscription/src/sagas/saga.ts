import type { Instant, Microdollars, PurchaseRefused, UserId } from '@coding-plans/schemas'
import type { Due } from '../domain/due.ts'
import type { Period } from '../domain/period.ts'
import type { PurchaseRefusal } from '../domain/purchase.ts'
import type { RefundShare } from '../domain/refund.ts'
import type { EndReason, Subscription } from '../domain/subscription.ts'
import type { Term } from '../domain/term.ts'

/** One run of one of the tables, as it is kept. Its id is the correlation id of all that is said for it, and its hold's id. */
export interface Saga<Memory = unknown> {
  readonly id: string
  readonly kind: SagaKind
  readonly userId: UserId
  readonly providerId: string
  readonly subscriptionId: string
  readonly state: string
  readonly memory: Memory
  /** Not in a final state. */
  readonly running: boolean
  /** How often the present step has failed, and when, by wall clock, it is sent again. */
  readonly failures: number
  readonly retryAt: number | null
  /** Business time of its last step. */
  readonly at: Instant
}

export interface Memories {
  readonly activation: ActivationMemory
  readonly extension: ExtensionMemory
  readonly renewal: MoneyMemory
  readonly end: EndMemory
}
export type SagaKind = keyof Memories

/** An end that was asked for. */
export interface Ending {
  readonly operationId: string | null
  /** The due term that brought it. */
  readonly boundary: Instant | null
  readonly at: Instant
  readonly reason: EndReason
  /** How much of what was paid ahead is given back (CAN-2). */
  readonly refund: RefundShare
}

/** What every saga remembers that pays for a term. */
export interface MoneyMemory {
  /** The command or due message that began it, to be named if it fails. */
  readonly messageId: string
  readonly operationId: string | null
  readonly term: Term
  readonly description: string
  /** A due message that is to be answered when this is over. */
  readonly due: Due | null
  /** An end that has to wait until the capture is done. */
  readonly end: Ending | null
  readonly accountVersion: number | null
}

/** Why a purchase is refused, and what that rests on. */
export type Refusal = { readonly reason: PurchaseRefusal } & Partial<
  Omit<PurchaseRefused, 'userId' | 'operationId' | 'planId' | 'reason'>
>

export interface ActivationMemory extends MoneyMemory {
  readonly operationId: string
  /** The subscription as it will be. While the purchase runs there is none (requirements 2). */
  readonly episode: Subscription
  readonly key: { readonly keyId: string; readonly slotVersion: number; readonly stockVersion: number } | null
  readonly refusal: Refusal | null
}

export interface ExtensionMemory extends MoneyMemory {
  readonly operationId: string
  readonly planId: string
  /** The length of today's version of the plan (CAT-5). */
  readonly period: Period
  /** The operation of the cancellation that stood when this was asked for. */
  readonly clears: string | null
  readonly at: Instant
  readonly refusal: Refusal | null
}

export interface EndMemory extends Ending {
  readonly slotVersion: number | null
  readonly accountVersion: number | null
  /** What is given back, in all; null: nothing. */
  readonly owed: {
    readonly refundId: string
    readonly amount: Microdollars
    readonly until: Instant
    readonly description: string
  } | null
}
