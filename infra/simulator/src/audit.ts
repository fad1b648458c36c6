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
  judge({ answered }: People, watch: Watch) {
    this.#books()
    this.#payments()
    for (const { kind, operationId, answer } of answered)
      if (kind === 'purchase' && answer.outcome === 'succeeded') watch.answered(operationId, answer.answer)
    this.#shown()
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

  /** Once more from the first entry on, as the ledger's own command does. */
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

  /** What the card paid is credited or given back. */
  #payments() {
    const { payments, rooms } = this.#world
    const credited = new Map(
      rooms.ledger.tables.transfers.where(({ kind }) => kind === 'top_up').map((one) => [one.operationId, one.amount]),
    )
    for (const { topUpId, amount, returned } of payments.paid.values()) {
      if (returned === credited.has(topUpId) || (!returned && credited.get(topUpId) !== amount))
        throw new Violation(`TOP-1: ${topUpId} of ${amount} is paid, and ${returned ? 'returned' : 'not'} credited`)
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
  }
}
