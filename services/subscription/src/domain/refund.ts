import { type Instant, type Microdollars, microdollars, type TerminateSubscription } from '@coding-plans/schemas'
import type { Term } from './term.ts'

export type RefundShare = Exclude<TerminateSubscription['refund'], 'unknown'>

/**
 * What an operator gives back of all charges whose term has not ended at this instant (CAN-2): nothing, all, or of each
 * the part that is not served, rounded down to whole microdollars. Granted days have no charge.
 */
export const refundOf = (share: RefundShare, terms: readonly Term[], at: Instant): Microdollars => {
  if (share === 'none') return microdollars(0)
  const part = share === 'full' ? ({ amount }: Term) => amount : (term: Term) => unserved(term, at)
  return microdollars(terms.filter(({ endsAt }) => endsAt > at).reduce((sum, term) => sum + part(term), 0))
}

/** In whole numbers of any size: an amount times milliseconds is more than a double holds exactly. */
const unserved = ({ amount, boundary, endsAt }: Term, at: Instant): number =>
  Number((BigInt(amount) * BigInt(endsAt - Math.max(at, boundary))) / BigInt(endsAt - boundary))
