import type { House } from '@coding-plans/e2e/house'
import { type Service, services } from '@coding-plans/schemas'
import pg from 'pg'

/** What lies in the services' databases, where HTTP does not tell, or not in time. */

export const connectTo = async ({ stack }: House, service: Service): Promise<pg.Client> => {
  const name = `coding_plans_${service.replaceAll('-', '_')}`
  const client = new pg.Client({ connectionString: stack.servers.databaseUrl(name) })
  await client.connect()
  return client
}

/** One connection to each, in the order of `services`; closed afterwards. */
export const withDatabases = async <T>(
  house: House,
  act: (clients: readonly pg.Client[]) => Promise<T>,
): Promise<T> => {
  const clients = await Promise.all(services.map((service) => connectTo(house, service)))
  try {
    return await act(clients)
  } finally {
    await Promise.all(clients.map((client) => client.end()))
  }
}

/** The rows of one statement. */
export const queryOf = async (house: House, service: Service, sql: string, values: readonly unknown[] = []) => {
  const client = await connectTo(house, service)
  try {
    return (await client.query(sql, [...values])).rows
  } finally {
    await client.end()
  }
}
