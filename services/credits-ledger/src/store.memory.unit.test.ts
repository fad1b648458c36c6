import type { Tx } from '@coding-plans/runtime'
import { keepsTheContract } from './store.contract.testing.ts'
import { memoryStore } from './store.memory.ts'

keepsTheContract(() => {
  const { database, store, tables } = memoryStore()
  const named = { ...tables, auto_top_ups: tables.settings, top_ups: tables.topUps }
  return {
    store,
    transaction: (act) => database.transaction(() => act(undefined as unknown as Tx)),
    rows: async (table) => [...named[table]],
  }
})
