import { type DatabaseBed, openDatabases } from '@coding-plans/local/bed'
import { execute, inTransaction, migrate, openDatabase } from '@coding-plans/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrations } from './migrations.ts'
import { amiss } from './store.ts'

let databases: DatabaseBed
let knex: ReturnType<typeof openDatabase>

beforeAll(async () => {
  databases = await openDatabases()
  const url = await databases.createDatabase('auditor_store')
  await migrate(url, migrations)
  knex = openDatabase(url, { idleInTransactionMilliseconds: 60_000 })
})
afterAll(async () => {
  await knex?.destroy()
  await databases?.close()
})

test('what is wrong is among what is examined, however much is on its way', async () => {
  await inTransaction(knex, async (tx) => {
    await execute(
      tx,
      `insert into facts (kind, id, value, passing) select 'key', 'key_' || n, '{}', '[]' from generate_series(1, 10000) n`,
    )
    await execute(tx, `insert into facts (kind, id, value, findings) values ('subscription', 'sub_1', '{}', 1)`)
    const [first, ...rest] = await amiss(tx)
    expect(first).toMatchObject({ id: 'sub_1', findings: 1 })
    expect(rest).toHaveLength(9_999)
  })
})
