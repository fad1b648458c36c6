import { execute, insertRows, type Message, select, type Tx, updateRows, upsertRows } from '@coding-plans/runtime'
import type { Bodies, MessageName } from '@coding-plans/schemas'
import type { Account } from './domain/account.ts'
import type { AutoTopUp, Decline, Hold, Setting, TopUp } from './domain/decision.ts'
import { type Transfer, transferId } from './domain/transfer.ts'
import { emptyLedger, type Ledger, termKey } from './ledger.ts'

// Longer than commands are kept (7 days), so that none can come again whose decline or operation is not known.
const DECLINES_ARE_KEPT_FOR = '8 days'

/** Locks the accounts that these messages are about, and reads what else they name. */
export const loadLedger = async (tx: Tx, messages: readonly Message[]): Promise<Ledger> => {
  const ledger = emptyLedger()
  const [holding, capturing, releasing, posting, refunding] = [
    bodiesOf(messages, 'HoldCredits'),
    bodiesOf(messages, 'CaptureHold'),
    bodiesOf(messages, 'ReleaseHold'),
    bodiesOf(messages, 'PostCredits'),
    bodiesOf(messages, 'RefundCredits'),
  ]
  const setting = [...bodiesOf(messages, 'SetAutoTopUp'), ...bodiesOf(messages, 'SettleAutoTopUp')]
  const toppingUp = [...bodiesOf(messages, 'TopUpCredits'), ...bodiesOf(messages, 'SettleTopUp')]
  const closing = bodiesOf(messages, 'CloseAccount')
  const making = [...posting, ...refunding, ...setting, ...toppingUp, ...closing]
  const [accounts, holds] = await Promise.all([
    lockAccounts(tx, { all: [...holding, ...capturing, ...releasing, ...making], making }),
    findHolds(tx, [...holding, ...capturing, ...releasing], capturing),
    loadTopUps(tx, ledger, { setting, toppingUp, closing }),
  ])
  for (const account of accounts) ledger.accounts.set(account.userId, account)
  for (const hold of holds) {
    ledger.holds.set(hold.holdId, hold)
    if (hold.state === 'captured' && hold.boundary !== null)
      ledger.charged.set(termKey(hold.subscriptionId, hold.boundary), hold.holdId)
  }
  const stateOf = (holdId: string) => ledger.holds.get(holdId)?.state
  // What a first command would write is not there; so a round without repeats and postings needs no look.
  const repeated = [
    ...holding.filter(({ holdId }) => stateOf(holdId)).map(({ holdId }) => transferId('hold', holdId)),
    ...capturing
      .filter(({ holdId }) => stateOf(holdId) === 'captured')
      .map(({ holdId }) => transferId('charge', holdId)),
    ...releasing
      .filter(({ holdId }) => stateOf(holdId) === 'released')
      .map(({ holdId }) => transferId('release', holdId)),
    ...posting.map(({ operationId }) => transferId('credits', operationId)),
    ...refunding.map(({ refundId }) => transferId('refund', refundId)),
    ...toppingUp.map(({ topUpId }) => transferId('top_up', topUpId)),
  ]
  const unknown = holding.map(({ holdId }) => holdId).filter((holdId) => !stateOf(holdId))
  const [transfers, declines] = await Promise.all([findTransfers(tx, repeated), findDeclines(tx, unknown)])
  for (const transfer of transfers) ledger.transfers.set(transfer.id, transfer)
  for (const decline of declines) ledger.declines.set(decline.holdId, decline)
  return ledger
}

/** Writes what the round decided, a statement per table. */
export const saveLedger = async (tx: Tx, ledger: Ledger) => {
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

interface TopUpMessages {
  readonly setting: readonly { userId: string; operationId: string }[]
  readonly toppingUp: readonly { userId: string; topUpId: string }[]
  readonly closing: readonly { userId: string }[]
}

/** Settings and top-ups are read under the lock of their users' accounts. */
const loadTopUps = async (tx: Tx, ledger: Ledger, { setting, toppingUp, closing }: TopUpMessages) => {
  const users = [...setting, ...toppingUp, ...closing].map(({ userId }) => userId)
  if (users.length === 0) return
  for (const row of await select<AutoTopUp>(tx, 'select * from auto_top_ups where user_id = any(?)', [users]))
    ledger.settings.set(row.userId, row)
  const ids = toppingUp.map(({ topUpId }) => topUpId)
  for (const row of await select<TopUp>(tx, 'select * from top_ups where top_up_id = any(?)', [ids]))
    ledger.topUps.set(row.topUpId, row)
  const operations = setting.map(({ operationId }) => operationId)
  const asked = await select<Setting>(
    tx,
    `select operation_id, user_id, state, turn, enabled, amount, payment_method_id from operations
     where operation_id = any(?)`,
    [operations],
  )
  for (const row of asked) ledger.operations.set(row.operationId, row)
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

const bodiesOf = <Name extends MessageName>(messages: readonly Message[], name: Name): Bodies[Name][] =>
  messages.filter((message) => message.name === name).map(({ body }) => body as Bodies[Name])

/**
 * Credits, settings and a deletion make an account; who never had any needs none to be declined. New ones first and all in one order, so that
 * two rounds that meet wait for one another, never crosswise.
 */
const lockAccounts = async (
  tx: Tx,
  { all, making }: Record<'all' | 'making', readonly { userId: string }[]>,
): Promise<Account[]> => {
  const made =
    making.length > 0 &&
    execute(
      tx,
      'insert into accounts (user_id) select distinct u from unnest(?::text[]) u order by u on conflict do nothing',
      [making.map(({ userId }) => userId)],
    )
  const locked = select<Account>(
    tx,
    `select ${ACCOUNT_COLUMNS} from accounts where user_id = any(?) order by user_id for update`,
    [[...new Set(all.map(({ userId }) => userId))]],
  )
  const [accounts] = await Promise.all([locked, made])
  return accounts
}

const ACCOUNT_COLUMNS =
  'user_id, available, held, revenue, funding, promotion, refund, version, last_at, hash, closed_at'

interface Term {
  readonly subscriptionId: string
  readonly boundary: number
}

const HOLD_COLUMNS = `hold_id, user_id, amount, state, subscription_id, boundary, purpose, operation_id, opened_at,
  closed_at, charge_id, entry_id`

/** The holds of these ids, and whichever hold was captured for these terms. */
const findHolds = async (tx: Tx, named: readonly { holdId: string }[], terms: readonly Term[]): Promise<Hold[]> =>
  named.length === 0
    ? []
    : select<Hold>(
        tx,
        `select ${HOLD_COLUMNS} from holds h where hold_id = any(?)
         union
         select ${HOLD_COLUMNS} from holds h join unnest(?::text[], ?::bigint[]) t(subscription, term)
           on h.subscription_id = t.subscription and h.boundary = t.term
         where h.state = 'captured'`,
        [
          named.map(({ holdId }) => holdId),
          terms.map(({ subscriptionId }) => subscriptionId),
          terms.map(({ boundary }) => boundary),
        ],
      )

const findTransfers = async (tx: Tx, ids: readonly string[]): Promise<Transfer[]> =>
  ids.length === 0 ? [] : select<Transfer>(tx, 'select * from transfers where id = any(?)', [ids])

const findDeclines = async (tx: Tx, holdIds: readonly string[]): Promise<Decline[]> =>
  holdIds.length === 0
    ? []
    : select<Decline>(
        tx,
        'select hold_id, user_id, required, available, version, reason from declines where hold_id = any(?)',
        [holdIds],
      )

const saveDeclines = async (tx: Tx, declines: readonly Decline[]) => {
  if (declines.length === 0) return
  await execute(
    tx,
    `delete from declines where user_id = any(?) and declined_at < now() - interval '${DECLINES_ARE_KEPT_FOR}'`,
    [declines.map(({ userId }) => userId)],
  )
  await insertRows(tx, 'declines', declines)
}
