import type { Instant, Microdollars, PurchaseRefused, UserId } from '@coding-plans/schemas'
import type { Due } from '../domain/due.ts'
import type { Period } from '../domain/period.ts'
import type { PurchaseRefusal } from '../domain/purchase.ts'
import type { RefundShare } from '../domain/refund.ts'
import type { EndReason, Subscription } from '../domain/subscription.ts'
import type { BoughtKind, Term } from '../domain/term.ts'

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
  readonly renewal: RenewalMemory
  readonly end: EndMemory
  readonly erasure: ErasureMemory
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

/** Days that were given. */
export interface Grant {
  readonly operationId: string
  readonly days: number
  readonly actor: string
  readonly reason: string
}

/** What every saga remembers that pays for a term. */
export interface MoneyMemory {
  /** The command or due message that began it, to be named if it fails. */
  readonly messageId: string
  readonly operationId: string | null
  readonly term: Term<BoughtKind>
  readonly description: string
  /** A due message that is to be answered when this is over. */
  readonly due: Due | null
  /** An end that has to wait until the capture is done. */
  readonly end: Ending | null
  /** Days that have to wait until the capture is done. */
  readonly grants: readonly Grant[]
  readonly accountVersion: number | null
  /** How many holds were asked for before the present one. */
  readonly holds: number
}

export interface RenewalMemory extends MoneyMemory {
  /** The boundary that is due: the start of the term that is to be paid, but for an outage of ours (REN-7). */
  readonly dueBoundary: Instant
  /** Grace and waits count from here: the boundary, or the present after an outage. */
  readonly dueFrom: Instant
  /** What was available when a hold was declined last; null: none was. */
  readonly available: Microdollars | null
  /** The request for a top-up that this one made. */
  readonly asked: string | null
  /** The last attempt failed though its credits were held: too little was not what it failed for. */
  readonly enough: boolean
  /** Something was heard, while a failed attempt gave back, that is worth another. */
  readonly news: boolean
  /** The deadline has passed, at this instant: a decline ends the subscription. */
  readonly overAt: Instant | null
  /** Was past due when it was paid. */
  readonly recovered: boolean
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
  readonly planVersion: number
  /** The length of today's version of the plan (CAT-5). */
  readonly period: Period
  /** The operation of the cancellation that stood when this was asked for. */
  readonly clears: string | null
  readonly at: Instant
  readonly refusal: Refusal | null
}

export interface EndMemory extends Ending {
  readonly slotVersion: number | null
  readonly stockVersion: number | null
  readonly accountVersion: number | null
  /** What is given back, in all; null: nothing. */
  readonly owed: {
    readonly refundId: string
    readonly amount: Microdollars
    readonly until: Instant
    readonly description: string
  } | null
}

export interface ErasureMemory {
  readonly messageId: string
  /** Every operation that asked for it. */
  readonly operationIds: readonly string[]
  readonly endedSubscriptions: number
  readonly unlinkedKeys: number
  readonly removedSlots: number
  readonly forgottenWishes: number
  readonly remainingCredits: Microdollars
}
