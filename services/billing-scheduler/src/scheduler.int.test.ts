import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Bed, openBed } from '@coding-plans/local/bed'
import { endOffsets, openLog, type Running, select } from '@coding-plans/runtime'
import { distinct, eventually, type Heard, type Listener, type Speaker } from '@coding-plans/runtime/testing'
import { type Bodies, type Instant, instant } from '@coding-plans/schemas'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'
import { billingScheduler } from './app.ts'
import type { ClockMode } from './domain/clock.ts'
import { SERVICE } from './handlers.ts'
import { migrations } from './migrations/index.ts'
import { type Life, SubscriptionStandIn } from './subscription.testing.ts'
import { createSurroundings } from './surroundings.ts'

const DAY = 86_400_000
const EVENTS = 'billing-scheduler.events'
const TOPICS = ['subscription.events', 'billing-scheduler.commands']

let bed: Bed
let heard: Listener
let subscription: SubscriptionStandIn
let gateway: Speaker
const urls: string[] = []
const running = new Set<Running>()
let firstStart: number
let internalSecret: string

/** Another instance of the scheduler on the same database, or on another one. */
const start = async (mode: ClockMode = 'test', database = 'scheduler') => {
  const surroundings = createSurroundings({
    cluster: bed.servers,
    groups: [SERVICE],
    serviceUrls: urls,
    internalSecret: Buffer.from(internalSecret, 'base64'),
  })
  const service = billingScheduler({ mode, surroundings, log: openLog(SERVICE, 'silent') })
  const started = await bed.start({ ...service, migrations, database, env: { CLOCK: mode } })
  running.add(started)
  urls.push(started.url)
  return started
}
const stop = async (one: Running) => {
  running.delete(one)
  urls.splice(urls.indexOf(one.url), 1)
  await one.stop()
}

/** It has heard everything: what is said next does not wait behind. */
const readAll = async ({ knex }: Running) => {
  for (const topic of TOPICS) {
    const ends = (await endOffsets(bed.servers, [topic])).get(topic) ?? new Map()
    const sql = 'select lane, (positions->>?)::bigint as position from lanes'
    await eventually(
      () => select<{ lane: number; position: number | null }>(knex, sql, [topic]),
      (lanes) => lanes.every(({ lane, position }) => (position ?? 0) >= (ends.get(lane) ?? 0)),
      60_000,
    )
  }
}

const dueOf = (subscriptionId: string) =>
  distinct(heard.heard.filter(({ name, body }) => name === 'PeriodEnded' && body.subscriptionId === subscriptionId))
const boundariesOf = (subscriptionId: string) => dueOf(subscriptionId).map(({ body }) => body.boundary)

// --- the gateway

let operations = 0
const advance = async (how: ({ to: Instant } | { by: string }) & { outage?: boolean }) => {
  operations += 1
  const operationId = `op_advance_${operations}`
  const body = { clock: 'clock', operationId, to: null, by: null, actor: 'admin-1', outage: false, ...how }
  await gateway.say([gateway.record('AdvanceClock', body, { cause: operationId })])
  return operationId
}
const outcome = async (operationId: string) => {
  const [found] = await heard.until(
    ({ name, body }) => (name === 'ClockAdvanced' || name === 'ClockRefused') && body.operationId === operationId,
    1,
    60_000,
  )
  return found as Heard
}
const now = () => {
  const moves = heard.heard.filter(({ name }) => name === 'ClockMoved').map(({ body }) => body as Bodies['ClockMoved'])
  return moves.reduce((newest, move) => (move.version > newest.version ? move : newest)).now
}

beforeAll(async () => {
  bed = await openBed()
  internalSecret = bed.env('any').INTERNAL_SECRET as string
  // A service joins its group however often it takes; a listener that is the first of all groups would give up.
  firstStart = Date.now()
  await stop(await start())
  heard = await bed.listener([EVENTS])
  gateway = await bed.speaker('gateway')
  subscription = new SubscriptionStandIn(await bed.speaker('subscription'), heard)
})
afterEach(async () => {
  for (const one of [...running]) await stop(one)
})
afterAll(async () => {
  await subscription?.stop()
  await bed?.close()
})

test('REN-1: an advance says each due term at its own instant, in order, and is answered when all has settled', async () => {
  await start()
  await heard.until(({ name }) => name === 'ClockMoved')
  const first = now()
  expect(first).toBeGreaterThanOrEqual(firstStart)
  await subscription.begin({ sub_ada: { user: 'ada', boundary: instant(first + DAY), periodDays: 1 } })
  const { name, body } = await outcome(await advance({ by: 'P10D' }))
  expect(name).toBe('ClockAdvanced')
  expect(body.now).toBe(first + 10 * DAY)
  expect(boundariesOf('sub_ada')).toEqual(Array.from({ length: 10 }, (_, day) => first + (day + 1) * DAY))
  for (const due of dueOf('sub_ada')) {
    expect(due.body.asOf).toBe(due.body.boundary)
    expect(due.headers.ce_time).toBe(new Date(due.body.boundary).toISOString())
  }
  const [audited] = await heard.until(({ name }) => name === 'ActionAudited')
  expect(audited?.body).toMatchObject({ actor: 'admin-1', action: 'clock.advance', target: 'clock', at: first })
  await eventually(now, (seen) => seen === first + 10 * DAY)
})

test('two advances at once run one after the other, each from where the clock is at its turn', async () => {
  await start()
  const from = now()
  const [one, other] = [await advance({ by: 'P1D' }), await advance({ by: 'P2D' })]
  expect((await outcome(one)).body.now).toBe(from + DAY)
  expect((await outcome(other)).body.now).toBe(from + 3 * DAY)
})

test('backwards is refused, the present instant is not', async () => {
  await start()
  const from = now()
  const refused = await outcome(await advance({ to: instant(from - 1) }))
  expect(refused).toMatchObject({ name: 'ClockRefused', body: { reason: 'backwards' } })
  expect((await outcome(await advance({ to: from }))).body.now).toBe(from)
})

test('the clock waits for a service that has something open, or answers nonsense', async () => {
  await start()
  const answers = [{ unpublished: 1, calls: 0, due: 0 }, { unpublished: 0, calls: 1, due: 0 }, { unpublished: 0 }]
  let asked = 0
  const service = createServer((request, response) => {
    const isFinished = asked++ >= answers.length
    response.statusCode = request.headers.authorization === `Bearer ${internalSecret}` ? 200 : 401
    response.end(JSON.stringify(isFinished ? { unpublished: 0, calls: 0, due: 0 } : answers[asked - 1]))
  })
  await once(service.listen(0, '127.0.0.1'), 'listening')
  const { port } = service.address() as AddressInfo
  urls.push(`http://127.0.0.1:${port}`)
  onTestFinished(() => {
    urls.pop()
    service.close()
  })
  await outcome(await advance({ by: 'P1D' }))
  expect(asked).toBeGreaterThan(answers.length)
})

test('REN-4: a due message that lies in the dead letters is said again under another id; the clock waits, others do not', async () => {
  await start()
  const from = now()
  const boundary = instant(from + DAY)
  await subscription.begin({
    sub_bad: { user: 'bad', boundary, periodDays: 30, verdicts: ['fail'] },
    sub_good: { user: 'good', boundary, periodDays: 30 },
    sub_gone: { user: 'gone', boundary, periodDays: 30, verdicts: ['end'] },
    sub_moved: { user: 'moved', boundary, periodDays: 30, verdicts: ['ignore'] },
  })
  const { body } = await outcome(await advance({ by: 'P2D' }))
  expect(body.now).toBe(from + 2 * DAY)
  expect(boundariesOf('sub_bad')).toEqual([boundary, boundary])
  expect(new Set(dueOf('sub_bad').map(({ id }) => id)).size).toBe(2)
  for (const id of ['sub_good', 'sub_gone', 'sub_moved']) expect(boundariesOf(id)).toEqual([boundary])
})

test('IDE-4: every event a second time, with the seen ids gone: nothing is said again, nobody comes back', async () => {
  const scheduler = await start()
  const before = heard.heard.filter(({ name }) => name === 'PeriodEnded').length
  await scheduler.knex.raw('truncate seen')
  await subscription.repeatAll()
  await outcome(await advance({ by: 'PT1H' }))
  expect(heard.heard.filter(({ name }) => name === 'PeriodEnded').length - before).toBe(0)
})

test('REN-3: a thousand terms due at one instant are said once each by two instances, also when one of them goes', async () => {
  const first = await start()
  await start()
  const boundary = instant(now() + DAY)
  const ids = Array.from({ length: 1_000 }, (_, i) => `sub_many_${i}`)
  const life = (id: string): Life => ({
    user: `user of ${id}`,
    boundary,
    periodDays: 1,
    verdicts: ['renew', 'renew', 'end'],
  })
  await subscription.begin(Object.fromEntries(ids.map((id) => [id, life(id)])))
  const operation = await advance({ by: 'P3D' })
  await heard.until(({ name, body }) => name === 'PeriodEnded' && body.subscriptionId.startsWith('sub_many_'), 500)
  await stop(first)
  await outcome(operation)
  for (const id of ids) expect(boundariesOf(id)).toEqual([boundary, boundary + DAY, boundary + 2 * DAY])
})

test('a long advance stops on the way, survives a restart, and the clock is never ahead of an unanswered due', async () => {
  const one = await start()
  const from = now()
  const before = subscription.told.length
  await subscription.begin({
    sub_daily: { user: 'daily', boundary: instant(from + DAY), periodDays: 1 },
    sub_weekly: { user: 'weekly', boundary: instant(from + 7 * DAY), periodDays: 7 },
  })
  const operation = await advance({ by: 'P60D' })
  await eventually(
    () => boundariesOf('sub_daily').length,
    (count) => count >= 5,
  )
  await stop(one)
  await start()
  expect((await outcome(operation)).body.now).toBe(from + 60 * DAY)
  expect(boundariesOf('sub_daily')).toHaveLength(60)
  expect(boundariesOf('sub_weekly')).toHaveLength(8)
  await eventually(now, (seen) => seen === from + 60 * DAY)
  const moves = await eventually(
    () => subscription.told.slice(before),
    (seen) => seen.some(({ settled }) => settled),
  )
  for (const move of moves) expect(move.unanswered).toBeGreaterThan(move.now)
  expect(moves.some((move) => !move.settled && move.now > from && move.now < from + 60 * DAY)).toBe(true)
})

test('REN-7: after an outage all that is due is said as of the present, each with its own instant, in order', async () => {
  await start()
  const from = now()
  const boundary = instant(from + DAY)
  await subscription.begin({ sub_out: { user: 'out', boundary, periodDays: 40 } })
  const to = instant(from + 95 * DAY)
  expect((await outcome(await advance({ to, outage: true }))).body.now).toBe(to)
  const due = dueOf('sub_out')
  expect(due.map(({ body }) => [body.boundary, body.asOf])).toEqual(
    [boundary, boundary + 40 * DAY, boundary + 80 * DAY].map((at) => [at, to]),
  )
  expect(due[1]?.headers.ce_time).toBe(new Date(boundary + 40 * DAY).toISOString())
})

test('ticks behind an advance join it, begun or not: each is answered when all is, and nothing is said twice', async () => {
  await start()
  await start()
  const boundary = instant(now() + DAY)
  const ids = Array.from({ length: 500 }, (_, i) => `sub_tick_${i}`)
  await subscription.begin(Object.fromEntries(ids.map((id) => [id, { user: `of ${id}`, boundary, periodDays: 30 }])))
  const operation = await advance({ by: 'P2D' })
  const ticks = ['op_tick_1', 'op_tick_2', 'op_tick_3', 'op_tick_4']
  await gateway.say(
    ticks.map((operationId) =>
      gateway.record(
        'RunBillingTick',
        { clock: 'clock', operationId, waitMilliseconds: 60_000 },
        { cause: operationId },
      ),
    ),
  )
  const answers = await heard.until(({ name }) => name === 'BillingTicked', 4, 60_000)
  await outcome(operation)
  for (const { body } of answers) expect(body).toMatchObject({ asOf: boundary + DAY, duplicates: 0, errors: 0 })
  for (const id of ids) expect(boundariesOf(id)).toEqual([boundary])
})

test('data that began with the test clock are not run by the system clock', async () => {
  await expect(start('system')).rejects.toThrow('CLOCK is system')
})

test('with the system clock a term is said within a second of its boundary, and nobody moves the clock', async () => {
  await readAll(await start('system', 'scheduler_system'))
  const boundary = instant(Date.now() + 1_000)
  await subscription.begin({ sub_real: { user: 'real', boundary, periodDays: 30 } })
  await heard.until(({ name, body }) => name === 'PeriodEnded' && body.subscriptionId === 'sub_real')
  const [due] = dueOf('sub_real')
  expect(due?.body.asOf - boundary).toBeLessThan(1_000)
  expect(due?.headers.ce_time).toBe(new Date(boundary).toISOString())
  expect(due?.body.asOf).toBeGreaterThanOrEqual(boundary)
  const refused = await outcome(await advance({ by: 'P1D' }))
  expect(refused).toMatchObject({ name: 'ClockRefused', body: { reason: 'clock_not_test' } })
  expect(boundariesOf('sub_real')).toEqual([boundary])
})
