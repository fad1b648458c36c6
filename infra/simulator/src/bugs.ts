import type { schedulerInMemory } from '@coding-plans/billing-scheduler/in-memory'
import type { ledgerInMemory } from '@coding-plans/credits-ledger/in-memory'
import type { gatewayInMemory } from '@coding-plans/gateway/in-memory'
import type { inventoryInMemory } from '@coding-plans/key-inventory/in-memory'
import type { Call, Message, Saying } from '@coding-plans/runtime'
import { type Bodies, type Instant, instant } from '@coding-plans/schemas'
import type { subscriptionInMemory } from '@coding-plans/subscription/in-memory'
import type { Random } from './random.ts'
import type { RuntimeBugs } from './surroundings.ts'

export interface Rooms {
  readonly gateway: ReturnType<typeof gatewayInMemory>
  readonly subscription: ReturnType<typeof subscriptionInMemory>
  readonly ledger: ReturnType<typeof ledgerInMemory>
  readonly inventory: ReturnType<typeof inventoryInMemory>
  readonly scheduler: ReturnType<typeof schedulerInMemory>
}

type Decided = (Saying | Call)[]
type DecideOne = (state: unknown, message: Message) => Decided
interface AnyRoom {
  readonly handler: {
    readonly decide: { readonly [name: string]: unknown }
    load(...of: never[]): Promise<unknown>
    save(...of: never[]): Promise<void>
  }
}

/** The room, with one handler's decisions replaced. */
const deciding = <R extends AnyRoom>(room: R, name: string, instead: (decide: DecideOne) => DecideOne): R => ({
  ...room,
  handler: {
    ...room.handler,
    decide: { ...room.handler.decide, [name]: instead(room.handler.decide[name] as DecideOne) },
  },
})

/** The room, with what it says changed. */
const saying = <R extends AnyRoom>(room: R, change: (said: Decided, message: Message) => Decided): R => {
  const decide = Object.fromEntries(
    Object.entries(room.handler.decide).map(([name, one]) => [
      name,
      (state: unknown, message: Message) => change((one as DecideOne)(state, message), message),
    ]),
  )
  return { ...room, handler: { ...room.handler, decide } }
}

const without = (name: string) => (said: Decided) => said.filter((one) => !('name' in one) || one.name !== name)

const monthOf = (at: Instant): Instant => {
  const date = new Date(at)
  return instant(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1))
}

const withBody = (message: Message, change: object): Message =>
  ({ ...message, body: { ...message.body, ...change } }) as Message

/**
 * Mistakes that were made in systems of this kind, or nearly in this one. Each is planted into the services' own code from
 * outside; the simulator must find it. The values say what goes wrong.
 */
export const bugs = {
  'check-outside-the-lock': 'a process that lost its lanes commits what it had judged before',
  'stale-balance': 'of two plans in one round each is judged by the balance before the round',
  'month-based-renewal-key': 'a term is charged once a month, whatever its length',
  'release-forgotten': 'a purchase that fails after its hold does not give it back',
  'slot-overwritten': 'a plan’s key goes into a slot without looking what is in it',
  'publish-before-commit': 'what a round says is sent before it is kept',
  'seen-ids-off': 'a second copy of a message is decided as if it were the first',
  'top-up-marker-kept': 'what was tried for one term counts for the next',
  'key-returned-to-stock': 'a key whose access has ended is sold again',
  'grace-from-now': 'each new attempt at an unpaid term starts its grace anew',
  'sold-out-too-soon': 'a round looks away from the last key of a stock',
  'late-assignment-kept': 'a key that is assigned to a purchase given up meanwhile is not taken back',
  'key-left-in-the-slot': 'at the end of access the slot keeps the key',
} as const
export type Bug = keyof typeof bugs

export const isBug = (name: string): name is Bug => Object.hasOwn(bugs, name)

/** Mistakes of the runtime. */
export const runtimeBugsOf = (bug: Bug | null): RuntimeBugs => ({
  forgetsSeen: bug === 'seen-ids-off',
  publishesBeforeItCommits: bug === 'publish-before-commit',
  ignoresEpochs: bug === 'check-outside-the-lock',
})

type Balance = Readonly<Record<'available' | 'promotion', number>>

const staleBalance = (ledger: Rooms['ledger']): Rooms['ledger'] => {
  const before = new WeakMap<object, ReadonlyMap<unknown, Balance>>()
  return deciding(ledger, 'HoldCredits', (decide) => (state, message) => {
    const { accounts } = state as { accounts: Map<unknown, Balance> }
    const known = before.get(accounts) ?? new Map(accounts)
    before.set(accounts, known)
    const { userId, amount } = message.body as Bodies['HoldCredits']
    const [present, stale] = [accounts.get(userId), known.get(userId)]
    const missing = present ? amount - present.available : 0
    // It looks as if there were enough, as there was at the beginning of the round; the rest comes from nowhere.
    if (present && stale && missing > 0 && stale.available >= amount)
      accounts.set(userId, {
        ...present,
        available: present.available + missing,
        promotion: present.promotion - missing,
      })
    return decide(state, message)
  })
}

const monthlyKey = (ledger: Rooms['ledger']): Rooms['ledger'] =>
  deciding(ledger, 'CaptureHold', (decide) => (state, message) => {
    const { boundary } = message.body as Bodies['CaptureHold']
    return decide(state, withBody(message, { boundary: monthOf(boundary) }))
  })

interface SlotRound {
  slot(of: object, at: Instant): { readonly managedBy: string }
  changeSlot(slot: object): void
}

const overwritingSlots = (inventory: Rooms['inventory']): Rooms['inventory'] =>
  deciding(inventory, 'AssignKey', (decide) => (state, message) => {
    const { userId, providerId } = message.body as Bodies['AssignKey']
    const round = state as SlotRound
    const slot = round.slot({ userId, providerId }, message.time)
    if (slot.managedBy === 'user')
      round.changeSlot({ ...slot, managedBy: 'none', subscriptionId: null, keyId: null, masked: null, enabled: false })
    return decide(state, message)
  })

const tryingOnce = (subscription: Rooms['subscription']): Rooms['subscription'] =>
  ({
    ...subscription,
    handler: {
      ...subscription.handler,
      load: async (...given: Parameters<typeof subscription.handler.load>) => {
        const books = await subscription.handler.load(...given)
        for (const one of [...books.subscriptions])
          if (one.topUp && one.topUp.boundary < one.currentPeriodEnd && one.status === 'active')
            books.subscriptions.put({ ...one, topUp: { ...one.topUp, boundary: one.currentPeriodEnd } })
        return books
      },
    },
  }) as Rooms['subscription']

const returningKeys = (inventory: Rooms['inventory']): Rooms['inventory'] =>
  ({
    ...inventory,
    handler: {
      ...inventory.handler,
      save: async (...given: Parameters<typeof inventory.handler.save>) => {
        await inventory.handler.save(...given)
        const { keys, stocks } = inventory.tables
        for (const record of keys.where(({ key }) => key.state === 'assigned' && key.endedAt !== null)) {
          const { key } = record
          const stock = stocks.get(key.planId)
          if (!stock) continue
          const counts = { ...stock.counts, assigned: stock.counts.assigned - 1, available: stock.counts.available + 1 }
          const envelope = { ciphertext: Buffer.from(key.masked), wrappedKey: Buffer.alloc(0), wrappingKeyId: 'open' }
          keys.update([{ ...record, key: { ...key, state: 'available', assignment: null, endedAt: null }, envelope }])
          stocks.update([{ ...stock, counts }])
        }
      },
    },
  }) as Rooms['inventory']

const restartingGrace = (subscription: Rooms['subscription']): Rooms['subscription'] =>
  deciding(subscription, 'HoldDeclined', (decide) => (state, message) => {
    const said = decide(state, message)
    const books = state as {
      subscriptions: Iterable<{ userId: string; status: string; graceEndsAt: number | null; graceHours: number }> & {
        put(row: object): void
      }
    }
    for (const one of [...books.subscriptions])
      if (one.userId === message.key && one.status === 'past_due')
        books.subscriptions.put({ ...one, graceEndsAt: message.asOf + one.graceHours * 3_600_000 })
    return said
  })

const lookingAway = (inventory: Rooms['inventory'], random: Random): Rooms['inventory'] =>
  deciding(inventory, 'AssignKey', (decide) => (state, message) => {
    const round = state as { shelf(of: object): { take(...of: unknown[]): unknown } }
    const { planId, providerId } = message.body as Bodies['AssignKey']
    if (!random.chance(0.1)) return decide(state, message)
    const shelf = round.shelf({ planId, providerId })
    const take = shelf.take
    shelf.take = () => null
    try {
      return decide(state, message)
    } finally {
      shelf.take = take
    }
  })

const leavingKeys = (inventory: Rooms['inventory']): Rooms['inventory'] =>
  deciding(inventory, 'RemoveKey', (decide) => (state, message) => {
    const { userId, providerId } = message.body as Bodies['RemoveKey']
    const round = state as SlotRound
    const before = round.slot({ userId, providerId }, message.time)
    const said = decide(state, message)
    if (before.managedBy === 'plan') round.changeSlot(before)
    return said
  })

const withoutRemoval = without('RemoveKey')

/** The rooms, with this mistake in them. */
export const plant = (bug: Bug | null, random: Random, rooms: Rooms): Rooms => {
  const { subscription, ledger, inventory } = rooms
  switch (bug) {
    case 'stale-balance':
      return { ...rooms, ledger: staleBalance(ledger) }
    case 'month-based-renewal-key':
      return { ...rooms, ledger: monthlyKey(ledger) }
    case 'release-forgotten':
      return { ...rooms, subscription: saying(subscription, without('ReleaseHold')) }
    case 'slot-overwritten':
      return { ...rooms, inventory: overwritingSlots(inventory) }
    case 'top-up-marker-kept':
      return { ...rooms, subscription: tryingOnce(subscription) }
    case 'key-returned-to-stock':
      return { ...rooms, inventory: returningKeys(inventory) }
    case 'grace-from-now':
      return { ...rooms, subscription: restartingGrace(subscription) }
    case 'sold-out-too-soon':
      return { ...rooms, inventory: lookingAway(inventory, random) }
    case 'late-assignment-kept':
      return {
        ...rooms,
        subscription: saying(subscription, (said, { name }) => (name === 'KeyAssigned' ? withoutRemoval(said) : said)),
      }
    case 'key-left-in-the-slot':
      return { ...rooms, inventory: leavingKeys(inventory) }
    default:
      return rooms
  }
}
