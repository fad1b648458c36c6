import { type Bed, openBed } from '@coding-plans/local/bed'
import { instant, microdollars, type UserId } from '@coding-plans/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pause, type Running, say } from './index.ts'
import { withAdmin } from './kafka/topics.ts'
import { unpack } from './parcel.ts'
import { openKafkaProxy, throughProxy } from './probe/kafka-proxy.ts'
import { migrations, probe } from './probe/probe.ts'
import { select } from './sql.ts'
import { eventually, type Listener, type Speaker } from './testing.ts'

let bed: Bed
let speaker: Speaker

beforeAll(async () => {
  bed = await openBed()
  speaker = await bed.speaker('subscription')
})
afterAll(() => bed?.close())

const body = (user: string, holdId: string) => ({
  userId: user as UserId,
  holdId,
  amount: microdollars(1),
  purpose: 'activation' as const,
  operationId: null,
  subscriptionId: 's',
  boundary: null,
})
const hold = (user: string, holdId: string) =>
  speaker.record('HoldCredits', body(user, holdId), {
    cause: `${user}/${holdId}`,
    time: instant(1_000),
    correlationId: `saga ${holdId}`,
  })
const taken = ({ knex }: Running, like: string) =>
  select<{ userId: string; holdId: string; number: number }>(
    knex,
    'select user_id, hold_id, number from taken where user_id like ? order by place',
    [like],
  )
const names = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name}-${n}`)
const said = (listener: Listener, service: string, key: string) =>
  listener.heard.filter(({ headers, key: heardKey }) => headers.ce_source === service && heardKey.startsWith(key))

test('undecodable and impossible messages in the middle of a batch: dead-lettered once, their senders told, the neighbours unharmed', async () => {
  const service = await bed.start({ service: 'poison', handler: probe('poison'), migrations })
  const letters = await bed.listener(['credits-ledger.commands.poison.dlq', 'poison.events'])
  const around = (bad: ReturnType<typeof hold>[]) => [
    ...names('before', 5).map((holdId) => hold('poison-1', holdId)),
    ...bad,
    ...names('after', 5).map((holdId) => hold('poison-1', holdId)),
    ...names('other', 5).map((holdId) => hold('poison-2', holdId)),
  ]
  const garbled = hold('poison-1', 'garbled')
  await speaker.say(
    around([
      { ...garbled, value: garbled.value.subarray(0, 8) },
      { ...hold('poison-1', 'unknown schema'), value: Buffer.from([0, 0, 0, 0xff, 0xff, 1, 2, 3]) },
      hold('poison-1', 'impossible'),
      hold('poison-1', 'impossible for the database'),
    ]),
  )
  await letters.until(({ topic }) => topic.endsWith('.dlq'), 4, 40_000)
  await eventually(
    () => taken(service, 'poison-%'),
    (rows) => rows.length === 15,
  )
  expect((await taken(service, 'poison-1')).map(({ holdId, number }) => [holdId, number])).toEqual(
    [...names('before', 5), ...names('after', 5)].map((holdId, n) => [holdId, n + 1]),
  )
  await letters.until(({ name }) => name === 'CommandFailed', 4)
  expect(letters.heard.filter(({ topic }) => topic.endsWith('.dlq'))).toHaveLength(4)
  const told = letters.heard.filter(({ name }) => name === 'CommandFailed')
  expect(new Set(told.map(({ body: { messageId } }) => messageId)).size).toBe(4)
  expect(told.find(({ headers }) => headers.ce_correlationid === 'saga impossible')?.body).toMatchObject({
    subject: 'poison-1',
    messageName: 'HoldCredits',
    reason: 'This cannot be.',
  })
  await service.stop()
})

test('a dead letter lies in its topic as it came, and says where from and why', async () => {
  const service = await bed.start({ service: 'lies', handler: probe('lies'), migrations })
  const letters = await bed.listener(['credits-ledger.commands.lies.dlq'])
  const good = hold('lies-1', 'impossible')
  await speaker.say([good])
  // The topic is everybody's: what others spoilt dies here too.
  const [letter] = await letters.until(({ headers }) => headers.ce_id === good.headers.ce_id)
  expect(letter?.headers).toMatchObject({
    dead_topic: 'credits-ledger.commands',
    dead_reason: 'This cannot be.',
    ce_id: good.headers.ce_id,
  })
  expect(letter?.body).toMatchObject(body('lies-1', 'impossible'))
  await service.stop()
})

test('who has a cell for its own failures works it in the same transaction, under the saga’s id', async () => {
  const handler = probe('saga', {
    onFailure: ({ key, body: { messageName }, correlationId }) => {
      const told = { userId: key as UserId, holdId: `${messageName} of ${correlationId}` }
      return [say('HoldReleased', { ...told, balance: microdollars(0), held: microdollars(0), version: 1 })]
    },
  })
  const service = await bed.start({ service: 'saga', handler, migrations })
  const listener = await bed.listener(['credits-ledger.events'])
  const garbled = hold('saga-1', 'garbled')
  await speaker.say([{ ...garbled, value: garbled.value.subarray(0, 8) }, hold('saga-1', 'impossible')])
  const said = await listener.until(({ key, name }) => key === 'saga-1' && name === 'HoldReleased', 2)
  expect(said.map(({ body: { holdId } }) => holdId)).toEqual([
    'HoldCredits of saga garbled',
    'HoldCredits of saga impossible',
  ])
  expect(said[0]?.headers.ce_correlationid).toBe('saga garbled')
  await service.stop()
})

test('a record that PostgreSQL could not even bury is buried all the same, and what follows it is handled', async () => {
  const service = await bed.start({ service: 'nul', handler: probe('nul'), migrations })
  const letters = await bed.listener(['credits-ledger.commands.nul.dlq'])
  const bad = hold('nul-1', 'h')
  await speaker.say([
    { ...bad, headers: { ...bad.headers, ce_correlationid: 'a\0b', 'x\uD800': 'c\0d' } },
    hold('nul-1', 'after'),
  ])
  await letters.until(({ headers }) => headers.ce_id === bad.headers.ce_id)
  await eventually(
    () => taken(service, 'nul-1'),
    (rows) => rows.map(({ holdId }) => holdId).join() === 'after',
  )
  await service.stop()
})

test('a burst of dead letters stops the consumer instead of emptying the topic', async () => {
  const service = await bed.start({ service: 'burst', handler: probe('burst'), migrations })
  await speaker.say(names('burst', 30).map((user) => hold(user, 'impossible')))
  await eventually(
    () => service.worker.ready().reasons,
    (reasons) => reasons.some((reason) => /More than 20 dead letters/.test(reason)),
  )
  const { rows } = (await service.knex.raw('select parcel from outbox')) as { rows: { parcel: Buffer }[] }
  const letters = rows.flatMap(({ parcel }) => unpack(parcel)).filter(({ topic }) => topic.endsWith('.dlq'))
  expect(letters.length).toBeLessThanOrEqual(20)
  await service.stop()
})

test('a send that fails for one partition and not for another: nothing is lost, first copies keep their order', async () => {
  const service = await bed.start({ service: 'partial', handler: probe('partial'), migrations })
  const topic = 'credits-ledger.commands.partial.dlq'
  const limit = (bytes: number) =>
    withAdmin(bed.servers, (admin) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: 2, name: topic, configEntries: [{ name: 'max.message.bytes', value: String(bytes) }] }],
      }),
    )
  const listener = await bed.listener(['credits-ledger.events', topic])
  await limit(100)
  await speaker.say([...names('h', 10).map((holdId) => hold('partial-1', holdId)), hold('partial-2', 'impossible')])
  await speaker.say(names('later', 10).map((holdId) => hold('partial-1', holdId)))
  await eventually(
    () => service.worker.brokerAway,
    (away) => away,
  )
  await limit(1_048_576)
  await listener.until((heard) => heard.topic === topic, 1, 40_000)
  await eventually(
    () => new Set(said(listener, 'partial', 'partial-1').map(({ id }) => id)).size,
    (size) => size === 20,
    40_000,
  )
  expect([...new Set(said(listener, 'partial', 'partial-1').map(({ body: { holdId } }) => holdId))]).toEqual([
    ...names('h', 10),
    ...names('later', 10),
  ])
  await service.stop()
})

test('the database away for 10 s: said so, nothing lost, nothing doubled', async () => {
  const service = await bed.start({ service: 'no-database', handler: probe('no-database'), migrations })
  await bed.servers.postgres.stop()
  await speaker.say(names('no-database', 20).map((user) => hold(user, 'h')))
  await eventually(
    () => service.worker.ready().reasons,
    (reasons) => reasons.includes('The database does not answer.'),
  )
  await pause(8_000)
  await bed.servers.postgres.start()
  await eventually(
    () => taken(service, 'no-database-%').catch(() => []),
    (rows) => rows.length === 20,
    40_000,
  )
  await eventually(
    () => service.worker.ready().ready,
    (ready) => ready,
    30_000,
  )
  expect(await taken(service, 'no-database-%')).toHaveLength(20)
  await service.stop()
})

test('the registry away: /readyz says so, and what is known already goes on; back again: ready', async () => {
  const service = await bed.start({ service: 'no-registry', handler: probe('no-registry'), migrations })
  const readiness = async () => {
    const answer = await fetch(`${service.url}/readyz`)
    return { status: answer.status, ...((await answer.json()) as { reasons: string[] }) }
  }
  await eventually(readiness, ({ status }) => status === 200)
  // On every lane it has read what others said before, some of it in schemas that nobody knows.
  const users = names('no-registry', 60)
  const sayAndWait = async (holdId: string, count: number) => {
    await speaker.say(users.map((user) => hold(user, holdId)))
    await eventually(
      () => taken(service, 'no-registry-%'),
      (rows) => rows.length === count,
    )
  }
  await sayAndWait('before', 60)
  await bed.servers.registry.stop()
  try {
    expect(await readiness()).toMatchObject({ status: 503, reasons: ['The registry does not answer.'] })
    await sayAndWait('meanwhile', 120)
  } finally {
    await bed.servers.registry.start()
  }
  await eventually(readiness, ({ status }) => status === 200)
  await service.stop()
})

test('the broker away for 10 s: what was committed is published once it is back', async () => {
  const proxy = await openKafkaProxy(bed.servers.brokers[0] as string)
  const service = await bed.start({
    service: 'no-broker',
    handler: probe('no-broker'),
    migrations,
    socketFactory: throughProxy(proxy.port),
  })
  proxy.state.mode = 'keep'
  await speaker.say(names('no-broker', 20).map((user) => hold(user, 'h')))
  await eventually(
    () => taken(service, 'no-broker-%'),
    (rows) => rows.length === 20,
  )
  await bed.servers.broker.stop()
  proxy.state.mode = 'pass'
  await eventually(
    () => service.worker.ready().reasons,
    (reasons) => reasons.includes('The broker does not answer.'),
    30_000,
  )
  await pause(8_000)
  await bed.servers.broker.start()
  const listener = await bed.listener(['credits-ledger.events'])
  await eventually(
    () => new Set(said(listener, 'no-broker', 'no-broker').map(({ id }) => id)).size,
    (size) => size === 20,
    60_000,
  )
  expect(await taken(service, 'no-broker-%')).toHaveLength(20)
  await eventually(
    () => service.worker.ready().ready,
    (ready) => ready,
    60_000,
  )
  await service.stop()
  await proxy.close()
})
