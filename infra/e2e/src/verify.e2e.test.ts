import { execFile } from 'node:child_process'
import { closeSync, existsSync, globSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buy, type House, openHouse, openShop, USD } from './house.ts'
import { someone } from './life.ts'

let house: House
let planId: string
beforeAll(async () => {
  house = await openHouse()
  ;({ planId } = await openShop(house, { keys: 500 }))
  for (let n = 0; n < 3; n += 1) {
    const client = await someone(house, 50 * USD)
    await buy(client, planId)
  }
})
afterAll(() => house?.close())

const program = join(import.meta.dirname, '..', '..', 'auditor', 'src', 'verify', 'main.ts')

const verify = () =>
  new Promise<{ code: number; said: string; complaints: string }>((resolve) => {
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: house.dataDir }
    execFile(process.execPath, [program], { env }, (error, said, complaints) =>
      resolve({ code: error ? Number(error.code) : 0, said, complaints }),
    )
  })

test('beside the running house: Kafka alone makes the balances that PostgreSQL has', async () => {
  const { code, said, complaints } = await verify()
  expect({ code, complaints }).toEqual({ code: 0, complaints: '' })
  expect(said).toMatch(/, 3 accounts, 9 postings in .* s: chains, checksums and sums are right/)
})

const openLedger = async () => {
  const ledger = new pg.Client({ connectionString: house.stack.servers.databaseUrl('coding_plans_credits_ledger') })
  await ledger.connect()
  return ledger
}

test('a row of the ledger that is changed is found and named', async () => {
  const ledger = await openLedger()
  const change = (from: string, to: string) =>
    ledger.query(`update transfers set description = replace(description, '${from}', '${to}')
      where id = (select id from transfers where kind = 'charge' order by id limit 1) returning id`)
  try {
    await ledger.query(`set session_replication_role = 'replica'`)
    const { rows } = await change('Plan', 'Plbn')
    const { code, said, complaints } = await verify()
    expect(code).toBe(1)
    expect(said).toContain('NOT RIGHT')
    expect(complaints).toContain(`entry ${rows[0].id}`)
    expect(complaints).toContain('its hash does not fit')
    expect(complaints).toMatch(/the database has description .*Plbn.*, Kafka tells .*Plan/)
    await change('Plbn', 'Plan')
  } finally {
    await ledger.end()
  }
  expect((await verify()).code).toBe(0)
})

test('a user, a posting or everything that the ledger has lost is missed: Kafka tells of it', async () => {
  const ledger = await openLedger()
  const tables = ['accounts', 'transfers', 'holds']
  const all = async (sql: (table: string) => string) => {
    for (const table of tables) await ledger.query(sql(table))
  }
  const foundWithout = async (change: () => Promise<unknown>) => {
    await change()
    const found = await verify()
    await all((table) => `delete from ${table}`)
    await all((table) => `insert into ${table} select * from kept_${table}`)
    return found
  }
  try {
    await ledger.query(`set session_replication_role = 'replica'`)
    await all((table) => `create table kept_${table} as table ${table}`)
    const [{ user_id: user }] = (await ledger.query('select user_id from accounts order by user_id limit 1')).rows
    const one = await foundWithout(() => all((table) => `delete from ${table} where user_id = '${user}'`))
    expect(one).toMatchObject({ code: 1, said: expect.stringContaining('NOT RIGHT') })
    expect(one.complaints).toBe(`${user}: Kafka tells of 3 postings, the database has 0\n`)
    const restored = await foundWithout(async () => {
      await ledger.query(`delete from transfers where user_id = '${user}' and sequence > 1`)
      await ledger.query(`delete from holds where user_id = '${user}'`)
      await ledger.query(`update accounts set version = 1, available = t.amount, promotion = -t.amount, revenue = 0,
        last_at = t.at, hash = t.hash from transfers t where t.user_id = accounts.user_id and t.user_id = '${user}'`)
    })
    expect(restored.complaints).toBe(`${user}: Kafka tells of 3 postings, the database has 1\n`)
    const emptied = await foundWithout(() => all((table) => `delete from ${table}`))
    expect(emptied.complaints.match(/Kafka tells of 3 postings, the database has 0/g)).toHaveLength(3)
    await all((table) => `drop table kept_${table}`)
  } finally {
    await ledger.end()
  }
  expect(await verify()).toMatchObject({ code: 0, complaints: '' })
})

test('beside a house at work: what is merely on its way is nobody’s fault', async () => {
  const [client, ...others] = await Promise.all(Array.from({ length: 6 }, () => someone(house, 5_000 * USD)))
  let isOver = false
  let asked = 0
  const work = [client, ...others].map(async (customer) => {
    while (!isOver) {
      if (customer && (await buy(customer, planId)).status === 201) asked += 1
    }
  })
  const found = []
  for (let n = 0; n < 3; n += 1) found.push(await verify())
  isOver = true
  await Promise.all(work)
  expect(asked).toBeGreaterThan(0)
  for (const { code, complaints } of found) expect({ code, complaints }).toEqual({ code: 0, complaints: '' })
})

/** One bit of a stored message, as a disk may turn it. */
const flip = (path: string, at: number) => {
  const file = openSync(path, 'r+')
  const byte = Buffer.alloc(1)
  readSync(file, byte, 0, 1, at)
  byte[0] = (byte[0] as number) ^ 1
  writeSync(file, byte, 0, 1, at)
  closeSync(file)
}

/** Kafka that was killed looks through its logs at the next start, and would cut off what we flip. */
const kafkaAtRest = async () => {
  const mark = join(house.dataDir, 'kafka', '.kafka_cleanshutdown')
  // To verify starts and stops the servers once more.
  for (let left = 3; left > 0 && !existsSync(mark); left -= 1) await verify()
  expect(existsSync(mark)).toBe(true)
}

const aSegment = (topic = 'credits-ledger.events') => {
  const [segment] = globSync(join(house.dataDir, '**', `${topic}-*`, '*.log')).filter((path) => statSync(path).size > 0)
  if (!segment) throw new Error(`There is no segment of ${topic}.`)
  return segment
}

test('when the house stands still, one bit of a stored message that is flipped is found and named', async () => {
  await house.stack.stop()
  await kafkaAtRest()
  const topics = [
    'credits-ledger.events',
    'subscription.commands',
    'key-inventory.uploads',
    'key-inventory.entitlements',
  ]
  const segments = topics.map((topic) => aSegment(topic))
  const flipAll = () => segments.map((segment) => flip(segment, statSync(segment).size - 20))
  flipAll()
  const { code, said, complaints } = await verify()
  expect({ code, said }).toMatchObject({ code: 1, said: expect.stringContaining('NOT RIGHT') })
  for (const segment of segments) {
    const [, topic, partition] = /([a-z-]+\.[a-z]+)-(\d+)\/[^/]+$/.exec(segment) ?? []
    expect(complaints).toMatch(new RegExp(`${topic}/${partition} offset \\d+: its batch is not as it was`))
  }
  flipAll()
  expect(await verify()).toMatchObject({ code: 0, complaints: '' })
})

test.each([
  ['a low', 7],
  ['a high', 1],
])('%s bit of a stored offset, which no checksum covers, is found and named', async (_, at) => {
  await kafkaAtRest()
  const segment = aSegment()
  flip(segment, at)
  const { code, said, complaints } = await verify()
  flip(segment, at)
  expect({ code, said }).toMatchObject({ code: 1, said: expect.stringContaining('NOT RIGHT') })
  const [, partition] = /credits-ledger\.events-(\d+)/.exec(segment) ?? []
  expect(complaints).toMatch(new RegExp(`credits-ledger\\.events/${partition} offset \\d+: offset 0 should be here`))
  expect(await verify()).toMatchObject({ code: 0, complaints: '' })
})
