import type { UserId } from '@coding-plans/schemas'
import { ACCOUNT_NAMES, type Account, emptyAccount } from './account.ts'
import type { Hold } from './decision.ts'
import { post, type Transfer } from './transfer.ts'

/** Of a hold all that its entries tell; only what it was asked for (`purpose`) stands nowhere else. */
type HoldState = Omit<Hold, 'purpose'>

/** Reads one account's transfers in order and says what is wrong first, if anything is (LED-5). */
export interface AccountCheck {
  take(transfer: Transfer): void
  /** After the last transfer: what is stored of the account and its holds must be what its transfers make. */
  finish(account: Account, holds: readonly HoldState[]): string | null
}

export const checkAccount = (userId: UserId): AccountCheck => {
  let expected = emptyAccount(userId)
  let last: Transfer | null = null
  let complaint: string | null = null
  const holds = new Map<string, HoldState>()

  return {
    take(transfer) {
      if (complaint) return
      const followed = follow(expected, transfer)
      complaint = 'complaint' in followed ? followed.complaint : followHold(holds, transfer)
      if (complaint) complaint = `entry ${transfer.id} (number ${transfer.sequence}): ${complaint}`
      else if ('account' in followed) expected = followed.account
      last = transfer
    },
    finish(account, stored) {
      if (complaint) return complaint
      const entries = last
        ? `its entries up to ${last.id} (number ${last.sequence})`
        : 'its entries, of which there are none,'
      for (const field of [...ACCOUNT_NAMES, 'version', 'lastAt', 'hash'] as const)
        if (account[field] !== expected[field])
          return `the account says ${field} ${account[field]}, ${entries} make ${expected[field]}`
      return compareHolds(holds, stored)
    },
  }
}

/** The account after this transfer, if it is exactly what posting it here makes. */
const follow = (before: Account, transfer: Transfer): { account: Account } | { complaint: string } => {
  if (transfer.sequence !== before.version + 1) return { complaint: `number ${before.version + 1} should be here` }
  const { at, cause: messageId, hash, ...draft } = transfer
  try {
    const made = post(before, draft, { at, messageId })
    for (const field of ['userId', 'availableAfter', 'heldAfter', 'at'] as const)
      if (made.transfer[field] !== transfer[field])
        return { complaint: `it says ${field} ${transfer[field]}, the entries before it make ${made.transfer[field]}` }
    if (made.transfer.hash !== hash) return { complaint: 'its hash does not fit its fields and the entry before it' }
    return made
  } catch (error) {
    return { complaint: (error as Error).message }
  }
}

const followHold = (holds: Map<string, HoldState>, transfer: Transfer): string | null => {
  const { kind, holdId, amount } = transfer
  if (kind !== 'hold' && kind !== 'release' && kind !== 'charge') return null
  if (holdId === null) return `a ${kind} of no hold`
  const known = holds.get(holdId)
  if (kind === 'hold') {
    if (known) return `hold ${holdId} was opened before`
    holds.set(holdId, opened(holdId, transfer))
    return null
  }
  if (known?.state !== 'open') return `hold ${holdId} is ${known?.state ?? 'unknown'} here`
  if (known.amount !== amount) return `hold ${holdId} has ${known.amount}`
  holds.set(
    holdId,
    kind === 'charge' ? captured(known, transfer) : { ...known, state: 'released', closedAt: transfer.at },
  )
  return null
}

const opened = (
  holdId: string,
  { userId, amount, subscriptionId, boundary, operationId, at }: Transfer,
): HoldState => ({
  ...{ holdId, userId, amount, boundary, operationId },
  // The table's constraint: there is no hold without one.
  subscriptionId: subscriptionId ?? '',
  state: 'open',
  openedAt: at,
  closedAt: null,
  chargeId: null,
  entryId: null,
})

/** The term that is charged is the capture's; the one that was in view when credits were held may be another. */
const captured = (hold: HoldState, { id, at, boundary, chargeId }: Transfer): HoldState => ({
  ...hold,
  ...{ state: 'captured', boundary, chargeId, entryId: id, closedAt: at },
})

const COMPARED = ['subscriptionId', 'boundary', 'operationId', 'openedAt', 'closedAt', 'chargeId', 'entryId'] as const

const compareHolds = (made: ReadonlyMap<string, HoldState>, stored: readonly HoldState[]): string | null => {
  for (const hold of stored) {
    const { holdId, amount, state } = hold
    const one = made.get(holdId)
    if (!one) return `hold ${holdId} has no entry`
    if (one.state !== state || one.amount !== amount)
      return `hold ${holdId} is stored as ${amount} ${state}, its entries make it ${one.amount} ${one.state}`
    for (const field of COMPARED)
      if (hold[field] !== one[field])
        return `hold ${holdId} says ${field} ${hold[field]}, its entries make it ${one[field]}`
  }
  const ids = new Set(stored.map(({ holdId }) => holdId))
  const lost = [...made.keys()].find((holdId) => !ids.has(holdId))
  return lost === undefined ? null : `hold ${lost} has entries and is not stored`
}
