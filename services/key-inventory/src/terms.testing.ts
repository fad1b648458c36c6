import { message } from '@coding-plans/runtime/testing'
import { type Bodies, instant, microdollars, userId } from '@coding-plans/schemas'

const of = (user: string, subscriptionId: string, version: number) => ({
  userId: userId(user),
  subscriptionId,
  version,
})
const at = (time: number) => ({ time: instant(time) })
const nothing = { amount: microdollars(0), chargeId: null, accountVersion: null }

/** What `subscription` tells of one subscription; the version is the subscription's. */
export const tellingOf = (user: string, subscriptionId: string) => ({
  renewed: (version: number, end: number, cancelAtPeriodEnd = false, time = 2_000) => {
    const body = { ...of(user, subscriptionId, version), ...nothing, boundary: instant(time), cancelAtPeriodEnd }
    const more = { currentPeriodEnd: instant(end), periodStart: null, recovered: false }
    return message('SubscriptionRenewed', { ...body, ...more }, at(time))
  },
  extended: (version: number, end: number, cancelAtPeriodEnd = false, time = 2_000) => {
    const body = { ...of(user, subscriptionId, version), ...nothing, operationId: 'op', cancelAtPeriodEnd }
    const more = { periodStart: instant(time), currentPeriodEnd: instant(end), at: instant(time) }
    const bought = { planId: null, planVersion: null }
    return message('SubscriptionExtended', { ...body, ...more, ...bought }, at(time))
  },
  daysGranted: (version: number, end: number, cancelAtPeriodEnd = false, time = 2_000) => {
    const days = { operationId: 'op', chargeId: 'chg', days: 1, actor: 'admin-1', reason: 'asked for' }
    const dates = { periodStart: instant(time), currentPeriodEnd: instant(end), at: instant(time), cancelAtPeriodEnd }
    return message('DaysGranted', { ...of(user, subscriptionId, version), ...days, ...dates }, at(time))
  },
  activated: (version: number, end: number, graceHours = 0, time = 1_000) =>
    message(
      'SubscriptionActivated',
      {
        ...of(user, subscriptionId, version),
        ...activation,
        wishVersion: null,
        graceHours,
        currentPeriodStart: instant(time),
        currentPeriodEnd: instant(end),
      },
      at(time),
    ),
  flagged: (version: number, time = 2_000) =>
    message('CancellationScheduled', { ...of(user, subscriptionId, version), operationId: 'op', by: 'user' }, at(time)),
  unflagged: (version: number, time = 2_000) =>
    message('CancellationUndone', { ...of(user, subscriptionId, version), operationId: 'op' }, at(time)),
  pastDue: (version: number, graceEndsAt: number, time = 2_000) => {
    const owed = { amount: microdollars(20), available: microdollars(0), accountVersion: 1 }
    const body = { ...of(user, subscriptionId, version), ...owed, boundary: instant(time) }
    return message('SubscriptionPastDue', { ...body, graceEndsAt: instant(graceEndsAt) }, at(time))
  },
  awaited: (version: number, until: number, time = 2_000) => {
    const body = { ...of(user, subscriptionId, version), boundary: instant(time), until: instant(until) }
    return message('TopUpAwaited', body, at(time))
  },
  ending: (version: number, accessUntil: number, time = 2_000) => {
    const body = { ...of(user, subscriptionId, version), accessUntil: instant(accessUntil) }
    return message('SubscriptionEnding', { ...body, reason: 'user_canceled' }, at(time))
  },
})

const activation = {
  operationId: 'op',
  planId: 'gold',
  planVersion: 1,
  planName: 'Gold',
  providerId: 'acme',
  price: microdollars(20),
  periodUnit: 'month',
  periodCount: 1,
  previousSubscriptionId: null,
  createdAt: instant(1_000),
  chargeId: null,
  keyId: 'key',
  accountVersion: null,
  slotVersion: 1,
  stockVersion: 1,
} as const

/** One of our own records as it comes back from the topic. */
export const heardAgain = (body: Bodies['EntitlementChanged'], time = 9_000) =>
  message('EntitlementChanged', body, { time: instant(time) })
