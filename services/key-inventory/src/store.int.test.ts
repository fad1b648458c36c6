import { type DatabaseBed, openDatabases } from '@coding-plans/local/bed'
import {
  execute,
  inTransaction,
  isTrouble,
  isUniqueViolation,
  type Message,
  migrate,
  openDatabase,
  type Saying,
  select,
  type Tx,
} from '@coding-plans/runtime'
import { eventually } from '@coding-plans/runtime/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { migrations } from './migrations/index.ts'
import { decisions, roundOn, roundWith } from './round.testing.ts'
import { keepsTheContract } from './store.contract.testing.ts'
import { sqlStore } from './store.ts'
import {
  assignKey,
  bodies,
  deleteOwnKey,
  putOwnKey,
  removeKey,
  settleRevocation,
  unlinkKeys,
  upload,
} from './world.testing.ts'

let databases: DatabaseBed
let knex: ReturnType<typeof openDatabase>

beforeAll(async () => {
  databases = await openDatabases()
  const url = await databases.createDatabase('inventory_store')
  await migrate(url, migrations)
  knex = openDatabase(url, { idleInTransactionMilliseconds: 60_000 })
})
afterAll(async () => {
  await knex?.destroy()
  await databases?.close()
})
beforeEach(() => knex.raw('truncate stock, keys, slots, answers, reveals, deleted_users, entitlements'))

const round = (...messages: Message[]): Promise<Saying[]> => roundOn(knex, ...messages)
/** Waits longer for a lock than a service does. */
const patientRound = (...messages: Message[]): Promise<Saying[]> => {
  const transaction = <T>(act: (tx: Tx) => Promise<T>) =>
    inTransaction(knex, async (tx) => {
      await execute(tx, "set local lock_timeout = '19s'")
      return act(tx)
    })
  return roundWith({ store: sqlStore, transaction }, messages)
}
/** A unique key was written by another first: the runtime takes the round again. */
const again = (...messages: Message[]) =>
  round(...messages).catch((error) => {
    if (!isUniqueViolation(error)) throw error
    return round(...messages)
  })
const count = async (table: string, where = 'true') =>
  (await select<{ n: number }>(knex, `select count(*)::int as n from ${table} where ${where}`))[0]?.n

keepsTheContract(() => ({ store: sqlStore, transaction: (act) => inTransaction(knex, act) }))

test("invariant 11: a stock's counts are the states of its keys", async () => {
  await round(upload('op_1', ['a', 'b', 'c', { key: 'd', expiresAt: 1_500 }]))
  await round(assignKey('ada', 'op_2', { upstreamRevocation: 'manual' }), assignKey('bob', 'op_3', { time: 1_600 }))
  await round(removeKey('ada', 'sub_op_2'))
  const [stock] = await select(knex, 'select * from stock')
  const states = await select<{ state: string; n: number }>(
    knex,
    'select state, count(*)::int n from keys group by state',
  )
  expect(Object.fromEntries(states.map(({ state, n }) => [state, n]))).toEqual({
    available: 1,
    assigned: 1,
    retired: 1,
    revocation_pending: 1,
  })
  expect(stock).toMatchObject({ available: 1, assigned: 1, retired: 1, revocationPending: 1, uploaded: 4 })
})

test('INV-5: 40 buyers of 7 keys in rounds of many processes: exactly 7 are sold', async () => {
  await round(upload('op_up', ['1', '2', '3', '4', '5', '6', '7']))
  const rounds = Array.from({ length: 8 }, (_, place) =>
    round(...Array.from({ length: 5 }, (_, n) => assignKey(`user ${place} ${n}`, `op_${place}_${n}`))),
  )
  const said = (await Promise.all(rounds)).flat()
  const sold = bodies(said, 'KeyAssigned').map(({ keyId }) => keyId)
  expect([sold.length, new Set(sold).size]).toEqual([7, 7])
  expect(bodies(said, 'KeyDeclined').map(({ reason }) => reason)).toEqual(Array(33).fill('sold_out'))
  const versions = bodies(said, 'StockChanged').map(({ version }) => version)
  expect(new Set(versions).size).toBe(versions.length)
  expect(await count('slots', "managed_by = 'plan'")).toBe(7)
})

test('INV-5: rounds that want several plans, each in its own order, do not deadlock', async () => {
  const plans = ['a', 'b', 'c', 'd']
  const keysOf = (planId: string) => Array.from({ length: 10 }, (_, n) => `${planId}${n}`)
  await round(...plans.map((planId) => upload(`op_${planId}`, keysOf(planId), { planId })))
  const rounds = Array.from({ length: 10 }, (_, place) => {
    const order = place % 2 === 0 ? plans : plans.toReversed()
    return round(...order.map((planId) => assignKey(`${planId} ${place}`, `op_${planId}_${place}`, { planId })))
  })
  expect(bodies((await Promise.all(rounds)).flat(), 'KeyAssigned')).toHaveLength(40)
})

test('INV-3: one key uploaded to two plans at the same time is kept once', async () => {
  const said = await Promise.all(
    ['gold', 'iron', 'lead', 'zinc'].map((planId) => again(upload(`op_${planId}`, ['one', 'two'], { planId }))),
  )
  const answers = bodies(said.flat(), 'KeysUploaded')
  expect(answers.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(2)
  expect(answers.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBe(6)
  expect(await count('keys')).toBe(2)
})

test('SUB-4: a slot that two processes fill at once is filled once', async () => {
  await round(upload('op_up', ['1']))
  const [put, bought] = await Promise.all([round(putOwnKey('ada', 'op_1', 'mine')), round(assignKey('ada', 'op_2'))])
  const outcome = [...bodies(put, 'SlotChanged'), ...bodies(bought, 'KeyAssigned')]
  expect(outcome).toHaveLength(1)
  const refused = [...bodies(put, 'SlotChangeRefused'), ...bodies(bought, 'KeyDeclined')]
  expect(['slot_managed', 'slot_occupied']).toContain(refused[0]?.reason)
})

test('a removal that meets an assignment under way takes its locks anew, with the stock', async () => {
  await round(upload('op_up', ['1']), putOwnKey('ada', 'op_1', 'mine'))
  await round(deleteOwnKey('ada', 'op_2'))
  let removal: Promise<unknown> | undefined
  await inTransaction(knex, async (tx) => {
    const command = assignKey('ada', 'op_3')
    const inventory = await sqlStore.load(tx, [command])
    decisions.AssignKey?.(inventory, command)
    await sqlStore.save(tx, inventory)
    removal = patientRound(removeKey('ada', 'sub_op_3')).catch((error: unknown) => error)
    const waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    await eventually(
      () => select(knex, waiting),
      ({ length }) => length === 1,
    )
  })
  const error = await removal
  expect(error).toMatchObject({ code: '40001' })
  expect(isTrouble(error)).toBe(true)
  expect(bodies(await round(removeKey('ada', 'sub_op_3')), 'KeyRemoved')).toMatchObject([{ emptied: true }])
})

test('INV-9, GDP-1: what a revocation and a deletion leave in the database', async () => {
  const manual = { upstreamRevocation: 'manual' } as const
  await round(upload('op_up', ['sk-0123456789', 'two', 'three']))
  await round(assignKey('ada', 'op_1', manual), assignKey('bob', 'op_2'), removeKey('ada', 'sub_op_1'))
  await round(removeKey('bob', 'sub_op_2'), putOwnKey('ada', 'op_3', 'mine'))
  await round(settleRevocation('op_up/1', 'op_4', 'failed', { reason: 'no sk-0123456789' }))
  await round(settleRevocation('op_up/1', 'op_5', 'done'))
  const columns = 'id, state, attempts, last_error, user_id, ciphertext is null as erased'
  const rows = () => select(knex, `select ${columns} from keys order by id`)
  expect((await rows())[0]).toMatchObject({
    state: 'revoked',
    attempts: 1,
    lastError: 'no •••••••••••••',
    erased: true,
  })
  const [first, second] = await Promise.all([again(unlinkKeys('ada')), again(unlinkKeys('ada'))])
  expect(bodies(first, 'KeysUnlinked')).toEqual(bodies(second, 'KeysUnlinked'))
  expect(bodies(first, 'KeysUnlinked')).toMatchObject([{ keys: 1, slots: 1 }])
  expect((await rows()).map((row) => (row as { userId: string | null }).userId)).toEqual([null, 'bob', null])
  for (const table of ['slots', 'answers'])
    expect(await select(knex, `select from ${table} where user_id = 'ada'`)).toEqual([])
  expect(bodies(await round(assignKey('ada', 'op_6')), 'KeyDeclined')).toMatchObject([{ reason: 'user_deleted' }])
})

test('SUB-7: with many more keys than buyers the oldest go, and the end of sale is exact', async () => {
  const keys = Array.from({ length: 50 }, (_, n) => ({ key: `k${n}`, expiresAt: 10_000 - n }))
  await round(upload('op_up', keys))
  const said = await round(...['a', 'b', 'c'].map((user) => assignKey(user, `op_${user}`, { time: 9_955 })))
  expect(bodies(said, 'KeyAssigned').map(({ maskedKey }) => maskedKey)).toEqual(['k0', 'k1', 'k2'])
  expect(bodies(said, 'StockChanged')).toMatchObject([{ available: 42, retired: 5, sellableUntil: 9_997 }])
})

test('SLT-3: of a key that is only evidence nothing is left to open', async () => {
  await round(upload('op_up', ['one', 'two']))
  await round(assignKey('ada', 'op_1'), assignKey('bob', 'op_2', { upstreamRevocation: 'manual' }))
  await round(removeKey('ada', 'sub_op_1'), removeKey('bob', 'sub_op_2'))
  const rows = await select(
    knex,
    'select state, ciphertext is null as erased, wrapped_key is null as unwrapped from keys order by sequence',
  )
  expect(rows).toEqual([
    { state: 'assigned', erased: true, unwrapped: true },
    { state: 'revocation_pending', erased: false, unwrapped: false },
  ])
})

test('SLT-3: a key that is uploaded, sold and ended in one round is evidence at once', async () => {
  await round(upload('op_up', ['one']), assignKey('ada', 'op_1'), removeKey('ada', 'sub_op_1'))
  expect(await count('keys', "state = 'assigned' and ciphertext is null and ended_at is not null")).toBe(1)
})

test('the database itself refuses what must never be', async () => {
  await round(upload('op_up', ['one', 'two', 'three']))
  await round(assignKey('ada', 'op_1'), putOwnKey('bob', 'op_2', 'mine'))
  const never = [
    // INV-5: a key in two slots; sold back to stock; INV-3: known twice.
    "insert into slots select 'eve', provider_id, managed_by, 'sub_x', key_id, enabled, masked, 0, 0, 1, null, null, null from slots where user_id = 'ada'",
    "update keys set state = 'available' where state = 'assigned'",
    'update keys set fingerprint = (select fingerprint from keys limit 1)',
    // SLT-1: a plan's key and a user's own in one slot; a user's without its lock.
    "update slots set key_id = 'op_up/1', subscription_id = 'sub_x' where user_id = 'bob'",
    "update slots set ciphertext = null where user_id = 'bob'",
    // SLT-4: a plan's key without a term, nothing with a reference.
    "update entitlements set valid_until = null where user_id = 'ada'",
    "update entitlements set managed_by = 'none' where user_id = 'bob'",
    // INV-6: counts that do not add up, or below zero.
    'update stock set available = available + 1',
    'update stock set available = -1, assigned = 4',
  ]
  for (const sql of never) await expect(knex.raw(sql), sql).rejects.toThrow()
})

test('answers have an end: the next change of a slot forgets those that no command can ask for', async () => {
  await round(putOwnKey('ada', 'op_1', 'mine'), putOwnKey('bob', 'op_2', 'mine'))
  await knex.raw("update answers set answered_at = now() - interval '9 days'")
  await round(deleteOwnKey('ada', 'op_3'))
  const kept = await select<{ operationId: string }>(knex, 'select operation_id from answers order by 1')
  expect(kept.map(({ operationId }) => operationId)).toEqual(['op_2', 'op_3'])
})

test('a round of a thousand buyers takes a handful of statements', async () => {
  await round(
    upload(
      'op_up',
      Array.from({ length: 1_000 }, (_, n) => `key ${n}`),
    ),
  )
  let statements = 0
  const note = () => {
    statements += 1
  }
  knex.on('query', note)
  const said = await round(...Array.from({ length: 1_000 }, (_, n) => assignKey(`user ${n}`, `op_${n}`)))
  knex.off('query', note)
  expect(bodies(said, 'KeyAssigned')).toHaveLength(1_000)
  expect(statements).toBeLessThan(20)
})
