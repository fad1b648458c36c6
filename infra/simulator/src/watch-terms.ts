import { NewRows, type RowOf, Violation } from './rows.ts'
import type { World } from './world.ts'

type Tables = World['rooms']['subscription']['tables']
type Term = RowOf<Tables['terms']>
type Subscription = RowOf<Tables['subscriptions']>
type Saga = RowOf<Tables['sagas']>
type Hold = RowOf<World['rooms']['ledger']['tables']['holds']>
/** A plan's version, as the gateway showed it. */
export type Quote = RowOf<World['rooms']['gateway']['tables']['plans']>

/** States of a saga from which on its term is written. */
const PAYING: ReadonlySet<string> = new Set(['capturing', 'active', 'extended', 'renewed'])
const COPIED = [
  ...(['planId', 'price', 'periodUnit', 'periodCount', 'graceHours', 'maxPrepaidPeriods'] as const),
  ...(['repurchase', 'ownership', 'reveal', 'upstreamRevocation'] as const),
]
const DAY = 86_400_000

const monthOf = (at: number) => new Date(at).getUTCFullYear() * 12 + new Date(at).getUTCMonth()

/** Counted without an anchor: days exactly, months by their numbers. */
const isOnePeriod = (
  { boundary, endsAt }: Pick<Term, 'boundary' | 'endsAt'>,
  { periodUnit, periodCount }: Pick<Quote, 'periodUnit' | 'periodCount'>,
) =>
  periodUnit === 'day' ? endsAt - boundary === periodCount * DAY : monthOf(endsAt) - monthOf(boundary) === periodCount

/** Terms, their prices and what was charged for them: between the service that bills and the one that keeps the money. */
export class TermWatch {
  readonly #tables: Tables
  readonly #holds: World['rooms']['ledger']['tables']['holds']
  readonly #rows = new NewRows()
  /** Purchase → the version that its buyer was shown. */
  readonly #quotes = new Map<string, Quote>()
  /** Subscription → the version that it copied. */
  readonly #copied = new Map<string, Quote>()
  readonly #ends = new Map<string, number>()
  readonly #terms = new Map<string, Term>()
  readonly #charges = new Map<string, Hold>()
  /** Charges of which only one side is seen yet. */
  readonly #unpaired = new Set<string>()

  constructor({ rooms }: Pick<World, 'rooms'>) {
    this.#tables = rooms.subscription.tables
    this.#holds = rooms.ledger.tables.holds
  }

  /** What a buyer was shown when the purchase was accepted (CAT-4). */
  quoted(operationId: string, quote: Quote) {
    this.#quotes.set(operationId, quote)
  }

  /** @throws Violation */
  after() {
    for (const one of this.#rows.of(this.#tables.subscriptions)) this.#copies(one)
    for (const term of this.#rows.of(this.#tables.terms)) {
      this.#follows(term)
      if (term.kind !== 'grant') this.#isAsQuoted(term)
      if (term.chargeId === null) continue
      this.#terms.set(term.chargeId, term)
      this.#unpaired.add(term.chargeId)
    }
    for (const hold of this.#rows.of(this.#holds)) {
      if (hold.chargeId === null) continue
      this.#charges.set(hold.chargeId, hold)
      this.#unpaired.add(hold.chargeId)
    }
    for (const chargeId of this.#unpaired) if (this.#isPaired(chargeId)) this.#unpaired.delete(chargeId)
  }

  #quoteOf(operationId: string): Quote {
    const quote = this.#quotes.get(operationId)
    if (!quote) throw new Error(`Nobody asked for ${operationId}.`)
    return quote
  }

  /** A later publish never alters it (CAT-5). */
  #copies(subscription: Subscription) {
    const { id } = subscription
    const known = this.#copied.get(id) ?? this.#quoteOf(this.#sagaOf(id, ({ kind }) => kind === 'activation').id)
    this.#copied.set(id, known)
    for (const field of COPIED)
      if (subscription[field] !== known[field])
        throw new Violation(`CAT-5: ${id} has ${field} ${subscription[field]}, and was bought with ${known[field]}`)
  }

  #sagaOf(subscriptionId: string, holds: (saga: Saga) => boolean): Saga {
    const [saga] = this.#tables.sagas.where((one) => one.subscriptionId === subscriptionId && holds(one))
    if (!saga) throw new Violation(`3: nobody bought what ${subscriptionId} has`)
    return saga
  }

  #follows({ subscriptionId, boundary, endsAt }: Term) {
    const end = this.#ends.get(subscriptionId) ?? boundary
    this.#ends.set(subscriptionId, endsAt)
    if (boundary < end) throw new Violation(`9: ${subscriptionId} has two terms for ${boundary}`)
  }

  /** A purchase has the price and the length that its buyer was shown, a renewal the copied ones. */
  #isAsQuoted(term: Term) {
    const { subscriptionId, boundary, kind, amount } = term
    const isIts = ({ state, memory }: Saga) => {
      const { term: its } = memory as Partial<{ readonly term: Term }>
      return PAYING.has(state) && its?.kind === kind && its.boundary === boundary
    }
    const saga = this.#sagaOf(subscriptionId, isIts)
    const quote = kind === 'renewal' ? this.#copied.get(subscriptionId) : this.#quoteOf(saga.id)
    if (amount !== quote?.price)
      throw new Violation(`CAT-5: ${kind} ${saga.id} was to cost ${quote?.price} and costs ${amount}`)
    if (!isOnePeriod(term, quote))
      throw new Violation(
        `CAT-5: ${kind} ${saga.id} of ${quote.periodCount} ${quote.periodUnit} ends at ${term.endsAt}`,
      )
  }

  /** No charge without its term, no paid term without its charge, but for what the next message brings. */
  #isPaired(chargeId: string): boolean {
    const [term, charge] = [this.#terms.get(chargeId), this.#charges.get(chargeId)]
    if (!term) {
      // An activation begins with its charge.
      const saga = this.#tables.sagas.get(charge?.operationId ?? '')
      if (saga?.kind !== 'activation' || saga.state !== 'capturing')
        throw new Violation(`3: charge ${chargeId} has no term`)
      return false
    }
    const { subscriptionId, boundary, amount } = term
    // All else is charged with what is held for it.
    const isFor = (hold: Hold) => hold.subscriptionId === subscriptionId && hold.boundary === boundary
    const paid = charge ?? this.#holds.where((hold) => hold.state === 'open' && isFor(hold))[0]
    if (paid?.amount !== amount)
      throw new Violation(`3: a term of ${subscriptionId} over ${amount} has charge ${chargeId} over ${paid?.amount}`)
    return charge !== undefined
  }

  /** What is still on its way when all should have settled. */
  get unpaired(): string | undefined {
    return [...this.#unpaired][0]
  }
}
