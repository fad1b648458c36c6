/** How long another gateway may show the price before: until it is back and has heard of the new one. */
const SHOWN_AFTERWARDS_MILLISECONDS = 120_000

interface Price {
  readonly price: number
  readonly askedAt: number
  /** Since then it stands; infinity: nobody was answered. */
  standsSince: number
  /** It may take effect at any later time, over those that came after it. */
  mayComeLate: boolean
}

/** What the operator published, in this order: from outside it is known what a purchase may cost, and what a plan may show. */
export class Prices {
  readonly #of = new Map<string, Price[]>()

  /** @returns what to fill in when it is answered. */
  ask(planId: string, price: number): Price {
    const asked: Price = { price, askedAt: Date.now(), standsSince: Number.POSITIVE_INFINITY, mayComeLate: true }
    this.#of.set(planId, [...(this.#of.get(planId) ?? []), asked])
    return asked
  }

  /** Of what was asked for since then and is answered now, by whichever gateway. */
  couldCost(planId: string, since: number): ReadonlySet<number> {
    return this.#standing(planId, since - SHOWN_AFTERWARDS_MILLISECONDS)
  }

  /** When all is calm. */
  couldShow(planId: string): ReadonlySet<number> {
    return this.#standing(planId, Number.MAX_VALUE)
  }

  /** Those that no later one had replaced for sure by this instant. */
  #standing(planId: string, at: number) {
    const all = this.#of.get(planId) ?? []
    const standing = all.filter(
      ({ mayComeLate }, n) => mayComeLate || !all.slice(n + 1).some(({ standsSince }) => standsSince < at),
    )
    return new Set(standing.map(({ price }) => price))
  }
}
