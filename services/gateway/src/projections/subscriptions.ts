import type { Message } from '@coding-plans/runtime'
import { iso } from '../instants.ts'
import { showCharge, showSubscription } from '../presentation.ts'
import { refusalOf } from '../refusals.ts'
import type { ChargeRow, SubscriptionRow } from '../rows.ts'
import type { ReadModels } from './models.ts'
import { refuse, succeed } from './operations.ts'

/** The row that this event speaks of; null if a newer one is shown already. @throws for a subscription never heard of. */
const rowFor = (models: ReadModels, { subscriptionId, version }: { subscriptionId: string; version: number }) => {
  const row = models.subscriptions.get(subscriptionId)
  if (!row) throw new Error(`Subscription ${subscriptionId} was never activated.`)
  return { row, newer: version > row.version }
}

const describe = (planName: string, start: number, end: number) =>
  `${planName}, ${iso(start).slice(0, 10)} to ${iso(end).slice(0, 10)}`

const charge = (row: SubscriptionRow, paid: Omit<ChargeRow, 'subscriptionId' | 'description'>): ChargeRow => ({
  ...paid,
  subscriptionId: row.id,
  description: describe(row.planName, paid.periodStart, paid.periodEnd),
})

export const activated = (models: ReadModels, message: Message<'SubscriptionActivated'>) => {
  const { body } = message
  const row: SubscriptionRow = {
    id: body.subscriptionId,
    userId: body.userId,
    planId: body.planId,
    planName: body.planName,
    providerId: body.providerId,
    status: 'active',
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
  if (!models.subscriptions.get(row.id)) models.subscriptions.put(row)
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
  const { row, newer } = rowFor(models, body)
  const { currentPeriodEnd, cancelAtPeriodEnd, version, operationId } = body
  const next = newer ? { ...row, currentPeriodEnd, cancelAtPeriodEnd, version, purchasedBy: operationId } : row
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
  models.subscriptions.put(next)
  if (paid) models.charges.push(paid)
  const result = {
    operationId,
    kind: 'extension',
    subscription: showSubscription(next),
    charge: paid && showCharge(paid),
  }
  succeed(models, message, operationId, result, { accountVersion: body.accountVersion })
}

export const renewed = (models: ReadModels, message: Message<'SubscriptionRenewed'>) => {
  const { body } = message
  const { row, newer } = rowFor(models, body)
  const { boundary, currentPeriodEnd, cancelAtPeriodEnd, version } = body
  if (newer)
    models.subscriptions.put({ ...row, currentPeriodStart: boundary, currentPeriodEnd, cancelAtPeriodEnd, version })
  if (body.chargeId !== null)
    models.charges.push(
      charge(row, {
        id: body.chargeId,
        kind: 'renewal',
        amount: body.amount,
        periodStart: boundary,
        periodEnd: currentPeriodEnd,
        at: message.time,
      }),
    )
}

export const cancellationScheduled = (models: ReadModels, message: Message<'CancellationScheduled'>) => {
  const { body } = message
  const { row, newer } = rowFor(models, body)
  const next = newer ? { ...row, cancelAtPeriodEnd: true, version: body.version } : row
  models.subscriptions.put(next)
  succeed(models, message, body.operationId, showSubscription(next))
}

export const cancellationUndone = (models: ReadModels, message: Message<'CancellationUndone'>) => {
  const { body } = message
  const { row, newer } = rowFor(models, body)
  const next = newer ? { ...row, cancelAtPeriodEnd: false, version: body.version } : row
  models.subscriptions.put(next)
  succeed(models, message, body.operationId, showSubscription(next))
}

export const ending = (models: ReadModels, { body }: Message<'SubscriptionEnding'>) => {
  const { row, newer } = rowFor(models, body)
  if (newer) models.subscriptions.put({ ...row, accessUntil: body.accessUntil, version: body.version })
}

export const ended = (models: ReadModels, message: Message<'SubscriptionEnded'>) => {
  const { body } = message
  const { row, newer } = rowFor(models, body)
  const next: SubscriptionRow = newer
    ? {
        ...row,
        status: 'ended',
        accessUntil: body.endedAt,
        endedAt: body.endedAt,
        endReason: body.reason,
        endSlotVersion: body.slotVersion,
        version: body.version,
      }
    : row
  models.subscriptions.put(next)
  if (body.refundId !== null)
    models.charges.push(
      charge(row, {
        id: body.refundId,
        kind: 'refund',
        amount: body.refundAmount ?? 0,
        periodStart: body.endedAt,
        periodEnd: body.refundedUntil ?? body.endedAt,
        at: body.endedAt,
      }),
    )
  if (body.operationId !== null)
    succeed(models, message, body.operationId, showSubscription(next), {
      accountVersion: body.accountVersion,
      slotProvider: row.providerId,
      slotVersion: body.slotVersion,
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
