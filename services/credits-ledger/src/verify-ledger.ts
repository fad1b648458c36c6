import { inTransaction, select, type Tx } from '@coding-plans/runtime'
import type { UserId } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import type { Account } from './domain/account.ts'
import type { Hold } from './domain/decision.ts'
import type { Transfer } from './domain/transfer.ts'
import { checkAccount } from './domain/verification.ts'

export interface Verdict {
  readonly accounts: number
  readonly transfers: number
  readonly openHolds: number
  /** The first bad entry of each bad account, in the order of user ids. */
  readonly complaints: readonly string[]
}

/** Enough to see what kind of damage it is. */
const MOST_COMPLAINTS = 20
const ACCOUNTS_AT_ONCE = 500
const TRANSFERS_AT_ONCE = 5_000

/** Reads the whole ledger as of one instant, beside the running service, and checks it (LED-1, LED-2, LED-5). */
export const verifyLedger = (knex: Knex): Promise<Verdict> =>
  inTransaction(knex, verifyIn, 'begin isolation level repeatable read read only')

/** As this transaction sees it. */
export const verifyIn = async (tx: Tx): Promise<Verdict> => {
  const complaints = await findStrays(tx)
  let [accounts, transfers, openHolds] = [0, 0, 0]
  for await (const page of pagesOfAccounts(tx)) {
    const checks = new Map(page.map(({ userId }) => [userId, checkAccount(userId)]))
    for await (const transfer of transfersOf(tx, page)) {
      checks.get(transfer.userId)?.take(transfer)
      transfers += 1
    }
    const holds = Map.groupBy(await holdsOf(tx, page), ({ userId }) => userId)
    for (const account of page) {
      const own = holds.get(account.userId) ?? []
      const complaint = checks.get(account.userId)?.finish(account, own)
      if (complaint) complaints.push(`${account.userId}: ${complaint}`)
      openHolds += own.filter(({ state }) => state === 'open').length
    }
    accounts += page.length
    if (complaints.length >= MOST_COMPLAINTS) break
  }
  return { accounts, transfers, openHolds, complaints: complaints.slice(0, MOST_COMPLAINTS) }
}

async function* pagesOfAccounts(tx: Tx) {
  let after = ''
  for (;;) {
    const page = await select<Account>(tx, 'select * from accounts where user_id > ? order by user_id limit ?', [
      after,
      ACCOUNTS_AT_ONCE,
    ])
    if (page.length === 0) return
    yield page
    after = page.at(-1)?.userId as string
  }
}

/** In the order of the index: a page of accounts is a range of user ids. */
async function* transfersOf(tx: Tx, page: readonly Account[]) {
  const last = page.at(-1)?.userId as string
  let after: Pick<Transfer, 'userId' | 'sequence'> = { userId: page[0]?.userId as UserId, sequence: 0 }
  for (;;) {
    const transfers: Transfer[] = await select<Transfer>(
      tx,
      `select * from transfers where (user_id, sequence) > (?, ?) and user_id <= ?
       order by user_id, sequence limit ?`,
      [after.userId, after.sequence, last, TRANSFERS_AT_ONCE],
    )
    if (transfers.length === 0) return
    yield* transfers
    after = transfers.at(-1) as Transfer
  }
}

const holdsOf = (tx: Tx, page: readonly Account[]) =>
  select<Hold>(tx, 'select * from holds where user_id = any(?)', [page.map(({ userId }) => userId)])

/** What belongs to no account. */
const findStrays = async (tx: Tx): Promise<string[]> => {
  const [entry] = await select<Transfer>(
    tx,
    `select * from transfers t where not exists (select from accounts a where a.user_id = t.user_id)
     order by user_id, sequence limit 1`,
  )
  const [hold] = await select<Hold>(
    tx,
    `select * from holds h where not exists (select from accounts a where a.user_id = h.user_id)
     order by user_id, hold_id limit 1`,
  )
  return [
    ...(entry ? [`${entry.userId}: entry ${entry.id} (number ${entry.sequence}): there is no such account`] : []),
    ...(hold ? [`${hold.userId}: hold ${hold.holdId} is of no account`] : []),
  ]
}
