import type { Instant } from '@coding-plans/schemas'
import type { Advance } from './domain/clock.ts'
import type { Term } from './domain/term.ts'

/** What a round knows and changes: the terms its messages are about, and the advances they ask for. */
export interface Agenda {
  /** By subscription id. */
  readonly terms: Map<string, Term>
  /** Subscription ids of terms to be written. */
  readonly changed: Set<string>
  /** Operation ids that were asked for before. */
  readonly known: Set<string>
  readonly requested: Advance[]
  readonly wallClock: Instant
}

/** Take a term's next form; one that stays as it was is not written. */
export const put = ({ terms, changed }: Agenda, next: Term) => {
  if (terms.get(next.subscriptionId) === next) return
  terms.set(next.subscriptionId, next)
  changed.add(next.subscriptionId)
}

/** @throws Error for a subscription that was never said to be active: a dead letter. */
export const termOf = ({ terms }: Agenda, subscriptionId: string): Term => {
  const term = terms.get(subscriptionId)
  if (!term) throw new Error(`Subscription ${subscriptionId} has no term.`)
  return term
}
