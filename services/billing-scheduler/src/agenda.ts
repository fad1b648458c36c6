import type { BillingTicked, Instant } from '@coding-plans/schemas'
import type { Advance } from './domain/clock.ts'
import type { Term } from './domain/term.ts'

/** What came of due messages, as a tick counts it. */
export type Outcome = keyof Omit<BillingTicked, 'clock' | 'operationId' | 'asOf'>

/** A billing tick that was asked for: answered when nothing that is due up to `asOf` is left, or its wait is over. */
export interface Tick {
  readonly operationId: string
  /** null: where the test clock goes to. */
  readonly asOf: Instant | null
  /** Wall clock, as the end of the wait. */
  readonly askedAt: Instant
  readonly waitUntil: Instant
}

/** What a round knows and changes: the terms its messages are about, and what they ask of the clock. */
export interface Agenda {
  /** By subscription id. */
  readonly terms: Map<string, Term>
  /** Subscription ids of terms to be written. */
  readonly changed: Set<string>
  /** Operation ids that were asked for before. */
  readonly known: Set<string>
  readonly requested: Advance[]
  readonly ticks: Tick[]
  /** Lane and outcome → how often in this round. */
  readonly counted: Map<string, { readonly lane: number; readonly outcome: Outcome; readonly count: number }>
  readonly wallClock: Instant
}

/** Take a term's next form; one that stays as it was is not written. Whether it is another. */
export const put = ({ terms, changed }: Agenda, next: Term): boolean => {
  if (terms.get(next.subscriptionId) === next) return false
  terms.set(next.subscriptionId, next)
  changed.add(next.subscriptionId)
  return true
}

export const count = ({ counted }: Agenda, { lane }: Pick<Term, 'lane'>, outcome: Outcome) => {
  const key = `${lane}|${outcome}`
  counted.set(key, { lane, outcome, count: (counted.get(key)?.count ?? 0) + 1 })
}

/** @throws Error for a subscription that was never said to be active: a dead letter. */
export const termOf = ({ terms }: Agenda, subscriptionId: string): Term => {
  const term = terms.get(subscriptionId)
  if (!term) throw new Error(`Subscription ${subscriptionId} has no term.`)
  return term
}
