import type { Message } from '@coding-plans/runtime'
import type { Bodies } from '@coding-plans/schemas'
import { answer } from './due.ts'
import type { Facts } from './facts.ts'
import { dueKinds, type Subscription } from './kinds.ts'
import { matchCharge } from './money.ts'
import { sold } from './prices.ts'
import { countBegun, countCharged } from './totals.ts'
import { hear, type News, passOver } from './versions.ts'

/** What every event that tells a subscription's state has. */
interface Told {
  readonly userId: string
  readonly subscriptionId: string
  readonly version: number
}

/** What this is to what was told before. What has ended is told of no more. */
const listen = (facts: Facts, { userId, subscriptionId, version }: Told, what: string): News => {
  const subscription = facts.of('subscription', subscriptionId)
  const { news } = hear(subscription, version)
  if (news === 'next') judgeEnded(subscription, { userId, subscriptionId }, what)
  return news
}

const judgeEnded = (
  { state, findings }: Subscription,
  { userId, subscriptionId }: Omit<Told, 'version'>,
  what: string,
) => {
  if (state === 'ended')
    findings.push({
      check: 'ended_stays_ended',
      detail: `${subscriptionId} of ${userId} has ended, and then ${what} is told`,
    })
}

interface Term {
  readonly start: number
  readonly amount: number
  readonly chargeId: string | null
  readonly news: News
  readonly lane: number
}

/** A term that is heard of late lies before others, and is no second one for that. */
const serve = (facts: Facts, { userId, subscriptionId }: Told, { start, amount, chargeId, news, lane }: Term) => {
  facts.of('lane', String(lane)).terms += 1
  const subscription = facts.of('subscription', subscriptionId)
  const { termStart } = subscription
  if (termStart !== null && (news === 'late' ? start === termStart : start <= termStart))
    subscription.findings.push({
      check: 'term_charged_once',
      detail: `a term of ${subscriptionId} begins at ${new Date(start).toISOString()}, not after the one before it`,
    })
  subscription.termStart = Math.max(start, termStart ?? start)
  // Else a paid term that names no charge would wait for none: access for nothing.
  if (amount > 0 !== (chargeId !== null))
    subscription.findings.push({
      check: 'charge_has_its_term',
      detail: `a term of ${subscriptionId} over ${amount} names ${chargeId === null ? 'no charge' : `charge ${chargeId}`}`,
    })
  if (chargeId === null) return
  matchCharge(facts, userId, { chargeId, amount, side: 'served' })
  countCharged(facts, { userId, lane })
}

export const activated = (facts: Facts, { body, lane }: Message<'SubscriptionActivated'>) => {
  const { subscriptionId, userId, providerId, planId, planVersion, price, periodUnit, periodCount } = body
  const news = listen(facts, body, 'an activation')
  if (!news) return
  const subscription = facts.of('subscription', subscriptionId)
  const isOver = news === 'late' && subscription.state === 'ended'
  const period = `${periodCount} ${periodUnit}`
  Object.assign(subscription, { userId, providerId, planId, planVersion, price, period })
  if (news === 'next' || subscription.state === 'unknown') subscription.state = 'live'
  if (!isOver) live(facts, body, lane)
  countBegun(facts, { userId, lane })
  serve(facts, body, { start: body.currentPeriodStart, amount: price, chargeId: body.chargeId, news, lane })
  sold(facts, body)
}

const live = (facts: Facts, { userId, subscriptionId, providerId }: Bodies['SubscriptionActivated'], lane: number) => {
  const subject = facts.of('subject', userId)
  const other = subject.live[providerId]
  if (other)
    subject.findings.push({
      check: 'one_live_subscription',
      detail: `${userId} has ${other} and ${subscriptionId} of ${providerId}`,
    })
  subject.live[providerId] = subscriptionId
  facts.of('lane', String(lane)).live += 1
}

export const extended = (facts: Facts, { body, lane }: Message<'SubscriptionExtended'>) => {
  const news = listen(facts, body, 'an extension')
  if (!news) return
  serve(facts, body, { start: body.periodStart, amount: body.amount, chargeId: body.chargeId, news, lane })
  sold(facts, body)
}

export const renewed = (facts: Facts, { body, lane }: Message<'SubscriptionRenewed'>) => {
  const { userId, subscriptionId, boundary, periodStart, amount, chargeId } = body
  const news = listen(facts, body, 'a renewal')
  if (!news) return
  const { price, findings } = facts.of('subscription', subscriptionId)
  // The price was copied at the purchase: neither an extension nor a later publish changes it (CAT-5).
  if (price !== null && amount !== price)
    findings.push({
      check: 'charge_has_its_term',
      detail: `a renewal of ${userId}’s ${subscriptionId} costs ${amount}, and was bought at ${price}`,
    })
  serve(facts, body, { start: periodStart ?? boundary, amount, chargeId, news, lane })
  answer(facts, body, dueKinds, boundary)
}

/** The due term is unpaid, and is given time: an answer to its end, and to no end of that time. */
export const unpaid =
  <Name extends 'SubscriptionPastDue' | 'TopUpAwaited'>(what: string) =>
  (facts: Facts, { body }: Message<Name>) => {
    listen(facts, body, what)
    answer(facts, body, ['period_ended'], body.boundary)
  }

/** The end moves, so that the time an unpaid term was given ends for nothing. */
export const granted = (facts: Facts, { body, lane }: Message<'DaysGranted'>) => {
  if (listen(facts, body, 'a grant of days')) {
    facts.of('lane', String(lane)).terms += 1
    countCharged(facts, { userId: body.userId, lane })
  }
  // A due term whose renewal failed is not said again once the end has moved.
  answer(facts, body, dueKinds, body.periodStart)
}

/**
 * Whoever flags it twice hears the version that another message told before (CAN-1): if that was missed, it is missing yet,
 * and may be a term.
 */
export const flagged =
  <Name extends 'CancellationScheduled' | 'CancellationUndone'>(what: string) =>
  (facts: Facts, { body }: Message<Name>) => {
    const subscription = facts.of('subscription', body.subscriptionId)
    if (body.version > subscription.version) judgeEnded(subscription, body, what)
    passOver(subscription, body.version)
  }

export const ending = (facts: Facts, { body }: Message<'SubscriptionEnding'>) => {
  if (listen(facts, body, 'an end') === 'next') facts.of('subscription', body.subscriptionId).state = 'ending'
}

export const ended = (facts: Facts, { body, lane }: Message<'SubscriptionEnded'>) => {
  const { userId, subscriptionId } = body
  if (!listen(facts, body, 'another end')) return
  facts.of('subscription', subscriptionId).state = 'ended'
  if (body.refundId !== null) countCharged(facts, { userId, lane })
  const subject = facts.of('subject', userId)
  delete subject.due[subscriptionId]
  for (const [provider, one] of Object.entries(subject.live))
    if (one === subscriptionId) {
      delete subject.live[provider]
      facts.of('lane', String(lane)).live -= 1
    }
}
