import { type Message, type Saying, say } from '@coding-plans/runtime'
import { type Bodies, instant, type MessageName, microdollars } from '@coding-plans/schemas'

const has = <Name extends MessageName>(message: Message, name: Name): message is Message & Message<Name> =>
  message.name === name

interface Hold {
  readonly userId: string
  readonly amount: number
  state: 'open' | 'captured' | 'released'
}

/** The ledger as a saga knows it: holds and nothing else. */
export class LedgerModel {
  readonly available = new Map<string, number>()
  readonly holds = new Map<string, Hold>()
  /** Charge id → amount. */
  readonly charges = new Map<string, number>()
  /** Refund id → amount. */
  readonly refunds = new Map<string, number>()
  readonly #versions = new Map<string, number>()

  post(user: string, amount: number) {
    this.available.set(user, (this.available.get(user) ?? 0) + amount)
  }

  handle(message: Message): Saying[] {
    if (has(message, 'HoldCredits')) return [this.#hold(message.body)]
    if (has(message, 'CaptureHold')) return [this.#capture(message.body)]
    if (has(message, 'ReleaseHold')) return [this.#release(message.body)]
    if (has(message, 'RefundCredits')) return [this.#refund(message.body)]
    throw new Error(`The ledger does not know ${message.name}.`)
  }

  #account(user: Bodies['HoldCredits']['userId']) {
    const version = (this.#versions.get(user) ?? 0) + 1
    this.#versions.set(user, version)
    return { userId: user, balance: microdollars(0), held: microdollars(0), version }
  }

  #hold({ userId, holdId, amount }: Bodies['HoldCredits']): Saying {
    const available = this.available.get(userId) ?? 0
    if (!this.holds.has(holdId) && available < amount) {
      const amounts = { required: amount, available: microdollars(available) }
      const { version } = this.#account(userId)
      return say('HoldDeclined', { userId, holdId, reason: 'insufficient_credits', ...amounts, version })
    }
    if (!this.holds.has(holdId)) {
      this.holds.set(holdId, { userId, amount, state: 'open' })
      this.post(userId, -amount)
    }
    return say('CreditsHeld', { ...this.#account(userId), holdId, amount })
  }

  #capture({ userId, holdId, chargeId, subscriptionId, description }: Bodies['CaptureHold']): Saying {
    const hold = this.holds.get(holdId)
    if (!hold || hold.state === 'released') throw new Error(`Hold ${holdId} cannot be captured.`)
    if (hold.state === 'open' && this.charges.has(chargeId)) throw new Error(`${chargeId} is charged twice.`)
    hold.state = 'captured'
    this.charges.set(chargeId, hold.amount)
    const entry = { entryId: `ent_${chargeId}`, chargeId, subscriptionId, description, at: instant(0) }
    return say('HoldCaptured', { ...this.#account(userId), holdId, amount: microdollars(hold.amount), ...entry })
  }

  #release({ userId, holdId }: Bodies['ReleaseHold']): Saying {
    const hold = this.holds.get(holdId)
    if (hold?.state === 'captured') throw new Error(`Hold ${holdId} is captured and cannot be released.`)
    if (hold?.state === 'open') {
      hold.state = 'released'
      this.post(userId, hold.amount)
    }
    return say('HoldReleased', { ...this.#account(userId), holdId })
  }

  #refund({ userId, refundId, subscriptionId, amount, description }: Bodies['RefundCredits']): Saying {
    if (!this.refunds.has(refundId)) this.post(userId, amount)
    this.refunds.set(refundId, amount)
    const entry = { refundId, subscriptionId, entryId: `ent_${refundId}`, description, at: instant(0) }
    return say('CreditsRefunded', { ...this.#account(userId), amount, ...entry })
  }
}

/** The inventory as a saga knows it: stock that runs out, and slots. */
export class InventoryModel {
  /** User and provider → the subscription whose key is in the slot, or `own`. */
  readonly slots = new Map<string, string>()
  readonly #stock = new Map<string, number>()
  readonly #assigned = new Map<string, Bodies['KeyAssigned']>()
  #version = 0

  stock(plan: string, keys: number) {
    this.#stock.set(plan, keys)
  }

  handle(message: Message): Saying[] {
    if (has(message, 'AssignKey')) return [this.#assign(message.body)]
    if (has(message, 'RemoveKey')) return [this.#remove(message.body)]
    throw new Error(`The inventory does not know ${message.name}.`)
  }

  #assign({ userId, assignmentId, subscriptionId, planId, providerId }: Bodies['AssignKey']): Saying {
    const known = this.#assigned.get(assignmentId)
    if (known) return say('KeyAssigned', known)
    this.#version += 1
    const slot = `${userId}|${providerId}`
    const stock = this.#stock.get(planId) ?? 0
    const versions = { slotVersion: this.#version, stockVersion: this.#version }
    const what = { userId, assignmentId, subscriptionId, planId, providerId, ...versions }
    if (this.slots.has(slot)) return say('KeyDeclined', { ...what, reason: 'slot_occupied' })
    if (stock === 0) return say('KeyDeclined', { ...what, reason: 'sold_out' })
    this.#stock.set(planId, stock - 1)
    this.slots.set(slot, subscriptionId)
    const body = { ...what, keyId: `key_${this.#version}`, maskedKey: '••••', at: instant(0) }
    this.#assigned.set(assignmentId, body)
    return say('KeyAssigned', body)
  }

  #remove({ userId, subscriptionId, providerId }: Bodies['RemoveKey']): Saying {
    this.#version += 1
    const slot = `${userId}|${providerId}`
    const emptied = this.slots.get(slot) === subscriptionId && this.slots.delete(slot)
    const what = { userId, subscriptionId, providerId, keyId: null, at: instant(0) }
    return say('KeyRemoved', { ...what, slotVersion: this.#version, emptied })
  }
}
