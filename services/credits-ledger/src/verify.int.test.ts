import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { type DatabaseBed, openDatabases } from '@coding-plans/local/bed'
import { execute, inTransaction, migrate, openDatabase, select } from '@coding-plans/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { captureHold, holdCredits, postCredits, releaseHold } from './bodies.testing.ts'
import type { Transfer } from './domain/transfer.ts'
import { migrations } from './migrations/index.ts'
import { type Asked, roundAt } from './rounds.testing.ts'
import { verifyIn } from './verify-ledger.ts'

let databases: DatabaseBed
let knex: ReturnType<typeof openDatabase>
let url: string
let entries: Transfer[]

const round = (...asked: Asked[]) => roundAt(knex, 0, asked)

beforeAll(async () => {
  databases = await openDatabases()
  url = await databases.createDatabase('ledger_verify')
  await migrate(url, migrations)
  knex = openDatabase(url, { idleInTransactionMilliseconds: 60_000 })
  await round(['PostCredits', postCredits('ada', 'op_1', 100)], ['PostCredits', postCredits('bob', 'op_2', 100)])
  await round(
    ['HoldCredits', holdCredits('ada', 'hold_1', 10)],
    ['CaptureHold', captureHold('ada', 'hold_1')],
    ['HoldCredits', holdCredits('ada', 'hold_2', 20)],
    ['ReleaseHold', releaseHold('ada', 'hold_2')],
    ['PostCredits', postCredits('ada', 'op_3', -95, { creditKind: 'adjustment' })],
    ['HoldCredits', holdCredits('bob', 'hold_3', 60)],
  )
  entries = await select<Transfer>(knex, `select * from transfers where user_id = 'ada' order by sequence`)
})
afterAll(async () => {
  await knex?.destroy()
  await databases?.close()
})

/** As somebody who owns the database could, around every rule it has. @returns what verification then finds. */
const tampered = async (...sql: string[]) => {
  const undo = new Error('Nothing of it stays.')
  let found: readonly string[] = []
  const tampering = inTransaction(knex, async (tx) => {
    const around = [
      `set local session_replication_role = 'replica'`,
      'alter table transfers drop constraint transfers_cause, drop constraint transfers_one_way',
      'drop index transfers_post_an_operation_once',
    ]
    for (const one of [...around, ...sql]) await execute(tx, one)
    found = (await verifyIn(tx)).complaints
    throw undo
  })
  await expect(tampering).rejects.toBe(undo)
  return found
}
const run = (databaseUrl: string | undefined) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const env = { PATH: process.env.PATH, ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}) }
    execFile(process.execPath, [join(import.meta.dirname, 'verify.ts')], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })

test('LED-5: the command finds a ledger right that is, and says what it read', async () => {
  expect(await run(url)).toMatchObject({
    code: 0,
    stdout: '2 accounts, 8 transfers, 1 open holds: chains, balances and sums are right.\n',
  })
})

test('LED-5: whichever field of an entry is changed, that entry is named', async () => {
  const changes: Record<string, string> = {
    id: `'ent_other'`,
    sequence: '30',
    kind: `'payment'`,
    amount: '11',
    from_account: `'funding'`,
    to_account: `'refund'`,
    available_after: 'available_after + 1',
    held_after: 'held_after + 1',
    at: 'at + 1',
    hold_id: `'hold_9'`,
    operation_id: `'op_9'`,
    subscription_id: `'sub_9'`,
    charge_id: `'chg_9'`,
    boundary: '5',
    description: `'something else'`,
    actor: `'nobody'`,
    cause: `'another message'`,
    hash: `repeat('a', 64)`,
  }
  const columns = await select<{ name: string }>(
    knex,
    `select column_name as name from information_schema.columns where table_name = 'transfers' and column_name <> 'user_id'`,
  )
  expect(Object.keys(changes).sort()).toEqual(columns.map(({ name }) => name).sort())
  const charge = entries[2] as Transfer
  for (const [column, value] of Object.entries(changes)) {
    const [first, ...others] = await tampered(`update transfers set ${column} = ${value} where id = '${charge.id}'`)
    // Moved to the end, it leaves a gap where it was: the entry behind the gap is the first that is wrong.
    const named = column === 'id' ? 'ent_other' : column === 'sequence' ? entries[3]?.id : charge.id
    expect(first, column).toContain(`ada: entry ${named} `)
    expect(others).toEqual([])
  }
})

test('LED-5: an entry that was taken away, added or moved to another user is found', async () => {
  const [grant, , charge, hold, , last] = entries as [Transfer, Transfer, Transfer, Transfer, Transfer, Transfer]
  expect(await tampered(`delete from transfers where id = '${charge.id}'`)).toEqual([
    `ada: entry ${hold.id} (number 4): number 3 should be here`,
  ])
  expect((await tampered(`delete from transfers where id = '${last.id}'`))[0]).toContain('ada: the account says')
  expect(await tampered(`delete from transfers where user_id = 'ada'`)).toHaveLength(1)
  const copy = `insert into transfers select (json_populate_record(t, '{"id": "ent_copy", "sequence": 7}')).*
    from transfers t where id = '${grant.id}'`
  expect((await tampered(copy))[0]).toContain('ada: entry ent_copy (number 7): ')
  const moved = await tampered(`update transfers set user_id = 'bob', sequence = 3 where id = '${grant.id}'`)
  expect(moved.map((one) => one.split(' (')[0])).toEqual([`ada: entry ${entries[1]?.id}`, `bob: entry ${grant.id}`])
  const stray = await tampered(`update transfers set user_id = 'nobody' where id = '${last.id}'`)
  expect(stray[0]).toBe(`nobody: entry ${last.id} (number 6): there is no such account`)
})

test('LED-5: accounts and holds that are not what their entries make are found', async () => {
  const found = async (sql: string) => (await tampered(sql)).join()
  expect(
    await found(`update accounts set available = available + 5, funding = funding - 5 where user_id = 'ada'`),
  ).toMatch(/^ada: the account says available 0, .* make -5$/)
  for (const field of ['version', 'last_at'])
    expect(await found(`update accounts set ${field} = ${field} + 1 where user_id = 'ada'`)).toContain(
      'the account says',
    )
  expect(await found(`update accounts set hash = repeat('b', 64) where user_id = 'bob'`)).toContain('bob: the account')
  expect(await found(`update holds set amount = 61 where hold_id = 'hold_3'`)).toContain('bob: hold hold_3 is stored')
  expect(await found(`update holds set state = 'released', closed_at = 1 where hold_id = 'hold_3'`)).toContain('hold_3')
  expect(await found(`delete from holds where hold_id = 'hold_2'`)).toBe(
    'ada: hold hold_2 has entries and is not stored',
  )
  for (const [field, value] of [
    ['subscription_id', `'sub_9'`],
    ['boundary', '5'],
    ['charge_id', `'chg_9'`],
    ['entry_id', `'ent_9'`],
  ])
    expect(await found(`update holds set ${field} = ${value} where hold_id = 'hold_1'`), field).toContain(
      'ada: hold hold_1 says',
    )
  expect(await found(`update holds set user_id = 'nobody' where hold_id = 'hold_2'`)).toContain('of no account')
})

test('LED-5: every bad account is told, each by its first bad entry alone', async () => {
  const found = await tampered(`update transfers set description = 'changed' where kind = 'grant'`)
  expect(found.map((one) => one.split(':')[0])).toEqual(['ada', 'bob'])
})

test('LED-5: the command ends with 1 where the ledger is not right, and says so where it has no database', async () => {
  const bad = await databases.createDatabase('ledger_bad')
  await migrate(bad, migrations)
  const other = openDatabase(bad, { idleInTransactionMilliseconds: 60_000 }, 1)
  await other.raw(`insert into accounts (user_id, available, promotion) values ('ada', 5, -5)`)
  await other.destroy()
  expect(await run(bad)).toEqual({
    code: 1,
    stdout: '1 accounts, 0 transfers, 0 open holds: THE LEDGER IS NOT RIGHT.\n',
    stderr: 'ada: the account says available 5, its entries, of which there are none, make 0\n',
  })
  const nowhere = await run(undefined)
  expect(nowhere.code).toBe(1)
  expect(nowhere.stderr).toContain('DATABASE_URL is missing.')
})
