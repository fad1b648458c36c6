import { checkAccount } from '@coding-plans/credits-ledger/in-memory'
import { NewRows, type RowOf, Violation } from './rows.ts'
import type { World } from './world.ts'

type Tables = World['rooms']['ledger']['tables']
type Transfer = RowOf<Tables['transfers']>
type Hold = RowOf<Tables['holds']>

/** The ledger's books, entry by entry as they are written. */
export class MoneyWatch {
  readonly #tables: Tables
  readonly #payments: World['payments']
  readonly #rows = new NewRows()
  readonly #checks = new Map<string, ReturnType<typeof checkAccount>>()
  /** Subscription → what it paid and did not get back. */
  readonly #paid = new Map<string, number>()
  /** Term → the hold that was captured for it. */
  readonly #charged = new Map<string, string>()

  constructor({ rooms, payments }: World) {
    this.#tables = rooms.ledger.tables
    this.#payments = payments
  }

  /** @throws Violation */
  after() {
    for (const transfer of this.#rows.of(this.#tables.transfers)) this.#take(transfer)
    for (const account of this.#rows.of(this.#tables.accounts)) {
      const theirs = this.#tables.holds.where(({ userId }) => userId === account.userId)
      const wrong = this.#checkOf(account.userId).finish(account, theirs)
      if (wrong) throw new Violation(`2: ${account.userId}: ${wrong}`)
    }
    for (const hold of this.#rows.of(this.#tables.holds)) if (hold.state === 'captured') this.#charge(hold)
  }

  #checkOf(userId: Transfer['userId']) {
    const check = this.#checks.get(userId) ?? checkAccount(userId)
    this.#checks.set(userId, check)
    return check
  }

  #take(transfer: Transfer) {
    const { userId, kind, fromAccount, availableAfter, subscriptionId, operationId, amount } = transfer
    if (fromAccount === 'available' && kind !== 'adjustment' && availableAfter < 0)
      throw new Violation(`1: a ${kind} of ${userId} leaves ${availableAfter} available`)
    this.#checkOf(userId).take(transfer)
    if (subscriptionId && (kind === 'charge' || kind === 'refund')) {
      const left = (this.#paid.get(subscriptionId) ?? 0) + (kind === 'charge' ? amount : -amount)
      this.#paid.set(subscriptionId, left)
      if (left < 0) throw new Violation(`CAN-2: ${subscriptionId} gets back ${-left} more than it paid`)
    }
    if (kind === 'top_up' && ![...this.#payments.paid.values()].some(({ topUpId }) => topUpId === operationId))
      throw new Violation(`TOP-1: ${operationId} is credited and was never paid`)
  }

  #charge(hold: Hold) {
    const term = `${hold.subscriptionId}|${hold.boundary}`
    const before = this.#charged.get(term) ?? hold.holdId
    this.#charged.set(term, before)
    if (before !== hold.holdId) throw new Violation(`9: ${term} is charged by ${before} and by ${hold.holdId}`)
  }
}
