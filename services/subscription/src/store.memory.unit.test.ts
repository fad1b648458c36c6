import type { Tx } from '@coding-plans/runtime'
import { type Kept, keepsTheContract } from './store.contract.testing.ts'
import { memoryStore } from './store.memory.ts'

const open = (): Kept => {
  let memory = memoryStore()
  return {
    get store() {
      return memory.store
    },
    transaction: (act) => memory.database.transaction(() => act(undefined as unknown as Tx)),
    rows: async (table) => [...memory.tables[table]],
    empty: async () => {
      memory = memoryStore()
    },
  }
}

keepsTheContract(open)
