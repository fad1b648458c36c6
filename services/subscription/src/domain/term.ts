import type { Instant, Microdollars } from '@coding-plans/schemas'
import { chargeIdOf } from './ids.ts'

export type TermKind = 'activation' | 'extension' | 'renewal'

/** One stretch of time that was bought. Its key is subscription + boundary; the boundary is its start. */
export interface Term {
  readonly subscriptionId: string
  readonly boundary: Instant
  readonly endsAt: Instant
  readonly kind: TermKind
  readonly amount: Microdollars
  /** null: a free term has no charge (CAT-8). */
  readonly chargeId: string | null
}

export const termOf = (term: Omit<Term, 'chargeId'>): Term => ({
  ...term,
  chargeId: term.amount === 0 ? null : chargeIdOf(term.subscriptionId, term.boundary),
})

const day = (at: Instant) => new Date(at).toISOString().slice(0, 10)

/** As a refund stands in the statement. */
export const describeRefund = (planName: string, from: Instant) => `${planName}, refund from ${day(from)} on`

/** As it stands in the statement. */
export const describeTerm = (planName: string, { boundary, endsAt }: Pick<Term, 'boundary' | 'endsAt'>) =>
  `${planName}, ${day(boundary)} to ${day(endsAt)}`
