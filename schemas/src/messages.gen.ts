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

/** A message died, or died again: it waits to be redriven. `subject` is its key or, where that cannot be one, the dead letter's id; `operationId` is the redrive that it died after. */
export interface DeadLetterKept {
  subject: string
  deadLetterId: string
  service: string
  version: number
  topic: string
  partition: number
  offset: number
  messageId: string | null
  messageName: string
  reason: string
  correlationId: string
  diedAt: Instant
  redrives: number
  redrivesLeft: number
  operationId: string | null
}

/** A dead letter was sent again and is done with: it took effect, or had already. All fields as DeadLetterKept has them. */
export interface DeadLetterRedriven {
  subject: string
  deadLetterId: string
  service: string
  version: number
  topic: string
  partition: number
  offset: number
  messageId: string | null
  messageName: string
  reason: string
  correlationId: string
  diedAt: Instant
  redrives: number
  redrivesLeft: number
  operationId: string | null
}

/** A dead letter was not redriven, or not rehearsed. redrive_limit: it died again as often as it may; redrive_under_way: its copy has not been handled yet. */
export interface DeadLetterRefused {
  subject: string
  deadLetterId: string
  service: string
  operationId: string
  reason: 'unknown' | 'not_found' | 'redrive_limit' | 'redrive_under_way'
}

/** What a dead letter would do if it were redriven now. Nothing of it happened. Bodies and requests are JSON, never a secret: of bytes their number. */
export interface DeadLetterRehearsed {
  subject: string
  deadLetterId: string
  service: string
  operationId: string
  succeeds: boolean
  reason: string | null
  says: { name: string; body: string }[]
  calls: { name: string; request: string }[]
  changes: { table: string; verb: string; rows: number }[]
}

/** Send a dead letter's record again, as it was. Asked of the service that it names, and carried out by its runtime. Answered by DeadLetterRedriven, DeadLetterKept or DeadLetterRefused. */
export interface RedriveDeadLetter {
  subject: string
  service: string
  deadLetterId: string
  operationId: string
  actor: string
}

/** Show what a dead letter would do now, in a transaction that is rolled back. Asked of the service that it names. Answered by DeadLetterRehearsed or DeadLetterRefused. */
export interface RehearseDeadLetter {
  subject: string
  service: string
  deadLetterId: string
  operationId: string
  actor: string
}

/** Every message from the request, or the due term, to the entry, with its place; and, of what was charged, the plan's version and the price that it was charged by. */
export interface EntryExplained {
  userId: UserId
  operationId: string
  entryId: string
  entryKind: string
  amount: Microdollars
  balanceBefore: Microdollars
  balanceAfter: Microdollars
  at: Instant
  description: string
  chargeId: string | null
  subscriptionId: string | null
  planId: string | null
  planVersion: number | null
  price: Microdollars | null
  period: string | null
  chain: {
    messageId: string
    messageName: string
    service: string
    messageTopic: string
    partition: number
    offset: number
    at: Instant
    causeId: string | null
  }[]
}

/** Not everything of which the entry comes has been heard. behind: it is on its way; ask again. */
export interface EntryUnexplained {
  userId: UserId
  operationId: string
  entryId: string
  reason: 'unknown' | 'behind'
}

/** Why is this entry on the user's statement? Answered by EntryExplained or EntryUnexplained. */
export interface ExplainEntry {
  userId: UserId
  operationId: string
  entryId: string
}

/** What holds and what does not, of everything that was said until checkedAt (wall clock). The topic is compacted: the last one stays. Read by version. `examples` are a few sentences; never a secret. */
export interface InvariantsChecked {
  auditor: string
  version: number
  checkedAt: Instant
  checks: { check: string; violations: number; examples: string[] }[]
}

/** Move the test clock to an instant, or by an ISO-8601 duration, and wait until all it caused is done. Answered by ClockAdvanced or ClockRefused. */
export interface AdvanceClock {
  clock: string
  operationId: string
  to: Instant | null
  by: string | null
  actor: string
  outage: boolean
}

/** What was due up to asOf and answered since the tick was asked for. */
export interface BillingTicked {
  clock: string
  operationId: string
  asOf: Instant
  renewed: number
  ended: number
  pastDue: number
  recovered: number
  topUps: number
  duplicates: number
  errors: number
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

/** The grace of an unpaid term is over: a last attempt, then the end (REN-6). Business time of the message = the deadline; asOf = when it was said. Answered by SubscriptionRenewed, SubscriptionEnded, SubscriptionPastDue or DueIgnored. */
export interface GraceEnded {
  userId: UserId
  subscriptionId: string
  boundary: Instant
  deadline: Instant
  asOf: Instant
}

/** A live term reached its end. Business time of the message = the boundary; asOf = when it was said. Answered by SubscriptionRenewed, SubscriptionEnded, DueIgnored or CommandFailed. */
export interface PeriodEnded {
  userId: UserId
  subscriptionId: string
  boundary: Instant
  asOf: Instant
}

/** A term ends soon (REN-9). Answered by RenewingSoon or DueIgnored. */
export interface RenewalDueSoon {
  userId: UserId
  subscriptionId: string
  boundary: Instant
  at: Instant
  asOf: Instant
}

/** Count what comes of what is due, until it is all answered or the wait ends. Answered by BillingTicked. */
export interface RunBillingTick {
  clock: string
  operationId: string
  waitMilliseconds: number
}

/** The wait for the outcome of a top-up is over (TOP-2). Business time of the message = the deadline; asOf = when it was said. Answered by SubscriptionRenewed, SubscriptionEnded, SubscriptionPastDue or DueIgnored. */
export interface TopUpWaitEnded {
  userId: UserId
  subscriptionId: string
  boundary: Instant
  deadline: Instant
  asOf: Instant
}

/** The account is closed; what was left on it stays there, anonymous. */
export interface AccountClosed {
  userId: UserId
  operationId: string
  balance: Microdollars
  version: number
}

/** The settings stay as they were: to enable, amount and method are needed; a method belongs to its user. */
export interface AutoTopUpRefused {
  userId: UserId
  operationId: string
  reason: 'unknown' | 'incomplete' | 'method_not_yours' | 'user_deleted'
}

/** The settings of the automatic top-up as they are now. Without an operation: a declined payment switched it off (TOP-3). */
export interface AutoTopUpSet {
  userId: UserId
  operationId: string | null
  enabled: boolean
  amount: Microdollars
  paymentMethodId: string | null
  at: Instant
  version: number
}

/** More is available to this user, by any cause (REN-6). */
export interface AvailableIncreased {
  userId: UserId
  available: Microdollars
  version: number
  cause: 'unknown' | 'grant' | 'payment' | 'adjustment' | 'top_up' | 'refund' | 'release'
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

/** Take no more holds and settings of this user, drop those that are (GDP-1). Answered by AccountClosed. */
export interface CloseAccount {
  userId: UserId
  operationId: string
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

/** No credits are posted to a user who is deleted, or whose accounts could not carry them. */
export interface CreditsRefused {
  userId: UserId
  operationId: string
  reason: 'unknown' | 'user_deleted' | 'too_much'
}

/** An automatic top-up was paid: one entry of the statement. */
export interface CreditsToppedUp {
  userId: UserId
  topUpId: string
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
  reason: 'unknown' | 'insufficient_credits' | 'user_deleted'
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

/** A payment that came after its user was deleted was given back (GDP-1). */
export interface PaymentReturned {
  userId: UserId
  topUpId: string
  amount: Microdollars
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

/** Settings of the automatic top-up; absent: as before (TOP-1). Answered by AutoTopUpSet or AutoTopUpRefused, once the payment service has said whose a named method is. */
export interface SetAutoTopUp {
  userId: UserId
  operationId: string
  enabled: boolean
  amount: Microdollars | null
  paymentMethodId: string | null
}

/** Whose the named payment method is, as the payment service says; the ledger asks it of itself. Answered by AutoTopUpSet or AutoTopUpRefused. */
export interface SettleAutoTopUp {
  userId: UserId
  operationId: string
  outcome: 'unknown' | 'yours' | 'not_yours'
  customerId: string | null
}

/** What the payment service said of a top-up; the ledger asks it of itself. Answered by CreditsToppedUp or TopUpDeclined. */
export interface SettleTopUp {
  userId: UserId
  topUpId: string
  outcome: 'unknown' | 'paid' | 'declined'
  paymentId: string | null
}

/** Pay what is missing for due terms with the stored method, once per top-up (TOP-2). Answered by CreditsToppedUp or TopUpDeclined; by TopUpUnanswered first if the call was given up. */
export interface TopUpCredits {
  userId: UserId
  topUpId: string
  shortfall: Microdollars
}

/** No credits came. off: it is switched off, and this was no attempt; declined: by the payment service. */
export interface TopUpDeclined {
  userId: UserId
  topUpId: string
  reason: 'unknown' | 'off' | 'declined' | 'user_deleted'
  at: Instant
}

/** The payment call was given up, its outcome is unknown; it is asked again under the same key until it is known. */
export interface TopUpUnanswered {
  userId: UserId
  topUpId: string
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
  termEndsAt: Instant | null
  graceHours: number
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

/** What a user may use at a provider now (SLT-4): told by its own version to any model gateway; the topic is compacted, and `none` is a value. `keyReference`: the stock's key, or the slot that holds the user's own; never a secret. `validUntil`: access ends there unless a newer one says more; null: a user's own key has no end. */
export interface EntitlementChanged {
  userId: UserId
  providerId: string
  managedBy: 'unknown' | 'none' | 'user' | 'plan'
  keyReference: string | null
  subscriptionId: string | null
  enabled: boolean
  validUntil: Instant | null
  version: number
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
  reason: 'unknown' | 'slot_occupied' | 'sold_out' | 'user_deleted'
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
  stockVersion: number | null
}

/** Whether the key worked; null: this provider cannot be tried. */
export interface KeyTested {
  userId: UserId
  operationId: string
  providerId: string
  ok: boolean | null
}

/** No key and no slot names this user any more. */
export interface KeysUnlinked {
  userId: UserId
  operationId: string
  keys: number
  slots: number
  at: Instant
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

/** The key is not in a state from which this is possible. */
export interface RevocationRefused {
  planId: string
  operationId: string
  keyId: string
  reason: 'unknown' | 'not_found' | 'revocation_state'
  stockVersion: number | null
}

/** The state of a key in the revocation queue after an operator or the vendor answered. */
export interface RevocationSettled {
  planId: string
  operationId: string
  keyId: string
  outcome: 'unknown' | 'done' | 'failed' | 'requeue'
  stockVersion: number
}

/** What became of revoking a key at the vendor (INV-9). Answered by RevocationSettled or RevocationRefused. */
export interface SettleRevocation {
  planId: string
  operationId: string
  keyId: string
  outcome: 'unknown' | 'done' | 'failed' | 'requeue'
  reason: string | null
  actor: string
}

/** The slot is managed by a plan, or empty. */
export interface SlotChangeRefused {
  userId: UserId
  operationId: string
  providerId: string
  reason: 'unknown' | 'slot_managed' | 'not_found' | 'key_invalid' | 'sealing_key_unknown' | 'user_deleted'
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
    attempts: number
    lastError: string | null
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

/** Forget who had which key, empty the slots, take nothing more for this user (GDP-1). Answered by KeysUnlinked. */
export interface UnlinkKeys {
  userId: UserId
  operationId: string
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

/** Nothing of the user is left but the anonymous ledger. The report of the deletion. */
export interface AccountDeleted {
  userId: UserId
  operationId: string
  at: Instant
  endedSubscriptions: number
  unlinkedKeys: number
  removedSlots: number
  forgottenWishes: number
  remainingCredits: Microdollars
}

/** The user is deleted: from here on nothing begins for them any more. */
export interface AccountDeletionBegun {
  userId: UserId
  operationId: string
  at: Instant
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
  reason: 'unknown' | 'not_found' | 'not_cancelable' | 'user_deleted'
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

/** Days were given: the end moved and is the new anchor, and the status is active. A charge of nothing names who and why. */
export interface DaysGranted {
  userId: UserId
  operationId: string
  subscriptionId: string
  chargeId: string
  days: number
  periodStart: Instant
  currentPeriodEnd: Instant
  at: Instant
  actor: string
  reason: string
  cancelAtPeriodEnd: boolean
  version: number
}

/** Delete this user over all services (GDP-1). Answered by AccountDeletionBegun, and by AccountDeleted when nothing is left. */
export interface DeleteAccount {
  userId: UserId
  operationId: string
  actor: string
}

/** A due message was answered without a renewal or an end: the term had moved, or is being ended already. */
export interface DueIgnored {
  userId: UserId
  subscriptionId: string
  boundary: Instant
  what: 'unknown' | 'period_ended' | 'grace_ended' | 'top_up_wait_ended' | 'renewal_due_soon'
}

/** An operator gives days for nothing (EXT-6). Answered by DaysGranted or SubscriptionChangeRefused. */
export interface GrantDays {
  userId: UserId
  operationId: string
  subscriptionId: string
  days: number
  actor: string
  reason: string
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
    | 'user_deleted'
  required: Microdollars | null
  available: Microdollars | null
  accountVersion: number | null
  slotVersion: number | null
  stockVersion: number | null
  subscriptionId: string | null
  subscriptionVersion: number | null
}

/** The term ends soon and will be renewed for this amount (REN-9). Answers RenewalDueSoon. */
export interface RenewingSoon {
  userId: UserId
  subscriptionId: string
  boundary: Instant
  amount: Microdollars
  at: Instant
}

/** The plan is back: told to everyone who wished it, in the order of asking, once (RST-1). */
export interface RestockTold {
  planId: string
  userId: UserId
  at: Instant
  restock: number
}

/** No wish: the plan is unknown, can be bought, or is closed. Names the stock version that this rests on. */
export interface RestockWishRefused {
  planId: string
  userId: UserId
  operationId: string
  reason: 'unknown' | 'not_found' | 'plan_available' | 'plan_closed' | 'user_deleted'
  stockVersion: number | null
}

/** This user will not be told any more: asked for, bought meanwhile, or deleted (no operation). */
export interface RestockWishWithdrawn {
  planId: string
  userId: UserId
  operationId: string | null
  version: number
}

/** This user will be told when the plan is back. The version is that of the wish. */
export interface RestockWished {
  planId: string
  userId: UserId
  operationId: string
  at: Instant
  version: number
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
  wishVersion: number | null
}

/** There was nothing to change: unknown, ended, or being ended. */
export interface SubscriptionChangeRefused {
  userId: UserId
  operationId: string
  subscriptionId: string
  reason: 'unknown' | 'not_found' | 'not_cancelable' | 'user_deleted'
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
  stockVersion: number | null
}

/** The end has begun: access stops at this instant, the key is being removed. */
export interface SubscriptionEnding {
  userId: UserId
  subscriptionId: string
  accessUntil: Instant
  reason: 'unknown' | 'user_canceled' | 'insufficient_credits' | 'admin_terminated' | 'account_deleted' | 'dispute'
  version: number
}

/** One more period, of that version of the plan, was stacked on the end (EXT-1, CAT-5). Clears a cancellation scheduled before the purchase. */
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
  planId: string | null
  planVersion: number | null
}

/** The due term is not paid; access stays until graceEndsAt (REN-5). Answers the due message of this boundary. */
export interface SubscriptionPastDue {
  userId: UserId
  subscriptionId: string
  boundary: Instant
  graceEndsAt: Instant
  amount: Microdollars
  available: Microdollars
  version: number
  accountVersion: number
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
  periodStart: Instant | null
  recovered: boolean
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

/** The outcome of an automatic top-up is not known yet: the due term waits for it until then, with access (TOP-2). Answers the due message of this boundary. */
export interface TopUpAwaited {
  userId: UserId
  subscriptionId: string
  boundary: Instant
  until: Instant
  version: number
}

/** Tell this user when the plan is back (RST-1). Answered by RestockWished or RestockWishRefused. */
export interface WishRestock {
  planId: string
  userId: UserId
  operationId: string
}

/** No longer tell this user. Answered by RestockWishWithdrawn or RestockWishRefused. */
export interface WithdrawRestockWish {
  planId: string
  userId: UserId
  operationId: string
}

/** Message name → body. */
export interface Bodies {
  ActionAudited: ActionAudited
  CommandFailed: CommandFailed
  DeadLetterKept: DeadLetterKept
  DeadLetterRedriven: DeadLetterRedriven
  DeadLetterRefused: DeadLetterRefused
  DeadLetterRehearsed: DeadLetterRehearsed
  RedriveDeadLetter: RedriveDeadLetter
  RehearseDeadLetter: RehearseDeadLetter
  EntryExplained: EntryExplained
  EntryUnexplained: EntryUnexplained
  ExplainEntry: ExplainEntry
  InvariantsChecked: InvariantsChecked
  AdvanceClock: AdvanceClock
  BillingTicked: BillingTicked
  ClockAdvanced: ClockAdvanced
  ClockMoved: ClockMoved
  ClockRefused: ClockRefused
  GraceEnded: GraceEnded
  PeriodEnded: PeriodEnded
  RenewalDueSoon: RenewalDueSoon
  RunBillingTick: RunBillingTick
  TopUpWaitEnded: TopUpWaitEnded
  AccountClosed: AccountClosed
  AutoTopUpRefused: AutoTopUpRefused
  AutoTopUpSet: AutoTopUpSet
  AvailableIncreased: AvailableIncreased
  CaptureHold: CaptureHold
  CloseAccount: CloseAccount
  CreditsHeld: CreditsHeld
  CreditsPosted: CreditsPosted
  CreditsRefunded: CreditsRefunded
  CreditsRefused: CreditsRefused
  CreditsToppedUp: CreditsToppedUp
  HoldCaptured: HoldCaptured
  HoldCredits: HoldCredits
  HoldDeclined: HoldDeclined
  HoldReleased: HoldReleased
  PaymentReturned: PaymentReturned
  PostCredits: PostCredits
  RefundCredits: RefundCredits
  ReleaseHold: ReleaseHold
  SetAutoTopUp: SetAutoTopUp
  SettleAutoTopUp: SettleAutoTopUp
  SettleTopUp: SettleTopUp
  TopUpCredits: TopUpCredits
  TopUpDeclined: TopUpDeclined
  TopUpUnanswered: TopUpUnanswered
  AssignKey: AssignKey
  DeleteOwnKey: DeleteOwnKey
  EnableOwnKey: EnableOwnKey
  EntitlementChanged: EntitlementChanged
  KeyAssigned: KeyAssigned
  KeyDeclined: KeyDeclined
  KeyRemoved: KeyRemoved
  KeyTested: KeyTested
  KeysUnlinked: KeysUnlinked
  KeysUploaded: KeysUploaded
  PutOwnKey: PutOwnKey
  RemoveKey: RemoveKey
  RevocationRefused: RevocationRefused
  RevocationSettled: RevocationSettled
  SettleRevocation: SettleRevocation
  SlotChangeRefused: SlotChangeRefused
  SlotChanged: SlotChanged
  StockChanged: StockChanged
  StockLow: StockLow
  TestKey: TestKey
  UnlinkKeys: UnlinkKeys
  UploadKeys: UploadKeys
  UploadRefused: UploadRefused
  AccountDeleted: AccountDeleted
  AccountDeletionBegun: AccountDeletionBegun
  CancelSubscription: CancelSubscription
  CancellationRefused: CancellationRefused
  CancellationScheduled: CancellationScheduled
  CancellationUndone: CancellationUndone
  DaysGranted: DaysGranted
  DeleteAccount: DeleteAccount
  DueIgnored: DueIgnored
  GrantDays: GrantDays
  PlanPublished: PlanPublished
  PlanRefused: PlanRefused
  PublishPlan: PublishPlan
  PurchasePlan: PurchasePlan
  PurchaseRefused: PurchaseRefused
  RenewingSoon: RenewingSoon
  RestockTold: RestockTold
  RestockWishRefused: RestockWishRefused
  RestockWishWithdrawn: RestockWishWithdrawn
  RestockWished: RestockWished
  ResumeSubscription: ResumeSubscription
  SubscriptionActivated: SubscriptionActivated
  SubscriptionChangeRefused: SubscriptionChangeRefused
  SubscriptionEnded: SubscriptionEnded
  SubscriptionEnding: SubscriptionEnding
  SubscriptionExtended: SubscriptionExtended
  SubscriptionPastDue: SubscriptionPastDue
  SubscriptionRenewed: SubscriptionRenewed
  TerminateSubscription: TerminateSubscription
  TopUpAwaited: TopUpAwaited
  WishRestock: WishRestock
  WithdrawRestockWish: WithdrawRestockWish
}

/** Message name → who owns it, where it travels, by which field; `recordKey` on a compacted topic. A topic `*.events` is the events topic of whoever says it. */
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
  DeadLetterKept: {
    owner: 'any',
    kind: 'event',
    topic: '*.events',
    key: 'subject',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.any',
      name: 'DeadLetterKept',
      fields: [
        { name: 'subject', type: 'string' },
        { name: 'deadLetterId', type: 'string' },
        { name: 'service', type: 'string' },
        { name: 'version', type: 'long' },
        { name: 'topic', type: 'string' },
        { name: 'partition', type: 'int' },
        { name: 'offset', type: 'long' },
        { name: 'messageId', type: ['null', 'string'], default: null },
        { name: 'messageName', type: 'string' },
        { name: 'reason', type: 'string' },
        { name: 'correlationId', type: 'string' },
        { name: 'diedAt', type: { type: 'long', logicalType: 'instant' } },
        { name: 'redrives', type: 'int' },
        { name: 'redrivesLeft', type: 'int' },
        { name: 'operationId', type: ['null', 'string'], default: null },
      ],
    },
  },
  DeadLetterRedriven: {
    owner: 'any',
    kind: 'event',
    topic: '*.events',
    key: 'subject',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.any',
      name: 'DeadLetterRedriven',
      fields: [
        { name: 'subject', type: 'string' },
        { name: 'deadLetterId', type: 'string' },
        { name: 'service', type: 'string' },
        { name: 'version', type: 'long' },
        { name: 'topic', type: 'string' },
        { name: 'partition', type: 'int' },
        { name: 'offset', type: 'long' },
        { name: 'messageId', type: ['null', 'string'], default: null },
        { name: 'messageName', type: 'string' },
        { name: 'reason', type: 'string' },
        { name: 'correlationId', type: 'string' },
        { name: 'diedAt', type: { type: 'long', logicalType: 'instant' } },
        { name: 'redrives', type: 'int' },
        { name: 'redrivesLeft', type: 'int' },
        { name: 'operationId', type: ['null', 'string'], default: null },
      ],
    },
  },
  DeadLetterRefused: {
    owner: 'any',
    kind: 'event',
    topic: '*.events',
    key: 'subject',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.any',
      name: 'DeadLetterRefused',
      fields: [
        { name: 'subject', type: 'string' },
        { name: 'deadLetterId', type: 'string' },
        { name: 'service', type: 'string' },
        { name: 'operationId', type: 'string' },
        {
          name: 'reason',
          type: {
            type: 'enum',
            name: 'DeadLetterRefusal',
            symbols: ['unknown', 'not_found', 'redrive_limit', 'redrive_under_way'],
            default: 'unknown',
          },
        },
      ],
    },
  },
  DeadLetterRehearsed: {
    owner: 'any',
    kind: 'event',
    topic: '*.events',
    key: 'subject',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.any',
      name: 'DeadLetterRehearsed',
      fields: [
        { name: 'subject', type: 'string' },
        { name: 'deadLetterId', type: 'string' },
        { name: 'service', type: 'string' },
        { name: 'operationId', type: 'string' },
        { name: 'succeeds', type: 'boolean' },
        { name: 'reason', type: ['null', 'string'], default: null },
        {
          name: 'says',
          type: {
            type: 'array',
            items: {
              type: 'record',
              name: 'RehearsedMessage',
              fields: [
                { name: 'name', type: 'string' },
                { name: 'body', type: 'string' },
              ],
            },
          },
        },
        {
          name: 'calls',
          type: {
            type: 'array',
            items: {
              type: 'record',
              name: 'RehearsedCall',
              fields: [
                { name: 'name', type: 'string' },
                { name: 'request', type: 'string' },
              ],
            },
          },
        },
        {
          name: 'changes',
          type: {
            type: 'array',
            items: {
              type: 'record',
              name: 'RehearsedChange',
              fields: [
                { name: 'table', type: 'string' },
                { name: 'verb', type: 'string' },
                { name: 'rows', type: 'int' },
              ],
            },
          },
        },
      ],
    },
  },
  RedriveDeadLetter: {
    owner: 'any',
    kind: 'command',
    topic: 'any.commands',
    from: ['gateway'],
    key: 'subject',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.any',
      name: 'RedriveDeadLetter',
      fields: [
        { name: 'subject', type: 'string' },
        { name: 'service', type: 'string' },
        { name: 'deadLetterId', type: 'string' },
        { name: 'operationId', type: 'string' },
        { name: 'actor', type: 'string' },
      ],
    },
  },
  RehearseDeadLetter: {
    owner: 'any',
    kind: 'command',
    topic: 'any.commands',
    from: ['gateway'],
    key: 'subject',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.any',
      name: 'RehearseDeadLetter',
      fields: [
        { name: 'subject', type: 'string' },
        { name: 'service', type: 'string' },
        { name: 'deadLetterId', type: 'string' },
        { name: 'operationId', type: 'string' },
        { name: 'actor', type: 'string' },
      ],
    },
  },
  EntryExplained: {
    owner: 'auditor',
    kind: 'event',
    topic: 'auditor.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.auditor',
      name: 'EntryExplained',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'entryId', type: 'string' },
        { name: 'entryKind', type: 'string' },
        { name: 'amount', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'balanceBefore', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'balanceAfter', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
        { name: 'description', type: 'string' },
        { name: 'chargeId', type: ['null', 'string'], default: null },
        { name: 'subscriptionId', type: ['null', 'string'], default: null },
        { name: 'planId', type: ['null', 'string'], default: null },
        { name: 'planVersion', type: ['null', 'long'], default: null },
        { name: 'price', type: ['null', { type: 'long', logicalType: 'microdollars' }], default: null },
        { name: 'period', type: ['null', 'string'], default: null },
        {
          name: 'chain',
          type: {
            type: 'array',
            items: {
              type: 'record',
              name: 'ChainLink',
              fields: [
                { name: 'messageId', type: 'string' },
                { name: 'messageName', type: 'string' },
                { name: 'service', type: 'string' },
                { name: 'messageTopic', type: 'string' },
                { name: 'partition', type: 'int' },
                { name: 'offset', type: 'long' },
                { name: 'at', type: { type: 'long', logicalType: 'instant' } },
                { name: 'causeId', type: ['null', 'string'], default: null },
              ],
            },
          },
        },
      ],
    },
  },
  EntryUnexplained: {
    owner: 'auditor',
    kind: 'event',
    topic: 'auditor.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.auditor',
      name: 'EntryUnexplained',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'entryId', type: 'string' },
        {
          name: 'reason',
          type: { type: 'enum', name: 'UnexplainedReason', symbols: ['unknown', 'behind'], default: 'unknown' },
        },
      ],
    },
  },
  ExplainEntry: {
    owner: 'auditor',
    kind: 'command',
    topic: 'auditor.commands',
    from: ['gateway'],
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.auditor',
      name: 'ExplainEntry',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'entryId', type: 'string' },
      ],
    },
  },
  InvariantsChecked: {
    owner: 'auditor',
    kind: 'event',
    topic: 'auditor.invariants',
    key: 'auditor',
    recordKey: ['auditor'],
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.auditor',
      name: 'InvariantsChecked',
      fields: [
        { name: 'auditor', type: 'string' },
        { name: 'version', type: 'long' },
        { name: 'checkedAt', type: { type: 'long', logicalType: 'instant' } },
        {
          name: 'checks',
          type: {
            type: 'array',
            items: {
              type: 'record',
              name: 'InvariantCheck',
              fields: [
                { name: 'check', type: 'string' },
                { name: 'violations', type: 'int' },
                { name: 'examples', type: { type: 'array', items: 'string' } },
              ],
            },
          },
        },
      ],
    },
  },
  AdvanceClock: {
    owner: 'billing-scheduler',
    kind: 'command',
    topic: 'billing-scheduler.commands',
    from: ['gateway'],
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
        { name: 'outage', type: 'boolean', default: false },
      ],
    },
  },
  BillingTicked: {
    owner: 'billing-scheduler',
    kind: 'event',
    topic: 'billing-scheduler.events',
    key: 'clock',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.billing_scheduler',
      name: 'BillingTicked',
      fields: [
        { name: 'clock', type: 'string' },
        { name: 'operationId', type: 'string' },
        { name: 'asOf', type: { type: 'long', logicalType: 'instant' } },
        { name: 'renewed', type: 'int' },
        { name: 'ended', type: 'int' },
        { name: 'pastDue', type: 'int' },
        { name: 'recovered', type: 'int' },
        { name: 'topUps', type: 'int' },
        { name: 'duplicates', type: 'int' },
        { name: 'errors', type: 'int' },
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
  GraceEnded: {
    owner: 'billing-scheduler',
    kind: 'event',
    topic: 'billing-scheduler.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.billing_scheduler',
      name: 'GraceEnded',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'subscriptionId', type: 'string' },
        { name: 'boundary', type: { type: 'long', logicalType: 'instant' } },
        { name: 'deadline', type: { type: 'long', logicalType: 'instant' } },
        { name: 'asOf', type: { type: 'long', logicalType: 'instant' } },
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
  RenewalDueSoon: {
    owner: 'billing-scheduler',
    kind: 'event',
    topic: 'billing-scheduler.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.billing_scheduler',
      name: 'RenewalDueSoon',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'subscriptionId', type: 'string' },
        { name: 'boundary', type: { type: 'long', logicalType: 'instant' } },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
        { name: 'asOf', type: { type: 'long', logicalType: 'instant' } },
      ],
    },
  },
  RunBillingTick: {
    owner: 'billing-scheduler',
    kind: 'command',
    topic: 'billing-scheduler.commands',
    from: ['gateway'],
    key: 'clock',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.billing_scheduler',
      name: 'RunBillingTick',
      fields: [
        { name: 'clock', type: 'string' },
        { name: 'operationId', type: 'string' },
        { name: 'waitMilliseconds', type: 'long', default: 10000, doc: 'Wall clock, from when it is handled.' },
      ],
    },
  },
  TopUpWaitEnded: {
    owner: 'billing-scheduler',
    kind: 'event',
    topic: 'billing-scheduler.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.billing_scheduler',
      name: 'TopUpWaitEnded',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'subscriptionId', type: 'string' },
        { name: 'boundary', type: { type: 'long', logicalType: 'instant' } },
        { name: 'deadline', type: { type: 'long', logicalType: 'instant' } },
        { name: 'asOf', type: { type: 'long', logicalType: 'instant' } },
      ],
    },
  },
  AccountClosed: {
    owner: 'credits-ledger',
    kind: 'event',
    topic: 'credits-ledger.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'AccountClosed',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'balance', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'version', type: 'long' },
      ],
    },
  },
  AutoTopUpRefused: {
    owner: 'credits-ledger',
    kind: 'event',
    topic: 'credits-ledger.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'AutoTopUpRefused',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        {
          name: 'reason',
          type: {
            type: 'enum',
            name: 'AutoTopUpRefusal',
            symbols: ['unknown', 'incomplete', 'method_not_yours', 'user_deleted'],
            default: 'unknown',
          },
        },
      ],
    },
  },
  AutoTopUpSet: {
    owner: 'credits-ledger',
    kind: 'event',
    topic: 'credits-ledger.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'AutoTopUpSet',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: ['null', 'string'], default: null },
        { name: 'enabled', type: 'boolean' },
        { name: 'amount', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'paymentMethodId', type: ['null', 'string'], default: null },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
        { name: 'version', type: 'long' },
      ],
    },
  },
  AvailableIncreased: {
    owner: 'credits-ledger',
    kind: 'event',
    topic: 'credits-ledger.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'AvailableIncreased',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'available', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'version', type: 'long' },
        {
          name: 'cause',
          type: {
            type: 'enum',
            name: 'IncreaseCause',
            symbols: ['unknown', 'grant', 'payment', 'adjustment', 'top_up', 'refund', 'release'],
            default: 'unknown',
          },
        },
      ],
    },
  },
  CaptureHold: {
    owner: 'credits-ledger',
    kind: 'command',
    topic: 'credits-ledger.commands',
    from: ['subscription'],
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
  CloseAccount: {
    owner: 'credits-ledger',
    kind: 'command',
    topic: 'credits-ledger.commands',
    from: ['subscription'],
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'CloseAccount',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
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
  CreditsRefused: {
    owner: 'credits-ledger',
    kind: 'event',
    topic: 'credits-ledger.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'CreditsRefused',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        {
          name: 'reason',
          type: {
            type: 'enum',
            name: 'CreditsRefusal',
            symbols: ['unknown', 'user_deleted', 'too_much'],
            default: 'unknown',
          },
        },
      ],
    },
  },
  CreditsToppedUp: {
    owner: 'credits-ledger',
    kind: 'event',
    topic: 'credits-ledger.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'CreditsToppedUp',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'topUpId', type: 'string' },
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
    from: ['subscription'],
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
          type: {
            type: 'enum',
            name: 'HoldRefusal',
            symbols: ['unknown', 'insufficient_credits', 'user_deleted'],
            default: 'unknown',
          },
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
  PaymentReturned: {
    owner: 'credits-ledger',
    kind: 'event',
    topic: 'credits-ledger.events',
    key: 'userId',
    public: true,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'PaymentReturned',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'topUpId', type: 'string' },
        { name: 'amount', type: { type: 'long', logicalType: 'microdollars' } },
      ],
    },
  },
  PostCredits: {
    owner: 'credits-ledger',
    kind: 'command',
    topic: 'credits-ledger.commands',
    from: ['gateway'],
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
    from: ['subscription'],
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
    from: ['subscription'],
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
  SetAutoTopUp: {
    owner: 'credits-ledger',
    kind: 'command',
    topic: 'credits-ledger.commands',
    from: ['gateway'],
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'SetAutoTopUp',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'enabled', type: 'boolean' },
        { name: 'amount', type: ['null', { type: 'long', logicalType: 'microdollars' }], default: null },
        { name: 'paymentMethodId', type: ['null', 'string'], default: null },
      ],
    },
  },
  SettleAutoTopUp: {
    owner: 'credits-ledger',
    kind: 'command',
    topic: 'credits-ledger.commands',
    from: ['credits-ledger'],
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'SettleAutoTopUp',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        {
          name: 'outcome',
          type: {
            type: 'enum',
            name: 'MethodOwnership',
            symbols: ['unknown', 'yours', 'not_yours'],
            default: 'unknown',
          },
        },
        { name: 'customerId', type: ['null', 'string'], default: null },
      ],
    },
  },
  SettleTopUp: {
    owner: 'credits-ledger',
    kind: 'command',
    topic: 'credits-ledger.commands',
    from: ['credits-ledger'],
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'SettleTopUp',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'topUpId', type: 'string' },
        {
          name: 'outcome',
          type: { type: 'enum', name: 'PaymentOutcome', symbols: ['unknown', 'paid', 'declined'], default: 'unknown' },
        },
        { name: 'paymentId', type: ['null', 'string'], default: null },
      ],
    },
  },
  TopUpCredits: {
    owner: 'credits-ledger',
    kind: 'command',
    topic: 'credits-ledger.commands',
    from: ['subscription'],
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'TopUpCredits',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'topUpId', type: 'string' },
        { name: 'shortfall', type: { type: 'long', logicalType: 'microdollars' } },
      ],
    },
  },
  TopUpDeclined: {
    owner: 'credits-ledger',
    kind: 'event',
    topic: 'credits-ledger.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'TopUpDeclined',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'topUpId', type: 'string' },
        {
          name: 'reason',
          type: {
            type: 'enum',
            name: 'TopUpRefusal',
            symbols: ['unknown', 'off', 'declined', 'user_deleted'],
            default: 'unknown',
          },
        },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
      ],
    },
  },
  TopUpUnanswered: {
    owner: 'credits-ledger',
    kind: 'event',
    topic: 'credits-ledger.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.credits_ledger',
      name: 'TopUpUnanswered',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'topUpId', type: 'string' },
      ],
    },
  },
  AssignKey: {
    owner: 'key-inventory',
    kind: 'command',
    topic: 'key-inventory.commands',
    from: ['subscription'],
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
        { name: 'termEndsAt', type: ['null', { type: 'long', logicalType: 'instant' }], default: null },
        { name: 'graceHours', type: 'int', default: 0 },
      ],
    },
  },
  DeleteOwnKey: {
    owner: 'key-inventory',
    kind: 'command',
    topic: 'key-inventory.commands',
    from: ['gateway'],
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
    from: ['gateway'],
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
  EntitlementChanged: {
    owner: 'key-inventory',
    kind: 'event',
    topic: 'key-inventory.entitlements',
    key: 'userId',
    recordKey: ['userId', 'providerId'],
    public: true,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'EntitlementChanged',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'providerId', type: 'string' },
        {
          name: 'managedBy',
          type: { type: 'enum', name: 'EntitledBy', symbols: ['unknown', 'none', 'user', 'plan'], default: 'unknown' },
        },
        { name: 'keyReference', type: ['null', 'string'], default: null },
        { name: 'subscriptionId', type: ['null', 'string'], default: null },
        { name: 'enabled', type: 'boolean' },
        { name: 'validUntil', type: ['null', { type: 'long', logicalType: 'instant' }], default: null },
        { name: 'version', type: 'long' },
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
            symbols: ['unknown', 'slot_occupied', 'sold_out', 'user_deleted'],
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
        { name: 'stockVersion', type: ['null', 'long'], default: null, doc: "Of the key's plan, which this changes." },
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
  KeysUnlinked: {
    owner: 'key-inventory',
    kind: 'event',
    topic: 'key-inventory.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'KeysUnlinked',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'keys', type: 'int' },
        { name: 'slots', type: 'int' },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
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
    from: ['gateway'],
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
    from: ['subscription'],
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
  RevocationRefused: {
    owner: 'key-inventory',
    kind: 'event',
    topic: 'key-inventory.events',
    key: 'planId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'RevocationRefused',
      fields: [
        { name: 'planId', type: 'string' },
        { name: 'operationId', type: 'string' },
        { name: 'keyId', type: 'string' },
        {
          name: 'reason',
          type: {
            type: 'enum',
            name: 'RevocationRefusal',
            symbols: ['unknown', 'not_found', 'revocation_state'],
            default: 'unknown',
          },
        },
        { name: 'stockVersion', type: ['null', 'long'], default: null },
      ],
    },
  },
  RevocationSettled: {
    owner: 'key-inventory',
    kind: 'event',
    topic: 'key-inventory.events',
    key: 'planId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'RevocationSettled',
      fields: [
        { name: 'planId', type: 'string' },
        { name: 'operationId', type: 'string' },
        { name: 'keyId', type: 'string' },
        {
          name: 'outcome',
          type: {
            type: 'enum',
            name: 'RevocationOutcome',
            symbols: ['unknown', 'done', 'failed', 'requeue'],
            default: 'unknown',
          },
        },
        { name: 'stockVersion', type: 'long' },
      ],
    },
  },
  SettleRevocation: {
    owner: 'key-inventory',
    kind: 'command',
    topic: 'key-inventory.commands',
    from: ['gateway'],
    key: 'planId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'SettleRevocation',
      fields: [
        { name: 'planId', type: 'string' },
        { name: 'operationId', type: 'string' },
        { name: 'keyId', type: 'string' },
        {
          name: 'outcome',
          type: {
            type: 'enum',
            name: 'RevocationOutcome',
            symbols: ['unknown', 'done', 'failed', 'requeue'],
            default: 'unknown',
          },
        },
        { name: 'reason', type: ['null', 'string'], default: null },
        { name: 'actor', type: 'string' },
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
            symbols: ['unknown', 'slot_managed', 'not_found', 'key_invalid', 'sealing_key_unknown', 'user_deleted'],
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
                { name: 'attempts', type: 'int', default: 0 },
                { name: 'lastError', type: ['null', 'string'], default: null },
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
    from: ['gateway'],
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
  UnlinkKeys: {
    owner: 'key-inventory',
    kind: 'command',
    topic: 'key-inventory.commands',
    from: ['subscription'],
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.key_inventory',
      name: 'UnlinkKeys',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
      ],
    },
  },
  UploadKeys: {
    owner: 'key-inventory',
    kind: 'command',
    topic: 'key-inventory.uploads',
    from: ['gateway'],
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
  AccountDeleted: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'AccountDeleted',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
        { name: 'endedSubscriptions', type: 'int' },
        { name: 'unlinkedKeys', type: 'int' },
        { name: 'removedSlots', type: 'int' },
        { name: 'forgottenWishes', type: 'int' },
        { name: 'remainingCredits', type: { type: 'long', logicalType: 'microdollars' } },
      ],
    },
  },
  AccountDeletionBegun: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'AccountDeletionBegun',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
      ],
    },
  },
  CancelSubscription: {
    owner: 'subscription',
    kind: 'command',
    topic: 'subscription.commands',
    from: ['gateway'],
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
            symbols: ['unknown', 'not_found', 'not_cancelable', 'user_deleted'],
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
  DaysGranted: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'DaysGranted',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
        { name: 'chargeId', type: 'string' },
        { name: 'days', type: 'int' },
        { name: 'periodStart', type: { type: 'long', logicalType: 'instant' } },
        { name: 'currentPeriodEnd', type: { type: 'long', logicalType: 'instant' } },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
        { name: 'actor', type: 'string' },
        { name: 'reason', type: 'string' },
        { name: 'cancelAtPeriodEnd', type: 'boolean' },
        { name: 'version', type: 'long' },
      ],
    },
  },
  DeleteAccount: {
    owner: 'subscription',
    kind: 'command',
    topic: 'subscription.commands',
    from: ['gateway'],
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'DeleteAccount',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'actor', type: 'string' },
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
        {
          name: 'what',
          type: {
            type: 'enum',
            name: 'DueKind',
            symbols: ['unknown', 'period_ended', 'grace_ended', 'top_up_wait_ended', 'renewal_due_soon'],
            default: 'unknown',
          },
          default: 'unknown',
        },
      ],
    },
  },
  GrantDays: {
    owner: 'subscription',
    kind: 'command',
    topic: 'subscription.commands',
    from: ['gateway'],
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'GrantDays',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'subscriptionId', type: 'string' },
        { name: 'days', type: 'int' },
        { name: 'actor', type: 'string' },
        { name: 'reason', type: 'string' },
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
    from: ['gateway'],
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
    from: ['gateway'],
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
              'user_deleted',
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
  RenewingSoon: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'RenewingSoon',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'subscriptionId', type: 'string' },
        { name: 'boundary', type: { type: 'long', logicalType: 'instant' } },
        { name: 'amount', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
      ],
    },
  },
  RestockTold: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'planId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'RestockTold',
      fields: [
        { name: 'planId', type: 'string' },
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
        { name: 'restock', type: 'long', doc: "Which of the plan's restocks, counted from 1." },
      ],
    },
  },
  RestockWishRefused: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'planId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'RestockWishRefused',
      fields: [
        { name: 'planId', type: 'string' },
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        {
          name: 'reason',
          type: {
            type: 'enum',
            name: 'RestockWishRefusal',
            symbols: ['unknown', 'not_found', 'plan_available', 'plan_closed', 'user_deleted'],
            default: 'unknown',
          },
        },
        { name: 'stockVersion', type: ['null', 'long'], default: null },
      ],
    },
  },
  RestockWishWithdrawn: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'planId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'RestockWishWithdrawn',
      fields: [
        { name: 'planId', type: 'string' },
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: ['null', 'string'], default: null },
        { name: 'version', type: 'long' },
      ],
    },
  },
  RestockWished: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'planId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'RestockWished',
      fields: [
        { name: 'planId', type: 'string' },
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
        { name: 'at', type: { type: 'long', logicalType: 'instant' } },
        { name: 'version', type: 'long' },
      ],
    },
  },
  ResumeSubscription: {
    owner: 'subscription',
    kind: 'command',
    topic: 'subscription.commands',
    from: ['gateway'],
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
        {
          name: 'wishVersion',
          type: ['null', 'long'],
          default: null,
          doc: "Of the buyer's restock wish, which this clears.",
        },
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
            symbols: ['unknown', 'not_found', 'not_cancelable', 'user_deleted'],
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
        {
          name: 'stockVersion',
          type: ['null', 'long'],
          default: null,
          doc: "Of its plan's stock, which the removal of the key changed.",
        },
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
        { name: 'planId', type: ['null', 'string'], default: null },
        { name: 'planVersion', type: ['null', 'int'], default: null },
      ],
    },
  },
  SubscriptionPastDue: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'SubscriptionPastDue',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'subscriptionId', type: 'string' },
        { name: 'boundary', type: { type: 'long', logicalType: 'instant' } },
        { name: 'graceEndsAt', type: { type: 'long', logicalType: 'instant' } },
        { name: 'amount', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'available', type: { type: 'long', logicalType: 'microdollars' } },
        { name: 'version', type: 'long' },
        { name: 'accountVersion', type: 'long' },
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
        { name: 'periodStart', type: ['null', { type: 'long', logicalType: 'instant' }], default: null },
        { name: 'recovered', type: 'boolean', default: false },
      ],
    },
  },
  TerminateSubscription: {
    owner: 'subscription',
    kind: 'command',
    topic: 'subscription.commands',
    from: ['gateway'],
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
  TopUpAwaited: {
    owner: 'subscription',
    kind: 'event',
    topic: 'subscription.events',
    key: 'userId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'TopUpAwaited',
      fields: [
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'subscriptionId', type: 'string' },
        { name: 'boundary', type: { type: 'long', logicalType: 'instant' } },
        { name: 'until', type: { type: 'long', logicalType: 'instant' } },
        { name: 'version', type: 'long' },
      ],
    },
  },
  WishRestock: {
    owner: 'subscription',
    kind: 'command',
    topic: 'subscription.commands',
    from: ['gateway'],
    key: 'planId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'WishRestock',
      fields: [
        { name: 'planId', type: 'string' },
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
      ],
    },
  },
  WithdrawRestockWish: {
    owner: 'subscription',
    kind: 'command',
    topic: 'subscription.commands',
    from: ['gateway'],
    key: 'planId',
    public: false,
    schema: {
      type: 'record',
      namespace: 'codingplans.subscription',
      name: 'WithdrawRestockWish',
      fields: [
        { name: 'planId', type: 'string' },
        { name: 'userId', type: { type: 'string', logicalType: 'user-id' } },
        { name: 'operationId', type: 'string' },
      ],
    },
  },
} as const
