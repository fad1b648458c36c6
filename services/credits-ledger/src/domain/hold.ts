import { say } from '@coding-plans/runtime'
import type { CaptureHold, HoldCredits, ReleaseHold } from '@coding-plans/schemas'
import { type Account, balanceOf, emptyAccount } from './account.ts'
import { availableIncreased, creditsHeld, holdCaptured, holdDeclined, holdReleased } from './answers.ts'
import type { Decision, Decline, Hold } from './decision.ts'
import { type Cause, post, type Transfer, transferId } from './transfer.ts'

/** What is known before a command about a hold. */
export interface HoldFile {
  /** Absent: this user never had a credit. */
  readonly account: Account | undefined
  readonly hold: Hold | undefined
  /** What this very command wrote when it came before. */
  readonly earlier: Transfer | undefined
}

/**
 * Sets credits aside if as much is available; equal is enough (LED-2, SUB-3). A hold id is good for one attempt: whatever
 * became of it, the same command changes nothing and hears the same answer.
 * @throws Error for an amount of nothing, or for another command under a known hold id.
 */
export const openHold = (
  { account, hold, earlier, declined }: HoldFile & { readonly declined: Decline | undefined },
  command: HoldCredits,
  cause: Cause,
): Decision => {
  const { userId, holdId, amount, subscriptionId, boundary, purpose, operationId } = command
  if (amount <= 0) throw new RangeError(`A hold of ${amount} holds nothing; what is free is not held.`)
  if (hold) {
    if (hold.userId !== userId || hold.amount !== amount) throw new Error(`${holdId} is another hold's id.`)
    return { says: [say('CreditsHeld', creditsHeld(written(earlier, holdId)))] }
  }
  if (declined) {
    if (declined.userId !== userId || declined.required !== amount) throw new Error(`${holdId} is another hold's id.`)
    return { says: [say('HoldDeclined', holdDeclined(declined))] }
  }
  const { available, version } = account ?? emptyAccount(userId)
  if (!account || account.closedAt || available < amount) {
    const reason = account?.closedAt ? 'user_deleted' : 'insufficient_credits'
    const decline: Decline = { holdId, userId, required: amount, available, version, reason }
    return { decline, says: [say('HoldDeclined', holdDeclined(decline))] }
  }
  const movement = { kind: 'hold', amount, fromAccount: 'available', toAccount: 'held' } as const
  const posted = post(
    account,
    { id: transferId('hold', holdId), ...movement, holdId, operationId, subscriptionId, boundary },
    cause,
  )
  const opened: Hold = {
    ...{ holdId, userId, amount, subscriptionId, boundary, purpose, operationId },
    state: 'open',
    openedAt: posted.transfer.at,
    closedAt: null,
    chargeId: null,
    entryId: null,
  }
  return { posted, hold: opened, says: [say('CreditsHeld', creditsHeld(posted.transfer))] }
}

/**
 * Turns a hold into the charge of a term. It cannot fail, whatever was adjusted meanwhile: available stays as it was (LED-2).
 * @throws Error for what no saga can ask: a hold that never was or was given back, or a term that is charged already.
 */
export const captureHold = (
  { account, hold, earlier, chargedBy }: HoldFile & { readonly chargedBy: string | undefined },
  command: CaptureHold,
  cause: Cause,
): Decision => {
  const { userId, holdId, chargeId, subscriptionId, boundary, operationId, description } = command
  if (!account || !hold || hold.userId !== userId) throw new Error(`This user has no hold ${holdId}.`)
  if (hold.state === 'released') throw new Error(`Hold ${holdId} was given back.`)
  if (hold.subscriptionId !== subscriptionId) throw new Error(`Hold ${holdId} is not for ${subscriptionId}.`)
  if (hold.state === 'captured') {
    if (hold.chargeId !== chargeId || hold.boundary !== boundary) throw new Error(`Hold ${holdId} is another charge.`)
    return { says: [say('HoldCaptured', holdCaptured(written(earlier, holdId)))] }
  }
  if (chargedBy) throw new Error(`The term of ${subscriptionId} at ${boundary} is charged by hold ${chargedBy}.`)
  const movement = { kind: 'charge', amount: hold.amount, fromAccount: 'held', toAccount: 'revenue' } as const
  const posted = post(
    account,
    {
      ...{ id: transferId('charge', holdId), ...movement },
      ...{ holdId, operationId, subscriptionId, chargeId, boundary, description },
    },
    cause,
  )
  const { id: entryId, at: closedAt } = posted.transfer
  return {
    posted,
    hold: { ...hold, state: 'captured', boundary, chargeId, entryId, closedAt },
    says: [say('HoldCaptured', holdCaptured(posted.transfer))],
  }
}

/**
 * Gives a hold back. Always answered, also when nothing was there: a saga that does not know what it got asks to be sure.
 * @throws Error for a hold that is a charge already.
 */
export const releaseHold = (
  { account, hold, earlier }: HoldFile,
  { userId, holdId }: ReleaseHold,
  cause: Cause,
): Decision => {
  if (!hold) {
    const { available, held, version } = account ?? emptyAccount(userId)
    return { says: [say('HoldReleased', { userId, holdId, balance: balanceOf({ available, held }), held, version })] }
  }
  if (!account || hold.userId !== userId) throw new Error(`This user has no hold ${holdId}.`)
  if (hold.state === 'captured') throw new Error(`Hold ${holdId} is charge ${hold.chargeId} already.`)
  if (hold.state === 'released') return { says: released(written(earlier, holdId)) }
  const { amount, operationId, subscriptionId, boundary } = hold
  const movement = { kind: 'release', amount, fromAccount: 'held', toAccount: 'available' } as const
  const posted = post(
    account,
    { id: transferId('release', holdId), ...movement, holdId, operationId, subscriptionId, boundary },
    cause,
  )
  return {
    posted,
    hold: { ...hold, state: 'released', closedAt: posted.transfer.at },
    says: released(posted.transfer),
  }
}

const released = (release: Transfer) => [say('HoldReleased', holdReleased(release)), ...availableIncreased(release)]

const written = (transfer: Transfer | undefined, holdId: string): Transfer => {
  if (!transfer) throw new Error(`Hold ${holdId} has no entry.`)
  return transfer
}
