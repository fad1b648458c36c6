import { say } from '@coding-plans/runtime'
import { microdollars, type PostCredits, type RefundCredits } from '@coding-plans/schemas'
import { type Account, balanceOf, emptyAccount } from './account.ts'
import { availableIncreased, creditsPosted, creditsRefunded } from './answers.ts'
import type { Decision } from './decision.ts'
import { type Cause, canCarry, type Draft, post, type Transfer, transferId } from './transfer.ts'

export interface CreditsFile {
  readonly account: Account | undefined
  /** What this operation posted when it came before. */
  readonly earlier: Transfer | undefined
}

/**
 * Posts what an operator gives, or by an adjustment takes, once per operation (LED-6). An adjustment alone may be
 * negative, and may make the balance negative (LED-2). The audit is said with it, not with a repeated answer (AUD-1).
 * @throws Error for an amount or kind that may not be, or for another posting under a known operation.
 */
export const postCredits = ({ account, earlier }: CreditsFile, command: PostCredits, cause: Cause): Decision => {
  const { userId, operationId, actor, reason } = command
  if (earlier) {
    const { creditKind, amount } = creditsPosted(earlier)
    if (earlier.userId !== userId || creditKind !== command.creditKind || amount !== command.amount)
      throw new Error(`Operation ${operationId} posted something else.`)
    return { says: [say('CreditsPosted', creditsPosted(earlier)), ...availableIncreased(earlier)] }
  }
  const refuse = (why: 'user_deleted' | 'too_much') => ({
    says: [say('CreditsRefused', { userId, operationId, reason: why })],
  })
  if (account?.closedAt) return refuse('user_deleted')
  const before = account ?? emptyAccount(userId)
  const movement = movementOf(command)
  if (!canCarry(before, movement)) return refuse('too_much')
  const id = transferId('credits', operationId)
  const posted = post(before, { id, ...movement, operationId, description: reason, actor }, cause)
  const { transfer } = posted
  return {
    posted,
    says: [
      say('CreditsPosted', creditsPosted(transfer)),
      ...availableIncreased(transfer),
      say('ActionAudited', {
        subject: userId,
        actor,
        action: 'credits.post',
        target: userId,
        before: JSON.stringify({ balanceMicrodollars: balanceOf(before) }),
        after: JSON.stringify({
          balanceMicrodollars: balanceOf(posted.account),
          entryId: transfer.id,
          kind: command.creditKind,
          amountMicrodollars: command.amount,
        }),
        reason,
        at: transfer.at,
      }),
    ],
  }
}

/**
 * Gives back what was charged, once per refund (CAN-2), as an entry of its own: the charge stays as it was.
 * @throws Error for another refund under a known id, or an amount that may not be.
 */
export const refundCredits = ({ account, earlier }: CreditsFile, command: RefundCredits, cause: Cause): Decision => {
  const { userId, refundId, operationId, subscriptionId, amount, description } = command
  if (earlier) {
    if (earlier.userId !== userId || earlier.amount !== amount)
      throw new Error(`Refund ${refundId} gave back something else.`)
    return { says: [say('CreditsRefunded', creditsRefunded(earlier)), ...availableIncreased(earlier)] }
  }
  const draft: Draft = {
    id: transferId('refund', refundId),
    kind: 'refund',
    fromAccount: 'refund',
    toAccount: 'available',
    amount,
    operationId,
    subscriptionId,
    chargeId: refundId,
    description,
  }
  const posted = post(account ?? emptyAccount(userId), draft, cause)
  const { transfer } = posted
  return { posted, says: [say('CreditsRefunded', creditsRefunded(transfer)), ...availableIncreased(transfer)] }
}

const movementOf = ({
  creditKind,
  amount,
}: PostCredits): Pick<Draft, 'kind' | 'amount' | 'fromAccount' | 'toAccount'> => {
  switch (creditKind) {
    case 'grant':
      return { kind: creditKind, amount, fromAccount: 'promotion', toAccount: 'available' }
    case 'payment':
      return { kind: creditKind, amount, fromAccount: 'funding', toAccount: 'available' }
    case 'adjustment':
      return amount < 0
        ? { kind: creditKind, amount: microdollars(-amount), fromAccount: 'available', toAccount: 'promotion' }
        : { kind: creditKind, amount, fromAccount: 'promotion', toAccount: 'available' }
    case 'unknown':
      throw new Error('Credits of an unknown kind are not posted.')
  }
}
