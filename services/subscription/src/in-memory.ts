import type { Instant } from '@coding-plans/schemas'
import { SERVICE } from './answers.ts'
import { subscriptionHandler } from './handlers.ts'
import { retries } from './retries.ts'
import { memoryStore } from './store.memory.ts'
import { restockNotices } from './wishes.ts'

/** The service without a database, for the simulator. */
export const subscriptionInMemory = (wallClock: () => Instant) => {
  const { database, tables, store } = memoryStore()
  return {
    service: SERVICE,
    database,
    tables,
    handler: subscriptionHandler(new Map(), wallClock, store),
    work: [retries(store), restockNotices(store)],
    due: async () =>
      tables.sagas.where(({ retryAt }) => retryAt !== null).length +
      tables.wishes.where(({ notice }) => notice !== null).length,
  } as const
}
