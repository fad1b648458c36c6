import type { Tx } from '@coding-plans/runtime'
import { keepsTheContract } from './store.contract.testing.ts'
import { memoryStore } from './store.memory.ts'

keepsTheContract(() => {
  const { database, store } = memoryStore()
  return { store, transaction: (act) => database.transaction(() => act(undefined as unknown as Tx)) }
})
