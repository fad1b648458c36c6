import { randomUUID } from 'node:crypto'
import type { Answer } from '@coding-plans/e2e/house'
import type { Ask } from './caller.ts'
import { Prices } from './prices.ts'

/** A request under an Idempotency-Key of which nobody knows what became: it is asked again when all is calm. */
export interface Pending {
  readonly ask: Ask
  readonly by: 'user' | 'operator'
  readonly learn: (answer: Answer) => void
}

export interface KnownCharge {
  readonly id: string
  readonly kind: string
  readonly amount: number
  readonly subscriptionId: string
}

export type Refund = 'none' | 'prorated' | 'full'

/** What was set without an Idempotency-Key, as far as anybody outside can know. */
export interface Known<T> {
  /** What was last answered. */
  said: T
  /** What was asked and not answered, and may take effect at any later time. */
  readonly late: Set<T>
}

export const known = <T>(said: T): Known<T> => ({ said, late: new Set() })
export const mayBe = <T>({ said, late }: Known<T>, found: T) => found === said || late.has(found)

/** Of one provider, plan, …; what was never set is this. */
const knownOf = <T>(all: Map<string, Known<T>>, id: string, unset: T): Known<T> => {
  const found = all.get(id) ?? known(unset)
  all.set(id, found)
  return found
}

/** What one user was answered: knowledge from outside, with which the house is compared in the end. */
export class Memory {
  readonly user: string
  /** Posted credits, by the id of their entry. */
  readonly credits = new Map<string, number>()
  readonly charges = new Map<string, KnownCharge>()
  /** Purchases that succeeded, to be asked again: the same answer must come. */
  readonly bought: { readonly ask: Ask; readonly operationId: string }[] = []
  readonly subscriptions = new Map<string, { readonly planId: string; readonly providerId: string }>()
  readonly ended = new Set<string>()
  /** Flagged for their end and not touched since. */
  readonly flagged = new Map<string, string>()
  /** A command about them may come late: of their flag nothing is known. */
  readonly murky = new Set<string>()
  readonly terminated = new Map<string, Refund>()
  /** Not to be canceled: resumed or bought, and not touched since. */
  readonly goesOn = new Set<string>()
  /** Null: no key. */
  readonly ownKeys = new Map<string, Known<string | null>>()
  readonly wishes = new Map<string, Known<boolean>>()
  readonly autoTopUp = {
    enabled: known(false),
    amountMicrodollars: known(0),
    paymentMethodId: known<string | null>(null),
  }
  readonly pending: Pending[] = []
  deletion: 'none' | 'asked' | 'answered' = 'none'

  constructor(user: string) {
    this.user = user
  }

  ownKey(providerId: string) {
    return knownOf(this.ownKeys, providerId, null)
  }

  wish(planId: string) {
    return knownOf(this.wishes, planId, false)
  }

  /** @param isLate it is answered when all is calm, and took effect before or after whatever was answered meanwhile. */
  learnPurchase(ask: Ask, { body }: Answer, isLate: boolean) {
    const { operationId, kind, charge, subscription } = body
    if (!this.bought.some((one) => one.operationId === operationId)) this.bought.push({ ask, operationId })
    const { id, planId, providerId } = subscription
    this.subscriptions.set(id, { planId, providerId })
    // If it is an extension it undoes a cancellation, also one that was asked for while nobody knew what became of it.
    this.flagged.delete(id)
    if (!isLate) this.goesOn.add(id)
    // Who bought it need not be told that it is back (RST-1).
    const wish = this.wish(planId)
    if (kind === 'activation' && isLate) wish.late.add(false)
    else if (kind === 'activation') wish.said = false
    if (charge)
      this.charges.set(charge.id, {
        id: charge.id,
        kind: charge.kind,
        amount: charge.amountMicrodollars,
        subscriptionId: id,
      })
  }
}

/** What all share: the keys that were uploaded, who was shown which, and what was found wrong. */
export class Notebook {
  /** In every key, and so nowhere to be found. */
  readonly mark: string
  /** In the reason of every credit, and so to be found where what is said is kept. */
  readonly plain = `plain${randomUUID()}`
  /** Of every key that was ever sent: for which plan. */
  readonly uploaded = new Map<string, string>()
  /** Of each plan, how many keys are known to have been accepted. */
  readonly accepted = new Map<string, number>()
  readonly shownTo = new Map<string, string>()
  readonly prices = new Prices()
  readonly #violations = new Map<string, string[]>()

  constructor(mark: string) {
    this.mark = mark
  }

  /** @param what the rule that is broken; examples are told apart under it. */
  violation(what: string, example: string) {
    const examples = this.#violations.get(what) ?? []
    this.#violations.set(what, [...examples, example])
  }

  get violations(): ReadonlyMap<string, readonly string[]> {
    return this.#violations
  }

  /** A key was revealed: it must be one that was uploaded for a plan of that provider, and nobody else's. */
  show(user: string, key: string, isOf: (planId: string) => boolean) {
    const planId = this.uploaded.get(key)
    if (planId === undefined || !isOf(planId))
      this.violation('a revealed key was uploaded for that provider', `${user} was shown one that was not`)
    const first = this.shownTo.get(key) ?? user
    if (first !== user) this.violation('a key is given to one user only', `one was shown to ${first} and to ${user}`)
    this.shownTo.set(key, first)
  }
}
