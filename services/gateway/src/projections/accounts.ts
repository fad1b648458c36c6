import type { Message } from '@coding-plans/runtime'
import { showCredits } from '../presentation.ts'
import { refusalOf } from '../refusals.ts'
import type { MovementRow } from '../rows.ts'
import type { ReadModels } from './models.ts'
import { notify } from './notifications.ts'
import { refuse, succeed } from './operations.ts'

interface Told {
  readonly userId: string
  readonly version: number
  readonly balance: number
  readonly held: number
}

type Change = Pick<MovementRow, 'kind' | 'amount'> & Partial<MovementRow>

const isNews = ({ accounts }: ReadModels, { userId, version }: Told) => {
  const account = accounts.get(userId)
  return !account || version > account.version
}

/**
 * One change of an account. An older one leaves the account as it is, and is a change all the same: a copy is there already, but
 * one that was redriven is heard for the first time (LED-6).
 */
const move = (models: ReadModels, told: Told, at: number, change: Change) => {
  const { accounts, movements } = models
  const { userId, version, balance, held } = told
  if (models.forgot(userId)) return
  const isNew = isNews(models, told)
  // As the ledger does: time on one account never runs backwards.
  const moment = isNew ? Math.max(at, accounts.get(userId)?.at ?? at) : at
  if (isNew) accounts.put({ userId, version, balance, held, at: moment })
  movements.push({
    entryId: null,
    description: null,
    subscriptionId: null,
    chargeId: null,
    ...change,
    userId,
    version,
    at: moment,
    balanceAfter: balance,
    heldAfter: held,
  })
}

export const creditsHeld = (models: ReadModels, { body, time }: Message<'CreditsHeld'>) =>
  move(models, body, time, { kind: 'hold', amount: body.amount })

export const holdReleased = (models: ReadModels, { body, time }: Message<'HoldReleased'>) => {
  // Where there was nothing to release it comes with the version of another change.
  if (isNews(models, body)) move(models, body, time, { kind: 'release', amount: 0 })
}

export const holdCaptured = (models: ReadModels, { body }: Message<'HoldCaptured'>) =>
  move(models, body, body.at, {
    kind: 'charge',
    amount: body.amount === 0 ? 0 : -body.amount,
    entryId: body.entryId,
    description: body.description,
    subscriptionId: body.subscriptionId,
    chargeId: body.chargeId,
  })

export const creditsRefunded = (models: ReadModels, { body }: Message<'CreditsRefunded'>) => {
  const { amount, entryId, description, subscriptionId, refundId: chargeId } = body
  move(models, body, body.at, { kind: 'refund', amount, entryId, description, subscriptionId, chargeId })
}

export const creditsPosted = (models: ReadModels, message: Message<'CreditsPosted'>) => {
  const { body } = message
  const { creditKind: kind, amount, entryId, description } = body
  move(models, body, body.at, { kind, amount, entryId, description })
  const result = { entryId, balanceMicrodollars: body.balance }
  succeed(models, message, body.operationId, result, { accountVersion: body.version })
}

export const creditsRefused = (models: ReadModels, message: Message<'CreditsRefused'>) =>
  refuse(models, message, message.body.operationId, refusalOf('CreditsRefused', message.body.reason))

export const creditsToppedUp = (models: ReadModels, { body }: Message<'CreditsToppedUp'>) => {
  const { amount, entryId, description } = body
  move(models, body, body.at, { kind: 'top_up', amount, entryId, description })
}

/** Told of a decline; where it was switched off nothing was tried (TOP-3). */
export const topUpDeclined = (models: ReadModels, { body, time: at }: Message<'TopUpDeclined'>) => {
  const { userId, topUpId, reason } = body
  if (reason === 'declined') notify(models, { kind: 'top_up_failed', userId, at, about: topUpId, data: { reason } })
}

export const autoTopUpSet = (models: ReadModels, message: Message<'AutoTopUpSet'>) => {
  const { userId, enabled, amount, paymentMethodId, version, operationId } = message.body
  const shown = models.autoTopUps.get(userId)
  const next = { userId, enabled, amount, paymentMethodId, version }
  if (!models.forgot(userId) && (!shown || version > shown.version)) models.autoTopUps.put(next)
  const credits = showCredits(models.accounts.get(userId), next)
  if (operationId !== null) succeed(models, message, operationId, credits)
}

export const autoTopUpRefused = (models: ReadModels, message: Message<'AutoTopUpRefused'>) =>
  refuse(models, message, message.body.operationId, refusalOf('AutoTopUpRefused', message.body.reason))
