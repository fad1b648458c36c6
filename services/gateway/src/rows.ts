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
  readonly accessUntil: number | null
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
  readonly kind: 'activation' | 'renewal' | 'extension' | 'refund'
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

/** One change of an account; with an entry id it is a line of the statement. */
export interface MovementRow {
  readonly userId: string
  readonly version: number
  readonly at: number
  readonly kind: 'hold' | 'release' | 'charge' | 'grant' | 'payment' | 'adjustment' | 'refund' | 'unknown'
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
}
