import { MemoryDatabase } from '@coding-plans/runtime/memory'
import type { UserId } from '@coding-plans/schemas'
import { ACCOUNT_NAMES, type Account, emptyAccount } from './domain/account.ts'
import type { AutoTopUp, Decline, Hold, Setting, TopUp } from './domain/decision.ts'
import type { Transfer } from './domain/transfer.ts'
import { type Reads, readLedger } from './reads.ts'
import type { Store } from './store.ts'

const ENDS_OF_HOLDS: readonly Transfer['kind'][] = ['release', 'charge']
const OF_OPERATIONS: readonly Transfer['kind'][] = ['grant', 'payment', 'adjustment', 'top_up']

const openTables = (database: MemoryDatabase) => ({
  accounts: database.table<Account>('accounts', ({ userId }) => userId, {
    check: {
      accounts_sum_to_zero: (account) => ACCOUNT_NAMES.reduce((sum, name) => sum + account[name], 0) === 0,
      held_is_never_negative: ({ held }) => held >= 0,
    },
  }),
  transfers: database.table<Transfer>('transfers', ({ id }) => id, {
    unique: {
      transfers_one_chain: ({ userId, sequence }) => `${userId}|${sequence}`,
      transfers_end_a_hold_once: ({ kind, holdId }) => (ENDS_OF_HOLDS.includes(kind) ? holdId : null),
      transfers_post_an_operation_once: ({ kind, operationId }) => (OF_OPERATIONS.includes(kind) ? operationId : null),
      transfers_refund_once: ({ kind, chargeId }) => (kind === 'refund' ? chargeId : null),
    },
    check: {
      transfers_floor: ({ fromAccount, availableAfter, kind }) =>
        fromAccount !== 'available' || availableAfter >= 0 || kind === 'adjustment',
      held_after_is_never_negative: ({ heldAfter }) => heldAfter >= 0,
    },
  }),
  holds: database.table<Hold>('holds', ({ holdId }) => holdId, {
    unique: {
      holds_charge_a_term_once: ({ state, subscriptionId, boundary }) =>
        state === 'captured' ? `${subscriptionId}|${boundary}` : null,
    },
  }),
  declines: database.table<Decline>('declines', ({ holdId }) => holdId),
  settings: database.table<AutoTopUp>('auto_top_ups', ({ userId }) => userId),
  topUps: database.table<TopUp>('top_ups', ({ topUpId }) => topUpId),
  operations: database.table<Setting>('operations', ({ operationId }) => operationId),
})

/** The ledger's store without a database: what SQL reads, and no more. */
export const memoryStore = (database = new MemoryDatabase()) => {
  const tables = openTables(database)
  const { accounts, transfers, holds, declines, settings, topUps, operations } = tables
  const found = <Row extends object>(table: { get(key: string): Row | undefined }, keys: readonly string[]): Row[] =>
    [...new Set(keys)].flatMap((key) => table.get(key) ?? [])

  const reads: Reads = {
    lockAccounts: async (all, making) => {
      accounts.insert(
        making.map((user) => emptyAccount(user as UserId)),
        { orNothing: true },
      )
      return found(accounts, all)
    },
    holds: async (holdIds, terms) => {
      const charged = new Set(terms.map(({ subscriptionId, boundary }) => `${subscriptionId}|${boundary}`))
      const named = new Set(holdIds)
      return holds.where(
        ({ holdId, state, subscriptionId, boundary }) =>
          named.has(holdId) || (state === 'captured' && charged.has(`${subscriptionId}|${boundary}`)),
      )
    },
    transfers: async (ids) => found(transfers, ids),
    declines: async (holdIds) => found(declines, holdIds),
    settings: async (users) => found(settings, users),
    topUps: async (ids) => found(topUps, ids),
    operations: async (ids) => found(operations, ids),
  }

  /** A hold ends once. */
  const closeHolds = (closed: readonly Hold[]) => {
    for (const { holdId } of closed) {
      const state = holds.get(holdId)?.state
      if (state !== 'open') throw new Error(`Hold ${holdId} is ${state} already.`)
    }
    holds.update(closed)
  }

  const store: Store = {
    load: (_, messages) => readLedger(reads, messages),
    save: async (_, ledger) => {
      const { written } = ledger
      const rowsOf = <Key, Row>(rows: ReadonlyMap<Key, Row>, keys: Iterable<Key>) =>
        [...keys].map((key) => rows.get(key) as Row)
      transfers.insert(written.transfers)
      const changed = rowsOf(ledger.accounts, written.accounts)
      accounts.update(changed)
      holds.insert(rowsOf(ledger.holds, written.openedHolds))
      closeHolds(rowsOf(ledger.holds, written.closedHolds))
      declines.insert(written.declines)
      settings.upsert(rowsOf(ledger.settings, written.settings))
      topUps.upsert(rowsOf(ledger.topUps, written.topUps))
      operations.upsert(rowsOf(ledger.operations, written.operations))
      const closed = new Set(changed.flatMap(({ userId, closedAt }) => (closedAt ? [userId] : [])))
      const forgotten = { paymentMethodId: null }
      topUps.update(topUps.where(({ userId }) => closed.has(userId)).map((row) => ({ ...row, ...forgotten })))
      operations.update(operations.where(({ userId }) => closed.has(userId)).map((row) => ({ ...row, ...forgotten })))
    },
  }
  return { database, tables, store }
}
