import { type Message, type Saying, say } from '@coding-plans/runtime'
import { type Bodies, instant, type MessageName, microdollars, type UserId } from '@coding-plans/schemas'

const has = <Name extends MessageName>(message: Message, name: Name): message is Message & Message<Name> =>
  message.name === name

/** How a payment goes: paid or declined at once, or its outcome not known until it is settled. */
export type Paying = 'paid' | 'declined' | 'unknown'
interface TopUp {
  readonly userId: UserId
  readonly amount: number
  outcome: Paying | 'off'
}

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
  /** Hold ids that were declined: the same command hears the same answer. */
  readonly declined = new Map<string, Bodies['HoldDeclined']>()
  /** Who pays automatically, how much, and how that goes. */
  readonly autoTopUps = new Map<string, { readonly amount: number; readonly paying: Paying }>()
  /** By top-up id; those that were switched off are no attempts. */
  readonly topUps = new Map<string, TopUp>()
  readonly closed = new Set<string>()
  /** Refund id → amount. */
  readonly refunds = new Map<string, number>()
  readonly #versions = new Map<string, number>()

  post(user: string, amount: number) {
    this.available.set(user, (this.available.get(user) ?? 0) + amount)
  }

  handle(message: Message): Saying[] {
    if (has(message, 'HoldCredits')) return [this.#hold(message.body)]
    if (has(message, 'CaptureHold')) return [this.#capture(message.body)]
    if (has(message, 'ReleaseHold')) return this.#release(message.body)
    if (has(message, 'RefundCredits')) return this.#refund(message.body)
    if (has(message, 'TopUpCredits')) return this.#topUp(message.body)
    if (has(message, 'CloseAccount')) return [this.#close(message.body)]
    throw new Error(`The ledger does not know ${message.name}.`)
  }

  #account(user: Bodies['HoldCredits']['userId']) {
    const version = (this.#versions.get(user) ?? 0) + 1
    this.#versions.set(user, version)
    return { userId: user, balance: microdollars(0), held: microdollars(0), version }
  }

  #hold({ userId, holdId, amount }: Bodies['HoldCredits']): Saying {
    const available = this.available.get(userId) ?? 0
    const known = this.declined.get(holdId)
    if (known) return say('HoldDeclined', known)
    if (!this.holds.has(holdId) && (available < amount || this.closed.has(userId))) {
      const amounts = { required: amount, available: microdollars(available) }
      const { version } = this.#account(userId)
      const reason = this.closed.has(userId) ? 'user_deleted' : 'insufficient_credits'
      const declined = { userId, holdId, reason, ...amounts, version } as const
      this.declined.set(holdId, declined)
      return say('HoldDeclined', declined)
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

  #release({ userId, holdId }: Bodies['ReleaseHold']): Saying[] {
    const hold = this.holds.get(holdId)
    if (hold?.state === 'captured') throw new Error(`Hold ${holdId} is captured and cannot be released.`)
    const released = say('HoldReleased', { ...this.#account(userId), holdId })
    if (!hold) return [released]
    if (hold.state === 'open') this.post(userId, hold.amount)
    hold.state = 'released'
    return [released, this.increased(userId, 'release')]
  }

  increased(userId: UserId, cause: Bodies['AvailableIncreased']['cause']): Saying {
    const available = microdollars(this.available.get(userId) ?? 0)
    return say('AvailableIncreased', { userId, available, version: this.#account(userId).version, cause })
  }

  #topUp({ userId, topUpId, shortfall }: Bodies['TopUpCredits']): Saying[] {
    const settings = this.autoTopUps.get(userId)
    const amount = Math.max(settings?.amount ?? 0, shortfall)
    const known = this.topUps.get(topUpId)
    if (!known) this.topUps.set(topUpId, { userId, amount, outcome: settings ? 'unknown' : 'off' })
    const { outcome } = this.topUps.get(topUpId) as TopUp
    if (known) return this.#outcomeOf(topUpId)
    if (outcome === 'off' || settings?.paying === 'unknown' || !settings) return this.#outcomeOf(topUpId)
    return this.settleTopUp(topUpId, settings.paying === 'paid')
  }

  /** What the payment service says in the end. */
  settleTopUp(topUpId: string, paid: boolean): Saying[] {
    const topUp = this.topUps.get(topUpId) as TopUp
    if (topUp.outcome !== 'unknown') return []
    topUp.outcome = paid ? 'paid' : 'declined'
    if (!paid) this.autoTopUps.delete(topUp.userId)
    else this.post(topUp.userId, topUp.amount)
    return this.#outcomeOf(topUpId)
  }

  #outcomeOf(topUpId: string): Saying[] {
    const { userId, amount, outcome } = this.topUps.get(topUpId) as TopUp
    if (outcome === 'unknown') return [say('TopUpUnanswered', { userId, topUpId })]
    if (outcome !== 'paid') return [say('TopUpDeclined', { userId, topUpId, reason: outcome, at: instant(0) })]
    const entry = { topUpId, entryId: `ent_${topUpId}`, amount: microdollars(amount), at: instant(0), description: '' }
    return [say('CreditsToppedUp', { ...this.#account(userId), ...entry }), this.increased(userId, 'top_up')]
  }

  #close({ userId, operationId }: Bodies['CloseAccount']): Saying {
    this.closed.add(userId)
    this.autoTopUps.delete(userId)
    const { version } = this.#account(userId)
    return say('AccountClosed', {
      userId,
      operationId,
      balance: microdollars(this.available.get(userId) ?? 0),
      version,
    })
  }

  #refund({ userId, refundId, subscriptionId, amount, description }: Bodies['RefundCredits']): Saying[] {
    if (!this.refunds.has(refundId)) this.post(userId, amount)
    this.refunds.set(refundId, amount)
    const entry = { refundId, subscriptionId, entryId: `ent_${refundId}`, description, at: instant(0) }
    return [say('CreditsRefunded', { ...this.#account(userId), amount, ...entry }), this.increased(userId, 'refund')]
  }
}

/** The inventory as a saga knows it: stock that runs out, and slots. */
export class InventoryModel {
  /** User and provider → the subscription whose key is in the slot, or `own`. */
  readonly slots = new Map<string, string>()
  readonly #stock = new Map<string, number>()
  readonly #assigned = new Map<string, Bodies['KeyAssigned']>()
  readonly unlinked = new Set<string>()
  #version = 0

  stock(plan: string, keys: number) {
    this.#stock.set(plan, keys)
  }

  handle(message: Message): Saying[] {
    if (has(message, 'AssignKey')) return [this.#assign(message.body)]
    if (has(message, 'RemoveKey')) return [this.#remove(message.body)]
    if (has(message, 'UnlinkKeys')) return [this.#unlink(message.body)]
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
    if (this.unlinked.has(userId)) return say('KeyDeclined', { ...what, reason: 'user_deleted' })
    if (this.slots.has(slot)) return say('KeyDeclined', { ...what, reason: 'slot_occupied' })
    if (stock === 0) return say('KeyDeclined', { ...what, reason: 'sold_out' })
    this.#stock.set(planId, stock - 1)
    this.slots.set(slot, subscriptionId)
    const body = { ...what, keyId: `key_${this.#version}`, maskedKey: '••••', at: instant(0) }
    this.#assigned.set(assignmentId, body)
    return say('KeyAssigned', body)
  }

  #unlink({ userId, operationId }: Bodies['UnlinkKeys']): Saying {
    this.unlinked.add(userId)
    const slots = [...this.slots.keys()].filter((slot) => slot.startsWith(`${userId}|`))
    for (const slot of slots) this.slots.delete(slot)
    return say('KeysUnlinked', { userId, operationId, keys: 0, slots: slots.length, at: instant(0) })
  }

  #remove({ userId, subscriptionId, providerId }: Bodies['RemoveKey']): Saying {
    this.#version += 1
    const slot = `${userId}|${providerId}`
    const emptied = this.slots.get(slot) === subscriptionId && this.slots.delete(slot)
    const what = { userId, subscriptionId, providerId, keyId: null, at: instant(0) }
    return say('KeyRemoved', { ...what, slotVersion: this.#version, stockVersion: this.#version, emptied })
  }
}
