import type { Message } from '@coding-plans/runtime'
import { iso } from '../instants.ts'
import { showCharge, showSubscription } from '../presentation.ts'
import { refusalOf } from '../refusals.ts'
import type { ChargeRow, SubscriptionRow } from '../rows.ts'
import type { ReadModels } from './models.ts'
import { notify } from './notifications.ts'
import { refuse, succeed } from './operations.ts'

interface Told {
  readonly userId: string
  readonly subscriptionId: string
  readonly version: number
}

/**
 * The row that this event speaks of, and whether it tells anything newer; null: of one who is forgotten.
 * @throws for a subscription never heard of.
 */
const rowFor = (models: ReadModels, { userId, subscriptionId, version }: Told) => {
  if (models.forgot(userId)) return null
  const row = models.subscriptions.get(subscriptionId)
  if (!row) throw new Error(`Subscription ${subscriptionId} was never activated.`)
  return { row, newer: version > row.version }
}

/** Show what is newer, and tell its user. Returns the row as it is shown then. */
const show = (
  models: ReadModels,
  known: { readonly row: SubscriptionRow; readonly newer: boolean },
  change: Partial<SubscriptionRow> & { readonly version: number },
  news?: Pick<Parameters<typeof notify>[1], 'kind' | 'at' | 'data'>,
): SubscriptionRow => {
  if (!known.newer) return known.row
  const next = { ...known.row, ...change }
  models.subscriptions.put(next)
  if (news) {
    const { id: subscriptionId, userId, planId, planName, providerId } = next
    const data = { planName, providerId, ...news.data }
    notify(models, { ...news, userId, subscriptionId, planId, about: change.version, data })
  }
  return next
}

/** The due term is paid, or there is none: nothing is unpaid, nothing awaited. */
const settled = { status: 'active', graceEndsAt: null, awaitedUntil: null } as const

const describe = (planName: string, start: number, end: number) =>
  `${planName}, ${iso(start).slice(0, 10)} to ${iso(end).slice(0, 10)}`

const charge = (row: SubscriptionRow, paid: Omit<ChargeRow, 'subscriptionId' | 'description'>): ChargeRow => ({
  ...paid,
  subscriptionId: row.id,
  description: describe(row.planName, paid.periodStart, paid.periodEnd),
})

export const activated = (models: ReadModels, message: Message<'SubscriptionActivated'>) => {
  const { body } = message
  if (models.forgot(body.userId)) return
  const row: SubscriptionRow = {
    id: body.subscriptionId,
    userId: body.userId,
    planId: body.planId,
    planName: body.planName,
    providerId: body.providerId,
    ...settled,
    cancelAtPeriodEnd: false,
    price: body.price,
    periodUnit: body.periodUnit,
    periodCount: body.periodCount,
    currentPeriodStart: body.currentPeriodStart,
    currentPeriodEnd: body.currentPeriodEnd,
    accessUntil: null,
    endedAt: null,
    endReason: null,
    previousSubscriptionId: body.previousSubscriptionId,
    createdAt: body.createdAt,
    version: body.version,
    purchasedBy: body.operationId,
    accountVersion: body.accountVersion,
    slotVersion: body.slotVersion,
    endSlotVersion: null,
  }
  const paid =
    body.chargeId === null
      ? null
      : charge(row, {
          id: body.chargeId,
          kind: 'activation',
          amount: body.price,
          periodStart: body.currentPeriodStart,
          periodEnd: body.currentPeriodEnd,
          at: body.createdAt,
        })
  const data = { priceMicrodollars: row.price, currentPeriodEnd: iso(row.currentPeriodEnd) }
  if (!models.subscriptions.get(row.id))
    show(models, { row, newer: true }, row, { kind: 'activated', at: row.createdAt, data })
  if (paid) models.charges.push(paid)
  const result = {
    operationId: body.operationId,
    kind: 'activation',
    subscription: showSubscription(row),
    charge: paid && showCharge(paid),
  }
  succeed(models, message, body.operationId, result, {
    accountVersion: body.accountVersion,
    slotProvider: body.providerId,
    slotVersion: body.slotVersion,
    stockPlan: body.planId,
    stockVersion: body.stockVersion,
  })
}

export const extended = (models: ReadModels, message: Message<'SubscriptionExtended'>) => {
  const { body } = message
  const known = rowFor(models, body)
  if (!known) return
  const { row } = known
  const { currentPeriodEnd, cancelAtPeriodEnd, version, operationId } = body
  const next = show(
    models,
    known,
    { ...settled, currentPeriodEnd, cancelAtPeriodEnd, version, purchasedBy: operationId },
    {
      kind: 'extended',
      at: body.at,
      data: { amountMicrodollars: body.amount, currentPeriodEnd: iso(currentPeriodEnd), cancelAtPeriodEnd },
    },
  )
  const paid =
    body.chargeId === null
      ? null
      : charge(row, {
          id: body.chargeId,
          kind: 'extension',
          amount: body.amount,
          periodStart: body.periodStart,
          periodEnd: currentPeriodEnd,
          at: body.at,
        })
  if (paid) models.charges.push(paid)
  const result = {
    operationId,
    kind: 'extension',
    subscription: showSubscription(next),
    charge: paid && showCharge(paid),
  }
  succeed(models, message, operationId, result, { accountVersion: body.accountVersion })
}

export const renewed = (models: ReadModels, { body, time: at }: Message<'SubscriptionRenewed'>) => {
  const known = rowFor(models, body)
  if (!known) return
  const { boundary, currentPeriodEnd, cancelAtPeriodEnd, version, amount, chargeId, recovered } = body
  // After an outage of ours it is a later term; those that elapsed unserved are not charged (REN-7).
  const currentPeriodStart = body.periodStart ?? boundary
  const term = { currentPeriodStart: iso(currentPeriodStart), currentPeriodEnd: iso(currentPeriodEnd) }
  const unserved = currentPeriodStart > boundary ? { unservedFrom: iso(boundary) } : {}
  show(
    models,
    known,
    { ...settled, currentPeriodStart, currentPeriodEnd, cancelAtPeriodEnd, version },
    { kind: recovered ? 'recovered' : 'renewed', at, data: { amountMicrodollars: amount, ...term, ...unserved } },
  )
  if (chargeId !== null)
    models.charges.push(
      charge(known.row, {
        id: chargeId,
        kind: 'renewal',
        amount,
        periodStart: currentPeriodStart,
        periodEnd: currentPeriodEnd,
        at,
      }),
    )
}

/** The gateway adds what is available (REN-9). */
export const renewingSoon = (models: ReadModels, { body }: Message<'RenewingSoon'>) => {
  const { userId, subscriptionId, boundary, amount, at } = body
  const row = models.subscriptions.get(subscriptionId)
  if (!row) return
  const account = models.accounts.get(userId)
  const data = {
    planName: row.planName,
    providerId: row.providerId,
    amountMicrodollars: amount,
    availableMicrodollars: account ? account.balance - account.held : 0,
    renewsAt: iso(boundary),
  }
  notify(models, { kind: 'renewing_soon', userId, subscriptionId, planId: row.planId, at, about: boundary, data })
}

export const pastDue = (models: ReadModels, { body, time: at }: Message<'SubscriptionPastDue'>) => {
  const known = rowFor(models, body)
  if (!known) return
  const { graceEndsAt, version, amount, available } = body
  const data = { graceEndsAt: iso(graceEndsAt), requiredMicrodollars: amount, availableMicrodollars: available }
  const change = { status: 'past_due', graceEndsAt, awaitedUntil: null, version } as const
  show(models, known, change, { kind: 'past_due', at, data })
}

export const topUpAwaited = (models: ReadModels, { body }: Message<'TopUpAwaited'>) => {
  const known = rowFor(models, body)
  if (known) show(models, known, { awaitedUntil: body.until, version: body.version })
}

/** Days for nothing: a charge of nothing names who and why (EXT-6). */
export const daysGranted = (models: ReadModels, message: Message<'DaysGranted'>) => {
  const { body } = message
  const known = rowFor(models, body)
  if (!known) return
  const { days, periodStart, currentPeriodEnd: periodEnd, cancelAtPeriodEnd, at, version } = body
  const next = show(
    models,
    known,
    { ...settled, currentPeriodEnd: periodEnd, cancelAtPeriodEnd, version },
    { kind: 'extended', at, data: { grantedDays: days, currentPeriodEnd: iso(periodEnd), cancelAtPeriodEnd } },
  )
  models.charges.push({
    id: body.chargeId,
    subscriptionId: body.subscriptionId,
    kind: 'grant',
    amount: 0,
    periodStart,
    periodEnd,
    at,
    description: `${days === 1 ? '1 day' : `${days} days`} granted by ${body.actor}: ${body.reason}`,
  })
  succeed(models, message, body.operationId, showSubscription(next))
}

export const cancellationScheduled = (models: ReadModels, message: Message<'CancellationScheduled'>) => {
  const { body, time: at } = message
  const known = rowFor(models, body)
  if (!known) return
  const data = { by: body.by, currentPeriodEnd: iso(known.row.currentPeriodEnd) }
  const change = { cancelAtPeriodEnd: true, version: body.version }
  const next = show(models, known, change, { kind: 'cancellation_scheduled', at, data })
  succeed(models, message, body.operationId, showSubscription(next))
}

export const cancellationUndone = (models: ReadModels, message: Message<'CancellationUndone'>) => {
  const { body, time: at } = message
  const known = rowFor(models, body)
  if (!known) return
  const data = { renewsAt: iso(known.row.currentPeriodEnd) }
  const change = { cancelAtPeriodEnd: false, version: body.version }
  const next = show(models, known, change, { kind: 'cancellation_undone', at, data })
  succeed(models, message, body.operationId, showSubscription(next))
}

export const ending = (models: ReadModels, { body }: Message<'SubscriptionEnding'>) => {
  const known = rowFor(models, body)
  if (known) show(models, known, { accessUntil: body.accessUntil, awaitedUntil: null, version: body.version })
}

export const ended = (models: ReadModels, message: Message<'SubscriptionEnded'>) => {
  const { body } = message
  const known = rowFor(models, body)
  if (!known) return
  const { row } = known
  const { endedAt, reason, refundAmount, slotVersion, version } = body
  const refunded = refundAmount === null ? {} : { refundMicrodollars: refundAmount }
  const next = show(
    models,
    known,
    { status: 'ended', accessUntil: endedAt, endedAt, endReason: reason, endSlotVersion: slotVersion, version },
    { kind: 'ended', at: endedAt, data: { endReason: reason, endedAt: iso(endedAt), ...refunded } },
  )
  if (body.refundId !== null)
    models.charges.push(
      charge(row, {
        id: body.refundId,
        kind: 'refund',
        amount: refundAmount ?? 0,
        periodStart: endedAt,
        periodEnd: body.refundedUntil ?? endedAt,
        at: endedAt,
      }),
    )
  if (body.operationId !== null)
    succeed(models, message, body.operationId, showSubscription(next), {
      accountVersion: body.accountVersion,
      slotProvider: row.providerId,
      slotVersion,
    })
}

export const purchaseRefused = (models: ReadModels, message: Message<'PurchaseRefused'>) => {
  const { body } = message
  const providerId = body.slotVersion === null ? null : (models.plans.get(body.planId)?.providerId ?? null)
  const amounts =
    body.reason === 'insufficient_credits'
      ? { requiredMicrodollars: body.required, availableMicrodollars: body.available }
      : {}
  refuse(models, message, body.operationId, refusalOf('PurchaseRefused', body.reason, amounts), {
    accountVersion: body.accountVersion,
    slotProvider: providerId,
    slotVersion: providerId === null ? null : body.slotVersion,
    subscriptionId: body.subscriptionId,
    subscriptionVersion: body.subscriptionId === null ? null : body.subscriptionVersion,
    stockPlan: body.planId,
    stockVersion: body.stockVersion,
  })
}

type NothingToChange = 'CancellationRefused' | 'SubscriptionChangeRefused'

const refuseChange =
  <Name extends NothingToChange>(name: Name) =>
  (models: ReadModels, message: Message<Name>) => {
    const { operationId, subscriptionId, reason, version } = message.body
    // One that is not the caller's own is not in question: its version says nothing to them.
    const restsOn = reason === 'not_found' ? {} : { subscriptionId, subscriptionVersion: version }
    refuse(models, message as Message, operationId, refusalOf<NothingToChange>(name, reason), restsOn)
  }

export const cancellationRefused = refuseChange('CancellationRefused')
export const changeRefused = refuseChange('SubscriptionChangeRefused')
