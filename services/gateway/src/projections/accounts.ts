import type { Message } from '@coding-plans/runtime'
import type { MovementRow } from '../rows.ts'
import type { ReadModels } from './models.ts'
import { succeed } from './operations.ts'

interface Told {
  readonly userId: string
  readonly version: number
  readonly balance: number
  readonly held: number
}

type Change = Pick<MovementRow, 'kind' | 'amount'> & Partial<MovementRow>

/** One change of an account, in the order of its versions; an older one is known already. */
const move = ({ accounts, movements }: ReadModels, told: Told, at: number, change: Change) => {
  const { userId, version, balance, held } = told
  const account = accounts.get(userId)
  if (account && version <= account.version) return
  // As the ledger does: time on one account never runs backwards.
  const moment = Math.max(at, account?.at ?? at)
  accounts.put({ userId, version, balance, held, at: moment })
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

export const holdReleased = (models: ReadModels, { body, time }: Message<'HoldReleased'>) =>
  move(models, body, time, { kind: 'release', amount: 0 })

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
