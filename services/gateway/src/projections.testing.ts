import type { Message } from '@coding-plans/runtime'
import { expect } from 'vitest'
import { T0 } from './events.testing.ts'
import { decide } from './handlers.ts'
import { type Loaded, ReadModels } from './projections/models.ts'
import { restsOnNothing } from './rows.ts'

/** Read models in memory, and what events teach them. */

export const operation = (id: string, kind: string) => ({
  ...restsOnNothing,
  id,
  caller: 'ada',
  kind,
  subject: 'ada',
  startedAt: T0,
  steps: [],
  outcome: null,
  answer: null,
  finishedAt: null,
})

const nothing: Loaded = {
  operations: [],
  subscriptions: [],
  accounts: [],
  slots: [],
  stock: [],
  plans: [],
  autoTopUps: [],
  wishes: [],
  deleted: [],
  letters: [],
  clock: null,
}

export const open = (...operations: ReturnType<typeof operation>[]) => new ReadModels({ ...nothing, operations })

/** The gateway says nothing, whatever it learns. */
export const learn = (models: ReadModels, ...messages: Message[]) => {
  for (const message of messages) {
    const project = decide[message.name] as (models: ReadModels, message: Message) => unknown[]
    expect(project(models, message)).toEqual([])
  }
  return models
}
