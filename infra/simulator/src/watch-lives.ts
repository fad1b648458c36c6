import { NewRows, Violation } from './rows.ts'
import type { World } from './world.ts'

/** Subscriptions from their beginning to their end, and the top-ups that were tried for their terms. */
export class LifeWatch {
  readonly #tables: World['rooms']['subscription']['tables']
  readonly #payments: World['payments']
  readonly #rows = new NewRows()
  readonly #ended = new Set<string>()
  readonly #graces = new Map<string, number>()
  /** Term → the top-ups that were asked for it. */
  readonly #topUps = new Map<string, Set<string>>()
  readonly #markersSeen = new Set<string>()
  readonly #boundaries = new Map<string, number>()

  constructor({ rooms, payments }: Pick<World, 'rooms' | 'payments'>) {
    this.#tables = rooms.subscription.tables
    this.#payments = payments
  }

  /** @throws Violation */
  after() {
    const { subscriptions } = this.#tables
    const live = new Set<string>()
    for (const { userId, providerId, status } of subscriptions) {
      if (status === 'ended') continue
      if (live.has(`${userId}|${providerId}`)) throw new Violation(`5: ${userId} has two of ${providerId}`)
      live.add(`${userId}|${providerId}`)
    }
    const marked: { id: string; boundary: number; topUpId: string }[] = []
    for (const { id, status, currentPeriodEnd, graceEndsAt, topUp } of this.#rows.of(subscriptions)) {
      if (status === 'ended') this.#ended.add(id)
      else if (this.#ended.has(id)) throw new Violation(`13: ${id} comes back`)
      if (status === 'past_due' && graceEndsAt !== null) this.#graceStands(`${id}|${currentPeriodEnd}`, graceEndsAt)
      if (topUp) marked.push({ id, boundary: topUp.boundary, topUpId: topUp.id })
    }
    this.#markers(marked)
  }

  #graceStands(term: string, graceEndsAt: number) {
    const first = this.#graces.get(term) ?? graceEndsAt
    this.#graces.set(term, first)
    if (first !== graceEndsAt) throw new Violation(`REN-6: the grace of ${term} moves by ${graceEndsAt - first} ms`)
  }

  /** A marker is a term's own if it is new; one that others had is passed on, which is no attempt. */
  #markers(marked: readonly { id: string; boundary: number; topUpId: string }[]) {
    for (const { id, boundary, topUpId } of marked) {
      const first = this.#boundaries.get(`${id}|${topUpId}`) ?? boundary
      this.#boundaries.set(`${id}|${topUpId}`, first)
      if (first !== boundary) throw new Violation(`10: ${topUpId} was for ${id} at ${first} and is for ${boundary}`)
      if (this.#markersSeen.has(topUpId)) continue
      const term = `${id}|${boundary}`
      this.#topUps.set(term, (this.#topUps.get(term) ?? new Set()).add(topUpId))
    }
    for (const { topUpId } of marked) this.#markersSeen.add(topUpId)
  }

  /** The card is tried once for a term, under one key. */
  attempts() {
    const { attempts } = this.#payments
    for (const [term, ids] of this.#topUps) {
      const tried = [...ids].filter((id) => attempts.has(id))
      if (tried.length > 1) throw new Violation(`10: for ${term} the card was tried ${tried.length} times`)
    }
    for (const [topUpId, keys] of attempts)
      if (keys.size > 1) throw new Violation(`10: ${topUpId} was asked for under ${keys.size} keys`)
  }
}
