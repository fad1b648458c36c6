import type { PlanPublished } from '@coding-plans/schemas'
import type { Problem } from './problem.ts'

/** The rows of the gateway's database. Instants are epoch milliseconds, money whole microdollars. */

export type PlanRow = Omit<PlanPublished, 'operationId'>
/** A plan as it is offered: with what the stock says. */
export type OfferedPlan = PlanRow & { readonly available: number; readonly sellableUntil: number | null }

/** How many keys of a plan are in which state. */
export interface StockCounts {
  readonly planId: string
  readonly providerId: string
  readonly available: number
  readonly quarantined: number
  readonly assigned: number
  readonly revocationPending: number
  readonly revoked: number
  readonly revocationFailed: number
  readonly retired: number
}

/** A plan's keys, and how many wait for one. */
export interface StockByPlan extends StockCounts {
  readonly waiting: number
}

export interface StockRow extends StockCounts {
  readonly version: number
  /** When the last available key expires; null: one never does. */
  readonly sellableUntil: number | null
}

export interface KeyRow {
  readonly keyId: string
  readonly planId: string
  readonly state: string
  readonly upstreamPlanId: string | null
  readonly uploadedAt: number
  readonly assignedAt: number | null
  readonly subscriptionId: string | null
  readonly attempts: number
  readonly lastError: string | null
  /** Of its plan's stock, when this was said of it. */
  readonly version: number
}

/** A subscription as it is shown. */
export interface ShownSubscription {
  readonly id: string
  readonly userId: string
  readonly planId: string
  readonly planName: string
  readonly providerId: string
  readonly status: 'active' | 'past_due' | 'ended'
  readonly cancelAtPeriodEnd: boolean
  readonly price: number
  readonly periodUnit: string
  readonly periodCount: number
  readonly currentPeriodStart: number
  readonly currentPeriodEnd: number
  /** Set when its end has begun. */
  readonly accessUntil: number | null
  /** Set while it is past due, and kept when it ends there. */
  readonly graceEndsAt: number | null
  /** Until when the outcome of a top-up is awaited. */
  readonly awaitedUntil: number | null
  readonly endedAt: number | null
  readonly endReason: string | null
  readonly previousSubscriptionId: string | null
  readonly createdAt: number
}

export interface SubscriptionRow extends ShownSubscription {
  readonly version: number
  readonly purchasedBy: string
  readonly accountVersion: number | null
  readonly slotVersion: number
  readonly endSlotVersion: number | null
}

export interface ChargeRow {
  readonly id: string
  readonly subscriptionId: string
  readonly kind: 'activation' | 'renewal' | 'extension' | 'refund' | 'grant'
  readonly amount: number
  readonly periodStart: number
  readonly periodEnd: number
  readonly at: number
  readonly description: string
}

export interface AccountRow {
  readonly userId: string
  readonly version: number
  readonly balance: number
  readonly held: number
  readonly at: number
}

/** What the auditor last said of everything. */
export interface InvariantsRow {
  readonly version: number
  /** Everything that was said until then was looked at; wall clock. */
  readonly checkedAt: number
  readonly checks: readonly { check: string; violations: number; examples: readonly string[] }[]
}

/** How a user's credits are topped up. */
export interface AutoTopUpRow {
  readonly userId: string
  readonly enabled: boolean
  readonly amount: number
  readonly paymentMethodId: string | null
  readonly version: number
}

/** One change of an account; with an entry id it is a line of the statement. */
export interface MovementRow {
  readonly userId: string
  readonly version: number
  readonly at: number
  readonly kind: 'hold' | 'release' | 'charge' | 'grant' | 'payment' | 'adjustment' | 'refund' | 'top_up' | 'unknown'
  readonly entryId: string | null
  readonly amount: number
  readonly balanceAfter: number
  readonly heldAfter: number
  readonly description: string | null
  readonly subscriptionId: string | null
  readonly chargeId: string | null
}

export interface SlotRow {
  readonly userId: string
  readonly providerId: string
  readonly managedBy: 'none' | 'user' | 'plan'
  readonly subscriptionId: string | null
  readonly enabled: boolean
  readonly maskedKey: string | null
  readonly createdAt: number
  readonly updatedAt: number
  readonly version: number
}

/** "Tell me when it is back"; a row that is not wished any more keeps the version. */
export interface WishRow {
  readonly userId: string
  readonly planId: string
  readonly wished: boolean
  readonly version: number
}

export const notificationKinds = [
  'activated',
  'extended',
  'renewing_soon',
  'renewed',
  'past_due',
  'recovered',
  'cancellation_scheduled',
  'cancellation_undone',
  'ended',
  'key_replaced',
  'restock',
  'top_up_failed',
] as const

/** Something a user is told; its id is derived from what it is about, so that it is told once. */
export interface NotificationRow {
  readonly id: string
  readonly userId: string
  readonly at: number
  readonly kind: (typeof notificationKinds)[number]
  readonly subscriptionId: string | null
  readonly planId: string | null
  readonly data: Readonly<Record<string, unknown>>
}

/** A user who is deleted, or whose deletion has begun. */
export interface DeletedUserRow {
  readonly userId: string
  readonly forgotten: boolean
}

export interface ClockRow {
  readonly now: number
  readonly settled: boolean
  readonly version: number
}

export interface AuditRow {
  readonly id: string
  readonly at: number
  readonly actor: string
  readonly action: string
  readonly target: string
  readonly subject: string
  readonly before: string | null
  readonly after: string | null
  readonly reason: string | null
}

export const deadLetterStates = ['kept', 'redriven'] as const

/** A message that a service could not handle, as that service tells of it. */
export interface DeadLetterRow {
  readonly id: string
  readonly service: string
  readonly version: number
  readonly topic: string
  readonly partition: number
  readonly recordOffset: number
  readonly messageId: string | null
  readonly messageName: string
  readonly subject: string
  readonly reason: string
  readonly correlationId: string
  /** By the wall clock. */
  readonly diedAt: number
  readonly redrives: number
  readonly redrivesLeft: number
  readonly state: (typeof deadLetterStates)[number]
}

/** What was heard of an operation on its way; `id` is the message's. */
export interface Step {
  readonly id: string
  readonly name: string
  readonly service: string
  readonly at: number
  readonly detail: string | null
}

export type Outcome = 'succeeded' | 'refused' | 'failed'

/** The versions that an outcome rests on; null: nothing of that kind. */
export interface RestsOn {
  readonly accountVersion: number | null
  readonly slotProvider: string | null
  readonly slotVersion: number | null
  readonly subscriptionId: string | null
  readonly subscriptionVersion: number | null
  readonly stockPlan: string | null
  readonly stockVersion: number | null
  /** Of the user's wish for the plan of that stock. */
  readonly wishVersion: number | null
}

export interface OperationRow extends RestsOn {
  readonly id: string
  readonly caller: string
  readonly kind: string
  readonly subject: string
  readonly startedAt: number
  readonly steps: readonly Step[]
  readonly outcome: Outcome | null
  readonly answer: unknown | Problem
  readonly finishedAt: number | null
}

/** An operation as it may be shown: while it is not visible, its outcome is not told. */
export interface ShownOperation extends OperationRow {
  readonly visible: boolean
}

export const restsOnNothing: RestsOn = {
  accountVersion: null,
  slotProvider: null,
  slotVersion: null,
  subscriptionId: null,
  subscriptionVersion: null,
  stockPlan: null,
  stockVersion: null,
  wishVersion: null,
}
