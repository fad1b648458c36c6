import type { Payments } from '@coding-plans/credits-ledger/in-memory'
import type { Random } from './random.ts'

export interface Paid {
  readonly topUpId: string
  readonly userId: string
  readonly amount: number
  returned: boolean
}

/** How the payment service is today. */
export interface PaymentMood {
  readonly declines: number
  /** No answer; whether the card was charged is another question. */
  readonly silent: number
}

/** A payment service: does each thing once by its idempotency key, and does not always say so. */
export class SimulatedPayments implements Payments {
  readonly terms = { step: 1, least: 1, most: Number.MAX_SAFE_INTEGER, verifiesMethods: false }
  readonly paid = new Map<string, Paid>()
  /** Every attempt at a charge, by its top-up. */
  readonly attempts = new Map<string, Set<string>>()
  readonly #outcomes = new Map<string, { paymentId: string } | 'declined'>()
  readonly #random: Random
  mood: PaymentMood = { declines: 0, silent: 0 }

  constructor(random: Random) {
    this.#random = random
  }

  async ownerOf() {
    return null
  }

  async charge(
    { topUpId, userId, amount }: Parameters<Payments['charge']>[0],
    { idempotencyKey }: Parameters<Payments['charge']>[1],
  ) {
    this.attempts.set(topUpId, (this.attempts.get(topUpId) ?? new Set()).add(idempotencyKey))
    if (this.#random.chance(this.mood.silent / 2)) throw new Error('The payment service was not reached.')
    const known = this.#outcomes.get(idempotencyKey)
    const outcome =
      known ?? (this.#random.chance(this.mood.declines) ? 'declined' : { paymentId: `pay_${idempotencyKey}` })
    this.#outcomes.set(idempotencyKey, outcome)
    if (!known && outcome !== 'declined') this.paid.set(outcome.paymentId, { topUpId, userId, amount, returned: false })
    if (this.#random.chance(this.mood.silent / 2)) throw new Error('The payment service does not answer.')
    return outcome
  }

  async giveBack({ paymentId }: Parameters<Payments['giveBack']>[0]) {
    if (this.#random.chance(this.mood.silent / 2)) throw new Error('The payment service was not reached.')
    const paid = this.paid.get(paymentId)
    if (!paid) throw new Error(`There is no payment ${paymentId}.`)
    paid.returned = true
    if (this.#random.chance(this.mood.silent / 2)) throw new Error('The payment service does not answer.')
  }
}
