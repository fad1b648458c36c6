import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Bed, openBed } from '@coding-plans/local/bed'
import type { Running } from '@coding-plans/runtime'
import { eventually, type Heard, type Listener, type Speaker } from '@coding-plans/runtime/testing'
import { type Bodies, instant, type MessageName } from '@coding-plans/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readConfig } from './config.ts'
import { SECRET } from './desk.testing.ts'
import { body, DAY, T0 } from './events.testing.ts'
import { gateway } from './gateway.ts'
import { ask, bearer, openInventory, REVEAL_SECRET } from './http.testing.ts'
import { migrations } from './migrations/index.ts'

/** The gateway on real servers; the other four services are played by the test. */

let bed: Bed
let one: Running
let two: Running
let heard: Listener
let inventory: Server
const speakers = new Map<string, Speaker>()
let count = 0
const next = (word: string) => {
  count += 1
  return `${word} ${count}`
}

const start = async () => {
  const { port } = inventory.address() as AddressInfo
  const env = {
    CLOCK: 'test',
    KEY_INVENTORY_URL: `http://127.0.0.1:${port}`,
    AUTH_JWT_SECRET: SECRET,
    CRON_SECRET: 'tick',
    REVEAL_SECRET,
    PORT: '0',
  }
  const config = readConfig({ ...bed.env('gateway'), ...env })
  return bed.start({ ...gateway(config), migrations, database: 'gateway', env })
}

beforeAll(async () => {
  bed = await openBed()
  inventory = await openInventory()
  one = await start()
  two = await start()
  heard = await bed.listener([
    'subscription.commands',
    'credits-ledger.commands',
    'key-inventory.commands',
    'key-inventory.uploads',
  ])
  for (const service of ['subscription', 'credits-ledger', 'key-inventory', 'billing-scheduler'])
    speakers.set(service, await bed.speaker(service))
  await sayAs('billing-scheduler', 'ClockMoved', {}, 'clock')
  await eventually(
    async () => (await ask(one, 'GET', '/admin/clock', { roles: ['support'] })).status,
    (status) => status === 200,
  )
})
afterAll(async () => {
  inventory?.close()
  await bed?.close()
})

const sayAs = async <Name extends MessageName>(
  service: string,
  name: Name,
  fields: { [Field in keyof Bodies[Name]]?: unknown },
  correlationId: string,
  cause = next('test'),
) => {
  const speaker = speakers.get(service) as Speaker
  await speaker.say([speaker.record(name, body(name, fields), { cause, correlationId, time: instant(T0) })])
}

const commandOf = async (name: MessageName, fits: (body: Heard['body']) => boolean) => {
  const [command] = await heard.until((message) => message.name === name && fits(message.body))
  return command as Heard
}

const publishPlan = async () => {
  const json = { name: 'Acme Coding', providerId: 'acme', priceMicrodollars: 20, period: { unit: 'month', count: 1 } }
  const answer = ask(one, 'PUT', '/admin/plans/acme-coding', { sub: 'admin-1', roles: ['admin'], json })
  const { body: command } = await commandOf('PublishPlan', () => true)
  await sayAs('subscription', 'PlanPublished', { ...command, version: 1 }, command.operationId)
  return answer
}

/** Everything an activation causes, said by those whose it is; the outcome first, which no reader may see alone. */
const activate = async (userId: string, operationId: string, subscriptionId: string) => {
  const at = { userId, subscriptionId }
  await sayAs('subscription', 'SubscriptionActivated', { ...at, operationId, stockVersion: 1 }, operationId)
  await sayAs('key-inventory', 'KeyAssigned', { ...at, stockVersion: 1 }, operationId)
  await sayAs('key-inventory', 'StockChanged', { version: 1 }, operationId)
  await sayAs('credits-ledger', 'CreditsHeld', { userId }, operationId)
  await sayAs('credits-ledger', 'HoldCaptured', { ...at, entryId: `ent_${userId}` }, operationId)
}

test('a plan is published, and can be read at every instance when the answer comes', async () => {
  const answer = await publishPlan()
  expect(answer).toMatchObject({ status: 200, body: { id: 'acme-coding', version: 1, availability: 'sold_out' } })
  expect(answer.headers.get('operation-id')).toMatch(/^op_/)
  for (const instance of [one, two])
    expect((await ask(instance, 'GET', '/plans')).body.data).toMatchObject([{ id: 'acme-coding' }])
})

test('SUB-1, EXT-3: twenty clicks at two instances are one purchase; what was answered can be read, and extended', async () => {
  const clicks = Array.from({ length: 20 }, (_, place) =>
    ask(place % 2 === 0 ? one : two, 'POST', '/subscriptions', { json: { planId: 'acme-coding' }, key: 'click' }),
  )
  const { body: command } = await commandOf('PurchasePlan', ({ userId }) => userId === 'ada')
  expect(command).toMatchObject({ planVersion: 1, knownSubscriptionId: null, knownEnd: null })
  await activate('ada', command.operationId, 'sub_ada')
  const answers = await Promise.all(clicks)
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201))
  expect(new Set(answers.map(({ body }) => body.operationId)).size).toBe(1)
  expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') !== 'true')).toHaveLength(1)
  for (const instance of [one, two]) {
    expect((await ask(instance, 'GET', '/subscriptions/sub_ada')).body).toMatchObject({ status: 'active' })
    expect((await ask(instance, 'GET', '/slots')).body.data).toMatchObject([
      { subscriptionId: 'sub_ada', enabled: true },
    ])
    expect((await ask(instance, 'GET', '/credits/entries')).body.data).toMatchObject([
      { id: 'ent_ada', kind: 'charge' },
    ])
  }
  // Through the other instance, once it has heard of the answer's number.
  await eventually(
    async () => {
      const { body: pending } = await ask(two, 'POST', '/subscriptions', {
        json: { planId: 'acme-coding' },
        key: next('again'),
        wait: 0,
      })
      return (await commandOf('PurchasePlan', ({ operationId }) => operationId === pending.id)).body
    },
    ({ knownSubscriptionId, knownEnd }) => knownSubscriptionId === 'sub_ada' && knownEnd === T0 + 31 * DAY,
  )
})

test('a wait that is over: 202, then the operation by its address and its events', async () => {
  const json = { amountMicrodollars: 100, kind: 'grant', reason: 'welcome' }
  const as = { sub: 'billing-1', roles: ['billing'] }
  const pending = await ask(one, 'POST', '/admin/users/bob/credits', { ...as, json, key: 'grant', wait: 0 })
  expect(pending).toMatchObject({ status: 202, body: { status: 'pending', kind: 'post_credits' } })
  const address = pending.headers.get('location') ?? ''
  const events = fetch(`${two.url}${address}/events`, { headers: await bearer('billing-1') }).then((answer) =>
    answer.text(),
  )
  await sayAs('credits-ledger', 'CreditsPosted', { userId: 'bob', operationId: pending.body.id }, pending.body.id)
  expect(await events).toMatch(/event: step\n.*CreditsPosted.*\n\nevent: done\n.*"status":"succeeded"/s)
  expect((await ask(two, 'GET', address.replace('/v1', ''), as)).body).toMatchObject({
    result: { balanceMicrodollars: 100 },
  })
  const again = await ask(two, 'POST', '/admin/users/bob/credits', { ...as, json, key: 'grant' })
  expect(again).toMatchObject({ status: 201, body: { entryId: 'ent_1', balanceMicrodollars: 100 } })
  const other = await ask(one, 'POST', '/admin/users/bob/credits', {
    ...as,
    json: { ...json, reason: 'x' },
    key: 'grant',
  })
  expect(other).toMatchObject({ status: 409, body: { code: 'idempotency_key_reused' } })
})

test('IDE-2: a refusal answers with its problem, and frees the key', async () => {
  const buy = () => ask(one, 'POST', '/subscriptions', { sub: 'eve', json: { planId: 'acme-coding' }, key: 'k' })
  const first = buy()
  const { body: command } = await commandOf('PurchasePlan', ({ userId }) => userId === 'eve')
  const refusal = {
    userId: 'eve',
    operationId: command.operationId,
    reason: 'insufficient_credits',
    required: 20,
    available: 0,
    accountVersion: 0,
  }
  await sayAs('subscription', 'PurchaseRefused', refusal, command.operationId)
  expect(await first).toMatchObject({ status: 402, body: { code: 'insufficient_credits', requiredMicrodollars: 20 } })
  const second = buy()
  const { body: next } = await commandOf(
    'PurchasePlan',
    ({ userId, operationId }) => userId === 'eve' && operationId !== command.operationId,
  )
  await sayAs('subscription', 'CommandFailed', { subject: 'eve', messageName: 'PurchasePlan' }, next.operationId)
  expect(await second).toMatchObject({ status: 500, body: { code: 'internal' } })
})

test('INV-2: what is uploaded is in Kafka and in the database only under seal', async () => {
  const json = { entries: [{ key: 'sk-very-secret' }] }
  const as = { sub: 'inventory-1', roles: ['inventory'], key: 'upload' }
  const upload = ask(one, 'POST', '/admin/plans/acme-coding/keys', { ...as, json })
  const { body: command } = await commandOf('UploadKeys', () => true)
  expect(command).toMatchObject({ planId: 'acme-coding', providerId: 'acme', sealingKeyId: 'sealing-1' })
  const fields = { operationId: command.operationId, stockVersion: 2 }
  await sayAs('key-inventory', 'KeysUploaded', fields, command.operationId)
  await sayAs('key-inventory', 'StockChanged', { version: 2, available: 1 }, command.operationId)
  expect(await upload).toMatchObject({ status: 200, body: { uploadId: command.operationId, accepted: 1 } })
  expect((await ask(one, 'GET', '/plans')).body.data).toMatchObject([{ availability: 'available' }])
  const { rows } = (await one.knex.raw(
    `select string_agg(t::text, '') as everything from (
       select o::text as t from operations o union all select k::text from idempotency_keys k
       union all select encode(parcel, 'escape') from outbox) all_rows`,
  )) as { rows: { everything: string }[] }
  expect(rows[0]?.everything).not.toContain('sk-very-secret')
  expect(JSON.stringify(heard.heard)).not.toContain('sk-very-secret')
})

test('IDE-4: an event said again, late, is not shown', async () => {
  const moved = (now: number, version: number) =>
    sayAs('billing-scheduler', 'ClockMoved', { now, version }, 'clock', `clock ${version}`)
  await moved(T0 + DAY, 2)
  await eventually(
    async () => (await ask(one, 'GET', '/admin/clock', { roles: ['support'] })).body.now,
    (now) => now === new Date(T0 + DAY).toISOString(),
  )
  await moved(T0 + DAY, 2)
  await sayAs('billing-scheduler', 'ClockMoved', { now: T0, version: 1 }, 'clock', 'an old one under a new id')
  await moved(T0 + 2 * DAY, 3)
  await eventually(
    async () => (await ask(two, 'GET', '/admin/clock', { roles: ['support'] })).body.now,
    (now) => now === new Date(T0 + 2 * DAY).toISOString(),
  )
})

test('OPS-1: what the gateway itself could not project is listed, rehearsed and redriven like anybody’s', async () => {
  const as = { sub: 'admin-1', roles: ['admin'] }
  // Of a subscription that was never heard of.
  await sayAs('subscription', 'SubscriptionRenewed', { userId: 'eve', subscriptionId: 'sub_eve' }, 'renewal')
  const list = () => ask(two, 'GET', '/admin/dead-letters?service=gateway', as)
  const { body } = await eventually(list, ({ body }) => body.data.length > 0)
  const [letter] = body.data
  expect(letter).toMatchObject({ messageName: 'SubscriptionRenewed', subject: 'eve', state: 'kept', redrivesLeft: 3 })
  const path = `/admin/dead-letters/${letter.id}`
  const rehearsed = await ask(two, 'POST', `${path}/rehearse`, as)
  expect(rehearsed).toMatchObject({ status: 200, body: { succeeds: false, says: [], changes: [] } })
  const again = await ask(one, 'POST', `${path}/redrive`, as)
  expect(again).toMatchObject({ status: 200, body: { state: 'kept', redrives: 1 } })
  await sayAs('subscription', 'SubscriptionActivated', { userId: 'eve', subscriptionId: 'sub_eve' }, 'purchase')
  const { body: hopeful } = await eventually(
    () => ask(one, 'POST', `${path}/rehearse`, as),
    ({ body }) => body.succeeds === true,
  )
  expect(hopeful.changes).toContainEqual({ table: 'subscriptions', verb: 'update', rows: 1 })
  const redriven = await ask(two, 'POST', `${path}/redrive`, as)
  expect(redriven).toMatchObject({ status: 200, body: { state: 'redriven', redrives: 2 } })
  expect((await list()).body.data).toMatchObject([{ id: letter.id, state: 'redriven' }])
})

test('a stop answers who waits, and leaves the lanes to the other instance', async () => {
  const waiting = ask(two, 'POST', '/subscriptions', {
    sub: 'zoe',
    json: { planId: 'acme-coding' },
    key: 'k',
    wait: 30,
  })
  const { body: command } = await commandOf('PurchasePlan', ({ userId }) => userId === 'zoe')
  await two.stop()
  expect((await waiting).status).toBe(202)
  await eventually(
    () => one.worker.ready(),
    ({ ready }) => ready,
    30_000,
  )
  await activate('zoe', command.operationId, 'sub_zoe')
  const replayed = await ask(one, 'POST', '/subscriptions', { sub: 'zoe', json: { planId: 'acme-coding' }, key: 'k' })
  expect(replayed).toMatchObject({ status: 201, body: { subscription: { id: 'sub_zoe' } } })
})

test('ERR-1: with the broker gone nothing is accepted; what is known can be read', async () => {
  bed.servers.broker.kill('SIGSTOP')
  const answer = await eventually(
    () =>
      ask(one, 'POST', '/subscriptions', {
        sub: next('kim'),
        json: { planId: 'acme-coding' },
        key: next('k'),
        wait: 0,
      }),
    ({ status }) => status === 503,
    30_000,
  )
  expect(answer.headers.get('retry-after')).toBe('1')
  expect((await ask(one, 'GET', '/plans')).status).toBe(200)
  bed.servers.broker.kill('SIGCONT')
  const accepted = await eventually(
    () => ask(one, 'POST', '/subscriptions', { sub: 'kim', json: { planId: 'acme-coding' }, key: 'after', wait: 0 }),
    ({ status }) => status === 202,
    30_000,
  )
  await commandOf('PurchasePlan', ({ operationId }) => operationId === accepted.body.id)
})
