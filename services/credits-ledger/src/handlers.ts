import type { Handler } from '@coding-plans/runtime'
import { postCredits, refundCredits } from './domain/credits.ts'
import { captureHold, openHold, releaseHold } from './domain/hold.ts'
import { transferId } from './domain/transfer.ts'
import { causeOf, type Ledger, settle, termKey } from './ledger.ts'
import { loadLedger, saveLedger } from './store.ts'

export const SERVICE = 'credits-ledger'

export const handler: Handler<Ledger> = {
  load: loadLedger,
  decide: {
    HoldCredits: (ledger, message) => {
      const { userId, holdId } = message.body
      const declined = ledger.declines.get(holdId)
      const file = { ...fileOf(ledger, 'hold', userId, holdId), declined }
      return settle(ledger, openHold(file, message.body, causeOf(message)))
    },
    CaptureHold: (ledger, message) => {
      const { userId, holdId, subscriptionId, boundary } = message.body
      const chargedBy = ledger.charged.get(termKey(subscriptionId, boundary))
      const file = { ...fileOf(ledger, 'charge', userId, holdId), chargedBy }
      return settle(ledger, captureHold(file, message.body, causeOf(message)))
    },
    ReleaseHold: (ledger, message) => {
      const { userId, holdId } = message.body
      return settle(ledger, releaseHold(fileOf(ledger, 'release', userId, holdId), message.body, causeOf(message)))
    },
    PostCredits: (ledger, message) => {
      const { userId, operationId } = message.body
      return settle(ledger, postCredits(fileOf(ledger, 'credits', userId, operationId), message.body, causeOf(message)))
    },
    RefundCredits: (ledger, message) => {
      const { userId, refundId } = message.body
      return settle(ledger, refundCredits(fileOf(ledger, 'refund', userId, refundId), message.body, causeOf(message)))
    },
  },
  save: saveLedger,
}

/** What is known before a command: the account, the hold it names, and what it wrote when it came before. */
const fileOf = (
  { accounts, holds, transfers }: Ledger,
  asked: Parameters<typeof transferId>[0],
  userId: Parameters<Ledger['accounts']['get']>[0],
  naturalKey: string,
) => ({
  account: accounts.get(userId),
  hold: holds.get(naturalKey),
  earlier: transfers.get(transferId(asked, naturalKey)),
})
