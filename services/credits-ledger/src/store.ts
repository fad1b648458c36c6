import { execute, type Handler, insertRows, select, type Tx, updateRows, upsertRows } from '@coding-plans/runtime'
import type { Account } from './domain/account.ts'
import type { AutoTopUp, Decline, Hold, Setting, TopUp } from './domain/decision.ts'
import type { Transfer } from './domain/transfer.ts'
import type { Ledger } from './ledger.ts'
import { type Reads, readLedger } from './reads.ts'

// Longer than commands are kept (7 days), so that none can come again whose decline or operation is not known.
const DECLINES_ARE_KEPT_FOR = '8 days'

/** What the service asks of its store. `store.memory.ts` keeps the same in maps, for the simulator. */
export type Store = Pick<Handler<Ledger>, 'load' | 'save'>

/** Writes what the round decided, a statement per table. */
const saveLedger = async (tx: Tx, ledger: Ledger) => {
  const { accounts, holds, written } = ledger
  const holdsOf = (ids: ReadonlySet<string>) => [...ids].map((id) => holds.get(id) as Hold)
  await Promise.all([
    insertRows(tx, 'transfers', written.transfers),
    updateRows(
      tx,
      'accounts',
      ['userId'],
      [...written.accounts].map((id) => accounts.get(id) as Account),
    ),
    insertRows(tx, 'holds', holdsOf(written.openedHolds)),
    updateRows(tx, 'holds', ['holdId'], holdsOf(written.closedHolds)),
    saveDeclines(tx, written.declines),
    saveTopUps(tx, ledger),
  ])
}

const saveTopUps = async (tx: Tx, { accounts, settings, topUps, operations, written }: Ledger) => {
  await upsertRows(
    tx,
    'auto_top_ups',
    ['userId'],
    [...written.settings].map((id) => settings.get(id) as AutoTopUp),
  )
  await upsertRows(
    tx,
    'top_ups',
    ['topUpId'],
    [...written.topUps].map((id) => topUps.get(id) as TopUp),
  )
  await upsertRows(
    tx,
    'operations',
    ['operationId'],
    [...written.operations].map((id) => operations.get(id) as Setting),
  )
  if (written.operations.size > 0)
    await execute(tx, `delete from operations where asked_at < now() - interval '${DECLINES_ARE_KEPT_FOR}'`)
  await forgetMethods(
    tx,
    [...written.accounts].filter((id) => accounts.get(id)?.closedAt),
  )
}

/** Of who is deleted, no trace of how they paid is kept (GDP-1). What is under way has its own copy until it is answered. */
const forgetMethods = async (tx: Tx, closed: readonly string[]) => {
  if (closed.length === 0) return
  for (const table of ['top_ups', 'operations'])
    await execute(
      tx,
      `update ${table} set payment_method_id = null where user_id = any(?) and payment_method_id is not null`,
      [closed as string[]],
    )
}

const ACCOUNT_COLUMNS =
  'user_id, available, held, revenue, funding, promotion, refund, version, last_at, hash, closed_at'

const HOLD_COLUMNS = `hold_id, user_id, amount, state, subscription_id, boundary, purpose, operation_id, opened_at,
  closed_at, charge_id, entry_id`

const readsIn = (tx: Tx): Reads => ({
  lockAccounts: async (all, making) => {
    const made =
      making.length > 0 &&
      execute(
        tx,
        'insert into accounts (user_id) select u from unnest(?::text[]) u order by u on conflict do nothing',
        [making],
      )
    const locked = select<Account>(
      tx,
      `select ${ACCOUNT_COLUMNS} from accounts where user_id = any(?) order by user_id for update`,
      [all],
    )
    const [accounts] = await Promise.all([locked, made])
    return accounts
  },
  holds: async (holdIds, terms) =>
    holdIds.length === 0
      ? []
      : select<Hold>(
          tx,
          `select ${HOLD_COLUMNS} from holds h where hold_id = any(?)
           union
           select ${HOLD_COLUMNS} from holds h join unnest(?::text[], ?::bigint[]) t(subscription, term)
             on h.subscription_id = t.subscription and h.boundary = t.term
           where h.state = 'captured'`,
          [holdIds, terms.map(({ subscriptionId }) => subscriptionId), terms.map(({ boundary }) => boundary)],
        ),
  transfers: async (ids) =>
    ids.length === 0 ? [] : select<Transfer>(tx, 'select * from transfers where id = any(?)', [ids]),
  declines: async (holdIds) =>
    holdIds.length === 0
      ? []
      : select<Decline>(
          tx,
          'select hold_id, user_id, required, available, version, reason from declines where hold_id = any(?)',
          [holdIds],
        ),
  settings: (users) => select<AutoTopUp>(tx, 'select * from auto_top_ups where user_id = any(?)', [users]),
  topUps: (ids) => select<TopUp>(tx, 'select * from top_ups where top_up_id = any(?)', [ids]),
  operations: (ids) =>
    select<Setting>(
      tx,
      `select operation_id, user_id, state, turn, enabled, amount, payment_method_id from operations
       where operation_id = any(?)`,
      [ids],
    ),
})

const saveDeclines = async (tx: Tx, declines: readonly Decline[]) => {
  if (declines.length === 0) return
  await execute(
    tx,
    `delete from declines where user_id = any(?) and declined_at < now() - interval '${DECLINES_ARE_KEPT_FOR}'`,
    [declines.map(({ userId }) => userId)],
  )
  await insertRows(tx, 'declines', declines)
}

export const sqlStore: Store = { load: (tx, messages) => readLedger(readsIn(tx), messages), save: saveLedger }
