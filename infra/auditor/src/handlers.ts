import type { Decide, Handler, Message } from '@coding-plans/runtime'
import { AUDITOR, type MessageName } from '@coding-plans/schemas'
import { fold, heardNames } from './fold/index.ts'
import { load, type Notebook, save } from './store.ts'

export const SERVICE = AUDITOR

const listen = ({ facts }: Notebook, message: Message) => {
  fold(facts, message)
  return []
}

/** Remembered, and answered when everything has been heard that the answer rests on. */
const ask = (notebook: Notebook, message: Message<'ExplainEntry'>) => {
  const { body, lane } = message
  notebook.questions.push({ ...body, lane, askedAt: Date.now() })
  return listen(notebook, message as Message)
}

const decide: Decide<Notebook> = {
  ...Object.fromEntries(heardNames.map((name) => [name, listen])),
  ExplainEntry: ask,
}

/** Somebody waits for the answer to this, and for nothing else. */
const URGENT: ReadonlySet<MessageName> = new Set<MessageName>(['ExplainEntry'])

export const handler: Handler<Notebook> = {
  load,
  decide,
  patient: new Set(heardNames.filter((name) => !URGENT.has(name))),
  save,
}
