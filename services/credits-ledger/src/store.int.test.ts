import { type DatabaseBed, openDatabases } from '@coding-plans/local/bed'
import {
  insertRows,
  inTransaction,
  isUniqueViolation,
  migrate,
  openDatabase,
  type Saying,
  select,
} from '@coding-plans/runtime'
import type { Bodies, MessageName } from '@coding-plans/schemas'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { BOUNDARY, captureHold, holdCredits, postCredits, releaseHold } from './bodies.testing.ts'
import type { Account } from './domain/account.ts'
import type { Transfer } from './domain/transfer.ts'
import { migrations } from './migrations/index.ts'
import { type Asked, roundAt } from './rounds.testing.ts'
import { keepsTheContract } from './store.contract.testing.ts'
import { sqlStore } from './store.ts'

let databases: DatabaseBed
let knex: ReturnType<typeof openDatabase>
let count = 0

beforeAll(async () => {
  databases = await openDatabases()
})
afterAll(() => databases?.close())
// What is written stays written: every test has a ledger of its own.
beforeEach(async () => {
  count += 1
  const url = await databases.createDatabase(`ledger_store_${count}`)
  await migrate(url, migrations)
  knex = openDatabase(url, { idleInTransactionMilliseconds: 60_000 })
})
afterEach(() => knex?.destroy())

const ask = (...asked: Asked[]) => roundAt(knex, 1_001, asked)
/** A unique key was written by another first: the runtime takes the round again. */
const again = (...asked: Asked[]) =>
  ask(...asked).catch((error) => {
    if (!isUniqueViolation(error)) throw error
    return ask(...asked)
  })
const bodiesOf = <Name extends MessageName>(said: readonly Saying[], name: Name) =>
  said.filter((one) => one.name === name).map(({ body }) => body as Bodies[Name])
const account = async (user: string) =>
  (await select<Account>(knex, 'select * from accounts where user_id = ?', [user]))[0]

keepsTheContract(() => ({
  store: sqlStore,
  transaction: (act) => inTransaction(knex, act),
  rows: (table) => select<object>(knex, `select * from ${table}`),
}))

test('LED-2: 40 holds of 10 at once against 100, each in a round of its own: exactly 10 are held', async () => {
  await ask(['PostCredits', postCredits('ada', 'op_1', 100)])
  const said = await Promise.all(
    Array.from({ length: 40 }, (_, n) => ask(['HoldCredits', holdCredits('ada', `hold_${n}`, 10)])),
  )
  expect(bodiesOf(said.flat(), 'CreditsHeld')).toHaveLength(10)
  expect(bodiesOf(said.flat(), 'HoldDeclined').map(({ available }) => available)).toEqual(Array(30).fill(0))
  expect(await account('ada')).toMatchObject({ available: 0, held: 100, version: 11 })
})

test('IDE-4: one command taken by two processes at once takes effect once, and both hear the same', async () => {
  await ask(['PostCredits', postCredits('ada', 'op_1', 100)])
  const twice = async (asked: Asked) => {
    const [one, other] = await Promise.all([again(asked), again(asked)])
    expect(other?.[0]).toEqual(one?.[0])
  }
  await twice(['PostCredits', postCredits('bob', 'op_2', 5)])
  await twice(['HoldCredits', holdCredits('ada', 'hold_1', 60)])
  await twice(['HoldCredits', holdCredits('ada', 'hold_2', 60)])
  await twice(['CaptureHold', captureHold('ada', 'hold_1')])
  expect(await account('bob')).toMatchObject({ available: 5, version: 1 })
  expect(await account('ada')).toMatchObject({ available: 40, held: 0, revenue: 60, version: 3 })
})

test('REN-3: two holds for one term, captured by two processes at once: one charge', async () => {
  const term = { subscriptionId: 'sub_1', boundary: BOUNDARY }
  await ask(['PostCredits', postCredits('ada', 'op_1', 100)], ['PostCredits', postCredits('bob', 'op_2', 100)])
  // Of two users, so that no account's lock keeps the two apart: the index alone does.
  await ask(
    ['HoldCredits', holdCredits('ada', 'hold_1', 10, term)],
    ['HoldCredits', holdCredits('bob', 'hold_2', 10, term)],
  )
  const captured = await Promise.allSettled([
    again(['CaptureHold', captureHold('ada', 'hold_1', term)]),
    again(['CaptureHold', captureHold('bob', 'hold_2', term)]),
  ])
  expect(captured.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect((await select(knex, "select 1 from transfers where kind = 'charge'")).length).toBe(1)
})

test('rounds that meet the same users, each in its own order, do not deadlock', async () => {
  const users = ['a', 'b', 'c', 'd', 'e']
  const rounds = Array.from({ length: 12 }, (_, place) => {
    const order = place % 2 === 0 ? users : users.toReversed()
    return ask(...order.map((user): Asked => ['PostCredits', postCredits(user, `op_${place}_${user}`, 1)]))
  })
  await Promise.all(rounds)
  for (const user of users) expect(await account(user)).toMatchObject({ available: 12, promotion: -12, version: 12 })
})

test('declines have an end: the next of a user forgets those that no command can ask for', async () => {
  await ask(['HoldCredits', holdCredits('ada', 'hold_1', 1)], ['HoldCredits', holdCredits('bob', 'hold_2', 1)])
  await knex.raw("update declines set declined_at = now() - interval '9 days'")
  await ask(['HoldCredits', holdCredits('ada', 'hold_3', 1)])
  const kept = await select<{ holdId: string }>(knex, 'select hold_id from declines order by hold_id')
  expect(kept.map(({ holdId }) => holdId)).toEqual(['hold_2', 'hold_3'])
})

test('a round of a thousand users takes a handful of statements', async () => {
  const users = Array.from({ length: 1_000 }, (_, n) => `user ${n}`)
  await ask(...users.map((user): Asked => ['PostCredits', postCredits(user, `op of ${user}`, 15)]))
  let statements = 0
  // The columns of a table are asked once in a process's life.
  const note = ({ sql }: { sql: string }) => {
    if (!sql.includes('pg_attribute')) statements += 1
  }
  knex.on('query', note)
  const said = await ask(
    ...users.flatMap((user): Asked[] => [
      ['HoldCredits', holdCredits(user, `1 of ${user}`, 10)],
      ['HoldCredits', holdCredits(user, `2 of ${user}`, 10)],
      ['CaptureHold', captureHold(user, `1 of ${user}`)],
      ['PostCredits', postCredits(user, `more of ${user}`, 1)],
    ]),
  )
  knex.off('query', note)
  expect(bodiesOf(said, 'HoldCaptured')).toHaveLength(1_000)
  expect(bodiesOf(said, 'HoldDeclined')).toHaveLength(1_000)
  // Eleven, with begin and commit.
  expect(statements).toBeLessThanOrEqual(13)
})

test('LED-1: the database itself refuses what must never be', async () => {
  const term = { subscriptionId: 'sub_1', boundary: BOUNDARY }
  await ask(['PostCredits', postCredits('ada', 'op_1', 100)])
  await ask(
    ['HoldCredits', holdCredits('ada', 'hold_1', 10, term)],
    ['HoldCredits', holdCredits('ada', 'hold_2', 10, term)],
    ['HoldCredits', holdCredits('ada', 'hold_3', 10)],
    ['CaptureHold', captureHold('ada', 'hold_1', term)],
    ['ReleaseHold', releaseHold('ada', 'hold_3')],
  )
  const never: [string, string][] = [
    ['update accounts set available = available + 1', 'accounts_sum_to_zero'],
    ['update accounts set held = -1, available = available + held + 1', 'accounts_held_check'],
    ['update transfers set description = null', 'never changed'],
    ['update transfers set amount = 1 where false', 'never changed'],
    ['delete from transfers', 'never changed'],
    ['truncate transfers', 'never changed'],
    [`update holds set state = 'open', closed_at = null, charge_id = null, entry_id = null`, 'already'],
    [`update holds set state = 'released', charge_id = null, entry_id = null where hold_id = 'hold_1'`, 'already'],
    [
      `update holds set state = 'captured', closed_at = 1, charge_id = 'c', entry_id = 'e' where hold_id = 'hold_2'`,
      'holds_charge_a_term_once',
    ],
  ]
  for (const [sql, sentence] of never) await expect(knex.raw(sql), sql).rejects.toThrow(sentence)
})

test('LED-2: the database itself refuses an entry that overdraws, goes a way of its own or has a number twice', async () => {
  await ask(['PostCredits', postCredits('ada', 'op_1', 100)], ['HoldCredits', holdCredits('ada', 'hold_1', 10)])
  await ask(['ReleaseHold', releaseHold('ada', 'hold_1')], ['HoldCredits', holdCredits('ada', 'hold_2', 10)])
  const [last] = await select<Transfer>(knex, 'select * from transfers order by sequence desc limit 1')
  const next = { ...(last as Transfer), id: 'ent_next', sequence: 5, holdId: 'hold_9' }
  const never: [Partial<Transfer>, string][] = [
    [{ availableAfter: -1 as never }, 'transfers_floor'],
    [{ heldAfter: -1 as never }, 'transfers_held_after_check'],
    [{ amount: 0 as never }, 'transfers_amount_check'],
    [{ fromAccount: 'held', toAccount: 'held' }, 'transfers_one_way'],
    [{ fromAccount: 'available', toAccount: 'revenue' }, 'transfers_one_way'],
    [{ kind: 'grant', description: 'welcome', actor: 'admin-1' }, 'transfers_one_way'],
    [{ kind: 'charge', fromAccount: 'held', toAccount: 'revenue' }, 'transfers_cause'],
    [{ sequence: 4 }, 'transfers_one_chain'],
    [{ id: last?.id ?? '' }, 'transfers_pkey'],
    [{ kind: 'release', fromAccount: 'held', toAccount: 'available', holdId: 'hold_1' }, 'transfers_end_a_hold_once'],
  ]
  for (const [change, sentence] of never)
    await expect(insertRows(knex, 'transfers', [{ ...next, ...change }]), sentence).rejects.toThrow(sentence)
  await insertRows(knex, 'transfers', [next])
})
