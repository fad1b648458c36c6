import { type Call, type Saying, say } from '@coding-plans/runtime'
import {
  type CloseAccount,
  type Instant,
  MOST_MICRODOLLARS,
  type SettleTopUp,
  type TopUpCredits,
  type TopUpDeclined,
} from '@coding-plans/schemas'
import { type Account, balanceOf, emptyAccount } from './account.ts'
import { availableIncreased, creditsToppedUp } from './answers.ts'
import { autoTopUpSet, never } from './auto-top-up.ts'
import type { AutoTopUp, Decision, TopUp } from './decision.ts'
import { chargeable, type PaymentTerms } from './payment-terms.ts'
import { type Cause, canCarry, post, type Transfer, transferId } from './transfer.ts'

export interface TopUpFile {
  readonly account: Account | undefined
  readonly settings: AutoTopUp | undefined
  readonly topUp: TopUp | undefined
  /** The entry of this top-up, if it was paid. */
  readonly earlier: Transfer | undefined
}

const MOVEMENT = { kind: 'top_up', fromAccount: 'funding', toAccount: 'available' } as const

/** How much more a user's accounts can carry. */
const roomOf = ({ available, held, revenue, funding }: Account) =>
  Math.max(0, MOST_MICRODOLLARS - Math.max(available + held + revenue, -funding))

/** Pays what is missing with the stored method, once per top-up: the marker is stored before the call is made (TOP-1, TOP-2). */
export const topUpCredits = (
  { account, settings, topUp, earlier, terms }: TopUpFile & { readonly terms: PaymentTerms },
  { userId, topUpId, shortfall }: TopUpCredits,
  { at }: Cause,
): Decision => {
  if (topUp) return { says: repeated(topUp, earlier) }
  const before = account ?? emptyAccount(userId)
  const amount = chargeable(terms, Math.min(settings?.amount ?? 0, roomOf(before)), shortfall)
  // What could not be credited is not paid: better no attempt at the card than one without an entry.
  const fits = canCarry(before, { ...MOVEMENT, amount })
  const state = before.closedAt ? 'closed' : !settings?.enabled ? 'off' : fits ? 'asked' : 'declined'
  const { paymentMethodId, customerId } = state === 'asked' && settings ? settings : never(userId, at)
  const asked: TopUp = { topUpId, userId, state, amount, paymentMethodId, paymentId: null, askedAt: at }
  const call: Call = { call: 'charge', request: { topUpId, userId, amount, paymentMethodId, customerId } }
  return { topUp: asked, says: state === 'asked' ? [call] : repeated(asked, undefined) }
}

const reasons: Partial<Record<TopUp['state'], Exclude<TopUpDeclined['reason'], 'unknown'>>> = {
  off: 'off',
  declined: 'declined',
  closed: 'user_deleted',
}

/** What this top-up has come to, so far. */
const repeated = ({ topUpId, userId, state, askedAt: at }: TopUp, entry: Transfer | undefined): Saying[] => {
  const reason = reasons[state]
  if (reason) return [say('TopUpDeclined', { userId, topUpId, reason, at })]
  return entry ? [say('CreditsToppedUp', creditsToppedUp(entry, topUpId)), ...availableIncreased(entry)] : []
}

/** The payment service has answered. Of a user who is deleted meanwhile the money goes back (GDP-1). */
export const settleTopUp = (
  { account, settings, topUp, earlier }: TopUpFile,
  { userId, topUpId, outcome, paymentId }: SettleTopUp,
  cause: Cause,
): Decision => {
  if (topUp?.userId !== userId) throw new Error(`Top-up ${topUpId} was never asked for.`)
  if (topUp.state !== 'asked') return { says: repeated(topUp, earlier) }
  if (outcome === 'declined') return decline(topUp, settings, cause.at)
  if (outcome !== 'paid' || paymentId === null) throw new Error(`Top-up ${topUpId} came to ${outcome}.`)
  const before = account ?? emptyAccount(userId)
  if (before.closedAt) {
    const call: Call = { call: 'return', request: { topUpId, userId, paymentId, amount: topUp.amount } }
    return { topUp: { ...topUp, state: 'returned', paymentId }, says: [call] }
  }
  const entry = {
    id: transferId('top_up', topUpId),
    ...MOVEMENT,
    amount: topUp.amount,
    operationId: topUpId,
    description: 'Automatic top-up',
  }
  const posted = post(before, entry, cause)
  const paid: TopUp = { ...topUp, state: 'paid', paymentId }
  return { posted, topUp: paid, says: repeated(paid, posted.transfer) }
}

/** Declined, it goes off, unless it has another method by now (TOP-3). */
const decline = (topUp: TopUp, settings: AutoTopUp | undefined, at: Instant): Decision => {
  const declined: TopUp = { ...topUp, state: 'declined' }
  const says = repeated(declined, undefined)
  if (!settings?.enabled || settings.paymentMethodId !== topUp.paymentMethodId) return { topUp: declined, says }
  const off = { ...settings, enabled: false, version: settings.version + 1, setAt: at, operationId: null }
  return { topUp: declined, settings: off, says: [...says, autoTopUpSet(off)] }
}

/** The tombstone: nothing more is held or given; the settings are dropped; what is left stays where it is (GDP-1). */
export const closeAccount = (
  { account, settings }: Pick<TopUpFile, 'account' | 'settings'>,
  { userId, operationId }: CloseAccount,
  { at }: Cause,
): Decision => {
  const before = account ?? emptyAccount(userId)
  const { version } = before
  const closed = before.closedAt ? before : { ...before, closedAt: at }
  const says = [say('AccountClosed', { userId, operationId, balance: balanceOf(before), version })]
  if (!settings || settings.version === 0 || before.closedAt) return { closed, says }
  return { closed, settings: { ...never(userId, at), version: settings.version + 1 }, says }
}
