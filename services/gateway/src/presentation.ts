import type { DeadLetterRehearsed } from '@coding-plans/schemas'
import { iso, isoOrNull } from './instants.ts'
import { stepsToShow } from './projections/steps.ts'
import type {
  AccountRow,
  AuditRow,
  AutoTopUpRow,
  ChargeRow,
  DeadLetterRow,
  KeyRow,
  MovementRow,
  NotificationRow,
  OfferedPlan,
  ShownOperation,
  ShownSubscription,
  SlotRow,
  Step,
  StockByPlan,
} from './rows.ts'

/** Rows become the shapes of the contract. No rule of the business is judged here: what is shown was told by events. */

const availability = ({ saleState, available, sellableUntil }: OfferedPlan, now: number) => {
  if (saleState !== 'open') return 'closed'
  return available === 0 || (sellableUntil !== null && sellableUntil <= now) ? 'sold_out' : 'available'
}

export const showPlan = (plan: OfferedPlan, now: number, restockWish = false) => ({
  id: plan.planId,
  providerId: plan.providerId,
  providerName: plan.providerName,
  name: plan.name,
  features: plan.features,
  models: plan.models,
  priceMicrodollars: plan.price,
  period: { unit: plan.periodUnit, count: plan.periodCount },
  availability: availability(plan, now),
  restockWish,
  credentialPolicy: {
    ownership: plan.ownership,
    reveal: plan.reveal,
    upstreamRevocation: plan.upstreamRevocation,
  },
  repurchase: plan.repurchase,
  graceHours: plan.graceHours,
})

export const showOperatorPlan = (plan: OfferedPlan, now: number) => ({
  ...showPlan(plan, now),
  version: plan.version,
  saleState: plan.saleState,
  maxPrepaidPeriods: plan.maxPrepaidPeriods,
  lowStockThreshold: plan.lowStockThreshold,
  position: plan.position,
  publishedBy: plan.publishedBy,
  publishedAt: iso(plan.publishedAt),
})

/** Until when there is access: what begins to end, or has, says so itself; else the grace, a wait, or the term. */
const accessUntil = ({
  endedAt,
  accessUntil,
  status,
  graceEndsAt,
  awaitedUntil,
  currentPeriodEnd,
}: ShownSubscription) =>
  endedAt ?? accessUntil ?? (status === 'past_due' ? graceEndsAt : awaitedUntil) ?? currentPeriodEnd

export const showSubscription = (row: ShownSubscription) => {
  const live = row.status === 'active' && row.accessUntil === null
  return {
    id: row.id,
    userId: row.userId,
    planId: row.planId,
    planName: row.planName,
    providerId: row.providerId,
    status: row.status,
    cancelAtPeriodEnd: row.cancelAtPeriodEnd,
    priceMicrodollars: row.price,
    period: { unit: row.periodUnit, count: row.periodCount },
    currentPeriodStart: iso(row.currentPeriodStart),
    currentPeriodEnd: iso(row.currentPeriodEnd),
    accessUntil: iso(accessUntil(row)),
    renewsAt: live && !row.cancelAtPeriodEnd ? iso(row.currentPeriodEnd) : null,
    graceEndsAt: row.status === 'past_due' ? isoOrNull(row.graceEndsAt) : null,
    endedAt: isoOrNull(row.endedAt),
    endReason: row.endReason,
    previousSubscriptionId: row.previousSubscriptionId,
    createdAt: iso(row.createdAt),
  }
}

export const showCharge = (row: ChargeRow) => ({
  id: row.id,
  kind: row.kind,
  amountMicrodollars: row.amount,
  periodStart: iso(row.periodStart),
  periodEnd: iso(row.periodEnd),
  at: iso(row.at),
  description: row.description,
})

export const showEntry = (row: MovementRow) => ({
  id: row.entryId ?? '',
  at: iso(row.at),
  kind: row.kind,
  amountMicrodollars: row.amount,
  balanceAfterMicrodollars: row.balanceAfter,
  description: row.description ?? '',
  subscriptionId: row.subscriptionId,
  chargeId: row.chargeId,
})

const noCredits = { balance: 0, held: 0 }
const neverSet = { enabled: false, amount: 0, paymentMethodId: null }

/** Nothing known of a user, or of how they top up, is shown as if it were set to nothing. */
export const showCredits = (
  account: Pick<AccountRow, 'balance' | 'held'> | null | undefined,
  autoTopUp: Omit<AutoTopUpRow, 'userId' | 'version'> | null | undefined,
) => {
  const { balance, held } = account ?? noCredits
  const { enabled, amount, paymentMethodId } = autoTopUp ?? neverSet
  return {
    balanceMicrodollars: balance,
    heldMicrodollars: held,
    availableMicrodollars: balance - held,
    autoTopUp: { enabled, amountMicrodollars: amount, paymentMethodId },
  }
}

export const showNotification = (row: NotificationRow) => ({
  id: row.id,
  at: iso(row.at),
  kind: row.kind,
  subscriptionId: row.subscriptionId,
  planId: row.planId,
  data: row.data,
})

export const showSlot = (row: SlotRow) => ({
  providerId: row.providerId,
  managedBy: row.managedBy,
  subscriptionId: row.subscriptionId,
  enabled: row.enabled,
  maskedKey: row.maskedKey ?? '',
  createdAt: iso(row.createdAt),
  updatedAt: iso(row.updatedAt),
})

export const showStep = ({ name, service, at, detail }: Step) => ({ name, service, at: iso(at), detail })

/** While an outcome cannot be read elsewhere it is not told here: the operation is pending. */
export const showOperation = (operation: ShownOperation) => {
  const { visible, outcome, answer, finishedAt } = operation
  return {
    id: operation.id,
    kind: operation.kind,
    status: visible && outcome !== null ? outcome : ('pending' as const),
    startedAt: iso(operation.startedAt),
    finishedAt: visible ? isoOrNull(finishedAt) : null,
    steps: stepsToShow(operation).map(showStep),
    result: visible && outcome === 'succeeded' ? (answer ?? null) : null,
    problem: visible && outcome !== 'succeeded' ? answer : null,
  }
}
export type OperationBody = ReturnType<typeof showOperation>

export const showStock = (row: StockByPlan) => ({
  planId: row.planId,
  providerId: row.providerId,
  counts: {
    available: row.available,
    quarantined: row.quarantined,
    assigned: row.assigned,
    revocation_pending: row.revocationPending,
    revoked: row.revoked,
    revocation_failed: row.revocationFailed,
    retired: row.retired,
  },
  waiting: row.waiting,
})

export const showKey = (row: KeyRow) => ({
  id: row.keyId,
  planId: row.planId,
  state: row.state,
  upstreamPlanId: row.upstreamPlanId,
  uploadedAt: iso(row.uploadedAt),
  assignedAt: isoOrNull(row.assignedAt),
  subscriptionId: row.subscriptionId,
  attempts: row.attempts,
  lastError: row.lastError,
})

const parsed = (json: string | null): unknown => {
  if (json === null) return null
  try {
    return JSON.parse(json)
  } catch {
    return json
  }
}

export const showAudit = (row: AuditRow) => ({
  id: row.id,
  at: iso(row.at),
  actor: row.actor,
  action: row.action,
  target: row.target,
  before: parsed(row.before),
  after: parsed(row.after),
  reason: row.reason,
})

export const showDeadLetter = (row: DeadLetterRow) => ({
  id: row.id,
  service: row.service,
  topic: row.topic,
  partition: row.partition,
  offset: row.recordOffset,
  messageId: row.messageId,
  messageName: row.messageName,
  subject: row.subject,
  reason: row.reason,
  at: iso(row.diedAt),
  redrives: row.redrives,
  redrivesLeft: row.redrivesLeft,
  state: row.state,
  correlationId: row.correlationId,
})

export const showRehearsal = ({ succeeds, reason, says, calls, changes }: DeadLetterRehearsed) => ({
  succeeds,
  reason,
  // JSON as text: these are a message's words, with its own instants and money, not the contract's.
  says,
  calls,
  changes,
})
