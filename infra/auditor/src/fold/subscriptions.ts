import type { Message } from '@coding-plans/runtime'
import type { Facts, Subscription } from './facts.ts'
import { matchCharge } from './money.ts'

/** What every event that tells a subscription's state has. */
interface Told {
  readonly userId: string
  readonly subscriptionId: string
  readonly version: number
}

/** The subscription that this says something new of; null: it was told before. What has ended is told of no more. */
const next = (facts: Facts, { userId, subscriptionId, version }: Told, what: string): Subscription | null => {
  const subscription = facts.of('subscription', subscriptionId)
  if (version <= subscription.version) return null
  subscription.version = version
  if (subscription.state === 'ended')
    subscription.findings.push({
      check: 'ended_stays_ended',
      detail: `${subscriptionId} of ${userId} has ended, and then ${what} is told`,
    })
  return subscription
}

interface Term {
  readonly start: number
  readonly amount: number
  readonly chargeId: string | null
}

const serve = (facts: Facts, { userId, subscriptionId }: Told, { start, amount, chargeId }: Term) => {
  const subscription = facts.of('subscription', subscriptionId)
  if (subscription.termStart !== null && start <= subscription.termStart)
    subscription.findings.push({
      check: 'term_charged_once',
      detail: `a term of ${subscriptionId} begins at ${new Date(start).toISOString()}, not after the one before it`,
    })
  subscription.termStart = start
  // Else a paid term that names no charge would wait for none: access for nothing.
  if (amount > 0 !== (chargeId !== null))
    subscription.findings.push({
      check: 'charge_has_its_term',
      detail: `a term of ${subscriptionId} over ${amount} names ${chargeId === null ? 'no charge' : `charge ${chargeId}`}`,
    })
  if (chargeId !== null) matchCharge(facts, userId, { chargeId, amount, side: 'served' })
}

export const activated = (facts: Facts, { body, lane }: Message<'SubscriptionActivated'>) => {
  const { userId, subscriptionId, providerId, planId, planVersion, price, periodUnit, periodCount } = body
  const subscription = next(facts, body, 'an activation')
  if (!subscription) return
  const period = `${periodCount} ${periodUnit}`
  Object.assign(subscription, { userId, providerId, planId, planVersion, price, period, state: 'live' })
  const subject = facts.of('subject', userId)
  const other = subject.live[providerId]
  if (other)
    subject.findings.push({
      check: 'one_live_subscription',
      detail: `${userId} has ${other} and ${subscriptionId} of ${providerId}`,
    })
  subject.live[providerId] = subscriptionId
  facts.of('lane', String(lane)).live += 1
  serve(facts, body, { start: body.currentPeriodStart, amount: price, chargeId: body.chargeId })
}

export const extended = (facts: Facts, { body }: Message<'SubscriptionExtended'>) => {
  if (next(facts, body, 'an extension'))
    serve(facts, body, { start: body.periodStart, amount: body.amount, chargeId: body.chargeId })
}

export const renewed = (facts: Facts, { body }: Message<'SubscriptionRenewed'>) => {
  const subscription = next(facts, body, 'a renewal')
  if (!subscription) return
  // The price was copied at the purchase: neither an extension nor a later publish changes it (CAT-5).
  if (subscription.price !== null && body.amount !== subscription.price)
    subscription.findings.push({
      check: 'charge_has_its_term',
      detail: `a renewal of ${subscription.userId}’s ${body.subscriptionId} costs ${body.amount}, and was bought at ${subscription.price}`,
    })
  serve(facts, body, { start: body.periodStart ?? body.boundary, amount: body.amount, chargeId: body.chargeId })
  answerDue(facts, body.userId, body.subscriptionId, body.boundary)
}

/** A change that moves no term. */
export const changed =
  <
    Name extends
      | 'SubscriptionPastDue'
      | 'TopUpAwaited'
      | 'DaysGranted'
      | 'CancellationScheduled'
      | 'CancellationUndone',
  >(
    what: string,
  ) =>
  (facts: Facts, { body }: Message<Name>) => {
    next(facts, body, what)
    if ('boundary' in body) answerDue(facts, body.userId, body.subscriptionId, body.boundary)
  }

export const ending = (facts: Facts, { body }: Message<'SubscriptionEnding'>) => {
  const subscription = next(facts, body, 'an end')
  if (subscription) subscription.state = 'ending'
}

export const ended = (facts: Facts, { body, lane }: Message<'SubscriptionEnded'>) => {
  const { userId, subscriptionId } = body
  const subscription = next(facts, body, 'another end')
  if (!subscription) return
  subscription.state = 'ended'
  const subject = facts.of('subject', userId)
  delete subject.due[subscriptionId]
  for (const [provider, live] of Object.entries(subject.live))
    if (live === subscriptionId) {
      delete subject.live[provider]
      facts.of('lane', String(lane)).live -= 1
    }
}

/** Said; unless its answer was heard before it, on another topic. */
export const periodEnded = (facts: Facts, { body }: Message<'PeriodEnded'>) => {
  const { userId, subscriptionId, boundary } = body
  const { state, answered } = facts.of('subscription', subscriptionId)
  if (state === 'ended' || (answered !== null && answered >= boundary)) return
  facts.of('subject', userId).due[subscriptionId] = boundary
}

export const dueIgnored = (facts: Facts, { body }: Message<'DueIgnored'>) => {
  if (body.what === 'period_ended') answerDue(facts, body.userId, body.subscriptionId, body.boundary)
}

const answerDue = (facts: Facts, userId: string, subscriptionId: string, boundary: number) => {
  const subscription = facts.of('subscription', subscriptionId)
  subscription.answered = Math.max(subscription.answered ?? boundary, boundary)
  const { due } = facts.of('subject', userId)
  if ((due[subscriptionId] ?? Number.POSITIVE_INFINITY) <= boundary) delete due[subscriptionId]
}
