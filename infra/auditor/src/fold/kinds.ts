import type { Instant } from '@coding-plans/schemas'
import type { Finding } from './checks.ts'
import type { Versions } from './versions.ts'

export const dueKinds = ['period_ended', 'grace_ended', 'top_up_wait_ended'] as const
/** What the scheduler can say of a term that has to be answered in time. */
export type DueKind = (typeof dueKinds)[number]

/** What concerns one user, or one plan: everything of it comes on one lane. Its versions are the account’s postings. */
export interface Subject extends Versions {
  /** Of a deleted user nothing is shown any more; the ledger stays (GDP-1). */
  deleted: boolean
  balance: number
  held: number
  /** Lines of the statement; subscriptions that were begun; charges, grants and refunds that these were told with. */
  entries: number
  begun: number
  charged: number
  /** Open holds: id → amount. */
  holds: Record<string, number>
  /** Charge → the side of it that was told first; none is left when both were. */
  charges: Record<string, { amount: number; side: 'taken' | 'served' }>
  /** Provider → the live subscription. */
  live: Record<string, string>
  slots: Record<string, Slot>
  /** What was asked and not answered, or answered and not yet heard of as asked: operation → command. */
  operations: Record<string, string>
  /** Purchase → the plan's version that its buyer was shown, or that was bought: whichever was told first. */
  versions: Record<string, string>
  /** Subscription → what was said of it and is not answered, by its boundary. */
  due: Record<string, Partial<Record<DueKind, number>>>
  /** Subscription → its last boundary, the ids of the messages that said it due, and saga → what its first hold goes back to. */
  renewals: Record<string, { boundary: number | null; said: readonly string[]; sagas: Record<string, string> }>
  /** Top-up → the term that it was asked for, or, where that is not known, the saga; the last few. */
  topUps: Record<string, string>
  findings: Finding[]
}

export interface Slot extends Versions {
  managedBy: 'none' | 'user' | 'plan'
  subscriptionId: string | null
}

export interface Subscription extends Versions {
  userId: string | null
  providerId: string | null
  planId: string | null
  planVersion: number | null
  /** Copied at the purchase, microdollars. */
  price: number | null
  period: string | null
  state: 'unknown' | 'live' | 'ending' | 'ended'
  inSlot: boolean
  /** Where the last term began. */
  termStart: number | null
  /** What the scheduler can say → the last boundary of which it was answered. */
  answered: Partial<Record<DueKind, number>>
  /** Charged, less what was given back. */
  paid: number
  findings: Finding[]
}

/** A key that was ever assigned. */
export interface Key {
  userId: string | null
  subscriptionId: string | null
  findings: Finding[]
}

export const keyStates = [
  'available',
  'quarantined',
  'assigned',
  'revocationPending',
  'revoked',
  'revocationFailed',
  'retired',
] as const
export type KeyState = (typeof keyStates)[number]
export type Counts = Record<KeyState, number>

/** A key as its plan's lane tells it. */
export interface StockKey {
  /** Of the stock, when this was told. */
  version: number
  state: KeyState | null
}

export interface Stock {
  version: number
  /** As the highest version says. */
  told: Counts
  /** As counted, key by key. */
  counts: Counts
  uploaded: number
}

export interface Upload {
  accepted: number | null
}

/** One line of a statement, and the message that told it. */
export interface Entry {
  userId: string
  messageId: string
  kind: string
  /** Signed, microdollars. */
  amount: number
  balanceBefore: number
  balanceAfter: number
  at: Instant
  subscriptionId: string | null
  chargeId: string | null
  /** What it was written for: the operation, or the renewal. */
  correlationId: string
  description: string
}

/** One version of a plan. */
export interface Plan {
  period: string | null
  /** Microdollars. */
  price: number | null
}

/** What a version of a plan was sold for: one for all who paid the same. */
export interface Sale {
  planKey: string
  /** Microdollars. */
  amount: number
  /** The first that was. */
  subscriptionId: string
}

/** What was asked for in an operation: one more period, of this version of the plan. */
export interface Extension {
  planId: string | null
  planVersion: number | null
}

/** A renewal that asked for credits again, after waiting for them. */
export interface Renewal {
  /** The id of the message that said the term due. */
  dueId: string | null
}

/** What all of one lane come to. */
export interface Lane {
  balance: number
  held: number
  postings: number
  begun: number
  /** Granted ones too. */
  terms: number
  /** Of those who are not deleted. */
  shown: { balance: number; held: number; entries: number; begun: number; charged: number }
  live: number
  keys: Counts
}

export interface Kinds {
  subject: Subject
  subscription: Subscription
  key: Key
  stockKey: StockKey
  stock: Stock
  upload: Upload
  entry: Entry | Record<string, never>
  plan: Plan
  sale: Sale | Record<string, never>
  extension: Extension
  renewal: Renewal
  lane: Lane
}
export type Kind = keyof Kinds

export interface FactKey {
  readonly kind: Kind
  readonly id: string
}

export interface Fact<K extends Kind = Kind> extends FactKey {
  readonly kind: K
  readonly value: Kinds[K]
}
