import { type Bed, openBed } from '@coding-plans/local/bed'
import { laneOf, type Message, migrate, openDatabase, type Running, select } from '@coding-plans/runtime'
import { eventually, type Heard, type Listener, type Speaker } from '@coding-plans/runtime/testing'
import { type Bodies, instant, type MessageName, microdollars, userId } from '@coding-plans/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type InventoryOptions, keyInventory } from './app.ts'
import { migrations } from './migrations/index.ts'
import { gatewayRecords, NOW, sagaRecords } from './records.testing.ts'
import { roundOn } from './round.testing.ts'
import { heardAgain, tellingOf } from './terms.testing.ts'
import { assignKey, bodies, putOwnKey, removeKey, unlinkKeys, upload, World } from './world.testing.ts'

const DATABASE = 'inventory'
const TOPIC = 'key-inventory.entitlements'
const HOUR = 3_600_000
const END = NOW + 720 * HOUR

let bed: Bed
let heard: Listener
let gateway: Speaker
let subscription: Speaker
let inventory: Speaker
let running: Running
let records: ReturnType<typeof gatewayRecords>

const start = async () => {
  const options: InventoryOptions = {
    VAULT_KEY: Buffer.alloc(32, 1),
    FINGERPRINT_SECRET: Buffer.alloc(32, 2),
    SEALING_KEY: Buffer.alloc(32, 3),
    REVEAL_SECRET: Buffer.alloc(32, 4),
    REVEALS_PER_MINUTE: 5,
  }
  running = await bed.start({
    ...(await keyInventory(options)),
    migrations,
    database: DATABASE,
    env: { CLOCK: 'test' },
  })
  const headers = { authorization: `Bearer ${options.REVEAL_SECRET.toString('base64')}` }
  const { keyId, publicKey } = (await (await fetch(`${running.url}/internal/sealing-key`, { headers })).json()) as {
    keyId: string
    publicKey: string
  }
  records = gatewayRecords(gateway, { keyId, publicKey: Buffer.from(publicKey, 'base64') })
}

beforeAll(async () => {
  bed = await openBed()
  heard = await bed.listener([TOPIC, 'key-inventory.events', `${TOPIC}.key-inventory.dlq`])
  gateway = await bed.speaker('gateway')
  subscription = await bed.speaker('subscription')
  inventory = await bed.speaker('key-inventory')
  await start()
})
afterAll(() => bed?.close())

/** All that a stranger read of this user, in the log's order. */
const entitlementsOf = (user: string) =>
  heard.heard.filter(({ topic, body }) => topic === TOPIC && body.userId === user)
const told = async (user: string, fits: (body: Bodies['EntitlementChanged']) => boolean) =>
  (await heard.until(({ topic, body }) => topic === TOPIC && body.userId === user && fits(body)))[0] as Heard
const event = <Name extends MessageName>(name: Name, body: Bodies[Name]) =>
  subscription.record(name, body, { cause: `${name} ${JSON.stringify(body)}`, time: NOW })
const changes = (user: string) => ({
  flagged: (version: number) =>
    event('CancellationScheduled', { ...whose(user), operationId: 'op', by: 'user', version }),
  unflagged: (version: number) => event('CancellationUndone', { ...whose(user), operationId: 'op', version }),
  renewed: (version: number, end: number) =>
    event('SubscriptionRenewed', {
      ...whose(user),
      version,
      ...{ boundary: instant(END), currentPeriodEnd: instant(end), periodStart: null },
      ...{ amount: microdollars(0), chargeId: null, accountVersion: null },
      ...{ cancelAtPeriodEnd: false, recovered: false },
    }),
})
const whose = (user: string) => ({ userId: userId(user), subscriptionId: `sub_op_${user}` })
const term = { termEndsAt: instant(END), graceHours: 24 }

/** Buys a key for this user, and waits until it is told. */
const serve = async (user: string, planId: string) => {
  const { assignKey: assign } = sagaRecords(subscription)
  await gateway.say([await records.upload(`op_up_${user}`, [`${user}-key-0001`], planId)])
  await heard.until(({ name, body }) => name === 'KeysUploaded' && body.operationId === `op_up_${user}`)
  await subscription.say([assign(user, `op_${user}`, planId, term)])
  return told(user, ({ version }) => version === 1)
}
const rowsOf = (user: string) => select(running.knex, 'select * from entitlements where user_id = ?', [user])
const position = async (topic: string, user: string) => {
  const [row] = await select<{ at: number }>(
    running.knex,
    'select (positions->>?)::int as at from lanes where lane = ?',
    [topic, laneOf(user)],
  )
  return row?.at ?? 0
}

test('SLT-4: a stranger reads who may use what until when: key user|provider, lane of the user, versions in order', async () => {
  const first = await serve('reader', 'read')
  expect(first).toMatchObject({ key: 'reader|acme', lane: laneOf('reader') })
  expect(first.headers).toMatchObject({ ce_type: 'EntitlementChanged', ce_subject: 'reader' })
  const { flagged, unflagged, renewed } = changes('reader')
  await subscription.say([flagged(2), unflagged(3), renewed(4, END + 720 * HOUR), flagged(5)])
  await told('reader', ({ version }) => version === 5)
  await subscription.say([sagaRecords(subscription).removeKey('reader', 'sub_op_reader')])
  await told('reader', ({ managedBy }) => managedBy === 'none')
  await gateway.say([await records.putOwnKey('reader', 'op_own', 'reader-own-0001')])
  await told('reader', ({ managedBy }) => managedBy === 'user')
  const seen = entitlementsOf('reader').map(({ body }) => [body.version, body.managedBy, body.validUntil])
  expect(seen).toEqual([
    [1, 'plan', END + 24 * HOUR],
    [2, 'plan', END],
    [3, 'plan', END + 24 * HOUR],
    [4, 'plan', END + 744 * HOUR],
    [5, 'plan', END + 720 * HOUR],
    [6, 'none', null],
    [7, 'user', null],
  ])
  expect(entitlementsOf('reader').every(({ key }) => key === 'reader|acme')).toBe(true)
  expect(JSON.stringify(entitlementsOf('reader'))).not.toMatch(/reader-(key|own)-0001/)
})

test('SLT-4: whole topics from offset 0 with the seen ids gone change nothing', async () => {
  await serve('replayed', 'replay')
  const { flagged, unflagged } = changes('replayed')
  await subscription.say([flagged(2), unflagged(3), flagged(4)])
  await told('replayed', ({ version }) => version === 4)
  const all = () =>
    select<{ version: number; heardVersion: number }>(
      running.knex,
      'select * from entitlements order by user_id, provider_id',
    )
  await eventually(all, (rows) => rows.every(({ version, heardVersion }) => version === heardVersion))
  const before = await all()
  const ends = await position('subscription.events', 'replayed')
  await running.stop()
  const knex = openDatabase(bed.servers.databaseUrl(DATABASE), { idleInTransactionMilliseconds: 60_000 })
  await knex.raw('truncate seen')
  await knex.raw("update lanes set positions = '{}', epoch = epoch + 1")
  await knex.destroy()
  await start()
  await subscription.say([flagged(4)])
  await eventually(
    () => position('subscription.events', 'replayed'),
    (at) => at === ends + 1,
  )
  expect(await all()).toEqual(before)
  const versions = entitlementsOf('replayed').map(({ body }) => body.version)
  expect(versions.slice(0, 4)).toEqual([1, 2, 3, 4])
  // Our own old records are met again: they may only have made the present one be said behind them.
  expect(new Set(versions.slice(4))).toEqual(new Set(versions.length > 4 ? [4] : []))
})

test('SLT-4: an older one that is the last of the log, a late copy too, is followed by the present one, once', async () => {
  const first = await serve('copied', 'copy')
  await subscription.say([changes('copied').flagged(2)])
  const second = await told('copied', ({ version }) => version === 2)
  // The same record once more, as a producer that got no acknowledgement sends it: key, id and all.
  const copy = inventory.record('EntitlementChanged', first.body, { cause: 'entitlement|copied|acme|1', time: NOW })
  expect(copy.headers.ce_id).toBe(first.id)
  await inventory.say([copy])
  const seen = await eventually(
    () => entitlementsOf('copied').map(({ id, body }) => [id, body.version]),
    ({ length }) => length === 4,
  )
  expect(seen).toEqual([
    [first.id, 1],
    [second.id, 2],
    [first.id, 1],
    [second.id, 2],
  ])
  await eventually(
    () => position(TOPIC, 'copied'),
    (at) => at === Math.max(...entitlementsOf('copied').map(({ offset }) => offset)) + 1,
  )
  expect(entitlementsOf('copied')).toHaveLength(4)
})

test('GDP-1: a deleted user has none, for ever', async () => {
  const first = await serve('deleted', 'delete')
  const body = { userId: userId('deleted'), operationId: 'op_delete' }
  await subscription.say([subscription.record('UnlinkKeys', body, { cause: 'delete', time: NOW })])
  const last = await told('deleted', ({ managedBy }) => managedBy === 'none')
  expect(last.body).toMatchObject({ keyReference: null, subscriptionId: null, validUntil: null, version: 2 })
  await subscription.say([changes('deleted').renewed(9, END + 720 * HOUR)])
  await inventory.say([
    inventory.record('EntitlementChanged', first.body, { cause: 'entitlement|deleted|acme|1', time: NOW }),
  ])
  const seen = await eventually(
    () => entitlementsOf('deleted').map(({ body: { managedBy } }) => managedBy),
    ({ length }) => length === 4,
  )
  expect(seen).toEqual(['plan', 'none', 'plan', 'none'])
  expect(await rowsOf('deleted')).toMatchObject([{ managedBy: 'none', keyReference: null, version: 2 }])
  expect(heard.heard.filter(({ topic }) => topic.endsWith('.dlq'))).toEqual([])
})

test('SLT-4: terms, late copies and our own records are in the database what they are in memory, in one statement a round', async () => {
  const url = await bed.servers.createDatabase('entitlements_store')
  await migrate(url, migrations)
  const knex = openDatabase(url, { idleInTransactionMilliseconds: 60_000 })
  const world = new World()
  const [ada, bob] = [tellingOf('ada', 'sub_op_1'), tellingOf('bob', 'sub_op_2')]
  const term = { termEndsAt: instant(100 * HOUR), graceHours: 2 }
  const story: Message[][] = [
    [upload('op_up', ['a', 'b', 'c']), assignKey('ada', 'op_1', term), assignKey('bob', 'op_2', term)],
    [ada.activated(1, 100 * HOUR, 2), ada.flagged(2), bob.pastDue(2, 90 * HOUR), putOwnKey('eve', 'op_3', 'mine')],
    [ada.unflagged(3), bob.renewed(3, 200 * HOUR), ada.flagged(2)],
    [ada.awaited(4, 150 * HOUR), bob.ending(4, 120 * HOUR), removeKey('bob', 'sub_op_2'), bob.renewed(5, 300 * HOUR)],
    [assignKey('bob', 'op_4', { ...term, graceHours: 0 }), unlinkKeys('eve'), tellingOf('bob', 'sub_op_4').flagged(2)],
    [ada.daysGranted(5, 400 * HOUR), ada.extended(6, 500 * HOUR, true)],
  ]
  const log: Bodies['EntitlementChanged'][] = []
  for (const messages of story) {
    const said = await roundOn(knex, ...messages)
    expect(said).toEqual(world.round(...messages))
    log.push(...bodies(said, 'EntitlementChanged'))
  }
  const rows = () => select(knex, 'select * from entitlements order by user_id, provider_id')
  expect(bodies(await roundOn(knex, ...log.map((one) => heardAgain(one))), 'EntitlementChanged')).toEqual([])
  const before = await rows()
  expect(before.map((row) => (row as { version: number }).version)).toEqual([6, 7, 2])
  let statements = 0
  const note = () => {
    statements += 1
  }
  knex.on('query', note)
  const again = await roundOn(
    knex,
    ...story.flat().filter(({ name }) => name.startsWith('Subscription')),
    ...log.map((one) => heardAgain(one)),
  )
  knex.off('query', note)
  // Compaction may keep any of them: each place is said once more, as it is.
  expect(bodies(again, 'EntitlementChanged').map(({ userId, version }) => [userId, version])).toEqual([
    ['ada', 6],
    ['bob', 7],
    ['eve', 2],
  ])
  expect(await rows()).toEqual(before)
  expect(statements).toBeLessThan(12)
  await knex.destroy()
})
