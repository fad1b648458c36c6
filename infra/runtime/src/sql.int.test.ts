import { type DatabaseBed, openDatabases } from '@coding-plans/local/bed'
import type { Knex } from 'knex'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from './database.ts'
import { type Migration, migrate } from './migrate.ts'
import { execute, insertRows, select, updateRows, upsertRows } from './sql.ts'
import { inTransaction, type Tx } from './transaction.ts'

let databases: DatabaseBed
let knex: Knex

const everything: Migration = {
  name: '001_everything',
  up: `create table everything (
         id text primary key, big bigint, small smallint, middle integer, yes boolean, bytes bytea, json jsonb, old_json json,
         unique_id uuid, texts text[], at timestamptz, fraction numeric(8,2), said text not null default 'nothing')`,
}

beforeAll(async () => {
  databases = await openDatabases()
  const url = await databases.createDatabase('sql')
  await migrate(url, [everything])
  knex = openDatabase(url, { idleInTransactionMilliseconds: 60_000 })
})
afterAll(async () => {
  await knex.destroy()
  await databases.close()
})

const full = {
  id: 'full',
  big: -9_007_199_254_740_991,
  small: -7,
  middle: 2_147_483_647,
  yes: true,
  bytes: Buffer.from([0, 1, 255]),
  json: { list: [1, 'two', null], quoted: '"\\' },
  oldJson: { a: [null, 'x'] },
  uniqueId: '0f9d2c1e-0000-4000-8000-1234567890ab',
  texts: ['a "quoted" one', 'back\\slash', '{},', ''],
  at: '2032-02-29T23:59:59.999Z',
  fraction: 12,
}
const empty = Object.fromEntries(Object.keys(full).map((name) => [name, null]))

test('rows of every type come back as they were given, nulls among them', async () => {
  const texts = ['€ and 漢字', "it's", '\n\t', '']
  await insertRows(knex, 'everything', [
    full,
    { ...empty, id: 'empty' },
    ...texts.map((text, n) => ({ ...empty, id: `text ${n} ${text}`, big: n, json: text, yes: false })),
  ])
  const rows = await select<typeof full>(knex, 'select * from everything order by big nulls last, id')
  expect(rows[0]).toEqual({ ...full, at: new Date(full.at), said: 'nothing' })
  expect(rows.at(-1)).toEqual({ ...empty, id: 'empty', said: 'nothing' })
  expect(rows.slice(1, -1).map(({ id, json, yes }) => ({ id, json, yes }))).toEqual(
    texts.map((text, n) => ({ id: `text ${n} ${text}`, json: text, yes: false })),
  )
})

test('updates and upserts set what they name, by their keys', async () => {
  await insertRows(knex, 'everything', [
    { id: 'one', big: 1 },
    { id: 'two', big: 2 },
  ])
  await updateRows(knex, 'everything', ['id'], [{ id: 'two', big: 3, texts: ['x'] }])
  await upsertRows(
    knex,
    'everything',
    ['id'],
    [
      { id: 'one', big: 5 },
      { id: 'three', big: 7 },
    ],
  )
  const rows = await select(knex, 'select id, big, texts from everything where id = any(?) order by id', [
    ['one', 'two', 'three'],
  ])
  expect(rows).toEqual([
    { id: 'one', big: 5, texts: null },
    { id: 'three', big: 7, texts: null },
    { id: 'two', big: 3, texts: ['x'] },
  ])
})

test('what is asked of a transaction that has failed is not asked outside of it', async () => {
  const idsLike = (id: string) => select(knex, 'select id from everything where id like ?', [id])
  const add = (tx: Tx, id: string) => execute(tx, 'insert into everything (id) values (?)', [id])
  const late = Promise.withResolvers<void>()
  const stragglers: Promise<unknown>[] = []
  /** Two things together: one has begun and will go on, the other fails. */
  const half = async (tx: Tx, name: string) => {
    const straggler = add(tx, `${name} early`)
      .then(() => late.promise)
      .then(() => add(tx, `${name} late`))
    stragglers.push(straggler)
    await Promise.all([straggler, Promise.reject(new RangeError(name))])
  }
  await expect(inTransaction(knex, (tx) => half(tx, 'whole'))).rejects.toThrow(new RangeError('whole'))
  await inTransaction(knex, async (tx) => {
    await expect(tx.savepoint((inner) => half(inner, 'inner'))).rejects.toThrow(new RangeError('inner'))
    late.resolve()
    await expect(stragglers[1]).rejects.toThrow('The transaction is over.')
    await add(tx, 'outer')
  })
  await expect(stragglers[0]).rejects.toThrow('The transaction is over.')
  expect([await idsLike('whole%'), await idsLike('inner%')]).toEqual([[], []])
  expect(await idsLike('outer')).toHaveLength(1)
})

test('what no column can hold is refused before it is sent', async () => {
  await expect(insertRows(knex, 'everything', [{ id: 'x', big: 2 ** 60 }])).rejects.toThrow(RangeError)
  await expect(insertRows(knex, 'everything', [{ id: 'x', nowhere: 1 }])).rejects.toThrow('no column nowhere')
})
