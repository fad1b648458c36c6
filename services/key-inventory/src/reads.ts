import type { Message } from '@coding-plans/runtime'
import type { Entitlement } from './domain/entitlement.ts'
import type { Key } from './domain/key.ts'
import type { Stock } from './domain/stock.ts'
import { type Answer, type Deleted, Inventory, type SlotRecord } from './inventory.ts'
import { Needs, type StockNeed } from './needs.ts'
import type { Envelope } from './vault.ts'

/** What a round asks of what is kept. */
export interface Reads {
  /** Those of the plans, those whose key serves one of the subscriptions, those of which a deleted user had a key. */
  lockStocks(needs: Needs): Promise<Stock[]>
  lockSlots(needs: Needs): Promise<SlotRecord[]>
  lockEntitlements(userIds: readonly string[]): Promise<Entitlement[]>
  /** In the order of their assignment. */
  namedKeys(needs: Needs): Promise<Key[]>
  knownKeys(fingerprints: readonly string[], ids: readonly string[]): Promise<{ id: string; fingerprint: string }[]>
  answers(operationIds: readonly string[]): Promise<Answer[]>
  envelopes(keyIds: readonly string[]): Promise<ReadonlyMap<string, Envelope>>
  tombstones(userIds: readonly string[]): Promise<Deleted[]>
  /**
   * For each plan, of what is available: as many as may be taken, oldest upload first; what has expired by then; and one
   * more than may be taken of those that last longest, so that the round knows until when it can be sold.
   */
  sellableKeys(needs: readonly StockNeed[]): Promise<Key[]>
}

/**
 * Reads and locks what the messages need: stock rows first, then slots, then entitlements, each in sorted order (protocol.md 6).
 * Sent together, they are still answered one after the other, in this order.
 */
export const readInventory = async (reads: Reads, messages: readonly Message[]): Promise<Inventory> => {
  const needs = new Needs(messages)
  const [stocks, slots, entitlements, named, known, answers, envelopes, deleted] = await Promise.all([
    reads.lockStocks(needs),
    reads.lockSlots(needs),
    reads.lockEntitlements(needs.userIds),
    reads.namedKeys(needs),
    reads.knownKeys(needs.fingerprints, needs.keyIds),
    reads.answers(needs.operationIds),
    reads.envelopes(needs.revoked),
    reads.tombstones(needs.userIds),
  ])
  const locked = new Set(stocks.map(({ planId }) => planId))
  if (named.some(({ planId }) => !locked.has(planId))) throw new Overtaken()
  const shelves = stocks.map(({ planId, providerId }) => ({
    takes: 0,
    until: null,
    ...needs.stocks.get(planId),
    planId,
    providerId,
  }))
  const keys = [...named, ...(await reads.sellableKeys(shelves))]
  return new Inventory({ stocks, slots, keys, known, answers, envelopes, deleted, entitlements })
}

/** A key was assigned between the two looks at a subscription, in a stock that is not locked. Trouble: the round is redone. */
class Overtaken extends Error {
  readonly code = '40001'
  constructor() {
    super('A key was assigned while the round was taking its locks.')
  }
}
