import type { Message } from '@coding-plans/runtime'
import type { Bodies } from '@coding-plans/schemas'
import type { Station } from './station.ts'
import type { World } from './world.ts'

/** Something is as it must never be. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

const OWN_KEY_COMMANDS: ReadonlySet<string> = new Set(['PutOwnKey', 'EnableOwnKey', 'DeleteOwnKey'])
const WAITING_STATES: ReadonlySet<string> = new Set(['pastDue', 'toppingUp'])

/** Looks at all five services at once, which none of them can: the invariants of requirements.md section 5. */
export class Watch {
  readonly #world: World
  readonly #owners = new Map<string, string>()
  readonly #ended = new Set<string>()
  readonly #graces = new Map<string, number>()
  /** Term → the top-ups that were asked for it. */
  readonly topUps = new Map<string, Set<string>>()
  readonly #markersSeen = new Set<string>()
  readonly #boundaries = new Map<string, number>()
  readonly #seenTransfers = new Set<string>()
  #ownKeys = new Map<string, string>()

  constructor(world: World) {
    this.#world = world
  }

  /** After every round that is kept. @throws Violation */
  after(station: Station, messages: readonly Message[]) {
    this.#once(station, messages)
    if (station.service === 'credits-ledger') this.#money()
    if (station.service === 'subscription') this.#subscriptions()
    if (station.service === 'key-inventory') {
      this.#stock(messages)
      this.#slots(messages)
    }
    this.access()
  }

  #once(station: Station, messages: readonly Message[]) {
    for (const { name, source, id } of messages)
      if (station.remembers(name) && (station.decided.get(`${source}|${id}`) ?? 0) > 1)
        throw new Violation(`protocol 2: ${station.service} decides ${name} ${id} twice`)
  }

  #money() {
    const { transfers, accounts } = this.#world.rooms.ledger.tables
    for (const transfer of transfers) {
      if (this.#seenTransfers.has(transfer.id)) continue
      this.#seenTransfers.add(transfer.id)
      const { userId, kind, fromAccount, availableAfter } = transfer
      if (fromAccount === 'available' && kind !== 'adjustment' && availableAfter < 0)
        throw new Violation(`1: a ${kind} of ${userId} leaves ${availableAfter} available`)
    }
    for (const { userId, available, held, revenue, funding, promotion, refund } of accounts)
      if (available + held + revenue + funding + promotion + refund !== 0)
        throw new Violation(`2: the accounts of ${userId} do not sum to zero`)
  }

  #subscriptions() {
    const live = new Set<string>()
    const marked: { id: string; boundary: number; topUpId: string }[] = []
    for (const { id, userId, providerId, status, currentPeriodEnd, graceEndsAt, topUp } of this.#world.rooms
      .subscription.tables.subscriptions) {
      if (status === 'ended') this.#ended.add(id)
      else {
        if (this.#ended.has(id)) throw new Violation(`13: ${id} comes back`)
        if (live.has(`${userId}|${providerId}`)) throw new Violation(`5: ${userId} has two of ${providerId}`)
        live.add(`${userId}|${providerId}`)
      }
      const term = `${id}|${currentPeriodEnd}`
      if (status === 'past_due' && graceEndsAt !== null) {
        const first = this.#graces.get(term) ?? graceEndsAt
        this.#graces.set(term, first)
        if (first !== graceEndsAt) throw new Violation(`REN-6: the grace of ${term} moves by ${graceEndsAt - first} ms`)
      }
      if (topUp) marked.push({ id, boundary: topUp.boundary, topUpId: topUp.id })
    }
    this.#markers(marked)
  }

  /** A marker is a term's own if it is new; one that others had is passed on, which is no attempt. */
  #markers(marked: readonly { id: string; boundary: number; topUpId: string }[]) {
    for (const { id, boundary, topUpId } of marked) {
      const first = this.#boundaries.get(`${id}|${topUpId}`) ?? boundary
      this.#boundaries.set(`${id}|${topUpId}`, first)
      if (first !== boundary) throw new Violation(`10: ${topUpId} was for ${id} at ${first} and is for ${boundary}`)
      if (this.#markersSeen.has(topUpId)) continue
      const term = `${id}|${boundary}`
      this.topUps.set(term, (this.topUps.get(term) ?? new Set()).add(topUpId))
    }
    for (const { topUpId } of marked) this.#markersSeen.add(topUpId)
  }

  #stock(messages: readonly Message[]) {
    const { keys, stocks, answers } = this.#world.rooms.inventory.tables
    const counts = new Map<string, number>()
    for (const { key } of keys) {
      counts.set(`${key.planId}|${key.state}`, (counts.get(`${key.planId}|${key.state}`) ?? 0) + 1)
      const user = key.assignment?.userId
      if (!user) continue
      const owner = this.#owners.get(key.id) ?? user
      this.#owners.set(key.id, owner)
      if (owner !== user) throw new Violation(`4: ${key.id} was ${owner}’s and is ${user}’s`)
    }
    for (const { planId, counts: told } of stocks)
      for (const [state, count] of Object.entries(told))
        if (count !== (counts.get(`${planId}|${state}`) ?? 0))
          throw new Violation(
            `11: ${planId} has ${counts.get(`${planId}|${state}`) ?? 0} ${state} keys and tells ${count}`,
          )
    if (messages.some(({ name }) => name === 'UploadKeys')) return
    for (const { body, name, asOf } of messages) {
      if (name !== 'AssignKey') continue
      const { assignmentId, planId } = body as Bodies['AssignKey']
      const { name: answer, body: why } = answers.get(assignmentId)?.saying ?? {}
      if (answer !== 'KeyDeclined' || (why as Bodies['KeyDeclined']).reason !== 'sold_out') continue
      const left = keys.where(
        ({ key }) =>
          key.planId === planId && key.state === 'available' && (key.expiresAt === null || key.expiresAt > asOf),
      )
      if (left.length > 0) throw new Violation(`INV-5: ${planId} is said to be sold out with ${left.length} keys left`)
    }
  }

  #slots(messages: readonly Message[]) {
    const touched = new Set(
      messages.flatMap(({ name, body, key }) => {
        if (name === 'UnlinkKeys') return [key]
        return OWN_KEY_COMMANDS.has(name) ? [`${key}|${(body as { providerId: string }).providerId}`] : []
      }),
    )
    const now = new Map<string, string>()
    for (const { slot, envelope } of this.#world.rooms.inventory.tables.slots)
      if (slot.managedBy === 'user')
        now.set(`${slot.userId}|${slot.providerId}`, `${envelope?.ciphertext.toString()} ${slot.enabled}`)
    for (const [place, before] of this.#ownKeys) {
      const [user = ''] = place.split('|')
      if (now.get(place) !== before && !touched.has(place) && !touched.has(user))
        throw new Violation(`8: the key that the user put at ${place} is changed`)
    }
    this.#ownKeys = now
  }

  /** Live: a key in the slot; over: none. */
  access() {
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
    for (const station of this.#world.stations) {
      if (station.outbox.length > 0) return `${station.service} has ${station.outbox.length} parcels to publish`
      if (station.effects.size > 0) return `${station.service} owes a call`
    }
    return null
  }
}
