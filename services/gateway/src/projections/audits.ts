import type { Message } from '@coding-plans/runtime'
import { showExplanation } from '../presentation-of-audits.ts'
import { refusalOf } from '../refusals.ts'
import type { ReadModels } from './models.ts'
import { refuse, succeed } from './operations.ts'

/** The last one stays, by its version. */
export const invariantsChecked = ({ invariants }: ReadModels, { body }: Message<'InvariantsChecked'>) => {
  const { version, checkedAt, checks } = body
  invariants.push({ version, checkedAt, checks })
}

export const entryExplained = (models: ReadModels, message: Message<'EntryExplained'>) =>
  succeed(models, message, message.body.operationId, showExplanation(message.body))

export const entryUnexplained = (models: ReadModels, message: Message<'EntryUnexplained'>) =>
  refuse(models, message, message.body.operationId, refusalOf('EntryUnexplained', message.body.reason))
