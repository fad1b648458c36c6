// Generated from schemas/avro by `npm run generate`. Do not edit.
import type { Instant, Microdollars, UserId } from './brands.ts'

/** An operator acted, or a key was revealed (AUD-1). Written with the change. before and after are JSON; never a secret. */
export interface ActionAudited {
  subject: string
  actor: string
  action: string
  target: string
  before: string | null
  after: string | null
  reason: string | null
  at: Instant
}

/** A message could not be handled and lies in the dead-letter topic; whoever waits for it is told. `subject` is the key of that message. */
export interface CommandFailed {
  subject: string
  messageId: string
  messageName: string
  reason: string
}

/** Move the test clock to an instant, or by an ISO-8601 duration, and wait until all it caused is done. Answered by ClockAdvanced or ClockRefused. */
export interface AdvanceClock {
  clock: string
  operationId: string
  to: Instant | null
  by: string | null
  actor: string
}

/** The clock reached its target and everything is settled. */
export interface ClockAdvanced {
  clock: string
  operationId: string
  now: Instant
  version: number
}

/** The business clock that others read; never ahead of an unanswered due term. Read by version. */
export interface ClockMoved {
  clock: string
  mode: 'unknown' | 'system' | 'test'
  now: Instant
  settled: boolean
  version: number
}

/** The clock does not move backwards, and a system clock does not move by hand. */
export interface ClockRefused {
  clock: string
  operationId: string
  reason: 'unknown' | 'backwards' | 'clock_not_test' | 'duration_invalid'
}

/** A live term reached its end. Business time of the message = the boundary; asOf = when it was said. Answered by SubscriptionRenewed, SubscriptionEnded, DueIgnored or CommandFailed. */
export interface PeriodEnded {
  userId: UserId
  subscriptionId: string
  boundary: Instant
  asOf: Instant
}

/** Turn an open hold into the charge of one term. Answered by HoldCaptured; cannot be refused (LED-2). */
export interface CaptureHold {
  userId: UserId
  holdId: string
  chargeId: string
  subscriptionId: string
  purpose: 'unknown' | 'activation' | 'extension' | 'renewal'
  boundary: Instant
  operationId: string | null
  description: string
}

/** Credits were set aside. */
export interface CreditsHeld {
  userId: UserId
  holdId: string
  amount: Microdollars
  balance: Microdollars
  held: Microdollars
  version: number
}

/** Credits arrived (or an adjustment took some): one entry of the statement. */
export interface CreditsPosted {
  userId: UserId
  operationId: string
  entryId: string
  creditKind: 'unknown' | 'grant' | 'payment' | 'adjustment'
  amount: Microdollars
  at: Instant
  balance: Microdollars
  held: Microdollars
  description: string
  version: number
}

/** Credits came back as one entry of the statement. */
export interface CreditsRefunded {
  userId: UserId
  refundId: string
  subscriptionId: string
  entryId: string
  amount: Microdollars
  at: Instant
  balance: Microdollars
  held: Microdollars
  description: string
  version: number
}

/** A hold became a charge: one entry of the statement. */
export interface HoldCaptured {
  userId: UserId
  holdId: string
  entryId: string
  chargeId: string
  subscriptionId: string
  amount: Microdollars
  at: Instant
  balance: Microdollars
  held: Microdollars
  description: string
  version: number
}

/** Set credits aside for one operation. Answered by CreditsHeld or HoldDeclined. */
export interface HoldCredits {
  userId: UserId
  holdId: string
  amount: Microdollars
  purpose: 'unknown' | 'activation' | 'extension' | 'renewal'
  operationId: string | null
  subscriptionId: string
  boundary: Instant | null
}

/** Too little was available; nothing was changed (SUB-3). */
export interface HoldDeclined {
  userId: UserId
  holdId: string
  reason: 'unknown' | 'insufficient_credits'
  required: Microdollars
  available: Microdollars
  version: number
}

/** Nothing is held under this id any more. */
export interface HoldReleased {
  userId: UserId
  holdId: string
  balance: Microdollars
  held: Microdollars
  version: number
}

/** An operator posts credits. Answered by CreditsPosted. Only an adjustment may be negative. */
export interface PostCredits {
  userId: UserId
  operationId: string
  amount: Microdollars
  creditKind: 'unknown' | 'grant' | 'payment' | 'adjustment'
  reason: string
  actor: string
}

/** Give back what was charged for time that will not be served (CAN-2), once per refund. Answered by CreditsRefunded. */
export interface RefundCredits {
  userId: UserId
  refundId: string
  operationId: string
  subscriptionId: string
  amount: Microdollars
  description: string
}

/** Give a hold back. Always answered by HoldReleased, also when nothing was held. */
export interface ReleaseHold {
  userId: UserId
  holdId: string
}

/** Take one key of the plan's stock and install it, enabled, in the user's slot. Carries what the inventory needs to know of the plan. Answered by KeyAssigned or KeyDeclined. */
export interface AssignKey {
  userId: UserId
  assignmentId: string
  subscriptionId: string
  planId: string
  providerId: string
  ownership: 'unknown' | 'user' | 'operator'
  reveal: boolean
  upstreamRevocation: 'unknown' | 'never' | 'manual' | 'automatic'
  lowStockThreshold: number
}

/** Take the user's own key out of the slot. Answered by SlotChanged or SlotChangeRefused. */
export interface DeleteOwnKey {
  userId: UserId
  operationId: string
  providerId: string
}

/** Enable or disable the user's own key. Answered by SlotChanged or SlotChangeRefused. */
export interface EnableOwnKey {
  userId: UserId
  operationId: string
  providerId: string
  enabled: boolean
}

/** The key is in the slot, enabled. */
export interface KeyAssigned {
  userId: UserId
  assignmentId: string
  subscriptionId: string
  planId: string
  providerId: string
  keyId: string
  maskedKey: string
  at: Instant
  slotVersion: number
  stockVersion: number
}

/** The slot is the user's own, or no key can be sold; nothing was changed (SUB-4). */
export interface KeyDeclined {
  userId: UserId
  assignmentId: string
  subscriptionId: string
  planId: string
  providerId: string
  reason: 'unknown' | 'slot_occupied' | 'sold_out'
  slotVersion: number
  stockVersion: number
}

/** No key of this subscription is in the slot. */
export interface KeyRemoved {
  userId: UserId
  subscriptionId: string
  providerId: string
  keyId: string | null
  at: Instant
  slotVersion: number
  emptied: boolean
}

/** Whether the key worked; null: this provider cannot be tried. */
export interface KeyTested {
  userId: UserId
  operationId: string
  providerId: string
  ok: boolean | null
}

/** An upload was taken, line by line; never a secret. */
export interface KeysUploaded {
  planId: string
  operationId: string
  accepted: number
  duplicates: number
  invalid: number
  report: { line: number; outcome: 'unknown' | 'accepted' | 'duplicate' | 'invalid'; reason: string | null }[]
  stockVersion: number
}

/** The user puts a key of their own into the slot. `sealed`: the key alone, HPKE; associated data binds user and operation. Answered by SlotChanged or SlotChangeRefused. */
export interface PutOwnKey {
  userId: UserId
  operationId: string
  providerId: string
  sealingKeyId: string
  sealed: Buffer
}

/** End of access: take this subscription's plan-managed key out of the slot; upstream follows the policy (SLT-3). Always answered by KeyRemoved, also when nothing was there. */
export interface RemoveKey {
  userId: UserId
  subscriptionId: string
  providerId: string
}

/** The slot is managed by a plan, or empty. */
export interface SlotChangeRefused {
  userId: UserId
  operationId: string
  providerId: string
  reason: 'unknown' | 'slot_managed' | 'not_found' | 'key_invalid' | 'sealing_key_unknown'
  version: number
}

/** The user changed their own slot. managedBy none: it is empty. */
export interface SlotChanged {
  userId: UserId
  operationId: string
  providerId: string
  managedBy: 'unknown' | 'user' | 'none'
  enabled: boolean
  maskedKey: string | null
  createdAt: Instant
  updatedAt: Instant
  version: number
}

/** One plan's stock after a round: counts by state, and the keys that the round changed; read by version. Never a secret. `sellableUntil`: when the last available key expires; null: one never does. */
export interface StockChanged {
  planId: string
  providerId: string
  version: number
  available: number
  quarantined: number
  assigned: number
  revocationPending: number
  revoked: number
  revocationFailed: number
  retired: number
  sellableUntil: Instant | null
  keys: {
    keyId: string
    state:
      | 'unknown'
      | 'available'
      | 'quarantined'
      | 'assigned'
      | 'revocation_pending'
      | 'revoked'
      | 'revocation_failed'
      | 'retired'
    upstreamPlanId: string | null
    uploadedAt: Instant
    assignedAt: Instant | null
    subscriptionId: string | null
  }[]
}

/** Available stock fell below the plan's threshold (INV-6). */
export interface StockLow {
  planId: string
  available: number
  threshold: number
}

/** Try the key in the slot at its provider. Answered by KeyTested or SlotChangeRefused. */
export interface TestKey {
  userId: UserId
  operationId: string
  providerId: string
}

/** Add keys to a plan's stock. `sealed` is HPKE base mode to the inventory's public key: JSON [{line, key?, upstreamPlanId?, expiresAt?, malformed?}]; associated data binds plan and operation. Answered by KeysUploaded or UploadRefused. */
export interface UploadKeys {
  planId: string
  operationId: string
  providerId: string
  sealingKeyId: string
  sealed: Buffer
  allOrNothing: boolean
  lowStockThreshold: number
  actor: string
}

/** Nothing of an upload was kept. */
export interface UploadRefused {
  planId: string
  operationId: string
  reason: 'unknown' | 'entries_invalid' | 'sealing_key_unknown'
  report: { line: number; outcome: 'unknown' | 'accepted' | 'duplicate' | 'invalid'; reason: string | null }[]
}

/** Cancel at the period's end, or now (CAN-1). Answered by CancellationScheduled, SubscriptionEnded or CancellationRefused. */
export interface CancelSubscription {
  userId: UserId
  operationId: string
  subscriptionId: string
  at: 'unknown' | 'period_end' | 'now'
  by: 'unknown' | 'user' | 'operator'
  actor: string
  reason: string | null
}

/** There was nothing to cancel: unknown, ended, or being ended. */
export interface CancellationRefused {
  userId: UserId
  operationId: string
  subscriptionId: string
  reason: 'unknown' | 'not_found' | 'not_cancelable'
  version: number | null
}

/** The subscription will end with its period. */
export interface CancellationScheduled {
  userId: UserId
  operationId: string
  subscriptionId: string
  by: 'unknown' | 'user' | 'operator'
  version: number
}

/** The subscription will renew. Where none was scheduled the version is an old one: nothing changed. */
export interface CancellationUndone {
  userId: UserId
  operationId: string
  subscriptionId: string
  version: number
}

/** A due message was answered without a renewal or an end: the term had moved, or is being ended already. */
export interface DueIgnored {
  userId: UserId
  subscriptionId: string
  boundary: Instant
}

/** A plan has a new version; said with everything a reader needs. */
export interface PlanPublished {
  planId: string
  version: number
  operationId: string | null
  publishedBy: string
  publishedAt: Instant
  providerId: string
  providerName: string
  name: string
  features: string[]
  models: string[]
  price: Microdollars
  periodUnit: 'unknown' | 'day' | 'month'
  periodCount: number
  ownership: 'unknown' | 'user' | 'operator'
  reveal: boolean
  upstreamRevocation: 'unknown' | 'never' | 'manual' | 'automatic'
  repurchase: 'unknown' | 'extend' | 'reject'
  graceHours: number
  maxPrepaidPeriods: number
  lowStockThreshold: number
  position: number
  saleState: 'unknown' | 'open' | 'closed' | 'hidden'
}

/** A publish was refused: the environment fixes the price (CAT-3), or the provider of a published plan was changed. */
export interface PlanRefused {
  planId: string
  operationId: string
  reason: 'unknown' | 'price_fixed' | 'provider_fixed'
  variable: string | null
}

/** Publish a plan as a whole, as a new version. Answered by PlanPublished or PlanRefused. */
export interface PublishPlan {
  planId: string
  operationId: string
  actor: string
  providerId: string
  providerName: string
  name: string
  features: string[]
  models: string[]
  price: Microdollars
  periodUnit: 'unknown' | 'day' | 'month'
  periodCount: number
  ownership: 'unknown' | 'user' | 'operator'
  reveal: boolean
  upstreamRevocation: 'unknown' | 'never' | 'manual' | 'automatic'
  repurchase: 'unknown' | 'extend' | 'reject'
  graceHours: number
  maxPrepaidPeriods: number
  lowStockThreshold: number
  position: number
  saleState: 'unknown' | 'open' | 'closed' | 'hidden'
}

/** Buy one period of a plan: an activation, or the extension of the subscription that the buyer knew (EXT-3). Answered by SubscriptionActivated, SubscriptionExtended or PurchaseRefused. */
export interface PurchasePlan {
  userId: UserId
  operationId: string
  planId: string
  planVersion: number
  knownSubscriptionId: string | null
  knownEnd: Instant | null
}

/** A purchase was refused and nothing was changed. Names the versions that the refusal rests on, so that a reader answers only when it shows them. */
export interface PurchaseRefused {
  userId: UserId
  operationId: string
  planId: string
  reason:
    | 'unknown'
    | 'not_found'
    | 'plan_closed'
    | 'purchase_in_progress'
    | 'already_subscribed'
    | 'prepaid_limit'
    | 'insufficient_credits'
    | 'slot_occupied'
    | 'sold_out'
  required: Microdollars | null
  available: Microdollars | null
  accountVersion: number | null
  slotVersion: number | null
  stockVersion: number | null
  subscriptionId: string | null
  subscriptionVersion: number | null
}

/** Undo the cancellation that stands, anybody's (CAN-1). Answered by CancellationUndone or SubscriptionChangeRefused. */
export interface ResumeSubscription {
  userId: UserId
  operationId: string
  subscriptionId: string
}

/** A subscription began: its term is paid (or free) and its key works. One event for the rest of the platform (SUB-9). */
export interface SubscriptionActivated {
  userId: UserId
  operationId: string
  subscriptionId: string
  planId: string
  planVersion: number
  planName: string
  providerId: string
  price: Microdollars
  periodUnit: 'unknown' | 'day' | 'month'
  periodCount: number
  graceHours: number
  currentPeriodStart: Instant
  currentPeriodEnd: Instant
  previousSubscriptionId: string | null
  createdAt: Instant
  chargeId: string | null
  keyId: string
  version: number
  accountVersion: number | null
  slotVersion: number
  stockVersion: number
}

/** There was nothing to change: unknown, ended, or being ended. */
export interface SubscriptionChangeRefused {
  userId: UserId
  operationId: string
  subscriptionId: string
  reason: 'unknown' | 'not_found' | 'not_cancelable'
  version: number | null
}

/** The subscription is over and its slot is empty; a refund, if one was due, is on the account: for the time from endedAt until refundedUntil. Final. */
export interface SubscriptionEnded {
  userId: UserId
  subscriptionId: string
  operationId: string | null
  boundary: Instant | null
  endedAt: Instant
  reason: 'unknown' | 'user_canceled' | 'insufficient_credits' | 'admin_terminated' | 'account_deleted' | 'dispute'
  version: number
  slotVersion: number
  accountVersion: number | null
  refundId: string | null
  refundAmount: Microdollars | null
  refundedUntil: Instant | null
}

/** The end has begun: access stops at this instant, the key is being removed. */
export interface SubscriptionEnding {
  userId: UserId
  subscriptionId: string
  accessUntil: Instant
  reason: 'unknown' | 'user_canceled' | 'insufficient_credits' | 'admin_terminated' | 'account_deleted' | 'dispute'
  version: number
}

/** One more period was stacked on the end (EXT-1). Clears a cancellation scheduled before the purchase. */
export interface SubscriptionExtended {
  userId: UserId
  operationId: string
  subscriptionId: string
  periodStart: Instant
  currentPeriodEnd: Instant
  amount: Microdollars
  chargeId: string | null
  at: Instant
  cancelAtPeriodEnd: boolean
  version: number
  accountVersion: number | null
}

/** The term that began at the boundary is paid (or free). */
export interface SubscriptionRenewed {
  userId: UserId
  subscriptionId: string
  boundary: Instant
  currentPeriodEnd: Instant
  amount: Microdollars
  chargeId: string | null
  cancelAtPeriodEnd: boolean
  version: number
  accountVersion: number | null
}

/** An operator ends it now, for good (CAN-2). Answered by SubscriptionEnded or SubscriptionChangeRefused. */
export interface TerminateSubscription {
  userId: UserId
  operationId: string
  subscriptionId: string
  refund: 'unknown' | 'none' | 'prorated' | 'full'
  cause: 'unknown' | 'admin_terminated' | 'dispute'
  actor: string
  reason: string
}

/** Message name → body. */
export interface Bodies {
  ActionAudited: ActionAudited
  CommandFailed: CommandFailed
  AdvanceClock: AdvanceClock
  ClockAdvanced: ClockAdvanced
  ClockMoved: ClockMoved
  ClockRefused: ClockRefused
  PeriodEnded: PeriodEnded
  CaptureHold: CaptureHold
  CreditsHeld: CreditsHeld
  CreditsPosted: CreditsPosted
  CreditsRefunded: CreditsRefunded
  HoldCaptured: HoldCaptured
  HoldCredits: HoldCredits
  HoldDeclined: HoldDeclined
  HoldReleased: HoldReleased
  PostCredits: PostCredits
  RefundCredits: RefundCredits
  ReleaseHold: ReleaseHold
  AssignKey: AssignKey
  DeleteOwnKey: DeleteOwnKey
  EnableOwnKey: EnableOwnKey
  KeyAssigned: KeyAssigned
  KeyDeclined: KeyDeclined
  KeyRemoved: KeyRemoved
  KeyTested: KeyTested
  KeysUploaded: KeysUploaded
  PutOwnKey: PutOwnKey
  RemoveKey: RemoveKey
  SlotChangeRefused: SlotChangeRefused
  SlotChanged: SlotChanged
  StockChanged: StockChanged
  StockLow: StockLow
  TestKey: TestKey
  UploadKeys: UploadKeys
  UploadRefused: UploadRefused
  CancelSubscription: CancelSubscription
  CancellationRefused: CancellationRefused
  CancellationScheduled: CancellationScheduled
  CancellationUndone: CancellationUndone
  DueIgnored: DueIgnored
  PlanPublished: PlanPublished
  PlanRefused: PlanRefused
  PublishPlan: PublishPlan
  PurchasePlan: PurchasePlan
  PurchaseRefused: PurchaseRefused
  ResumeSubscription: ResumeSubscription
  SubscriptionActivated: SubscriptionActivated
  SubscriptionChangeRefused: SubscriptionChangeRefused
  SubscriptionEnded: SubscriptionEnded
  SubscriptionEnding: SubscriptionEnding
  SubscriptionExtended: SubscriptionExtended
  SubscriptionRenewed: SubscriptionRenewed
  TerminateSubscription: TerminateSubscription
}

/** Message name → who owns it, where it travels, by which field. A topic `*.events` is the events topic of whoever says it. */
export const routes = {
  ActionAudited: {
    owner: 'any',
    kind: 'event',
    topic: '*.events',
    key: 'subject',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.any',
      name: 'ActionAudited',
      fields: [
        { name: 'subject', type: 'string' },
        { name: 'actor', type: 'string' },
        { name: 'action', type: 'string' },
        { name: 'target', type: 'string' },
        { name: 'before', type: ['null', 'string'], default: null },
        { name: 'after', type: ['null', 'string'], default: null },
        { name: 'reason', type: ['null', 'string'], default: null },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
      ],
    },
  },
  CommandFailed: {
    owner: 'any',
    kind: 'event',
    topic: '*.events',
    key: 'subject',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.any',
      name: 'CommandFailed',
      fields: [
        { name: 'subject', type: 'string' },
        { name: 'messageId', type: 'string' },
        { name: 'messageName', type: 'string' },
        { name: 'reason', type: 'string' },
      ],
    },
  },
  AdvanceClock: {
    owner: 'billing-scheduler',
    kind: 'command',
    topic: 'billing-scheduler.commands',
    key: 'clock',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.billing_scheduler',
      name: 'AdvanceClock',
      fields: [
        { name: 'clock', type: 'string' },
        { name: 'operationId', type: 'string' },
        { name: 'to', type: ['null', { type: 'long', logicalType: 'instant' }], default: null },
        { name: 'by', type: ['null', 'string'], default: null },
        { name: 'actor', type: 'string' },
      ],
    },
  },
  ClockAdvanced: {
    owner: 'billing-scheduler',
    kind: 'event',
    topic: 'billing-scheduler.events',
    key: 'clock',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.billing_scheduler',
      name: 'ClockAdvanced',
      fields: [
        { name: 'clock', type: 'string' },
        { name: 'operationId', type: 'string' },
        { name: 'now', type: { type: 'long', logicalType: 'instant' } },
        { name: 'version', type: 'long' },
      ],
    },
  },
  ClockMoved: {
    owner: 'billing-scheduler',
    kind: 'event',
    topic: 'billing-scheduler.events',
    key: 'clock',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.billing_scheduler',
      name: 'ClockMoved',
      fields: [
        { name: 'clock', type: 'string' },
        {
          name: 'mode',
          type: { type: 'enum', name: 'ClockMode', symbols: ['unknown', 'system', 'test'], default: 'unknown' },
        },
        { name: 'now', type: { type: 'long', logicalType: 'instant' } },
        { name: 'settled', type: 'boolean' },
        { name: 'version', type: 'long' },
      ],
    },
  },
  ClockRefused: {
    owner: 'billing-scheduler',
    kind: 'event',
    topic: 'billing-scheduler.events',
    key: 'clock',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.billing_scheduler',
      name: 'ClockRefused',
      fields: [
        { name: 'clock', type: 'string' },
        { name: 'operationId', type: 'string' },
        {
          name: 'reason',
          type: {
            type: 'enum',
            name: 'ClockRefusal',
            symbols: ['unknown', 'backwards', 'clock_not_test', 'duration_invalid'],
            default: 'unknown',
          },
        },
      ],
    },
  },
  PeriodEnded: {
    owner: 'billing-scheduler',
    kind: 'event',
    topic: 'billing-scheduler.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.billing_scheduler',
      name: 'PeriodEnded',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'subscriptionId', type: 'string' },
        { name: 'boundary', type: { type: 'long', logicalType: 'instant' } },
        { name: 'asOf', type: { type: 'long', logicalType: 'instant' } },
      ],
    },
  },
  CaptureHold: {
    owner: 'credits-ledger',
    kind: 'command',
    topic: 'credits-ledger.commands',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'CaptureHold',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'holdId', type: 'string' },
        { name: 'chargeId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
        {
          name: 'purpose',
          type: {
            type: 'enum',
            name: 'Purpose',
            symbols: ['unknown', 'activation', 'extension', 'renewal'],
            default: 'unknown',
          },
        },
        { name: 'boundary', type: { type: 'long', logicalType: 'instant' } },
        { name: 'operationId', type: ['null', 'string'], default: null },
        { name: 'description', type: 'string' },
      ],
    },
  },
  CreditsHeld: {
    owner: 'credits-ledger',
    kind: 'event',
    topic: 'credits-ledger.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'CreditsHeld',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'holdId', type: 'string' },
        { name: 'amount', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'balance', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'held', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'version', type: 'long' },
      ],
    },
  },
  CreditsPosted: {
    owner: 'credits-ledger',
    kind: 'event',
    topic: 'credits-ledger.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'CreditsPosted',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'entryId', type: 'string' },
        {
          name: 'creditKind',
          type: {
            type: 'enum',
            name: 'CreditKind',
            symbols: ['unknown', 'grant', 'payment', 'adjustment'],
            default: 'unknown',
          },
        },
        { name: 'amount', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
        { name: 'balance', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'held', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'description', type: 'string' },
        { name: 'version', type: 'long' },
      ],
    },
  },
  CreditsRefunded: {
    owner: 'credits-ledger',
    kind: 'event',
    topic: 'credits-ledger.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'CreditsRefunded',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'refundId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
        { name: 'entryId', type: 'string' },
        { name: 'amount', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
        { name: 'balance', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'held', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'description', type: 'string' },
        { name: 'version', type: 'long' },
      ],
    },
  },
  HoldCaptured: {
    owner: 'credits-ledger',
    kind: 'event',
    topic: 'credits-ledger.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'HoldCaptured',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'holdId', type: 'string' },
        { name: 'entryId', type: 'string' },
        { name: 'chargeId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
        { name: 'amount', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
        { name: 'balance', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'held', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'description', type: 'string' },
        { name: 'version', type: 'long' },
      ],
    },
  },
  HoldCredits: {
    owner: 'credits-ledger',
    kind: 'command',
    topic: 'credits-ledger.commands',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'HoldCredits',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'holdId', type: 'string' },
        { name: 'amount', type: { type: 'long', logicalType: 'microdollars' } },
        {
          name: 'purpose',
          type: {
            type: 'enum',
            name: 'Purpose',
            symbols: ['unknown', 'activation', 'extension', 'renewal'],
            default: 'unknown',
          },
        },
        { name: 'operationId', type: ['null', 'string'], default: null },
        { name: 'subscriptionId', type: 'string' },
        { name: 'boundary', type: ['null', { type: 'long', logicalType: 'instant' }], default: null },
      ],
    },
  },
  HoldDeclined: {
    owner: 'credits-ledger',
    kind: 'event',
    topic: 'credits-ledger.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'HoldDeclined',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'holdId', type: 'string' },
        {
          name: 'reason',
          type: { type: 'enum', name: 'HoldRefusal', symbols: ['unknown', 'insufficient_credits'], default: 'unknown' },
        },
        { name: 'required', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'available', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'version', type: 'long' },
      ],
    },
  },
  HoldReleased: {
    owner: 'credits-ledger',
    kind: 'event',
    topic: 'credits-ledger.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'HoldReleased',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'holdId', type: 'string' },
        { name: 'balance', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'held', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'version', type: 'long' },
      ],
    },
  },
  PostCredits: {
    owner: 'credits-ledger',
    kind: 'command',
    topic: 'credits-ledger.commands',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'PostCredits',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'amount', type: { type: 'long', logicalType: 'microdollars' } },
        {
          name: 'creditKind',
          type: {
            type: 'enum',
            name: 'CreditKind',
            symbols: ['unknown', 'grant', 'payment', 'adjustment'],
            default: 'unknown',
          },
        },
        { name: 'reason', type: 'string' },
        { name: 'actor', type: 'string' },
      ],
    },
  },
  RefundCredits: {
    owner: 'credits-ledger',
    kind: 'command',
    topic: 'credits-ledger.commands',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'RefundCredits',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'refundId', type: 'string' },
        { name: 'operationId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
        { name: 'amount', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'description', type: 'string' },
      ],
    },
  },
  ReleaseHold: {
    owner: 'credits-ledger',
    kind: 'command',
    topic: 'credits-ledger.commands',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'ReleaseHold',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'holdId', type: 'string' },
      ],
    },
  },
  AssignKey: {
    owner: 'key-inventory',
    kind: 'command',
    topic: 'key-inventory.commands',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'AssignKey',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'assignmentId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
        { name: 'planId', type: 'string' },
        { name: 'providerId', type: 'string' },
        {
          name: 'ownership',
          type: { type: 'enum', name: 'Ownership', symbols: ['unknown', 'user', 'operator'], default: 'unknown' },
        },
        { name: 'reveal', type: 'boolean' },
        {
          name: 'upstreamRevocation',
          type: {
            type: 'enum',
            name: 'UpstreamRevocation',
            symbols: ['unknown', 'never', 'manual', 'automatic'],
            default: 'unknown',
          },
        },
        { name: 'lowStockThreshold', type: 'int' },
      ],
    },
  },
  DeleteOwnKey: {
    owner: 'key-inventory',
    kind: 'command',
    topic: 'key-inventory.commands',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'DeleteOwnKey',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'providerId', type: 'string' },
      ],
    },
  },
  EnableOwnKey: {
    owner: 'key-inventory',
    kind: 'command',
    topic: 'key-inventory.commands',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'EnableOwnKey',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'providerId', type: 'string' },
        { name: 'enabled', type: 'boolean' },
      ],
    },
  },
  KeyAssigned: {
    owner: 'key-inventory',
    kind: 'event',
    topic: 'key-inventory.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'KeyAssigned',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'assignmentId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
        { name: 'planId', type: 'string' },
        { name: 'providerId', type: 'string' },
        { name: 'keyId', type: 'string' },
        { name: 'maskedKey', type: 'string' },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
        { name: 'slotVersion', type: 'long' },
        { name: 'stockVersion', type: 'long' },
      ],
    },
  },
  KeyDeclined: {
    owner: 'key-inventory',
    kind: 'event',
    topic: 'key-inventory.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'KeyDeclined',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'assignmentId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
        { name: 'planId', type: 'string' },
        { name: 'providerId', type: 'string' },
        {
          name: 'reason',
          type: {
            type: 'enum',
            name: 'KeyRefusal',
            symbols: ['unknown', 'slot_occupied', 'sold_out'],
            default: 'unknown',
          },
        },
        { name: 'slotVersion', type: 'long' },
        { name: 'stockVersion', type: 'long' },
      ],
    },
  },
  KeyRemoved: {
    owner: 'key-inventory',
    kind: 'event',
    topic: 'key-inventory.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'KeyRemoved',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'subscriptionId', type: 'string' },
        { name: 'providerId', type: 'string' },
        { name: 'keyId', type: ['null', 'string'], default: null },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
        { name: 'slotVersion', type: 'long' },
        { name: 'emptied', type: 'boolean' },
      ],
    },
  },
  KeyTested: {
    owner: 'key-inventory',
    kind: 'event',
    topic: 'key-inventory.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'KeyTested',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'providerId', type: 'string' },
        { name: 'ok', type: ['null', 'boolean'], default: null },
      ],
    },
  },
  KeysUploaded: {
    owner: 'key-inventory',
    kind: 'event',
    topic: 'key-inventory.events',
    key: 'planId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'KeysUploaded',
      fields: [
        { name: 'planId', type: 'string' },
        { name: 'operationId', type: 'string' },
        { name: 'accepted', type: 'int' },
        { name: 'duplicates', type: 'int' },
        { name: 'invalid', type: 'int' },
        {
          name: 'report',
          type: {
            type: 'array',
            items: {
              type: 'record',
              name: 'UploadLine',
              fields: [
                { name: 'line', type: 'int' },
                {
                  name: 'outcome',
                  type: {
                    type: 'enum',
                    name: 'LineOutcome',
                    symbols: ['unknown', 'accepted', 'duplicate', 'invalid'],
                    default: 'unknown',
                  },
                },
                { name: 'reason', type: ['null', 'string'], default: null },
              ],
            },
          },
        },
        { name: 'stockVersion', type: 'long' },
      ],
    },
  },
  PutOwnKey: {
    owner: 'key-inventory',
    kind: 'command',
    topic: 'key-inventory.commands',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'PutOwnKey',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'providerId', type: 'string' },
        { name: 'sealingKeyId', type: 'string' },
        { name: 'sealed', type: 'bytes' },
      ],
    },
  },
  RemoveKey: {
    owner: 'key-inventory',
    kind: 'command',
    topic: 'key-inventory.commands',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'RemoveKey',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'subscriptionId', type: 'string' },
        { name: 'providerId', type: 'string' },
      ],
    },
  },
  SlotChangeRefused: {
    owner: 'key-inventory',
    kind: 'event',
    topic: 'key-inventory.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'SlotChangeRefused',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'providerId', type: 'string' },
        {
          name: 'reason',
          type: {
            type: 'enum',
            name: 'SlotRefusal',
            symbols: ['unknown', 'slot_managed', 'not_found', 'key_invalid', 'sealing_key_unknown'],
            default: 'unknown',
          },
        },
        { name: 'version', type: 'long' },
      ],
    },
  },
  SlotChanged: {
    owner: 'key-inventory',
    kind: 'event',
    topic: 'key-inventory.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'SlotChanged',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'providerId', type: 'string' },
        {
          name: 'managedBy',
          type: { type: 'enum', name: 'ManagedBy', symbols: ['unknown', 'user', 'none'], default: 'unknown' },
        },
        { name: 'enabled', type: 'boolean' },
        { name: 'maskedKey', type: ['null', 'string'], default: null },
        { name: 'createdAt', type: { type: 'long', logicalType: 'instant' } },
        { name: 'updatedAt', type: { type: 'long', logicalType: 'instant' } },
        { name: 'version', type: 'long' },
      ],
    },
  },
  StockChanged: {
    owner: 'key-inventory',
    kind: 'event',
    topic: 'key-inventory.events',
    key: 'planId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'StockChanged',
      fields: [
        { name: 'planId', type: 'string' },
        { name: 'providerId', type: 'string' },
        { name: 'version', type: 'long' },
        { name: 'available', type: 'int' },
        { name: 'quarantined', type: 'int' },
        { name: 'assigned', type: 'int' },
        { name: 'revocationPending', type: 'int' },
        { name: 'revoked', type: 'int' },
        { name: 'revocationFailed', type: 'int' },
        { name: 'retired', type: 'int' },
        { name: 'sellableUntil', type: ['null', { type: 'long', logicalType: 'instant' }], default: null },
        {
          name: 'keys',
          type: {
            type: 'array',
            items: {
              type: 'record',
              name: 'KeyLine',
              fields: [
                { name: 'keyId', type: 'string' },
                {
                  name: 'state',
                  type: {
                    type: 'enum',
                    name: 'KeyState',
                    symbols: [
                      'unknown',
                      'available',
                      'quarantined',
                      'assigned',
                      'revocation_pending',
                      'revoked',
                      'revocation_failed',
                      'retired',
                    ],
                    default: 'unknown',
                  },
                },
                { name: 'upstreamPlanId', type: ['null', 'string'], default: null },
                { name: 'uploadedAt', type: { type: 'long', logicalType: 'instant' } },
                { name: 'assignedAt', type: ['null', { type: 'long', logicalType: 'instant' }], default: null },
                { name: 'subscriptionId', type: ['null', 'string'], default: null },
              ],
            },
          },
        },
      ],
    },
  },
  StockLow: {
    owner: 'key-inventory',
    kind: 'event',
    topic: 'key-inventory.events',
    key: 'planId',
    public: true,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'StockLow',
      fields: [
        { name: 'planId', type: 'string' },
        { name: 'available', type: 'int' },
        { name: 'threshold', type: 'int' },
      ],
    },
  },
  TestKey: {
    owner: 'key-inventory',
    kind: 'command',
    topic: 'key-inventory.commands',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'TestKey',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'providerId', type: 'string' },
      ],
    },
  },
  UploadKeys: {
    owner: 'key-inventory',
    kind: 'command',
    topic: 'key-inventory.uploads',
    key: 'planId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'UploadKeys',
      fields: [
        { name: 'planId', type: 'string' },
        { name: 'operationId', type: 'string' },
        { name: 'providerId', type: 'string' },
        { name: 'sealingKeyId', type: 'string' },
        { name: 'sealed', type: 'bytes' },
        { name: 'allOrNothing', type: 'boolean' },
        { name: 'lowStockThreshold', type: 'int' },
        { name: 'actor', type: 'string' },
      ],
    },
  },
  UploadRefused: {
    owner: 'key-inventory',
    kind: 'event',
    topic: 'key-inventory.events',
    key: 'planId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'UploadRefused',
      fields: [
        { name: 'planId', type: 'string' },
        { name: 'operationId', type: 'string' },
        {
          name: 'reason',
          type: {
            type: 'enum',
            name: 'UploadRefusal',
            symbols: ['unknown', 'entries_invalid', 'sealing_key_unknown'],
            default: 'unknown',
          },
        },
        {
          name: 'report',
          type: {
            type: 'array',
            items: {
              type: 'record',
              name: 'UploadLine',
              fields: [
                { name: 'line', type: 'int' },
                {
                  name: 'outcome',
                  type: {
                    type: 'enum',
                    name: 'LineOutcome',
                    symbols: ['unknown', 'accepted', 'duplicate', 'invalid'],
                    default: 'unknown',
                  },
                },
                { name: 'reason', type: ['null', 'string'], default: null },
              ],
            },
          },
        },
      ],
    },
  },
  CancelSubscription: {
    owner: 'subscription',
    kind: 'command',
    topic: 'subscription.commands',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'CancelSubscription',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
        {
          name: 'at',
          type: { type: 'enum', name: 'CancelAt', symbols: ['unknown', 'period_end', 'now'], default: 'unknown' },
        },
        {
          name: 'by',
          type: { type: 'enum', name: 'CanceledBy', symbols: ['unknown', 'user', 'operator'], default: 'unknown' },
        },
        { name: 'actor', type: 'string' },
        { name: 'reason', type: ['null', 'string'], default: null },
      ],
    },
  },
  CancellationRefused: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'CancellationRefused',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
        {
          name: 'reason',
          type: {
            type: 'enum',
            name: 'CancellationRefusal',
            symbols: ['unknown', 'not_found', 'not_cancelable'],
            default: 'unknown',
          },
        },
        { name: 'version', type: ['null', 'long'], default: null },
      ],
    },
  },
  CancellationScheduled: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'CancellationScheduled',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
        {
          name: 'by',
          type: { type: 'enum', name: 'CanceledBy', symbols: ['unknown', 'user', 'operator'], default: 'unknown' },
        },
        { name: 'version', type: 'long' },
      ],
    },
  },
  CancellationUndone: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'CancellationUndone',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
        { name: 'version', type: 'long' },
      ],
    },
  },
  DueIgnored: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'DueIgnored',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'subscriptionId', type: 'string' },
        { name: 'boundary', type: { type: 'long', logicalType: 'instant' } },
      ],
    },
  },
  PlanPublished: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'planId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'PlanPublished',
      fields: [
        { name: 'planId', type: 'string' },
        { name: 'version', type: 'int' },
        { name: 'operationId', type: ['null', 'string'], default: null },
        { name: 'publishedBy', type: 'string' },
        { name: 'publishedAt', type: { type: 'long', logicalType: 'instant' } },
        { name: 'providerId', type: 'string' },
        { name: 'providerName', type: 'string' },
        { name: 'name', type: 'string' },
        { name: 'features', type: { type: 'array', items: 'string' } },
        { name: 'models', type: { type: 'array', items: 'string' } },
        { name: 'price', type: { type: 'long', logicalType: 'microdollars' } },
        {
          name: 'periodUnit',
          type: { type: 'enum', name: 'PeriodUnit', symbols: ['unknown', 'day', 'month'], default: 'unknown' },
        },
        { name: 'periodCount', type: 'int' },
        {
          name: 'ownership',
          type: { type: 'enum', name: 'Ownership', symbols: ['unknown', 'user', 'operator'], default: 'unknown' },
        },
        { name: 'reveal', type: 'boolean' },
        {
          name: 'upstreamRevocation',
          type: {
            type: 'enum',
            name: 'UpstreamRevocation',
            symbols: ['unknown', 'never', 'manual', 'automatic'],
            default: 'unknown',
          },
        },
        {
          name: 'repurchase',
          type: { type: 'enum', name: 'Repurchase', symbols: ['unknown', 'extend', 'reject'], default: 'unknown' },
        },
        { name: 'graceHours', type: 'int' },
        { name: 'maxPrepaidPeriods', type: 'int' },
        { name: 'lowStockThreshold', type: 'int' },
        { name: 'position', type: 'int' },
        {
          name: 'saleState',
          type: {
            type: 'enum',
            name: 'SaleState',
            symbols: ['unknown', 'open', 'closed', 'hidden'],
            default: 'unknown',
          },
        },
      ],
    },
  },
  PlanRefused: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'planId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'PlanRefused',
      fields: [
        { name: 'planId', type: 'string' },
        { name: 'operationId', type: 'string' },
        {
          name: 'reason',
          type: {
            type: 'enum',
            name: 'PlanRefusal',
            symbols: ['unknown', 'price_fixed', 'provider_fixed'],
            default: 'unknown',
          },
        },
        { name: 'variable', type: ['null', 'string'], default: null },
      ],
    },
  },
  PublishPlan: {
    owner: 'subscription',
    kind: 'command',
    topic: 'subscription.commands',
    key: 'planId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'PublishPlan',
      fields: [
        { name: 'planId', type: 'string' },
        { name: 'operationId', type: 'string' },
        { name: 'actor', type: 'string' },
        { name: 'providerId', type: 'string' },
        { name: 'providerName', type: 'string' },
        { name: 'name', type: 'string' },
        { name: 'features', type: { type: 'array', items: 'string' } },
        { name: 'models', type: { type: 'array', items: 'string' } },
        { name: 'price', type: { type: 'long', logicalType: 'microdollars' } },
        {
          name: 'periodUnit',
          type: { type: 'enum', name: 'PeriodUnit', symbols: ['unknown', 'day', 'month'], default: 'unknown' },
        },
        { name: 'periodCount', type: 'int' },
        {
          name: 'ownership',
          type: { type: 'enum', name: 'Ownership', symbols: ['unknown', 'user', 'operator'], default: 'unknown' },
        },
        { name: 'reveal', type: 'boolean' },
        {
          name: 'upstreamRevocation',
          type: {
            type: 'enum',
            name: 'UpstreamRevocation',
            symbols: ['unknown', 'never', 'manual', 'automatic'],
            default: 'unknown',
          },
        },
        {
          name: 'repurchase',
          type: { type: 'enum', name: 'Repurchase', symbols: ['unknown', 'extend', 'reject'], default: 'unknown' },
        },
        { name: 'graceHours', type: 'int' },
        { name: 'maxPrepaidPeriods', type: 'int' },
        { name: 'lowStockThreshold', type: 'int' },
        { name: 'position', type: 'int' },
        {
          name: 'saleState',
          type: {
            type: 'enum',
            name: 'SaleState',
            symbols: ['unknown', 'open', 'closed', 'hidden'],
            default: 'unknown',
          },
        },
      ],
    },
  },
  PurchasePlan: {
    owner: 'subscription',
    kind: 'command',
    topic: 'subscription.commands',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'PurchasePlan',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'planId', type: 'string' },
        { name: 'planVersion', type: 'int' },
        { name: 'knownSubscriptionId', type: ['null', 'string'], default: null },
        { name: 'knownEnd', type: ['null', { type: 'long', logicalType: 'instant' }], default: null },
      ],
    },
  },
  PurchaseRefused: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'PurchaseRefused',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'planId', type: 'string' },
        {
          name: 'reason',
          type: {
            type: 'enum',
            name: 'PurchaseRefusal',
            symbols: [
              'unknown',
              'not_found',
              'plan_closed',
              'purchase_in_progress',
              'already_subscribed',
              'prepaid_limit',
              'insufficient_credits',
              'slot_occupied',
              'sold_out',
            ],
            default: 'unknown',
          },
        },
        { name: 'required', type: ['null', { type: 'long', logicalType: 'microdollars' }], default: null },
        { name: 'available', type: ['null', { type: 'long', logicalType: 'microdollars' }], default: null },
        { name: 'accountVersion', type: ['null', 'long'], default: null },
        { name: 'slotVersion', type: ['null', 'long'], default: null },
        { name: 'stockVersion', type: ['null', 'long'], default: null },
        { name: 'subscriptionId', type: ['null', 'string'], default: null },
        { name: 'subscriptionVersion', type: ['null', 'long'], default: null },
      ],
    },
  },
  ResumeSubscription: {
    owner: 'subscription',
    kind: 'command',
    topic: 'subscription.commands',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'ResumeSubscription',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
      ],
    },
  },
  SubscriptionActivated: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'SubscriptionActivated',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
        { name: 'planId', type: 'string' },
        { name: 'planVersion', type: 'int' },
        { name: 'planName', type: 'string' },
        { name: 'providerId', type: 'string' },
        { name: 'price', type: { type: 'long', logicalType: 'microdollars' } },
        {
          name: 'periodUnit',
          type: { type: 'enum', name: 'PeriodUnit', symbols: ['unknown', 'day', 'month'], default: 'unknown' },
        },
        { name: 'periodCount', type: 'int' },
        { name: 'graceHours', type: 'int' },
        { name: 'currentPeriodStart', type: { type: 'long', logicalType: 'instant' } },
        { name: 'currentPeriodEnd', type: { type: 'long', logicalType: 'instant' } },
        { name: 'previousSubscriptionId', type: ['null', 'string'], default: null },
        { name: 'createdAt', type: { type: 'long', logicalType: 'instant' } },
        { name: 'chargeId', type: ['null', 'string'], default: null },
        { name: 'keyId', type: 'string' },
        { name: 'version', type: 'long' },
        { name: 'accountVersion', type: ['null', 'long'], default: null },
        { name: 'slotVersion', type: 'long' },
        { name: 'stockVersion', type: 'long' },
      ],
    },
  },
  SubscriptionChangeRefused: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'SubscriptionChangeRefused',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
        {
          name: 'reason',
          type: {
            type: 'enum',
            name: 'SubscriptionChangeRefusal',
            symbols: ['unknown', 'not_found', 'not_cancelable'],
            default: 'unknown',
          },
        },
        { name: 'version', type: ['null', 'long'], default: null },
      ],
    },
  },
  SubscriptionEnded: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'SubscriptionEnded',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'subscriptionId', type: 'string' },
        { name: 'operationId', type: ['null', 'string'], default: null },
        { name: 'boundary', type: ['null', { type: 'long', logicalType: 'instant' }], default: null },
        { name: 'endedAt', type: { type: 'long', logicalType: 'instant' } },
        {
          name: 'reason',
          type: {
            type: 'enum',
            name: 'EndReason',
            symbols: [
              'unknown',
              'user_canceled',
              'insufficient_credits',
              'admin_terminated',
              'account_deleted',
              'dispute',
            ],
            default: 'unknown',
          },
        },
        { name: 'version', type: 'long' },
        { name: 'slotVersion', type: 'long' },
        { name: 'accountVersion', type: ['null', 'long'], default: null },
        { name: 'refundId', type: ['null', 'string'], default: null },
        { name: 'refundAmount', type: ['null', { type: 'long', logicalType: 'microdollars' }], default: null },
        { name: 'refundedUntil', type: ['null', { type: 'long', logicalType: 'instant' }], default: null },
      ],
    },
  },
  SubscriptionEnding: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'SubscriptionEnding',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'subscriptionId', type: 'string' },
        { name: 'accessUntil', type: { type: 'long', logicalType: 'instant' } },
        {
          name: 'reason',
          type: {
            type: 'enum',
            name: 'EndReason',
            symbols: [
              'unknown',
              'user_canceled',
              'insufficient_credits',
              'admin_terminated',
              'account_deleted',
              'dispute',
            ],
            default: 'unknown',
          },
        },
        { name: 'version', type: 'long' },
      ],
    },
  },
  SubscriptionExtended: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'SubscriptionExtended',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
        { name: 'periodStart', type: { type: 'long', logicalType: 'instant' } },
        { name: 'currentPeriodEnd', type: { type: 'long', logicalType: 'instant' } },
        { name: 'amount', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'chargeId', type: ['null', 'string'], default: null },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
        { name: 'cancelAtPeriodEnd', type: 'boolean' },
        { name: 'version', type: 'long' },
        { name: 'accountVersion', type: ['null', 'long'], default: null },
      ],
    },
  },
  SubscriptionRenewed: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'SubscriptionRenewed',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'subscriptionId', type: 'string' },
        { name: 'boundary', type: { type: 'long', logicalType: 'instant' } },
        { name: 'currentPeriodEnd', type: { type: 'long', logicalType: 'instant' } },
        { name: 'amount', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'chargeId', type: ['null', 'string'], default: null },
        { name: 'cancelAtPeriodEnd', type: 'boolean' },
        { name: 'version', type: 'long' },
        { name: 'accountVersion', type: ['null', 'long'], default: null },
      ],
    },
  },
  TerminateSubscription: {
    owner: 'subscription',
    kind: 'command',
    topic: 'subscription.commands',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'TerminateSubscription',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
        {
          name: 'refund',
          type: {
            type: 'enum',
            name: 'RefundShare',
            symbols: ['unknown', 'none', 'prorated', 'full'],
            default: 'unknown',
          },
        },
        {
          name: 'cause',
          type: {
            type: 'enum',
            name: 'TerminationCause',
            symbols: ['unknown', 'admin_terminated', 'dispute'],
            default: 'unknown',
          },
        },
        { name: 'actor', type: 'string' },
        { name: 'reason', type: 'string' },
      ],
    },
  },
} as const
