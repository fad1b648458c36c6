import { type Migration, migrate } from '@coding-plans/runtime'
import { type Service, services } from '@coding-plans/schemas'
import { Complaint, sentenceOf } from './complaint.ts'
import { createDatabase, withDatabase } from './postgres.ts'
import { databaseOf } from './services.ts'

// Loaded when they are wanted: who starts only servers needs no service.
const migrationsOf: Record<Service, () => Promise<{ migrations: readonly Migration[] }>> = {
  auditor: () => import('@coding-plans/auditor/migrations'),
  gateway: () => import('@coding-plans/gateway/migrations'),
  subscription: () => import('@coding-plans/subscription/migrations'),
  'credits-ledger': () => import('@coding-plans/credits-ledger/migrations'),
  'key-inventory': () => import('@coding-plans/key-inventory/migrations'),
  'billing-scheduler': () => import('@coding-plans/billing-scheduler/migrations'),
}

/** Make every service's database and bring it to its newest form. @throws Complaint that names the database. */
export const prepareDatabases = async (serverUrl: string): Promise<void> => {
  await Promise.all(
    services.map(async (service) => {
      const name = databaseOf(service)
      try {
        const { migrations } = await migrationsOf[service]()
        await createDatabase(serverUrl, name)
        await migrate(withDatabase(serverUrl, name), migrations)
      } catch (error) {
        throw new Complaint(`The database ${name} could not be prepared: ${sentenceOf(error)}`)
      }
    }),
  )
}
