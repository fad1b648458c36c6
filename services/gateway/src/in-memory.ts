import { openLog } from '@coding-plans/runtime'
import { type Instant, instant } from '@coding-plans/schemas'
import { Acceptor } from './acceptor.ts'
import { projector } from './handlers.ts'
import { systemClock } from './store/business-clock.ts'
import { type Append, memoryStore } from './store/memory.ts'

export type { Intent, Verdict } from './acceptor.ts'
export { idempotencyKey } from './idempotency.ts'
export type { OperationKind } from './operation-kinds.ts'
export type { ShownOperation } from './rows.ts'
export type { Append } from './store/memory.ts'

/** The service without a database and without HTTP, for the simulator: it accepts intents, learns, and answers. */
export const gatewayInMemory = (mode: 'system' | 'test', wallClock: () => Instant) => {
  const { now, hear } = systemClock(wallClock)
  const memory = memoryStore((clock) => {
    if (mode === 'test') return clock ? instant(clock.now) : null
    return now()
  })
  const silent = openLog('gateway', 'silent')
  return {
    service: 'gateway',
    database: memory.database,
    tables: memory.tables,
    handler: projector({
      load: (tx, messages) => {
        hear(messages)
        return memory.projecting.load(tx, messages)
      },
      save: memory.projecting.save,
    }),
    work: [],
    due: async () => 0,
    /** One gateway process, as far as it accepts. */
    acceptor: (append: Append) => new Acceptor(memory.accepting(append), silent),
    answers: memory.answering.answers,
    forgetUsers: memory.forgetUsers,
  } as const
}
