import type { Message } from '@coding-plans/runtime'
import { iso } from '../instants.ts'
import { showSubscription } from '../presentation.ts'
import { refusalOf } from '../refusals.ts'
import type { ReadModels } from './models.ts'
import { refuse, succeed } from './operations.ts'
import { chargeOf, rowFor, show } from './subscription-row.ts'

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
      chargeOf(row, {
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
      stockPlan: row.planId,
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
