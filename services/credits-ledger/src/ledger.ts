import type { Call, Message, Saying } from '@coding-plans/runtime'
import type { Instant, UserId } from '@coding-plans/schemas'
import type { Account } from './domain/account.ts'
import type { AutoTopUp, Decision, Decline, Hold, Setting, TopUp } from './domain/decision.ts'
import type { Cause, Transfer } from './domain/transfer.ts'

/** What a round knows, as it stands after what was decided so far; and what it has to write. */
export interface Ledger {
  readonly accounts: Map<UserId, Account>
  /** By hold id. */
  readonly holds: Map<string, Hold>
  /** By hold id. */
  readonly declines: Map<string, Decline>
  /** By id: those that a command of this round asks for again, and those of this round. */
  readonly transfers: Map<string, Transfer>
  /** The term's key → the hold that was captured for it. */
  readonly charged: Map<string, string>
  readonly settings: Map<UserId, AutoTopUp>
  /** By top-up id. */
  readonly topUps: Map<string, TopUp>
  /** By operation id: what was asked of the automatic top-up's settings. */
  readonly operations: Map<string, Setting>
  readonly written: {
    readonly accounts: Set<UserId>
    readonly transfers: Transfer[]
    readonly openedHolds: Set<string>
    readonly closedHolds: Set<string>
    readonly declines: Decline[]
    readonly settings: Set<UserId>
    readonly topUps: Set<string>
    readonly operations: Set<string>
  }
}

export const emptyLedger = (): Ledger => ({
  accounts: new Map(),
  holds: new Map(),
  declines: new Map(),
  transfers: new Map(),
  charged: new Map(),
  settings: new Map(),
  topUps: new Map(),
  operations: new Map(),
  written: {
    accounts: new Set(),
    transfers: [],
    openedHolds: new Set(),
    closedHolds: new Set(),
    declines: [],
    settings: new Set(),
    topUps: new Set(),
    operations: new Set(),
  },
})

/** One subscription's term is charged once, whatever the number of holds (REN-3). */
export const termKey = (subscriptionId: string, boundary: Instant) => `${subscriptionId}|${boundary}`

export const causeOf = ({ id, time }: Message): Cause => ({ messageId: id, at: time })

/** Take what a command came to into the round. */
export const settle = (ledger: Ledger, decision: Decision): (Saying | Call)[] => {
  const { posted, hold, decline, settings, setting, topUp, closed, says } = decision
  const { accounts, holds, declines, transfers, charged, written } = ledger
  if (posted) {
    const { account, transfer } = posted
    accounts.set(account.userId, account)
    written.accounts.add(account.userId)
    transfers.set(transfer.id, transfer)
    written.transfers.push(transfer)
  }
  if (hold) {
    const isNew = !holds.has(hold.holdId) || written.openedHolds.has(hold.holdId)
    ;(isNew ? written.openedHolds : written.closedHolds).add(hold.holdId)
    holds.set(hold.holdId, hold)
    if (hold.state === 'captured' && hold.boundary !== null)
      charged.set(termKey(hold.subscriptionId, hold.boundary), hold.holdId)
  }
  if (decline) {
    declines.set(decline.holdId, decline)
    written.declines.push(decline)
  }
  if (closed) {
    accounts.set(closed.userId, closed)
    written.accounts.add(closed.userId)
  }
  if (settings) {
    ledger.settings.set(settings.userId, settings)
    written.settings.add(settings.userId)
  }
  if (setting) {
    ledger.operations.set(setting.operationId, setting)
    written.operations.add(setting.operationId)
  }
  if (topUp) {
    ledger.topUps.set(topUp.topUpId, topUp)
    written.topUps.add(topUp.topUpId)
  }
  return [...says]
}
