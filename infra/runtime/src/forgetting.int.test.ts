import { type DatabaseBed, openDatabases } from '@coding-plans/local/bed'
import type { Knex } from 'knex'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from './database.ts'
import { Forgetting } from './forgetting.ts'
import { messageId } from './ids.ts'
import { migrate } from './migrate.ts'
import { execute, select } from './sql.ts'

let databases: DatabaseBed
let knex: Knex

beforeAll(async () => {
  databases = await openDatabases()
  const url = await databases.createDatabase('forgetting')
  await migrate(url, [])
  knex = openDatabase(url, { idleInTransactionMilliseconds: 60_000 })
})
afterAll(async () => {
  await knex?.destroy()
  await databases?.close()
})

/** More than are forgotten at once. */
const MANY = 20_001

test('a seen id is forgotten after nine days, not after seven; however many there are', async () => {
  await execute(
    knex,
    `insert into seen (source, id, seen_at) select 'many', gen_random_uuid(), now() - interval '9 days' from generate_series(1, ?)`,
    [MANY],
  )
  for (const days of [0, 7, 9])
    await execute(
      knex,
      `insert into seen (source, id, seen_at) values ('one', ?::uuid, now() - ? * interval '1 day')`,
      [messageId('test', `${days}`, 0), days],
    )
  await new Forgetting({ knex, log: pino({ level: 'silent' }) }).run()
  const left = await select<{ id: string }>(knex, 'select id from seen')
  expect(left.map(({ id }) => id).sort()).toEqual([0, 7].map((days) => messageId('test', `${days}`, 0)).sort())
})

test('that nothing can be forgotten is told once, and again when it had worked in between', async () => {
  const told: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => void told.push(line) })
  const forgetting = new Forgetting({ knex, log })
  const away = () => execute(knex, 'alter table seen rename to seen_elsewhere')
  const back = () => execute(knex, 'alter table seen_elsewhere rename to seen')
  await away()
  for (const _ of [1, 2, 3]) await forgetting.run()
  expect(told).toHaveLength(1)
  expect(told[0]).toContain('What is old was not forgotten')
  await back()
  await forgetting.run()
  await away()
  await forgetting.run()
  await back()
  expect(told).toHaveLength(2)
})
