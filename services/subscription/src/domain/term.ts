import type { Instant, Microdollars } from '@coding-plans/schemas'
import { chargeIdOf } from './ids.ts'
import { renewedBy, type Subscription } from './subscription.ts'

export type BoughtKind = 'activation' | 'extension' | 'renewal'
export type TermKind = BoughtKind | 'grant'

/** One stretch of time that was bought or granted. Its key is subscription + boundary; the boundary is its start. */
export interface Term<Kind extends TermKind = TermKind> {
  readonly subscriptionId: string
  readonly boundary: Instant
  readonly endsAt: Instant
  readonly kind: Kind
  readonly amount: Microdollars
  /** null: a free or granted term has no charge (CAT-8). */
  readonly chargeId: string | null
}

export const termOf = <Kind extends TermKind>(term: Omit<Term<Kind>, 'chargeId'>): Term<Kind> => ({
  ...term,
  chargeId: term.amount === 0 ? null : chargeIdOf(term.subscriptionId, term.boundary),
})

/** The next term, at the copied price (CAT-5). */
export const renewalTermOf = (subscription: Subscription, asOf: Instant) => {
  const { id: subscriptionId, price: amount, planName } = subscription
  const { currentPeriodStart: boundary, currentPeriodEnd: endsAt } = renewedBy(subscription, asOf)
  const term = termOf({ subscriptionId, boundary, endsAt, kind: 'renewal', amount })
  return { term, description: describeTerm(planName, term) }
}

const day = (at: Instant) => new Date(at).toISOString().slice(0, 10)

/** As a refund stands in the statement. */
export const describeRefund = (planName: string, from: Instant) => `${planName}, refund from ${day(from)} on`

/** As it stands in the statement. */
export const describeTerm = (planName: string, { boundary, endsAt }: Pick<Term, 'boundary' | 'endsAt'>) =>
  `${planName}, ${day(boundary)} to ${day(endsAt)}`
