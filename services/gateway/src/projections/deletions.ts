import type { Message } from '@coding-plans/runtime'
import type { ReadModels } from './models.ts'
import { succeed } from './operations.ts'

/** The tombstone: no command of this user is taken any more; what is under way is still shown. */
export const deletionBegun = ({ deleted }: ReadModels, { body: { userId } }: Message<'AccountDeletionBegun'>) => {
  if (!deleted.get(userId)) deleted.put({ userId, forgotten: false })
}

/** Nothing of the user is kept here from now on but the tombstone, and the report (GDP-1). */
export const accountDeleted = (models: ReadModels, message: Message<'AccountDeleted'>) => {
  const { userId, operationId, at: _, remainingCredits, ...counts } = message.body
  if (!models.forgot(userId)) models.deleted.put({ userId, forgotten: true })
  const report = { userId, ...counts, remainingCreditsMicrodollars: remainingCredits }
  succeed(models, message, operationId, report)
}
