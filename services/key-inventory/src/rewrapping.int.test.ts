import { type Bed, openBed } from '@coding-plans/local/bed'
import { insertRows, inTransaction, migrate, openDatabase, type Running, select } from '@coding-plans/runtime'
import { eventually, type Listener } from '@coding-plans/runtime/testing'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type InventoryOptions, keyInventory } from './app.ts'
import { migrations } from './migrations/index.ts'
import { gatewayRecords, NOW, sagaRecords } from './records.testing.ts'
import { saveWrapped, takeWrapped } from './store-wrapping.ts'
import { openVault, recordOfKey, wrappingKeyId } from './vault.ts'

const [OLD, NEW] = [Buffer.alloc(32, 1), Buffer.alloc(32, 9)]
const [OLD_ID, NEW_ID] = [wrappingKeyId(OLD), wrappingKeyId(NEW)]
const STOCK = 1_500

let bed: Bed
let heard: Listener
let records: ReturnType<typeof gatewayRecords> & ReturnType<typeof sagaRecords>
let say: (message: unknown) => Promise<unknown>
let database: string
let knex: ReturnType<typeof openDatabase>
const running = new Set<Running>()

beforeAll(async () => {
  bed = await openBed()
  heard = await bed.listener(['key-inventory.events'])
})
afterAll(() => bed?.close())

type Keys = Pick<InventoryOptions, 'VAULT_KEY' | 'VAULT_KEY_NEXT' | 'VAULT_KEY_PREVIOUS'>

const REVEAL_SECRET = Buffer.alloc(32, 4)

const start = async (keys: Keys) => {
  const options = {
    ...keys,
    FINGERPRINT_SECRET: Buffer.alloc(32, 2),
    SEALING_KEY: Buffer.alloc(32, 3),
    REVEAL_SECRET,
    REVEALS_PER_MINUTE: 10_000,
  }
  const started = await bed.start({ ...(await keyInventory(options)), migrations, database, env: { CLOCK: 'test' } })
  running.add(started)
  return started
}
const stop = async (one: Running) => {
  running.delete(one)
  await one.stop()
}
const authorization = `Bearer ${REVEAL_SECRET.toString('base64')}`

const reveal = async ({ url }: Running, user: string) => {
  const response = await fetch(`${url}/internal/reveal`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ userId: user, providerId: 'acme', at: NOW }),
  })
  return { status: response.status, key: ((await response.json()) as { key?: string }).key }
}

const secretOf = (n: number) => `sk-${database}-${n}`

/** A stock as an instance with the old key keeps it, uploaded faster than by command. */
const stockUp = async () => {
  const vault = openVault({ present: OLD })
  await knex.raw(
    `insert into stock (plan_id, provider_id, available, uploaded) values ('gold', 'acme', ${STOCK}, ${STOCK})`,
  )
  await insertRows(
    knex,
    'keys',
    Array.from({ length: STOCK }, (_, n) => ({
      ...{ id: `key_${n}`, planId: 'gold', providerId: 'acme', state: 'available', masked: '••••', uploadedAt: NOW },
      ...{ sequence: n, fingerprint: Buffer.from(secretOf(n)) },
      ...vault.lock(Buffer.from(secretOf(n)), recordOfKey(`key_${n}`)),
    })),
  )
}

const under = async () => {
  const rows = await select<{ wrappingKeyId: string; n: number }>(
    knex,
    `select wrapping_key_id, count(*)::int as n from
       (select wrapping_key_id from keys union all select wrapping_key_id from slots) as r
     where wrapping_key_id is not null group by 1`,
  )
  return Object.fromEntries(rows.map(({ wrappingKeyId: id, n }) => [id, n])) as Record<string, number>
}
const ciphertexts = async () =>
  (
    await select<{ row: string }>(
      knex,
      `select id || encode(ciphertext, 'hex') as row from keys
       union all select user_id || encode(ciphertext, 'hex') from slots where ciphertext is not null order by 1`,
    )
  ).map(({ row }) => row)
const metricsOf = async ({ url }: Running) => (await fetch(`${url}/metrics`)).text()
const rewrapped = () => eventually(under, (counts) => !counts[OLD_ID], 60_000)

let counted = 0
beforeEach(async () => {
  counted += 1
  database = `rewrapping_${counted}`
  const url = await bed.servers.createDatabase(database)
  await migrate(url, migrations)
  knex = openDatabase(url, { idleInTransactionMilliseconds: 60_000 })
  await stockUp()
})
afterEach(async () => {
  for (const one of running) await stop(one)
  await knex?.destroy()
})

/** The gateway and subscription, as this test's instances hear them. */
const meet = async ({ url }: Running) => {
  const answer = await fetch(`${url}/internal/sealing-key`, { headers: { authorization } })
  const { keyId, publicKey } = (await answer.json()) as { keyId: string; publicKey: string }
  const [gateway, subscription] = [await bed.speaker('gateway'), await bed.speaker('subscription')]
  const sealing = { keyId, publicKey: Buffer.from(publicKey, 'base64') }
  records = { ...gatewayRecords(gateway, sealing), ...sagaRecords(subscription) }
  say = (message) => gateway.say([message as never])
}
const sell = async (user: string) => {
  await say(records.assignKey(`${database}-${user}`, `${database}_${user}`, 'gold'))
  await heard.until((one) => one.name === 'KeyAssigned' && one.body.assignmentId === `${database}_${user}`, 1)
}
const putOwn = async (user: string, key: string) => {
  const operation = `${database}_${user}`
  await say(await records.putOwnKey(`${database}-${user}`, operation, key))
  await heard.until((one) => one.name === 'SlotChanged' && one.body.operationId === operation, 1)
}

test('VLT-1: what is cut off in the middle is whole: each record under the one key or the other, and the rest follows', async () => {
  await start({ VAULT_KEY: NEW, VAULT_KEY_PREVIOUS: [OLD] })
  const others =
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'
  for (const part of [100, 600]) {
    await eventually(under, (counts) => (counts[NEW_ID] ?? 0) >= part)
    await knex.raw(others)
    const counts = await under()
    expect((counts[OLD_ID] ?? 0) + (counts[NEW_ID] ?? 0)).toBe(STOCK)
  }
  const cut = inTransaction(knex, async (tx) => {
    await saveWrapped(tx, await takeWrapped(tx, { under: [OLD_ID], most: 50, except: [] }))
    throw new Error('cut off')
  })
  await expect(cut).rejects.toThrow('cut off')
  expect(await rewrapped()).toEqual({ [NEW_ID]: STOCK })
})

test('VLT-1: an instance that lacks a key under which records lie does not start, and says which', async () => {
  const refused = start({ VAULT_KEY: NEW })
  await expect(refused).rejects.toThrow(`${STOCK} under ${OLD_ID}`)
  await expect(start({ VAULT_KEY: OLD })).resolves.toBeTruthy()
})

test('VLT-1: a record that is not its own is left, named and counted; the others are wrapped anew', async () => {
  await knex.raw(`update keys set wrapped_key = (select wrapped_key from keys where id = 'key_1') where id = 'key_2'`)
  await start({ VAULT_KEY: NEW, VAULT_KEY_PREVIOUS: [OLD] })
  expect(await eventually(under, (counts) => counts[OLD_ID] === 1, 60_000)).toEqual({
    [OLD_ID]: 1,
    [NEW_ID]: STOCK - 1,
  })
})

test('a row that somebody holds is not waited for, and nobody waits long for ours', async () => {
  await inTransaction(knex, async (tx) => {
    await select(tx, "select 1 from keys where id = 'key_0' for update")
    await inTransaction(knex, async (ours) => {
      const taken = await takeWrapped(ours, { under: [OLD_ID], most: STOCK, except: [recordOfKey('key_1')] })
      expect(taken.map(({ record }) => record)).not.toContain(recordOfKey('key_0'))
      expect(taken).toHaveLength(STOCK - 2)
    })
  })
})

test('records of one key are found by an index, whatever the size of the stock', async () => {
  await knex.raw('analyze keys')
  const { rows } = await knex.raw(
    `explain select id from keys where wrapping_key_id = any('{kek_0}'::text[]) limit 100 for no key update skip locked`,
  )
  expect(JSON.stringify(rows)).toContain('keys_by_wrapping_key')
})

// Last: what it says stays in the topics, and a new database would hear it.
test('VLT-1: two instances change the key while keys are sold, put in and revealed; every key stays what it was', async () => {
  const first = await start({ VAULT_KEY: OLD })
  await meet(first)
  await sell('early')
  await putOwn('own', 'own-key-0001')
  // One after the other, as a rollout does: the coming key is known to all before anybody wraps with it.
  const second = await start({ VAULT_KEY: OLD, VAULT_KEY_NEXT: [NEW] })
  await stop(first)
  const third = await start({ VAULT_KEY: OLD, VAULT_KEY_NEXT: [NEW] })
  expect(await metricsOf(third)).toContain(`vault_records{key="${NEW_ID}",role="next"`)
  const before = await ciphertexts()

  const fourth = await start({ VAULT_KEY: NEW, VAULT_KEY_PREVIOUS: [OLD] })
  await stop(second)
  const reveals: { status: number; key?: string | undefined }[] = []
  const reading = (async () => {
    for (let left = 60; left > 0 || (await under())[OLD_ID]; left -= 1)
      for (const one of [third, fourth]) reveals.push(await reveal(one, `${database}-own`))
  })()
  for (let n = 0; n < 10; n += 1) await sell(`buyer-${n}`)
  await reading
  await stop(third)
  const fifth = await start({ VAULT_KEY: NEW, VAULT_KEY_PREVIOUS: [OLD] })
  await putOwn('late', 'own-key-0002')
  await rewrapped()
  expect(reveals.filter(({ status, key }) => status === 200 && key === 'own-key-0001')).toHaveLength(reveals.length)
  expect(await metricsOf(fifth)).toMatch(new RegExp(`vault_records\\{key="${OLD_ID}",role="previous",.*\\} 0`))
  expect((await ciphertexts()).filter((one) => before.includes(one))).toHaveLength(before.length)

  await stop(fourth)
  await stop(fifth)
  const last = await start({ VAULT_KEY: NEW })
  expect(await under()).toEqual({ [NEW_ID]: STOCK + 2 })
  expect(await reveal(last, `${database}-early`)).toEqual({ status: 200, key: secretOf(0) })
  expect(await reveal(last, `${database}-own`)).toEqual({ status: 200, key: 'own-key-0001' })
  expect(await reveal(last, `${database}-late`)).toEqual({ status: 200, key: 'own-key-0002' })
  for (let n = 0; n < 10; n += 1)
    expect(await reveal(last, `${database}-buyer-${n}`)).toEqual({ status: 200, key: secretOf(n + 1) })
})
