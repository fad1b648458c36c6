import { type Message, type Saying, say } from '@coding-plans/runtime'
import { type Instant, type MessageName, routeOf } from '@coding-plans/schemas'
import type { Books } from './books.ts'
import { holdIdOf } from './domain/ids.ts'
import { hear, releaseLater, saysAgain } from './sagas/engine.ts'
import type { MoneyMemory, RenewalMemory, Saga } from './sagas/saga.ts'
import type { Hearings } from './sagas/table.ts'
import { availableIncreased, topUpOutcome } from './unpaid-terms.ts'

/** As the runtime names this service in what it says. */
export const SERVICE = 'subscription'

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
    return outdated(books, saga as Saga<RenewalMemory>, message, hold)
  return hear(books, saga, message.name, message.body as unknown as Hearings[Name], at)
}

/**
 * Of an attempt that was given up for another: what it holds is given back, which is worth another, and nobody waits for the
 * rest (protocol.md 5).
 */
const outdated = (books: Books, saga: Saga<RenewalMemory>, { name }: Message<Answer>, holdId: string): Saying[] => {
  if (name !== 'CreditsHeld') return []
  const { id: correlationId, userId, memory } = saga
  books.sagas.put({ ...saga, memory: { ...memory, enough: false } })
  return [say('ReleaseHold', { userId, holdId }, { correlationId })]
}

const ASKED: ReadonlySet<string> = new Set<MessageName>([
  'HoldCredits',
  'CaptureHold',
  'ReleaseHold',
  'RefundCredits',
  'TopUpCredits',
  'CloseAccount',
  'AssignKey',
  'RemoveKey',
  'UnlinkKeys',
])

/** What others cannot read of what is told to all, or asked of another, is no failure of ours, though they name its saga. */
const isOurs = ({ body: { messageName }, source }: Message<'CommandFailed'>) =>
  source === SERVICE || (ASKED.has(messageName) && routeOf(messageName as MessageName).owner === source)

/** Something that a saga said, or that was said to it, could not be handled. Of others' failures nobody here waits for. */
export const commandFailed = (books: Books, message: Message<'CommandFailed'>, at: Instant): Saying[] => {
  const saga = books.sagas.get(message.correlationId)
  if (!saga || !isOurs(message)) return []
  const { userId } = saga
  const { messageName } = message.body
  if (messageName === 'AvailableIncreased') return availableIncreased(books, { body: { userId, cause: 'unknown' } }, at)
  // Where none is under way for the present attempt, it is of an earlier one, whose credits came late.
  if (messageName === 'ReleaseHold' && !saysAgain(saga)) return releaseLater(books, saga)
  const name = outcomes[messageName]
  if (!name) return hear(books, saga, 'CommandFailed', message.body, at)
  const { asked: topUpId } = (saga as Saga<RenewalMemory>).memory
  if (!topUpId) return []
  return topUpOutcome(books, { name, body: { userId, topUpId } }, at)
}

/** A request that could not even be made counts as declined; an outcome, and that more is available, counts though it could not be handled. */
const outcomes: Readonly<Record<string, Parameters<typeof topUpOutcome>[1]['name']>> = {
  TopUpCredits: 'TopUpDeclined',
  TopUpDeclined: 'TopUpDeclined',
  CreditsToppedUp: 'CreditsToppedUp',
  TopUpUnanswered: 'TopUpUnanswered',
}
