import type { Message } from '@coding-plans/runtime'
import { iso } from '../instants.ts'
import { showCharge, showSubscription } from '../presentation.ts'
import { refusalOf } from '../refusals.ts'
import type { SubscriptionRow } from '../rows.ts'
import type { ReadModels } from './models.ts'
import { refuse, succeed } from './operations.ts'
import { chargeOf, rowFor, settled, show } from './subscription-row.ts'

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
      : chargeOf(row, {
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
    wishVersion: body.wishVersion,
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
      : chargeOf(row, {
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
