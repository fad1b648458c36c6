import type { Handler } from '@coding-plans/runtime'
import type { UserId } from '@coding-plans/schemas'
import { setAutoTopUp, settleAutoTopUp } from './domain/auto-top-up.ts'
import { postCredits, refundCredits } from './domain/credits.ts'
import { captureHold, openHold, releaseHold } from './domain/hold.ts'
import { noTerms, type PaymentTerms } from './domain/payment-terms.ts'
import { closeAccount, settleTopUp, topUpCredits } from './domain/top-up.ts'
import { transferId } from './domain/transfer.ts'
import { causeOf, type Ledger, settle, termKey } from './ledger.ts'
import { type Store, sqlStore } from './store.ts'

export const SERVICE = 'credits-ledger'

/** What is decided where payments have these terms; how they are called is `payments.ts`. */
export const handlerUnder = (terms: PaymentTerms, store: Store = sqlStore): Handler<Ledger> => ({
  load: store.load,
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
    SetAutoTopUp: (ledger, message) => {
      const file = { ...settingFileOf(ledger, message.body), terms }
      return settle(ledger, setAutoTopUp(file, message.body, causeOf(message)))
    },
    SettleAutoTopUp: (ledger, message) =>
      settle(ledger, settleAutoTopUp(settingFileOf(ledger, message.body), message.body, causeOf(message))),
    TopUpCredits: (ledger, message) => {
      const file = { ...topUpFileOf(ledger, message.body), terms }
      return settle(ledger, topUpCredits(file, message.body, causeOf(message)))
    },
    SettleTopUp: (ledger, message) =>
      settle(ledger, settleTopUp(topUpFileOf(ledger, message.body), message.body, causeOf(message))),
    CloseAccount: (ledger, message) => {
      const { userId } = message.body
      const file = { account: ledger.accounts.get(userId), settings: ledger.settings.get(userId) }
      return settle(ledger, closeAccount(file, message.body, causeOf(message)))
    },
  },
  save: store.save,
})

/** Under no terms at all. */
export const handler = handlerUnder(noTerms)

const settingFileOf = (
  { accounts, settings, operations }: Ledger,
  { userId, operationId }: { userId: UserId; operationId: string },
) => ({ account: accounts.get(userId), settings: settings.get(userId), setting: operations.get(operationId) })

const topUpFileOf = (
  { accounts, settings, topUps, transfers }: Ledger,
  { userId, topUpId }: { userId: UserId; topUpId: string },
) => ({
  account: accounts.get(userId),
  settings: settings.get(userId),
  topUp: topUps.get(topUpId),
  earlier: transfers.get(transferId('top_up', topUpId)),
})

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
