import { execFile } from 'node:child_process'
import { closeSync, globSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buy, type House, openHouse, openShop, USD } from './house.ts'
import { someone } from './life.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
  const { planId } = await openShop(house)
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

test('a row of the ledger that is changed is found and named', async () => {
  const ledger = new pg.Client({ connectionString: house.stack.servers.databaseUrl('coding_plans_credits_ledger') })
  await ledger.connect()
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
    await change('Plbn', 'Plan')
  } finally {
    await ledger.end()
  }
  expect((await verify()).code).toBe(0)
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

test('when the house stands still, one bit of a stored message that is flipped is found and named', async () => {
  await house.stack.stop()
  const [segment] = globSync(join(house.dataDir, '**', 'credits-ledger.events-*', '*.log')).filter(
    (path) => statSync(path).size > 0,
  )
  if (!segment) throw new Error('There is no segment of credits-ledger.events.')
  const at = statSync(segment).size - 20
  flip(segment, at)
  const { code, said, complaints } = await verify()
  expect({ code, said }).toMatchObject({ code: 1, said: expect.stringContaining('NOT RIGHT') })
  const [, partition] = /credits-ledger\.events-(\d+)/.exec(segment) ?? []
  expect(complaints).toMatch(new RegExp(`credits-ledger\\.events/${partition} offset \\d+: its batch is not as it was`))
  flip(segment, at)
  expect(await verify()).toMatchObject({ code: 0, complaints: '' })
})
