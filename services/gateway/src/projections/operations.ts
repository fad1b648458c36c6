import type { Message } from '@coding-plans/runtime'
import { carriesOut, type OperationKind, operationKinds } from '../operation-kinds.ts'
import { accountDeleted, type Problem } from '../problem.ts'
import { failure } from '../refusals.ts'
import { type Outcome, type RestsOn, restsOnNothing } from '../rows.ts'
import type { ReadModels } from './models.ts'
import { stepOf } from './steps.ts'

// A long advance of the clock says much on its way; the rest of the story is in the topics.
const MOST_STEPS = 100

/** Remember that this was heard on an operation's way; once, whatever is sent again. */
export const noteStep = ({ operations }: ReadModels, message: Message) => {
  const operation = operations.get(message.correlationId)
  const step = stepOf(message)
  if (!operation || !step || operation.steps.length >= MOST_STEPS || operation.steps.some(({ id }) => id === step.id))
    return
  operations.put({ ...operation, steps: [...operation.steps, step] })
}

interface End {
  readonly outcome: Outcome
  readonly answer: unknown
  readonly restsOn?: Partial<RestsOn>
}

const end = ({ operations }: ReadModels, { time }: Message, operationId: string, { outcome, answer, restsOn }: End) => {
  const operation = operations.get(operationId)
  // Forgotten meanwhile, or its outcome was told before: the first one stands.
  if (!operation || operation.outcome !== null) return
  operations.put({ ...operation, ...restsOnNothing, ...restsOn, outcome, answer, finishedAt: time })
}

/** An operation is done: `result` is the body it answers with, now and whenever its key is used again. */
export const succeed = (
  models: ReadModels,
  message: Message,
  operationId: string,
  result: unknown,
  restsOn: Partial<RestsOn> = {},
) => end(models, message, operationId, { outcome: 'succeeded', answer: result, restsOn })

/** A rule said no. */
export const refuse = (
  models: ReadModels,
  message: Message,
  operationId: string,
  problem: Problem,
  restsOn: Partial<RestsOn> = {},
) => end(models, message, operationId, { outcome: 'refused', answer: problem, restsOn })

/**
 * An operation fails when its own command could not be carried out, by whom it is for; what fails within a saga is the saga's to
 * mend. Who only listens may fail at it while it takes effect: asked for anew, it would take effect twice (IDE-2).
 */
export const fail = (models: ReadModels, message: Message<'CommandFailed'>) => {
  const operation = models.operations.get(message.correlationId)
  const command = operation && operationKinds[operation.kind as OperationKind]?.command
  if (command && command === message.body.messageName && carriesOut(message.source, command))
    end(models, message, operation.id, { outcome: 'failed', answer: failure() })
}

/**
 * What is told late of a user who is forgotten is shown to nobody: an operation that it belongs to, and that would wait for
 * ever now, is refused as anything is that a deleted user asks for.
 */
export const endForgotten = (models: ReadModels, message: Message) => {
  const { userId, operationId } = message.body as { userId?: string; operationId?: string | null }
  if (userId && operationId && models.forgot(userId))
    end(models, message, operationId, { outcome: 'refused', answer: accountDeleted() })
}
