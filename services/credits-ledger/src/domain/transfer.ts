import { hash } from 'node:crypto'
import {
  type Instant,
  instant,
  type Microdollars,
  MOST_MICRODOLLARS,
  microdollars,
  type UserId,
} from '@coding-plans/schemas'
import { ACCOUNT_NAMES, type Account, type AccountName } from './account.ts'

export type TransferKind = 'hold' | 'release' | 'charge' | 'grant' | 'payment' | 'adjustment' | 'refund' | 'top_up'

/**
 * One posting: `amount` moves from one account of a user to another, so that it sums to zero by its form (LED-1).
 * All but `hold` and `release` are entries of the user's statement. Never changed; corrections are new ones.
 */
export interface Transfer {
  readonly id: string
  readonly userId: UserId
  /** Counted from 1 without a gap; the account's version after it. */
  readonly sequence: number
  readonly kind: TransferKind
  /** Always positive. */
  readonly amount: Microdollars
  readonly fromAccount: AccountName
  readonly toAccount: AccountName
  readonly availableAfter: Microdollars
  readonly heldAfter: Microdollars
  /** Business time, never before the transfer that precedes it. */
  readonly at: Instant
  readonly holdId: string | null
  readonly operationId: string | null
  readonly subscriptionId: string | null
  readonly chargeId: string | null
  /** The instant at which the term that a charge pays for begins. */
  readonly boundary: Instant | null
  readonly description: string | null
  readonly actor: string | null
  /** The id of the message that caused it. */
  readonly cause: string
  readonly hash: string
}

/** What caused a transfer, and when. */
export interface Cause {
  readonly at: Instant
  readonly messageId: string
}

type Optional = 'holdId' | 'operationId' | 'subscriptionId' | 'chargeId' | 'boundary' | 'description' | 'actor'

/** A transfer before it has found its place on the account. */
export type Draft = Pick<Transfer, 'id' | 'kind' | 'amount' | 'fromAccount' | 'toAccount'> &
  Partial<Pick<Transfer, Optional>>

/** What each kind may move, and which way. The table's constraint says the same. */
const WAYS: Record<TransferKind, readonly `${AccountName} ${AccountName}`[]> = {
  hold: ['available held'],
  release: ['held available'],
  charge: ['held revenue'],
  grant: ['promotion available'],
  payment: ['funding available'],
  adjustment: ['promotion available', 'available promotion'],
  refund: ['refund available'],
  top_up: ['funding available'],
}

/**
 * Whether a user's accounts could carry this, and all that may become of it: what comes in must fit where it may be spent,
 * since a capture cannot fail (LED-2).
 */
export const canCarry = (
  account: Account,
  { fromAccount, toAccount, amount }: Pick<Draft, 'fromAccount' | 'toAccount'> & { amount: number },
) => {
  const after: Record<AccountName, number> = { ...account }
  after[fromAccount] -= amount
  after[toAccount] += amount
  const spendable = after.available + after.held + after.revenue
  return [spendable, ...ACCOUNT_NAMES.map((name) => after[name])].every((sum) => Math.abs(sum) <= MOST_MICRODOLLARS)
}

/**
 * The account and the transfer after a posting. @throws RangeError or Error for one that may not be: asked for rightly,
 * none comes here (LED-2: only an adjustment takes what is not there).
 */
export const post = (account: Account, draft: Draft, cause: Cause): { account: Account; transfer: Transfer } => {
  const { kind, amount, fromAccount, toAccount } = draft
  if (amount <= 0) throw new RangeError(`A transfer of ${amount} moves nothing.`)
  if (!WAYS[kind].includes(`${fromAccount} ${toAccount}`))
    throw new Error(`A ${kind} does not move credits from ${fromAccount} to ${toAccount}.`)
  const moved = {
    ...account,
    [fromAccount]: microdollars(account[fromAccount] - amount),
    [toAccount]: microdollars(account[toAccount] + amount),
  }
  if (moved.held < 0) throw new RangeError(`${moved.held} would be held.`)
  if (fromAccount === 'available' && moved.available < 0 && kind !== 'adjustment')
    throw new RangeError(`${moved.available} would be available after a ${kind}.`)
  const transfer = seal(account.hash, {
    holdId: null,
    operationId: null,
    subscriptionId: null,
    chargeId: null,
    boundary: null,
    description: null,
    actor: null,
    ...draft,
    userId: account.userId,
    sequence: account.version + 1,
    availableAfter: moved.available,
    heldAfter: moved.held,
    at: instant(Math.max(account.lastAt, cause.at)),
    cause: cause.messageId,
  })
  const { sequence: version, at: lastAt, hash } = transfer
  return { account: { ...moved, version, lastAt, hash }, transfer }
}

type Unsealed = Omit<Transfer, 'hash'>

// Their order is part of every hash that was ever written: a new field comes last, and only where it is not null.
const CHAINED: Record<keyof Unsealed, true> = {
  id: true,
  userId: true,
  sequence: true,
  kind: true,
  amount: true,
  fromAccount: true,
  toAccount: true,
  availableAfter: true,
  heldAfter: true,
  at: true,
  holdId: true,
  operationId: true,
  subscriptionId: true,
  chargeId: true,
  boundary: true,
  description: true,
  actor: true,
  cause: true,
}
const chained = Object.keys(CHAINED) as (keyof Unsealed)[]

/** The hash of a transfer behind the one whose hash is `previous` (LED-5): SHA-256, hexadecimal. */
export const hashOf = (previous: string, transfer: Unsealed) =>
  hash('sha256', JSON.stringify([previous, ...chained.map((field) => transfer[field])]))

const seal = (previous: string, transfer: Unsealed): Transfer => ({ ...transfer, hash: hashOf(previous, transfer) })

type Asked = 'hold' | 'release' | 'charge' | 'credits' | 'refund' | 'top_up'

/** The id of the transfer that a command asks for. Asked twice, it is the same one: the primary key is the natural key. */
export const transferId = (asked: Asked, naturalKey: string) =>
  `ent_${hash('sha256', `${asked}|${naturalKey}`).slice(0, 32)}`
