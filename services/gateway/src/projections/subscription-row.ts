import { iso } from '../instants.ts'
import type { ChargeRow, SubscriptionRow } from '../rows.ts'
import type { ReadModels } from './models.ts'
import { notify } from './notifications.ts'

// A subscription as events tell of it: the row that one speaks of, what it changes, and what its user is told.

interface Told {
  readonly userId: string
  readonly subscriptionId: string
  readonly version: number
}

/**
 * The row that this event speaks of, and whether it tells anything newer; null: of one who is forgotten.
 * @throws for a subscription never heard of.
 */
export const rowFor = (models: ReadModels, { userId, subscriptionId, version }: Told) => {
  if (models.forgot(userId)) return null
  const row = models.subscriptions.get(subscriptionId)
  if (!row) throw new Error(`Subscription ${subscriptionId} was never activated.`)
  return { row, newer: version > row.version }
}

/** Show what is newer, and tell its user. Returns the row as it is shown then. */
export const show = (
  models: ReadModels,
  known: { readonly row: SubscriptionRow; readonly newer: boolean },
  change: Partial<SubscriptionRow> & { readonly version: number },
  news?: Pick<Parameters<typeof notify>[1], 'kind' | 'at' | 'data'>,
): SubscriptionRow => {
  if (!known.newer) return showLate(models, known.row, change)
  const next = { ...known.row, ...change }
  models.subscriptions.put(next)
  if (news) {
    const { id: subscriptionId, userId, planId, planName, providerId } = next
    const data = { planName, providerId, ...news.data }
    notify(models, { ...news, userId, subscriptionId, planId, about: change.version, data })
  }
  return next
}

/** Told late, out of the dead letters: what newer events have told stays, but the end of what is paid only moves forward. */
const showLate = (
  models: ReadModels,
  row: SubscriptionRow,
  { currentPeriodStart, currentPeriodEnd = 0 }: Partial<SubscriptionRow>,
) => {
  if (currentPeriodEnd <= row.currentPeriodEnd) return row
  const next = { ...row, currentPeriodEnd, currentPeriodStart: currentPeriodStart ?? row.currentPeriodStart }
  models.subscriptions.put(next)
  return next
}

/** The due term is paid, or there is none: nothing is unpaid, nothing awaited. */
export const settled = { status: 'active', graceEndsAt: null, awaitedUntil: null } as const

const describe = (planName: string, start: number, end: number) =>
  `${planName}, ${iso(start).slice(0, 10)} to ${iso(end).slice(0, 10)}`

export const chargeOf = (row: SubscriptionRow, paid: Omit<ChargeRow, 'subscriptionId' | 'description'>): ChargeRow => ({
  ...paid,
  subscriptionId: row.id,
  description: describe(row.planName, paid.periodStart, paid.periodEnd),
})
