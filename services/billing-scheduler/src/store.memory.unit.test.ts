import type { Tx } from '@coding-plans/runtime'
import { instant } from '@coding-plans/schemas'
import { keepsTheContract } from './store.contract.testing.ts'
import { memoryStore } from './store.memory.ts'

keepsTheContract(() => {
  const { database, store, tables } = memoryStore('test', instant(50))
  return {
    store,
    transaction: (act) => database.transaction(() => act(undefined as unknown as Tx)),
    insert: async (terms) => tables.terms.insert(terms),
    change: async (which, to) => tables.terms.update(tables.terms.where(which).map(to)),
  }
})
