import type { Message } from '@coding-plans/runtime'
import type { Bodies, MessageName } from '@coding-plans/schemas'
import type { Account } from './domain/account.ts'
import type { AutoTopUp, Decline, Hold, Setting, TopUp } from './domain/decision.ts'
import { type Transfer, transferId } from './domain/transfer.ts'
import { emptyLedger, type Ledger, termKey } from './ledger.ts'

export interface ChargedTerm {
  readonly subscriptionId: string
  readonly boundary: number
}

/** What a round asks of what is kept. Everything is read under the locks of the accounts. */
export interface Reads {
  /**
   * Credits, settings and a deletion make an account; who never had any needs none to be declined. New ones first and all
   * in one order, so that two rounds that meet wait for one another, never crosswise.
   */
  lockAccounts(all: readonly string[], making: readonly string[]): Promise<Account[]>
  /** The holds of these ids, and whichever hold was captured for these terms. */
  holds(holdIds: readonly string[], terms: readonly ChargedTerm[]): Promise<Hold[]>
  transfers(ids: readonly string[]): Promise<Transfer[]>
  declines(holdIds: readonly string[]): Promise<Decline[]>
  settings(users: readonly string[]): Promise<AutoTopUp[]>
  topUps(topUpIds: readonly string[]): Promise<TopUp[]>
  operations(operationIds: readonly string[]): Promise<Setting[]>
}

/** Locks the accounts that these messages are about, and reads what else they name. */
export const readLedger = async (reads: Reads, messages: readonly Message[]): Promise<Ledger> => {
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
    reads.lockAccounts(usersOf([...holding, ...capturing, ...releasing, ...making]), usersOf(making)),
    reads.holds(
      [...holding, ...capturing, ...releasing].map(({ holdId }) => holdId),
      capturing,
    ),
    readTopUps(reads, ledger, { setting, toppingUp, closing }),
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
  const [transfers, declines] = await Promise.all([reads.transfers(repeated), reads.declines(unknown)])
  for (const transfer of transfers) ledger.transfers.set(transfer.id, transfer)
  for (const decline of declines) ledger.declines.set(decline.holdId, decline)
  return ledger
}

interface TopUpMessages {
  readonly setting: readonly { userId: string; operationId: string }[]
  readonly toppingUp: readonly { userId: string; topUpId: string }[]
  readonly closing: readonly { userId: string }[]
}

const readTopUps = async (reads: Reads, ledger: Ledger, { setting, toppingUp, closing }: TopUpMessages) => {
  const users = usersOf([...setting, ...toppingUp, ...closing])
  if (users.length === 0) return
  const [settings, topUps, asked] = await Promise.all([
    reads.settings(users),
    reads.topUps(toppingUp.map(({ topUpId }) => topUpId)),
    reads.operations(setting.map(({ operationId }) => operationId)),
  ])
  for (const row of settings) ledger.settings.set(row.userId, row)
  for (const row of topUps) ledger.topUps.set(row.topUpId, row)
  for (const row of asked) ledger.operations.set(row.operationId, row)
}

const usersOf = (bodies: readonly { userId: string }[]) => [...new Set(bodies.map(({ userId }) => userId))]

const bodiesOf = <Name extends MessageName>(messages: readonly Message[], name: Name): Bodies[Name][] =>
  messages.filter((message) => message.name === name).map(({ body }) => body as Bodies[Name])
