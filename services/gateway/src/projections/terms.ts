import type { Message } from '@coding-plans/runtime'
import { iso } from '../instants.ts'
import { showSubscription } from '../presentation.ts'
import type { ReadModels } from './models.ts'
import { notify } from './notifications.ts'
import { succeed } from './operations.ts'
import { chargeOf, rowFor, settled, show } from './subscription-row.ts'

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
      chargeOf(known.row, {
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
