import type { Message, Saying } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import type { Books } from './books.ts'
import { hear } from './sagas/engine.ts'
import type { Hearings } from './sagas/table.ts'

type Answer =
  | 'CreditsHeld'
  | 'HoldDeclined'
  | 'HoldCaptured'
  | 'HoldReleased'
  | 'CreditsRefunded'
  | 'KeyAssigned'
  | 'KeyDeclined'
  | 'KeyRemoved'

/** The ledger or the inventory answers a saga; it is found by the correlation id. */
export const answer = <Name extends Answer>(books: Books, message: Message<Name>, at: Instant): Saying[] => {
  const saga = books.sagas.get(message.correlationId)
  if (saga?.userId !== message.body.userId) throw new Error(`${message.name} answers no saga of this user.`)
  return hear(books, saga, message.name, message.body as unknown as Hearings[Name], at)
}

/** Something that a saga said, or that was said to it, could not be handled. Of others' failures nobody here waits for. */
export const commandFailed = (books: Books, message: Message<'CommandFailed'>, at: Instant): Saying[] => {
  const saga = books.sagas.get(message.correlationId)
  return saga ? hear(books, saga, 'CommandFailed', message.body, at) : []
}
