import { type Message, type Saying, say } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import type { Books } from './books.ts'
import { holdIdOf } from './domain/ids.ts'
import { hear } from './sagas/engine.ts'
import type { MoneyMemory, RenewalMemory, Saga } from './sagas/saga.ts'
import type { Hearings } from './sagas/table.ts'
import { topUpFailed } from './unpaid-terms.ts'

type Answer =
  | 'CreditsHeld'
  | 'HoldDeclined'
  | 'HoldCaptured'
  | 'HoldReleased'
  | 'CreditsRefunded'
  | 'KeyAssigned'
  | 'KeyDeclined'
  | 'KeyRemoved'
  | 'KeysUnlinked'
  | 'AccountClosed'

/** The ledger or the inventory answers a saga; it is found by the correlation id. */
export const answer = <Name extends Answer>(books: Books, message: Message<Name>, at: Instant): Saying[] => {
  const saga = books.sagas.get(message.correlationId)
  if (saga?.userId !== message.body.userId) throw new Error(`${message.name} answers no saga of this user.`)
  const hold = (message.body as { holdId?: string }).holdId
  if (hold !== undefined && hold !== holdIdOf(saga.id, (saga as Saga<MoneyMemory>).memory.holds))
    return outdated(message, hold)
  return hear(books, saga, message.name, message.body as unknown as Hearings[Name], at)
}

/** Of an attempt that was given up for another: what it holds is given back, and nobody waits for the rest (protocol.md 5). */
const outdated = ({ name, body, correlationId }: Message<Answer>, holdId: string): Saying[] =>
  name === 'CreditsHeld' ? [say('ReleaseHold', { userId: body.userId, holdId }, { correlationId })] : []

/** Something that a saga said, or that was said to it, could not be handled. Of others' failures nobody here waits for. */
export const commandFailed = (books: Books, message: Message<'CommandFailed'>, at: Instant): Saying[] => {
  const saga = books.sagas.get(message.correlationId)
  if (!saga) return []
  if (message.body.messageName !== 'TopUpCredits') return hear(books, saga, 'CommandFailed', message.body, at)
  const { topUp } = (saga as Saga<RenewalMemory>).memory
  return topUp ? topUpFailed(books, saga.userId, topUp.id, at) : []
}
