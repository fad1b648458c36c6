import type { schedulerInMemory } from '@coding-plans/billing-scheduler/in-memory'
import type { ledgerInMemory } from '@coding-plans/credits-ledger/in-memory'
import type { gatewayInMemory } from '@coding-plans/gateway/in-memory'
import type { inventoryInMemory } from '@coding-plans/key-inventory/in-memory'
import type { Call, Message, Saying } from '@coding-plans/runtime'
import { type Bodies, type Instant, instant } from '@coding-plans/schemas'
import type { subscriptionInMemory } from '@coding-plans/subscription/in-memory'
import type { Random } from './random.ts'
import type { RowOf } from './rows.ts'

// How services go wrong when they do: each mistake is planted into a service's own handler, from outside.

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

/** One decision during which something of the round is done in another way. */
const meanwhile = <Part extends object>(part: Part, instead: Partial<Part>, decide: () => Decided): Decided => {
  const before = Object.fromEntries(Object.keys(instead).map((name) => [name, part[name as keyof Part]]))
  Object.assign(part, instead)
  try {
    return decide()
  } finally {
    Object.assign(part, before)
  }
}

const monthOf = (at: Instant): Instant => {
  const date = new Date(at)
  return instant(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1))
}

const withBody = (message: Message, change: object): Message =>
  ({ ...message, body: { ...message.body, ...change } }) as Message

type Transfer = RowOf<Rooms['ledger']['tables']['transfers']>
type Account = Record<'available' | 'promotion' | 'version', number>
interface LedgerRound {
  readonly accounts: Map<string, Account>
  readonly written: { readonly transfers: Transfer[] }
}

/** What was there before the last plan is lent for the judgement alone: what is written is what it comes to. */
export const staleBalance = (ledger: Rooms['ledger']): Rooms['ledger'] => {
  const read = new Map<string, Account>()
  return deciding(ledger, 'HoldCredits', (decide) => (state, message) => {
    const { accounts, written } = state as LedgerRound
    const { userId, amount } = message.body as Bodies['HoldCredits']
    const [present, stale] = [accounts.get(userId), read.get(userId)]
    if (present) read.set(userId, present)
    const missing = present ? amount - present.available : 0
    if (!present || !stale || missing <= 0 || stale.available < amount) return decide(state, message)
    const lend = (account: Account, lent: number) =>
      accounts.set(userId, {
        ...account,
        available: account.available + lent,
        promotion: account.promotion - lent,
      })
    lend(present, missing)
    const said = decide(state, message)
    const after = accounts.get(userId) as Account
    lend(after, -missing)
    if (after.version > present.version)
      written.transfers.push({ ...(written.transfers.pop() as Transfer), availableAfter: -missing as never })
    return said
  })
}

export const monthlyKey = (ledger: Rooms['ledger']): Rooms['ledger'] =>
  deciding(ledger, 'CaptureHold', (decide) => (state, message) => {
    const { boundary } = message.body as Bodies['CaptureHold']
    return decide(state, withBody(message, { boundary: monthOf(boundary) }))
  })

/** It does not look whether it posted them before. */
export const relyingOnSeenIds = (ledger: Rooms['ledger']): Rooms['ledger'] =>
  deciding(ledger, 'PostCredits', (decide) => (state, message) => {
    const { transfers } = state as { readonly transfers: Map<string, Transfer> }
    const known = [...transfers]
    transfers.clear()
    const said = decide(state, message)
    for (const [id, transfer] of known) if (!transfers.has(id)) transfers.set(id, transfer)
    return said
  })

export const forgettingReleases = (subscription: Rooms['subscription']): Rooms['subscription'] =>
  saying(subscription, without('ReleaseHold'))

export const keepingLateKeys = (subscription: Rooms['subscription']): Rooms['subscription'] =>
  saying(subscription, (said, { name }) => (name === 'KeyAssigned' ? without('RemoveKey')(said) : said))

export const tryingOnce = (subscription: Rooms['subscription']): Rooms['subscription'] =>
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

export const restartingGrace = (subscription: Rooms['subscription']): Rooms['subscription'] =>
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

type Priced = { readonly price: number; readonly providerId: string }
interface BooksOfPlans {
  version(...of: unknown[]): Priced | undefined
  live(userId: string, providerId: string): Priced | undefined
}

/** As if a renewal were bought: at the price that was copied, not at the one that the buyer was shown. */
export const extendingAtCopiedPrice = (subscription: Rooms['subscription']): Rooms['subscription'] =>
  deciding(subscription, 'PurchasePlan', (decide) => (state, message) => {
    const { userId } = message.body as Bodies['PurchasePlan']
    const books = state as BooksOfPlans
    const versionOf = books.version.bind(books)
    const version = (...of: unknown[]) => {
      const offered = versionOf(...of)
      const live = offered && books.live(userId, offered.providerId)
      return offered && live ? { ...offered, price: live.price } : offered
    }
    return meanwhile(books, { version }, () => decide(state, message))
  })

interface InventoryRound {
  slot(of: object, at: Instant): { readonly managedBy: string }
  changeSlot(slot: object): void
  changeKey(before: object, after: object, at: Instant): void
  shelf(of: object): { take(...of: unknown[]): unknown }
}

export const overwritingSlots = (inventory: Rooms['inventory']): Rooms['inventory'] =>
  deciding(inventory, 'AssignKey', (decide) => (state, message) => {
    const { userId, providerId } = message.body as Bodies['AssignKey']
    const round = state as InventoryRound
    const slot = round.slot({ userId, providerId }, message.time)
    if (slot.managedBy === 'user')
      round.changeSlot({ ...slot, managedBy: 'none', subscriptionId: null, keyId: null, masked: null, enabled: false })
    return decide(state, message)
  })

export const returningKeys = (inventory: Rooms['inventory']): Rooms['inventory'] =>
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

/** Its user knows it already; and what is to be revoked is good until it is. */
export const sellingKeysAgain = (inventory: Rooms['inventory']): Rooms['inventory'] =>
  deciding(inventory, 'AssignKey', (decide) => (state, message) => {
    const { userId, planId, providerId } = message.body as Bodies['AssignKey']
    const [before] = inventory.tables.keys.where(
      ({ key }) => key.planId === planId && key.state === 'revocation_pending' && key.assignment?.userId === userId,
    )
    if (!before) return decide(state, message)
    const round = state as InventoryRound
    const shelf = round.shelf({ planId, providerId })
    const take = () => ({ ...before.key, state: 'available', assignment: null, endedAt: null })
    const changeKey = round.changeKey.bind(round)
    const instead = { changeKey: (_: object, after: object, at: Instant) => changeKey(before.key, after, at) }
    return meanwhile(shelf, { take }, () => meanwhile(round, instead, () => decide(state, message)))
  })

export const lookingAway = (inventory: Rooms['inventory'], random: Random): Rooms['inventory'] =>
  deciding(inventory, 'AssignKey', (decide) => (state, message) => {
    if (!random.chance(0.1)) return decide(state, message)
    const shelf = (state as InventoryRound).shelf(message.body)
    return meanwhile(shelf, { take: () => null }, () => decide(state, message))
  })

export const leavingKeys = (inventory: Rooms['inventory']): Rooms['inventory'] =>
  deciding(inventory, 'RemoveKey', (decide) => (state, message) => {
    const { userId, providerId } = message.body as Bodies['RemoveKey']
    const round = state as InventoryRound
    const before = round.slot({ userId, providerId }, message.time)
    const said = decide(state, message)
    if (before.managedBy === 'plan') round.changeSlot(before)
    return said
  })
