import type { Message } from '@coding-plans/runtime'
import type { DeadLetterKept } from '@coding-plans/schemas'
import { isAskedAnew } from '../operation-kinds.ts'
import { showDeadLetter, showRehearsal } from '../presentation.ts'
import { refusalOf } from '../refusals.ts'
import type { DeadLetterRow } from '../rows.ts'
import type { ReadModels } from './models.ts'
import { refuse, succeed } from './operations.ts'

const rowOf = (
  { deadLetterId, offset, operationId: _, redrivesLeft, ...letter }: DeadLetterKept,
  state: DeadLetterRow['state'],
): DeadLetterRow => ({
  ...letter,
  id: deadLetterId,
  recordOffset: offset,
  redrivesLeft: isAskedAnew(letter) ? 0 : redrivesLeft,
  state,
})

/** The letter as its service has it by now, by its version; whoever asked for its redrive is answered with that. */
const put = (models: ReadModels, message: Message<'DeadLetterKept' | 'DeadLetterRedriven'>, row: DeadLetterRow) => {
  const { letters } = models
  const listed = letters.get(row.id)
  if (!listed || row.version > listed.version) letters.put(row)
  const { operationId } = message.body
  if (operationId !== null) succeed(models, message, operationId, showDeadLetter(row))
}

export const letterKept = (models: ReadModels, message: Message<'DeadLetterKept'>) =>
  put(models, message, rowOf(message.body, 'kept'))

export const letterRedriven = (models: ReadModels, message: Message<'DeadLetterRedriven'>) =>
  put(models, message, rowOf(message.body, 'redriven'))

export const letterRefused = (models: ReadModels, message: Message<'DeadLetterRefused'>) => {
  const { operationId, deadLetterId, reason } = message.body
  const listed = models.letters.get(deadLetterId)
  // Its service has forgotten it: nobody can send it again.
  if (listed && reason === 'not_found') models.letters.put({ ...listed, redrivesLeft: 0 })
  refuse(models, message, operationId, refusalOf('DeadLetterRefused', reason))
}

export const letterRehearsed = (models: ReadModels, message: Message<'DeadLetterRehearsed'>) =>
  succeed(models, message, message.body.operationId, showRehearsal(message.body))
