import { createHash, randomUUID } from 'node:crypto'
import { type Db, insertInto, statement } from './database.ts'

export interface Account {
  readonly user_id: string
  readonly available: number
  readonly held: number
  readonly revenue: number
  readonly promotion: number
  readonly version: number
  readonly last_at: number
  /** The last transfer's: the head of the chain. */
  readonly hash: string
}

const TRANSFER = [
  'id',
  'user_id',
  'sequence',
  'kind',
  'amount',
  'from_account',
  'to_account',
  'available_after',
  'held_after',
  'at',
  'hold_id',
  'operation_id',
  'subscription_id',
  'charge_id',
  'boundary',
  'description',
  'actor',
  'cause',
] as const
export const TRANSFER_COLUMNS = [...TRANSFER, 'hash'] as const

type Column = (typeof TRANSFER_COLUMNS)[number]
export type Transfer = Readonly<Record<Column, string | number | null>>

type Optional = 'hold_id' | 'operation_id' | 'subscription_id' | 'charge_id' | 'boundary' | 'description' | 'actor'
type Draft = Partial<Pick<Transfer, Optional>> & { amount: number; at: number; cause: string }

const nothing = {
  hold_id: null,
  operation_id: null,
  subscription_id: null,
  charge_id: null,
  boundary: null,
  description: null,
  actor: null,
}

export const newId = (prefix: string) => `${prefix}_${randomUUID().replaceAll('-', '')}`

/** SHA-256 over the fields in their order, behind the hash of the transfer before. */
export const hashOf = (previous: string, transfer: Omit<Transfer, 'hash'>) =>
  createHash('sha256')
    .update(JSON.stringify([previous, ...TRANSFER.map((column) => transfer[column])]))
    .digest('hex')

const ways = {
  charge: { from_account: 'available', to_account: 'revenue', sign: -1, against: 'revenue' },
  grant: { from_account: 'promotion', to_account: 'available', sign: 1, against: 'promotion' },
} as const

/** The account and the transfer after a posting. @throws RangeError for a charge of what is not there. */
export const post = (account: Account, kind: keyof typeof ways, draft: Draft) => {
  const { sign, against, ...way } = ways[kind]
  const available = account.available + sign * draft.amount
  if (available < 0) throw new RangeError(`${available} would be available after a ${kind}.`)
  const at = Math.max(account.last_at, draft.at)
  const unsealed = {
    ...nothing,
    ...draft,
    ...way,
    id: newId('ent'),
    user_id: account.user_id,
    sequence: account.version + 1,
    kind,
    available_after: available,
    held_after: account.held,
    at,
  }
  const hash = hashOf(account.hash, unsealed)
  const moved = { available, [against]: account[against] - sign * draft.amount }
  return {
    account: { ...account, ...moved, version: unsealed.sequence, last_at: at, hash } as Account,
    transfer: { ...unsealed, hash } as Transfer,
  }
}

/** The lock of everything that is the user's. */
export const lockAccount = statement<Account>('lock_account', 'select * from accounts where user_id = $1 for update')

/** The account of who never had any credits, locked too. */
export const openAccount = statement<Account>(
  'open_account',
  'insert into accounts (user_id) values ($1) on conflict (user_id) do update set user_id = excluded.user_id returning *',
)

const insertTransfer = insertInto<Transfer>('transfers', TRANSFER_COLUMNS)

const moveAccount = statement(
  'move_account',
  'update accounts set available = $2, revenue = $3, version = $4, last_at = $5, hash = $6 where user_id = $1',
)

/** Takes a price from a locked account that has it. */
export const charge = async (tx: Db, locked: Account, draft: Draft): Promise<void> => {
  const { account, transfer } = post(locked, 'charge', draft)
  await insertTransfer(tx, transfer)
  const { user_id, available, revenue, version, last_at, hash } = account
  await moveAccount(tx, user_id, available, revenue, version, last_at, hash)
}
