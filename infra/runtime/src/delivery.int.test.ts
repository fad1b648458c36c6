import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type Bed, openBed } from '@coding-plans/local/bed'
import { instant, microdollars, type UserId } from '@coding-plans/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { endOffsets, migrate, type Running } from './index.ts'
import { holdBy } from './probe/hold.ts'
import { openKafkaProxy, throughProxy } from './probe/kafka-proxy.ts'
import { migrations, probe } from './probe/probe.ts'
import { select } from './sql.ts'
import { eventually, type Listener, type Speaker } from './testing.ts'
import { inTransaction } from './transaction.ts'

let bed: Bed
let speaker: Speaker
let listener: Listener

beforeAll(async () => {
  bed = await openBed()
  speaker = await bed.speaker('subscription')
  listener = await bed.listener(['credits-ledger.events'])
})
afterAll(() => bed?.close())

const hold = (user: string, holdId: string) => holdBy(speaker, user, holdId)
const taken = ({ knex }: Running, like: string) =>
  select<{ userId: string; holdId: string; number: number }>(
    knex,
    'select user_id, hold_id, number from taken where user_id like ? order by place',
    [like],
  )
const users = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name}-${n}`)
const heardFrom = (source: string, name: string) =>
  listener.heard.filter((heard) => heard.headers.ce_source === source && heard.key.startsWith(name))

const answers = (service: string, name: string) => heardFrom(service, name).map(({ body }) => body.holdId as string)
const ids = (service: string, name: string) => new Set(heardFrom(service, name).map(({ id }) => id))
const closed = new Set<() => unknown>()
afterAll(() => Promise.all([...closed].map((close) => close())))

const openProxy = async () => {
  const proxy = await openKafkaProxy(bed.servers.brokers[0] as string)
  closed.add(proxy.close)
  return proxy
}

/** The probe in a process of its own. */
const spawnProbe = (service: string, database: string, env: NodeJS.ProcessEnv = {}): ChildProcess => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'probe', 'probe-process.ts')], {
    env: { ...bed.env(database), PROBE_SERVICE: service, PATH: process.env.PATH, ...env },
    stdio: 'inherit',
  })
  closed.add(() => child.kill('SIGKILL'))
  return child
}
const killed = async (child: ChildProcess) => {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** Prepares a database that has answered all earlier tests' messages, and leaves it without an owner. */
const prepare = async (service: string) => {
  const running = await bed.start({ service, handler: probe(service), migrations, database: service })
  const topic = 'credits-ledger.commands'
  const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, n) => total + n, 0)
  const end = sum((await endOffsets(bed.servers, [topic])).get(topic)?.values() ?? [])
  const at = async () =>
    (await running.knex.raw('select sum((positions->>?)::bigint)::bigint as at from lanes', [topic])).rows[0].at
  await eventually(at, (position) => Number(position) >= end)
  await running.stop()
}

test('every message delivered twice takes effect once and is answered once, in order', async () => {
  const service = await bed.start({ service: 'twice', handler: probe('twice'), migrations })
  const records = users('twice', 20).flatMap((user) => users('h', 10).map((holdId) => hold(user, holdId)))
  await speaker.say(records.flatMap((record) => [record, record]))
  await speaker.say([...records, hold('twice-0', 'last')])
  await eventually(
    () => taken(service, 'twice-0'),
    (rows) => rows.length === 11,
  )
  await eventually(
    () => taken(service, 'twice-%'),
    (rows) => rows.length === 201,
  )
  const rows = await taken(service, 'twice-%')
  for (const user of users('twice', 20))
    expect(
      rows.filter(({ userId, holdId }) => userId === user && holdId !== 'last').map(({ holdId }) => holdId),
    ).toEqual(users('h', 10))
  await listener.until(({ headers, key }) => headers.ce_source === 'twice' && key.startsWith('twice'), 201)
  expect(ids('twice', 'twice').size).toBe(201)
  expect(heardFrom('twice', 'twice')).toHaveLength(201)
  await service.stop()
})

test('whole topics replayed from offset 0 change nothing and say nothing', async () => {
  const database = 'replay'
  const first = await bed.start({ service: 'replay', handler: probe('replay'), migrations, database })
  await speaker.say(users('replay', 30).map((user) => hold(user, 'h')))
  await listener.until(({ headers, key }) => headers.ce_source === 'replay' && key.startsWith('replay'), 30)
  await first.stop()
  const again = await bed.start({ service: 'replay-again', handler: probe('replay'), migrations, database })
  await again.stop()
  const second = await bed.start({ service: 'replay', handler: probe('replay'), migrations, database })
  await second.knex.raw("update lanes set positions = '{}', epoch = epoch + 1")
  await second.stop()
  const third = await bed.start({ service: 'replay', handler: probe('replay'), migrations, database })
  await speaker.say([hold('replay-0', 'after')])
  await eventually(
    () => taken(third, 'replay-0'),
    (rows) => rows.some(({ holdId }) => holdId === 'after'),
  )
  await eventually(
    async () =>
      (await third.knex.raw("select min((positions->>'credits-ledger.commands')::int) as at from lanes")).rows[0].at,
    (at) => at !== null,
  )
  expect(await taken(third, 'replay-%')).toHaveLength(31)
  await third.stop()
})

test('a crash after commit and before publish: the answer comes once, from whoever takes the lane', async () => {
  const proxy = await openProxy()
  await prepare('crash')
  proxy.state.mode = 'keep'
  const child = spawnProbe('crash', 'crash', { PROXY_PORT: String(proxy.port) })
  await speaker.say(users('crash', 12).map((user) => hold(user, 'h')))
  await eventually(
    () => proxy.state.produced,
    (produced) => produced > 0,
    30_000,
  )
  await killed(child)
  expect(heardFrom('crash', 'crash')).toHaveLength(0)
  const next = await bed.start({ service: 'crash', handler: probe('crash'), migrations, database: 'crash' })
  await listener.until(({ headers, key }) => headers.ce_source === 'crash' && key.startsWith('crash'), 12)
  expect(await taken(next, 'crash-%')).toHaveLength(12)
  expect(heardFrom('crash', 'crash')).toHaveLength(12)
  await eventually(
    async () => (await next.knex.raw('select count(*)::int as n from outbox')).rows[0].n,
    (n) => n === 0,
  )
  await next.stop()
})

test('a crash between publish and delete: the answer comes again under the same id, the effect does not', async () => {
  const proxy = await openProxy()
  await prepare('between')
  proxy.state.mode = 'lose the answer'
  const child = spawnProbe('between', 'between', { PROXY_PORT: String(proxy.port) })
  await speaker.say(users('between', 12).map((user) => hold(user, 'h')))
  await listener.until(({ headers, key }) => headers.ce_source === 'between' && key.startsWith('between'), 1, 30_000)
  await killed(child)
  const next = await bed.start({ service: 'between', handler: probe('between'), migrations, database: 'between' })
  await eventually(
    () => ids('between', 'between').size,
    (size) => size === 12,
  )
  expect(await taken(next, 'between-%')).toHaveLength(12)
  await next.stop()
})

test('rows without a message: a crash between their commit and their publish forgets none', async () => {
  const proxy = await openProxy()
  await prepare('lanework')
  await speaker.say(users('lanework', 12).map((user) => hold(user, 'h')))
  const before = await bed.start({ service: 'lanework', handler: probe('lanework'), migrations, database: 'lanework' })
  await listener.until(({ headers, key }) => headers.ce_source === 'lanework' && key.startsWith('lanework'), 12)
  await before.stop()
  proxy.state.mode = 'keep'
  const child = spawnProbe('lanework', 'lanework', { PROXY_PORT: String(proxy.port), PROBE_TELLS: 'yes' })
  await eventually(
    () => proxy.state.produced,
    (produced) => produced > 0,
    30_000,
  )
  await killed(child)
  const told = () => listener.heard.filter(({ name, key }) => name === 'HoldReleased' && key.startsWith('lanework'))
  expect(told()).toHaveLength(0)
  const next = await bed.start({ service: 'lanework', handler: probe('lanework'), migrations, database: 'lanework' })
  await eventually(
    () => new Set(told().map(({ id }) => id)).size,
    (size) => size === 12,
  )
  await next.stop()
})

test('an acknowledgement that is lost loses no message and inverts none', async () => {
  const proxy = await openProxy()
  const service = await bed.start({
    service: 'unheard',
    handler: probe('unheard'),
    migrations,
    socketFactory: throughProxy(proxy.port),
  })
  const records = users('unheard', 6).flatMap((user) => users('h', 20).map((holdId) => hold(user, holdId)))
  for (const [n, record] of records.entries()) {
    proxy.state.mode = n % 30 === 15 ? 'lose the answer' : 'pass'
    await speaker.say([record])
  }
  proxy.state.mode = 'pass'
  await eventually(
    () => ids('unheard', 'unheard').size,
    (size) => size === 120,
    60_000,
  )
  for (const user of users('unheard', 6))
    expect([
      ...new Set(
        heardFrom('unheard', user)
          .filter(({ key }) => key === user)
          .map(({ body }) => body.holdId),
      ),
    ]).toEqual(users('h', 20))
  await service.stop()
})

test('two to five members and rebalances in the middle: once each, order per user kept, nothing forgotten', async () => {
  const database = 'members'
  const name = 'members'
  const running: Running[] = [await bed.start({ service: name, handler: probe(name), migrations, database })]
  const people = users(name, 24)
  let said = 0
  let talking = true
  const talk = (async () => {
    while (talking) {
      await speaker.say(people.map((user) => hold(user, `h-${said}`)))
      said += 1
    }
  })()
  for (let n = 0; n < 4; n += 1)
    running.push(await bed.start({ service: name, handler: probe(name), migrations, database }))
  for (const one of running.splice(0, 3)) await one.stop()
  running.push(await bed.start({ service: name, handler: probe(name), migrations, database }))
  talking = false
  await talk
  const [survivor] = running as [Running]
  await eventually(
    () => taken(survivor, `${name}-%`),
    (rows) => rows.length >= said * people.length,
    60_000,
  )
  const rows = await taken(survivor, `${name}-%`)
  for (const user of people)
    expect(rows.filter(({ userId }) => userId === user).map(({ holdId }) => holdId)).toEqual(users('h', said))
  await eventually(
    () => ids(name, name).size,
    (size) => size === said * people.length,
    60_000,
  )
  for (const user of people) {
    const first = [
      ...new Map(
        heardFrom(name, name)
          .filter(({ key }) => key === user)
          .map((heard) => [heard.id, heard.body.version]),
      ).values(),
    ]
    expect(first).toEqual([...first].sort((a, b) => a - b))
  }
  await Promise.all(running.map((one) => one.stop()))
})

test('an old owner with an open transaction: the new one waits for it, and answers come in order', async () => {
  const database = 'zombie'
  const entered = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const slow = probe('zombie', {
    beforeSave: async (rows) => {
      if (!rows.some(({ holdId }) => holdId === 'slow')) return
      entered.resolve()
      await release.promise
    },
  })
  const old = await bed.start({ service: 'zombie', handler: slow, migrations, database })
  await speaker.say([hold('zombie-1', 'slow')])
  await entered.promise
  const young = bed.start({ service: 'zombie', handler: probe('zombie'), migrations, database })
  await speaker.say([hold('zombie-1', 'later')])
  await eventually(
    () => old.worker.lanes.length,
    (lanes) => lanes === 0,
    20_000,
  )
  expect(heardFrom('zombie', 'zombie-1')).toHaveLength(0)
  release.resolve()
  await eventually(
    () => ids('zombie', 'zombie-1').size,
    (size) => size === 2,
    30_000,
  )
  expect([...new Set(answers('zombie', 'zombie-1'))]).toEqual(['slow', 'later'])
  expect((await taken(old, 'zombie-1')).map(({ number }) => number)).toEqual([1, 2])
  await old.stop()
  await (await young).stop()
})

test('an owner stopped between commit and publish: its late copies change nothing for anybody', async () => {
  const proxy = await openProxy()
  await prepare('stopped')
  proxy.state.mode = 'keep'
  const child = spawnProbe('stopped', 'stopped', { PROXY_PORT: String(proxy.port) })
  await speaker.say(users('stopped', 12).map((user) => hold(user, 'h')))
  await eventually(
    () => proxy.state.produced,
    (produced) => produced > 0,
    30_000,
  )
  child.kill('SIGSTOP')
  const next = await bed.start({ service: 'stopped', handler: probe('stopped'), migrations, database: 'stopped' })
  await eventually(
    () => ids('stopped', 'stopped').size,
    (size) => size === 12,
    30_000,
  )
  await speaker.say(users('stopped', 12).map((user) => hold(user, 'newer')))
  await eventually(
    () => ids('stopped', 'stopped').size,
    (size) => size === 24,
    30_000,
  )
  proxy.state.mode = 'pass'
  child.kill('SIGCONT')
  await eventually(
    () => taken(next, 'stopped-%'),
    (rows) => rows.length === 24,
  )
  await killed(child)
  expect(ids('stopped', 'stopped').size).toBe(24)
  expect(await taken(next, 'stopped-%')).toHaveLength(24)
  await next.stop()
})

test('what another process accepted and never published is published by the lane’s owner', async () => {
  const service = await bed.start({ service: 'accepted', handler: probe('accepted'), migrations })
  const body = {
    userId: 'accepted-1' as UserId,
    holdId: 'h',
    amount: microdollars(1),
    balance: microdollars(1),
    held: microdollars(0),
    version: 1,
  }
  await inTransaction(service.knex, async (tx) => {
    // The crash: nobody calls what append returns.
    await service.worker.append(tx, [{ name: 'CreditsHeld', body, cause: 'accepted' }], instant(1))
  })
  const [heard] = await listener.until(({ key }) => key === 'accepted-1')
  expect(heard?.name).toBe('CreditsHeld')
  await service.stop()
})

test('a position that the broker no longer has stops the lane with a sentence', async () => {
  const database = 'outside'
  const url = await bed.servers.createDatabase(database)
  await migrate(url, migrations)
  const first = await bed.start({ service: 'outside', handler: probe('outside'), migrations, database })
  await first.stop()
  const second = bed
    .start({ service: 'outside', handler: probe('outside'), migrations, database })
    .catch((error: Error) => error)
  await eventually(
    () => true,
    () => true,
  )
  const running = await second
  if (running instanceof Error) throw running
  await running.knex.raw(
    `update lanes set positions = '{"credits-ledger.commands": 99999999}', epoch = epoch + 1 where lane = 3`,
  )
  await running.stop()
  await expect(bed.start({ service: 'outside', handler: probe('outside'), migrations, database })).rejects.toThrow(
    /Lane 3 stands still/,
  )
}, 60_000)
