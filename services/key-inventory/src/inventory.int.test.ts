import { type Bed, openBed } from '@coding-plans/local/bed'
import { type Running, select } from '@coding-plans/runtime'
import { distinct, eventually, type Heard, LANES, type Listener, type Speaker } from '@coding-plans/runtime/testing'
import type { Bodies, MessageName } from '@coding-plans/schemas'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type InventoryOptions, keyInventory } from './app.ts'
import { migrations } from './migrations/index.ts'
import { gatewayRecords, NOW, sagaRecords } from './records.testing.ts'

const DATABASE = 'inventory'
const EVENTS = 'key-inventory.events'

let bed: Bed
let heard: Listener
let gateway: Speaker
let subscription: Speaker
let options: InventoryOptions
let upload: ReturnType<typeof gatewayRecords>['upload']
let putOwnKey: ReturnType<typeof gatewayRecords>['putOwnKey']
let assignKey: ReturnType<typeof sagaRecords>['assignKey']
let removeKey: ReturnType<typeof sagaRecords>['removeKey']
const running: Running[] = []

const start = async () => {
  const env = { CLOCK: 'test' }
  const started = await bed.start({ ...(await keyInventory(options)), migrations, database: DATABASE, env })
  running.push(started)
  return started
}
const authorized = () => ({ authorization: `Bearer ${options.REVEAL_SECRET.toString('base64')}` })

beforeAll(async () => {
  bed = await openBed()
  heard = await bed.listener([EVENTS, 'key-inventory.uploads.key-inventory.dlq'])
  gateway = await bed.speaker('gateway')
  subscription = await bed.speaker('subscription')
  options = {
    VAULT_KEY: Buffer.alloc(32, 1),
    FINGERPRINT_SECRET: Buffer.alloc(32, 2),
    SEALING_KEY: Buffer.alloc(32, 3),
    REVEAL_SECRET: Buffer.alloc(32, 4),
    REVEALS_PER_MINUTE: 5,
  }
  const { url } = await start()
  const response = await fetch(`${url}/internal/sealing-key`, { headers: authorized() })
  const { keyId, publicKey } = (await response.json()) as { keyId: string; publicKey: string }
  ;({ upload, putOwnKey } = gatewayRecords(gateway, { keyId, publicKey: Buffer.from(publicKey, 'base64') }))
  ;({ assignKey, removeKey } = sagaRecords(subscription))
})
afterAll(() => bed?.close())
afterEach(async () => {
  for (const extra of running.splice(1)) await extra.stop()
  // Who takes lanes over may say again what was said last: not in the middle of the next test.
  await eventually(
    () => first().worker.lanes.length,
    (count) => count === LANES,
  )
})

const first = () => running[0] as Running
const told = async <Name extends MessageName>(name: Name, fits: (body: Bodies[Name]) => boolean, enough = 1) =>
  (await heard.until((one) => one.name === name && fits(one.body), enough)).map(({ body }) => body as Bodies[Name])
/** What its process was slow to publish is published by the lane's owner too; it is one by its id. */
const revealsTold = async (by: string, enough: number) => {
  const audited = ({ name, body }: Heard) =>
    name === 'ActionAudited' && body.action === 'slot.reveal' && body.actor.startsWith(by)
  const found = await eventually(
    () => distinct(heard.heard.filter(audited)),
    ({ length }) => length >= enough,
  )
  return found.map(({ body }) => body as Bodies['ActionAudited'])
}
const reveal = async (user: string, { url }: Running = first()) => {
  const response = await fetch(`${url}/internal/reveal`, {
    method: 'POST',
    headers: { ...authorized(), 'content-type': 'application/json' },
    body: JSON.stringify({ userId: user, providerId: 'acme', at: NOW }),
  })
  return { status: response.status, store: response.headers.get('cache-control'), body: await response.json() }
}
const OWN_TABLES = ['stock', 'keys', 'slots', 'answers', 'reveals', 'entitlements']
const everything = async (tables = OWN_TABLES) => {
  const { knex } = first()
  const rows = await Promise.all(
    tables.map((table) => select<{ row: string }>(knex, `select t::text as row from ${table} t`)),
  )
  return rows.flat().map(({ row }) => row)
}

test('INV-2: from the seal to the slot and the reveal, a key is in clear in no table and no message', async () => {
  const secrets = ['canary-stock-0001', 'canary-stock-0002', 'canary-own-0003']
  await gateway.say([await upload('op_canary', secrets.slice(0, 2), 'canary')])
  const [uploaded] = await told('KeysUploaded', ({ operationId }) => operationId === 'op_canary')
  expect(uploaded).toMatchObject({ accepted: 2, stockVersion: 1 })
  await subscription.say([assignKey('canary-1', 'op_canary_1', 'canary')])
  await gateway.say([await putOwnKey('canary-2', 'op_canary_2', secrets[2] as string)])
  const [assigned] = await told('KeyAssigned', ({ assignmentId }) => assignmentId === 'op_canary_1')
  expect(assigned).toMatchObject({ maskedKey: '••••0001', at: NOW, slotVersion: 1, stockVersion: 2 })
  await told('SlotChanged', ({ operationId }) => operationId === 'op_canary_2')

  expect(await reveal('canary-1')).toEqual({ status: 200, store: 'no-store', body: { key: secrets[0] } })
  expect(await reveal('canary-2')).toMatchObject({ status: 200, body: { key: secrets[2] } })
  const audits = await revealsTold('canary', 2)
  expect(audits.map(({ subject, target, at }) => [subject, target, at]).sort()).toEqual([
    ['canary-1', 'acme', NOW],
    ['canary-2', 'acme', NOW],
  ])

  const hidden = secrets.flatMap((secret) => [
    secret,
    Buffer.from(secret).toString('hex'),
    Buffer.from(secret).toString('base64'),
  ])
  const kept = (await everything([...OWN_TABLES, 'outbox', 'seen', 'lanes', 'effects'])).join('\n')
  const said = JSON.stringify(heard.heard)
  expect(kept).toContain('op_canary_1')
  for (const secret of hidden) expect([kept.includes(secret), said.includes(secret)]).toEqual([false, false])
})

test('SLT-2: what is revealed follows the slot and the policy that was copied at assignment', async () => {
  await gateway.say([await upload('op_policy', ['policy-key-1', 'policy-key-2'], 'policy')])
  await told('KeysUploaded', ({ operationId }) => operationId === 'op_policy')
  await subscription.say([
    assignKey('policy-1', 'op_policy_1', 'policy', { ownership: 'operator', reveal: false }),
    assignKey('policy-2', 'op_policy_2', 'policy', { reveal: false }),
  ])
  await told('KeyAssigned', ({ planId }) => planId === 'policy', 2)
  for (const user of ['policy-1', 'policy-2'])
    expect(await reveal(user)).toMatchObject({ status: 403, body: { code: 'reveal_not_allowed' } })
  await subscription.say([removeKey('policy-1', 'sub_op_policy_1')])
  await told('KeyRemoved', ({ userId }) => userId === 'policy-1')
  expect(await reveal('policy-1')).toMatchObject({ status: 404, body: { code: 'not_found' } })
  expect(await reveal('nobody')).toMatchObject({ status: 404 })
})

test('SLT-2: the limit of reveals is exact over instances, and each that is answered is audited', async () => {
  await gateway.say([await putOwnKey('eager', 'op_eager', 'eager-key-0001')])
  await told('SlotChanged', ({ operationId }) => operationId === 'op_eager')
  const second = await start()
  const asked = Array.from({ length: 24 }, (_, n) => reveal('eager', n % 2 === 0 ? first() : second))
  const answers = await Promise.all(asked)
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(options.REVEALS_PER_MINUTE)
  const limited = answers.filter(({ status }) => status === 429)
  expect(limited).toHaveLength(24 - options.REVEALS_PER_MINUTE)
  for (const { body } of limited as { body: { code: string; retryAfterSeconds: number } }[]) {
    expect(body.code).toBe('rate_limited')
    expect(body.retryAfterSeconds).toBeGreaterThanOrEqual(1)
    expect(body.retryAfterSeconds).toBeLessThanOrEqual(60)
  }
  expect(await revealsTold('eager', options.REVEALS_PER_MINUTE)).toHaveLength(options.REVEALS_PER_MINUTE)

  // A minute later, as the database sees it.
  await first().knex.raw("update reveals set revealed_at = revealed_at - interval '61 seconds' where user_id = 'eager'")
  expect(await reveal('eager')).toMatchObject({ status: 200 })
  const left = await select<{ n: number }>(
    first().knex,
    "select count(*)::int as n from reveals where user_id = 'eager'",
  )
  expect(left).toEqual([{ n: 1 }])
})

test('what hands out keys is closed to strangers, and to every service but the gateway', async () => {
  const { url } = first()
  const internal = bed.env(DATABASE).INTERNAL_SECRET
  expect((await fetch(`${url}/internal/open`, { headers: { authorization: `Bearer ${internal}` } })).status).toBe(200)
  for (const secret of ['guess', internal])
    for (const [method, path] of [
      ['GET', 'sealing-key'],
      ['POST', 'reveal'],
    ] as const) {
      const answer = await fetch(`${url}/internal/${path}`, { method, headers: { authorization: `Bearer ${secret}` } })
      expect([path, secret, answer.status]).toEqual([path, secret, 401])
    }
})

test('INV-5: 40 buyers of 7 keys, two instances, every command twice: exactly 7 are sold', async () => {
  await start()
  const keys = Array.from({ length: 7 }, (_, n) => `race-key-${n}`)
  await gateway.say([await upload('op_race', keys, 'race')])
  await told('KeysUploaded', ({ operationId }) => operationId === 'op_race')
  const buyers = Array.from({ length: 40 }, (_, n) => assignKey(`racer-${n}`, `op_race_${n}`, 'race'))
  await subscription.say([...buyers, ...buyers])
  await told('KeyDeclined', ({ planId }) => planId === 'race', 33)
  const sold = await told('KeyAssigned', ({ planId }) => planId === 'race', 7)
  expect([sold.length, new Set(sold.map(({ keyId }) => keyId)).size]).toEqual([7, 7])
  const stock = await select(first().knex, "select available, assigned, uploaded from stock where plan_id = 'race'")
  expect(stock).toEqual([{ available: 0, assigned: 7, uploaded: 7 }])
  const whole = ({ planId, assigned }: Bodies['StockChanged']) => planId === 'race' && assigned === 7
  const [last] = await told('StockChanged', whole)
  expect(last).toMatchObject({ available: 0, sellableUntil: null })
})

/** Our own records have come back to us, so that nothing more changes by itself. */
const allHeard = () =>
  eventually(
    () => select(first().knex, 'select 1 from entitlements where heard_version < version'),
    ({ length }) => length === 0,
  )

test('IDE-4: everything said again with the seen ids gone changes nothing and is answered the same', async () => {
  const { knex } = first()
  const records = [
    await upload('op_again', ['again-1', 'again-2', 'again-1'], 'again'),
    assignKey('again-1', 'op_again_1', 'again'),
    removeKey('again-1', 'sub_op_again_1'),
    await putOwnKey('again-1', 'op_again_2', 'again-own-key'),
    assignKey('again-1', 'op_again_3', 'again'),
  ]
  const answers = () => heard.heard.filter(({ key, name }) => key.startsWith('again') && name !== 'StockChanged')
  for (const [place, record] of records.entries()) {
    await gateway.say([record])
    // An upload has two sayings, every other command one.
    await eventually(answers, (said) => said.length === place + 2)
  }
  await allHeard()
  const before = await everything()
  const ids = new Set(answers().map(({ id }) => id))
  await knex.raw('truncate seen')
  await gateway.say(records)
  const again = await eventually(answers, (said) => said.length === 12)
  expect(new Set(again.map(({ id }) => id))).toEqual(ids)
  expect((await everything()).sort()).toEqual(before.sort())
})

test('INV-2: a seal that was made for another operation is nonsense, and its sender is told', async () => {
  await gateway.say([await upload('op_stolen', ['stolen-key-1'], 'stolen', 'op_other')])
  const [failed] = await told('CommandFailed', ({ subject }) => subject === 'stolen')
  expect(failed).toMatchObject({ messageName: 'UploadKeys' })
  expect(await select(first().knex, "select 1 from keys where plan_id = 'stolen'")).toEqual([])
})
