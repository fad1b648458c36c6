import { openLog, type Tx } from '@coding-plans/runtime'
import { instant } from '@coding-plans/schemas'
import { beforeEach } from 'vitest'
import { Acceptor } from '../acceptor.ts'
import { T0 } from '../events.testing.ts'
import { decide } from '../handlers.ts'
import { restsOnNothing } from '../rows.ts'
import { keepsTheContract } from './contract.testing.ts'
import { activation, type Kept, operationRow, statesOf } from './kept.testing.ts'
import { memoryStore } from './memory.ts'

const open = (): Kept => {
  const memory = memoryStore(() => instant(T0))
  const { database, tables, projecting } = memory
  const appended: string[] = []
  const noTx = undefined as unknown as Tx
  const learn: Kept['learn'] = (...messages) =>
    database.transaction(async () => {
      const models = await projecting.load(noTx, messages)
      for (const message of messages)
        (decide[message.name] as (state: unknown, message: unknown) => unknown)(models, message)
      await projecting.save(noTx, models)
    })
  const begin: Kept['begin'] = async (...ids) =>
    tables.operations.insert(ids.map((id) => ({ ...restsOnNothing, steps: [], answeredNo: null, ...operationRow(id) })))
  return {
    appended,
    learn,
    begin,
    shown: async (id) => {
      const operation = tables.operations.get(id)
      return operation ? memory.shown(operation) : null
    },
    stock: async () => ({
      available: tables.stock.get('acme-coding')?.available ?? 0,
      keys: statesOf([...tables.stockKeys]),
    }),
    answers: memory.answering.answers,
    activate: async (operationId) => {
      await begin(operationId)
      await learn(...activation(operationId))
    },
    instance: (refuses = () => false) => {
      const store = memory.accepting(async (sayings) => {
        if (sayings.some(({ body }) => refuses((body as { planId: string }).planId))) throw new Error('too large')
        appended.push(...sayings.map(({ cause }) => cause ?? ''))
        return () => {}
      })
      return new Acceptor(store, openLog('gateway', 'silent'))
    },
  }
}

let kept: Kept
beforeEach(() => {
  kept = open()
})
keepsTheContract(() => kept)
