import { checkAccount } from '@coding-plans/credits-ledger/in-memory'
import type { People } from './people.ts'
import { Violation, type Watch } from './watch.ts'
import type { World } from './world.ts'

/** Everything at the end, when all has settled: paid or released, and every service says the same. */
export class Audit {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  /** @throws Violation */
  judge(people: People, watch: Watch) {
    const [complaint] = people.complaints
    if (complaint) throw new Violation(complaint)
    this.#chargesAndTerms()
    this.#books()
    this.#payments(watch)
    this.#answers(people)
    this.#shown()
    watch.access()
    this.#nobodyElse()
  }

  /** No access that nobody pays for. */
  #nobodyElse() {
    const { subscription, inventory } = this.#world.rooms
    for (const { slot } of inventory.tables.slots) {
      if (slot.managedBy !== 'plan') continue
      const live = subscription.tables.subscriptions.get(slot.subscriptionId ?? '')
      if (!live || live.status === 'ended')
        throw new Violation(`7: ${slot.userId} has a key of ${slot.providerId}, and no subscription`)
    }
  }

  #chargesAndTerms() {
    const { subscription, ledger } = this.#world.rooms
    const captured = ledger.tables.holds.where(({ state }) => state === 'captured')
    const charges = new Map(captured.map(({ chargeId, amount }) => [chargeId, amount]))
    for (const { chargeId, amount, subscriptionId } of subscription.tables.terms) {
      if (chargeId === null) continue
      if (charges.get(chargeId) !== amount)
        throw new Violation(`3: a term of ${subscriptionId} has no charge ${chargeId}`)
      charges.delete(chargeId)
    }
    for (const [chargeId] of charges) throw new Violation(`3: charge ${chargeId} has no term`)
    const terms = captured.map(({ subscriptionId, boundary }) => `${subscriptionId}|${boundary}`)
    if (new Set(terms).size < terms.length) throw new Violation('9: a term is charged twice')
    const paid = new Map<string, number>()
    for (const { kind, subscriptionId, amount } of ledger.tables.transfers) {
      const sign = kind === 'charge' ? 1 : kind === 'refund' ? -1 : 0
      if (subscriptionId) paid.set(subscriptionId, (paid.get(subscriptionId) ?? 0) + sign * amount)
    }
    for (const [id, left] of paid)
      if (left < 0) throw new Violation(`CAN-2: ${id} gets back ${-left} more than it paid`)
  }

  #books() {
    const { accounts, transfers, holds } = this.#world.rooms.ledger.tables
    for (const account of accounts) {
      const check = checkAccount(account.userId)
      const theirs = transfers.where(({ userId }) => userId === account.userId)
      for (const transfer of theirs.toSorted((a, b) => a.sequence - b.sequence)) check.take(transfer)
      const wrong = check.finish(
        account,
        holds.where(({ userId }) => userId === account.userId),
      )
      if (wrong) throw new Violation(`2: ${account.userId}: ${wrong}`)
    }
  }

  #payments(watch: Watch) {
    const { payments, rooms } = this.#world
    for (const [term, ids] of watch.topUps) {
      const tried = [...ids].filter((id) => payments.attempts.has(id))
      if (tried.length > 1) throw new Violation(`10: for ${term} the card was tried ${tried.length} times`)
    }
    for (const [topUpId, keys] of payments.attempts)
      if (keys.size > 1) throw new Violation(`10: ${topUpId} was asked for under ${keys.size} keys`)
    const credited = new Map(
      rooms.ledger.tables.transfers.where(({ kind }) => kind === 'top_up').map((one) => [one.operationId, one.amount]),
    )
    for (const { topUpId, amount, returned } of payments.paid.values()) {
      if (returned === credited.has(topUpId) || (!returned && credited.get(topUpId) !== amount))
        throw new Violation(`TOP-1: ${topUpId} of ${amount} is paid, and ${returned ? 'returned' : 'not'} credited`)
      credited.delete(topUpId)
    }
    for (const [topUpId] of credited) throw new Violation(`TOP-1: ${topUpId} is credited and was never paid`)
  }

  /** What was answered is what is. */
  #answers({ answered }: People) {
    const { subscription, ledger } = this.#world.rooms
    for (const { kind, operationId, answer } of answered) {
      if (kind !== 'purchase' || answer.outcome !== 'succeeded') continue
      const bought = answer.answer as {
        subscription: { id: string }
        charge: { id: string; amountMicrodollars: number } | null
      }
      if (!subscription.tables.subscriptions.get(bought.subscription.id))
        throw new Violation(`14: ${operationId} was answered ${bought.subscription.id}, which is not there`)
      if (!bought.charge) continue
      const { id, amountMicrodollars } = bought.charge
      const [charged] = ledger.tables.holds.where(({ chargeId }) => chargeId === id)
      if (charged?.amount !== amountMicrodollars)
        throw new Violation(`14: ${operationId} was answered charge ${id}, which is not there`)
    }
  }

  /** What the gateway shows is what the owners have. */
  #shown() {
    const { gateway, ledger, subscription, inventory } = this.#world.rooms
    for (const { userId, balance, held } of gateway.tables.accounts) {
      const account = ledger.tables.accounts.get(userId)
      if (account && (balance !== account.available + account.held || held !== account.held))
        throw new Violation(`SUB-1: ${userId} is shown ${balance}, of which ${held} held`)
    }
    for (const shown of gateway.tables.subscriptions) {
      const real = subscription.tables.subscriptions.get(shown.id)
      if (shown.status !== real?.status || shown.currentPeriodEnd !== real.currentPeriodEnd)
        throw new Violation(
          `SUB-1: ${shown.id} of ${shown.userId} is shown ${shown.status} until ${shown.currentPeriodEnd}, and is ${real?.status} until ${real?.currentPeriodEnd}`,
        )
    }
    for (const { planId, available } of gateway.tables.stock)
      if (available !== inventory.tables.stocks.get(planId)?.counts.available)
        throw new Violation(`INV-6: ${planId} is shown with ${available} keys`)
    for (const one of inventory.tables.entitlements) {
      const slot = inventory.tables.slots.get(`${one.userId}|${one.providerId}`)?.slot
      if (one.managedBy !== (slot?.managedBy ?? 'none'))
        throw new Violation(
          `SLT-4: ${one.userId} is entitled by ${one.managedBy}, and the slot is ${slot?.managedBy}’s`,
        )
    }
  }
}
