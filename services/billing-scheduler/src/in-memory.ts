import { type Logger, openLog } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import { clockWork } from './clockwork.ts'
import type { ClockMode } from './domain/clock.ts'
import { countDue, dueWork } from './due.ts'
import { Flow } from './flow.ts'
import { createHandler, SERVICE } from './handlers.ts'
import { createSettlement, type Surroundings } from './settlement.ts'
import { memoryStore } from './store.memory.ts'
import { tickWork } from './ticks.ts'

export type { Surroundings } from './settlement.ts'

export interface InMemoryOptions {
  readonly mode: ClockMode
  readonly wallClock: () => Instant
  readonly surroundings: Surroundings
}

/** The service without a database, for the simulator. Its clock begins now. */
export const schedulerInMemory = ({ mode, wallClock, surroundings }: InMemoryOptions) => {
  const { database, tables, store } = memoryStore(mode, wallClock())
  const flow = new Flow()
  const silent: Logger = openLog(SERVICE, 'silent')
  // It is looked again with the next work, be it settled or not.
  const settlement = createSettlement(surroundings, () => {}, silent)
  return {
    service: SERVICE,
    database,
    tables,
    handler: createHandler({ mode, store, flow, wallClock }),
    work: [dueWork({ mode, store, flow }), tickWork(store), ...(mode === 'test' ? [clockWork(settlement, store)] : [])],
    due: () => countDue({ mode, store }, undefined as never, wallClock()),
  } as const
}
