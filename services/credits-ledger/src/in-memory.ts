import { handlerUnder, SERVICE } from './handlers.ts'
import { type Payments, paymentCalls } from './payments.ts'
import { memoryStore } from './store.memory.ts'

export { checkAccount } from './domain/verification.ts'
export type { Payments } from './payments.ts'

/** The service without a database, for the simulator. */
export const ledgerInMemory = (payments: Payments) => {
  const { database, tables, store } = memoryStore()
  const handler = { ...handlerUnder(payments.terms, store), calls: paymentCalls(payments) }
  return { service: SERVICE, database, tables, handler, work: [], due: async () => 0 } as const
}
