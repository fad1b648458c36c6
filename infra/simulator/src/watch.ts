import type { Message } from '@coding-plans/runtime'
import { Violation } from './rows.ts'
import type { Station } from './station.ts'
import { KeyWatch } from './watch-keys.ts'
import { LifeWatch } from './watch-lives.ts'
import { MoneyWatch } from './watch-money.ts'
import { type Quote, TermWatch } from './watch-terms.ts'
import type { World } from './world.ts'

export { Violation } from './rows.ts'

const WAITING_STATES: ReadonlySet<string> = new Set(['pastDue', 'toppingUp'])

/** Looks at all five services at once, which none of them can: the invariants of requirements.md section 5. */
export class Watch {
  readonly #world: World
  readonly #money: MoneyWatch
  readonly #terms: TermWatch
  readonly #lives: LifeWatch
  readonly #keys: KeyWatch

  constructor(world: World) {
    this.#world = world
    this.#money = new MoneyWatch(world)
    this.#terms = new TermWatch(world)
    this.#lives = new LifeWatch(world)
    this.#keys = new KeyWatch(world)
  }

  /** After every round that is kept. @throws Violation */
  after({ service }: Station, messages: readonly Message[]) {
    if (service === 'credits-ledger') this.#money.after()
    if (service === 'subscription') this.#lives.after()
    if (service === 'key-inventory') this.#keys.after(messages)
    if (service === 'credits-ledger' || service === 'subscription') {
      this.#terms.after()
      this.#lives.attempts()
    }
    if (service === 'key-inventory' || service === 'subscription') this.#access()
  }

  /** A purchase was accepted, and this is what its buyer was shown. */
  quoted(operationId: string, quote: Quote) {
    this.#terms.quoted(operationId, quote)
  }

  /** What was answered to a purchase is what is. @throws Violation */
  answered(operationId: string, answer: unknown) {
    const { subscription, ledger } = this.#world.rooms
    const { subscription: bought, charge } = answer as {
      readonly subscription: { readonly id: string }
      readonly charge: { readonly id: string; readonly amountMicrodollars: number } | null
    }
    if (!subscription.tables.subscriptions.get(bought.id))
      throw new Violation(`14: ${operationId} was answered ${bought.id}, which is not there`)
    if (!charge) return
    const [charged] = ledger.tables.holds.where(({ chargeId }) => chargeId === charge.id)
    if (charged?.amount !== charge.amountMicrodollars)
      throw new Violation(`14: ${operationId} was answered charge ${charge.id}, which is not there`)
  }

  /** Live: a key in the slot; over: none. Whether that key is the right one the slots themselves tell. */
  #access() {
    const { subscription, inventory } = this.#world.rooms
    for (const { id, userId, providerId, status, accessUntil } of subscription.tables.subscriptions) {
      const slot = inventory.tables.slots.get(`${userId}|${providerId}`)?.slot
      const has = slot?.managedBy === 'plan' && slot.subscriptionId === id
      if (status === 'ended' && has) throw new Violation(`7: ${id} has ended, and its key is in the slot`)
      if (status !== 'ended' && accessUntil === null && !has)
        throw new Violation(`7: ${id} is ${status}, and its key is not in the slot`)
    }
  }

  /** What is still on its way, in words; null: all has settled. */
  unsettled(): string | null {
    const { subscription, ledger, gateway } = this.#world.rooms
    const running = subscription.tables.sagas.where((saga) => saga.running && !WAITING_STATES.has(saga.state))
    if (running[0]) return `12: ${running[0].kind} ${running[0].id} is ${running[0].state}`
    const held = ledger.tables.holds.where(({ state }) => state === 'open')
    if (held[0]) return `12: hold ${held[0].holdId} of ${held[0].userId} is open`
    const pending = gateway.tables.operations.where(({ outcome }) => outcome === null)
    if (pending[0]) return `12: ${pending[0].kind} ${pending[0].id} is pending`
    if (this.#terms.unpaired) return `3: of charge ${this.#terms.unpaired} one side is missing`
    for (const station of this.#world.stations) {
      if (station.outbox.length > 0) return `${station.service} has ${station.outbox.length} parcels to publish`
      if (station.effects.size > 0) return `${station.service} owes a call`
    }
    return null
  }
}
