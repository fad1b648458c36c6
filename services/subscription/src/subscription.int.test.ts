import { type Bed, openBed } from '@coding-plans/local/bed'
import { endOffsets, openDatabase, type Running, select } from '@coding-plans/runtime'
import { eventually, type Listener, type Speaker } from '@coding-plans/runtime/testing'
import { type Bodies, instant, type MessageName, microdollars, userId } from '@coding-plans/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { subscriptionService } from './app.ts'
import { at, DAY, publishBody } from './bodies.testing.ts'
import { migrations } from './migrations/index.ts'
import { Neighbours } from './neighbours.testing.ts'

const DATABASE = 'subscription'

let bed: Bed
let knex: ReturnType<typeof openDatabase>
let heard: Listener
let gateway: Speaker
let scheduler: Speaker
let neighbours: Neighbours

const running: Running[] = []
const start = async (prices: Record<string, number> = {}) => {
  const fixed = new Map(Object.entries(prices).map(([variable, price]) => [variable, microdollars(price)]))
  const env = { CLOCK: 'test' }
  const started = await bed.start({ ...subscriptionService(fixed), migrations, database: DATABASE, env })
  running.push(started)
  return started
}
const stopAll = () => Promise.all(running.splice(0).map((one) => one.stop()))

beforeAll(async () => {
  bed = await openBed()
  heard = await bed.listener(['subscription.events', 'subscription.commands.subscription.dlq'])
  gateway = await bed.speaker('gateway')
  scheduler = await bed.speaker('billing-scheduler')
  neighbours = await Neighbours.open(bed)
  await start()
  await start()
  knex = openDatabase(bed.servers.databaseUrl(DATABASE), { idleInTransactionMilliseconds: 60_000 })
  await gateway.say([publish()])
  await told('PlanPublished', ({ planId }) => planId === 'acme-coding')
})
afterAll(async () => {
  await neighbours?.close()
  await knex?.destroy()
  await bed?.close()
})

const told = async <Name extends MessageName>(name: Name, fits: (body: Bodies[Name]) => boolean, enough = 1) =>
  (await heard.until((one) => one.name === name && fits(one.body), enough)).map(({ body }) => body as Bodies[Name])

const publish = (changes: Partial<Bodies['PublishPlan']> = {}) => {
  const body = publishBody(changes)
  return gateway.record('PublishPlan', body, { cause: body.operationId, time: at(0), correlationId: body.operationId })
}
const purchase = (user: string, operationId: string, known: Partial<Bodies['PurchasePlan']> = {}) => {
  const nothing = { knownSubscriptionId: null, knownEnd: null }
  const body = { userId: userId(user), operationId, planId: 'acme-coding', planVersion: 1, ...nothing, ...known }
  return gateway.record('PurchasePlan', body, { cause: operationId, time: at(0), correlationId: operationId })
}
const cancel = (
  user: string,
  operationId: string,
  subscriptionId: string,
  changes: Partial<Bodies['CancelSubscription']> = {},
) => {
  const how = { at: 'now', by: 'user', actor: user, reason: null } as const
  const body = { userId: userId(user), operationId, subscriptionId, ...how, ...changes }
  return gateway.record('CancelSubscription', body, { cause: operationId, time: at(DAY), correlationId: operationId })
}
const due = (user: string, subscriptionId: string, boundary: number) => {
  const body = { userId: userId(user), subscriptionId, boundary: instant(boundary), asOf: instant(boundary) }
  const cause = `due|${subscriptionId}|${boundary}`
  return scheduler.record('PeriodEnded', body, { cause, time: instant(boundary) })
}
const known = ({ subscriptionId, currentPeriodEnd }: Bodies['SubscriptionActivated']) => ({
  knownSubscriptionId: subscriptionId,
  knownEnd: currentPeriodEnd,
})
const of = (user: string) => heard.heard.filter(({ key }) => key === user)
const rows = async () => {
  const tables = ['plan_versions', 'operations', 'buyers', 'subscriptions', 'terms', 'sagas']
  const kept = await Promise.all(
    tables.map((table) => select<{ row: string }>(knex, `select t::text as row from ${table} t`)),
  )
  return kept
    .flat()
    .map(({ row }) => row)
    .sort()
}

test('a life in messages, every one of them twice, on two instances: each takes effect once', async () => {
  const users = Array.from({ length: 30 }, (_, n) => `twice-${n}`)
  neighbours.twice = true
  const sayTwice = (speaker: Speaker, records: ReturnType<typeof purchase>[]) => speaker.say([...records, ...records])
  const ours = ({ userId: user }: { userId: string }) => user.startsWith('twice-')
  await sayTwice(
    gateway,
    users.map((user) => purchase(user, `op_${user}`)),
  )
  const activated = await told('SubscriptionActivated', ours, 30)
  await sayTwice(
    gateway,
    activated.map((body) => purchase(body.userId, `op_${body.userId}_2`, known(body))),
  )
  await told('SubscriptionExtended', ours, 30)
  await sayTwice(
    scheduler,
    activated.map((body) => due(body.userId, body.subscriptionId, at(60 * DAY))),
  )
  const renewed = await told('SubscriptionRenewed', ours, 30)
  expect(new Set(renewed.map(({ currentPeriodEnd }) => currentPeriodEnd))).toEqual(new Set([at(90 * DAY)]))
  await sayTwice(
    gateway,
    activated.map((body) => cancel(body.userId, `op_${body.userId}_3`, body.subscriptionId)),
  )
  await told('SubscriptionEnded', ours, 30)
  neighbours.twice = false
  for (const user of users)
    expect(of(user).map(({ name }) => name)).toEqual([
      'SubscriptionActivated',
      'SubscriptionExtended',
      'SubscriptionRenewed',
      'SubscriptionEnding',
      'SubscriptionEnded',
    ])
  const charges = [...neighbours.ledger.holds].filter(
    ([, { userId: user, state }]) => user.startsWith('twice-') && state === 'captured',
  )
  expect(charges).toHaveLength(90)
})

test('EXT-3: 20 clicks at once are one activation', async () => {
  const clicks = Array.from({ length: 20 }, (_, n) => purchase('clicker', `op_click_${n}`))
  await gateway.say(clicks)
  await told('SubscriptionActivated', ({ userId: user }) => user === 'clicker')
  const refused = await told('PurchaseRefused', ({ userId: user }) => user === 'clicker', 19)
  expect(new Set(refused.map(({ reason }) => reason))).toEqual(new Set(['purchase_in_progress']))
})

test('a capture that fails is said again until it is done', async () => {
  neighbours.failing.set('stubborn', 2)
  await gateway.say([purchase('stubborn', 'op_stubborn')])
  await told('SubscriptionActivated', ({ userId: user }) => user === 'stubborn')
  expect(neighbours.failing.get('stubborn')).toBe(0)
  expect(of('stubborn').map(({ name }) => name)).toEqual(['SubscriptionActivated'])
})

test('nonsense is a dead letter, and whoever waits is told', async () => {
  await gateway.say([cancel('mad', 'op_mad', 'sub_1', { by: 'unknown' })])
  const [failed] = await told('CommandFailed', ({ subject }) => subject === 'mad')
  expect(failed).toMatchObject({ messageName: 'CancelSubscription' })
  await heard.until(({ topic, key }) => topic.endsWith('.dlq') && key === 'mad')
})

test('CAT-3: at start the environment’s price is published once, whatever the number of instances', async () => {
  const ours = ({ planId }: Bodies['PlanPublished']) => planId === 'priced-plan'
  await gateway.say([publish({ planId: 'priced-plan' })])
  await told('PlanPublished', ours)
  await stopAll()
  const prices = { CODING_PLAN_PRICE_PRICED_PLAN: 7 }
  await start(prices)
  await start(prices)
  await gateway.say([publish({ planId: 'priced-plan', price: microdollars(8) })])
  const [refused] = await told('PlanRefused', ({ planId }) => planId === 'priced-plan')
  expect(refused).toMatchObject({ reason: 'price_fixed', variable: 'CODING_PLAN_PRICE_PRICED_PLAN' })
  const [, published] = await told('PlanPublished', ours, 2)
  expect(published).toMatchObject({ version: 2, price: 7, publishedBy: 'environment', operationId: null })
  const versions = `select version from plan_versions where plan_id = 'priced-plan' order by 1`
  expect(await select(knex, versions)).toEqual([{ version: 1 }, { version: 2 }])
})

const TOPICS = ['subscription.commands', 'credits-ledger.events', 'key-inventory.events', 'billing-scheduler.events']

/** Everything on the topics has been handled. */
const readAll = async () => {
  for (const topic of TOPICS) {
    const ends = (await endOffsets(bed.servers, [topic])).get(topic) ?? new Map()
    const read = () =>
      select<{ lane: number; position: number | null }>(
        knex,
        'select lane, (positions->>?)::bigint as position from lanes',
        [topic],
      )
    await eventually(read, (lanes) => lanes.every(({ lane, position }) => (position ?? 0) >= (ends.get(lane) ?? 0)))
  }
}

test('IDE-4: every topic replayed from its beginning, with the seen ids gone, changes nothing', async () => {
  await gateway.say([purchase('replayed', 'op_replayed')])
  const [activated] = await told('SubscriptionActivated', ({ userId: user }) => user === 'replayed')
  const { subscriptionId } = activated as Bodies['SubscriptionActivated']
  await gateway.say([cancel('replayed', 'op_replayed_2', subscriptionId, { at: 'period_end' })])
  await told('CancellationScheduled', ({ userId: user }) => user === 'replayed')
  await gateway.say([purchase('replayed', 'op_replayed_3'), cancel('replayed', 'op_replayed_4', 'sub_nothing')])
  await scheduler.say([due('replayed', subscriptionId, at(30 * DAY))])
  await told('SubscriptionEnded', ({ userId: user }) => user === 'replayed')
  await readAll()
  const before = await rows()
  const outcomes = heard.heard.length
  await stopAll()
  await knex.raw(`update lanes set positions = '{}', epoch = epoch + 1`)
  await knex.raw('truncate seen')
  await start()
  await readAll()
  expect(await rows()).toEqual(before)
  const news = heard.heard.slice(outcomes).filter(({ topic }) => topic === 'subscription.events')
  // What died before dies again.
  const again: readonly unknown[] = ['DueIgnored', 'CommandFailed', 'DeadLetterKept']
  expect(news.map(({ name }) => name).filter((name) => !again.includes(name))).toEqual([])
})
