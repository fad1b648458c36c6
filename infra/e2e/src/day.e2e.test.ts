import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  buy,
  eventually,
  fresh,
  grant,
  type House,
  moneyOf,
  newKey,
  openHouse,
  openShop,
  USD,
  uploadKeys,
} from './house.ts'
import { DAY, someone as newcomer } from './life.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house?.close())

const advance = (body: object) => house.admin('POST /admin/clock/advance', { body, headers: { prefer: 'wait=30' } })
const someone = (credits = 0) => newcomer(house, credits)

test('SUB-1: publish, upload, fund, buy, read the key: when the status reads active the key works', async () => {
  const { planId, providerId, secrets } = await openShop(house)
  const client = await someone(50 * USD)
  const listed = (await client('GET /plans')).body.data.find(({ id }: { id: string }) => id === planId)
  expect(listed).toMatchObject({ availability: 'available', priceMicrodollars: 20 * USD, restockWish: false })
  const bought = await buy(client, planId)
  expect(bought.status).toBe(201)
  const { operationId, kind, subscription, charge } = bought.body
  expect(kind).toBe('activation')
  expect(bought.headers.get('operation-id')).toBe(operationId)
  expect(subscription).toMatchObject({
    planId,
    providerId,
    status: 'active',
    cancelAtPeriodEnd: false,
    previousSubscriptionId: null,
  })
  expect(subscription.accessUntil).toBe(subscription.currentPeriodEnd)
  expect(subscription.renewsAt).toBe(subscription.currentPeriodEnd)
  expect(charge).toMatchObject({
    kind: 'activation',
    amountMicrodollars: 20 * USD,
    periodEnd: subscription.currentPeriodEnd,
  })
  const [slot] = (await client('GET /slots')).body.data
  expect(slot).toMatchObject({ providerId, managedBy: 'plan', subscriptionId: subscription.id, enabled: true })
  const revealed = await client(`POST /slots/${providerId}/reveal`)
  expect(revealed.status).toBe(200)
  expect(revealed.headers.get('cache-control')).toContain('no-store')
  // SUB-7: the oldest upload first.
  expect(revealed.body.key).toBe(secrets[0])
  const money = await moneyOf(client)
  expect(money).toMatchObject({
    balanceMicrodollars: 30 * USD,
    heldMicrodollars: 0,
    availableMicrodollars: 30 * USD,
    sum: 30 * USD,
  })
  expect(money.entries.map(({ kind: of }: { kind: string }) => of)).toEqual(['charge', 'grant'])
  const { body: operation } = await client(`GET /operations/${operationId}`)
  expect(operation.status).toBe('succeeded')
  expect(operation.steps.map(({ service }: { service: string }) => service)).toEqual(
    expect.arrayContaining(['credits-ledger', 'key-inventory', 'subscription']),
  )
  const { body: charges } = await client(`GET /subscriptions/${subscription.id}/charges`)
  expect(charges.data).toEqual([charge])
  // AUD-1
  const revealedBy = (row: { action: string; actor: string }) =>
    row.action === 'slot.reveal' && row.actor === client.user
  await eventually(
    async () => (await house.admin('GET /admin/audit?limit=100')).body.data,
    (rows) => rows.some(revealedBy),
  )
})

test('IDE-1, IDE-2: the first success for ever, marked; another request under its key is refused; a refusal frees it', async () => {
  const { planId } = await openShop(house)
  const client = await someone()
  const key = newKey()
  expect((await buy(client, planId, { key })).body.code).toBe('insufficient_credits')
  await grant(house, client.user, 20 * USD)
  const bought = await buy(client, planId, { key })
  expect(bought.status).toBe(201)
  expect(bought.headers.get('idempotency-replayed')).toBeNull()
  const again = await buy(client, planId, { key })
  expect(again.status).toBe(201)
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(again.body.subscription.id).toBe(bought.body.subscription.id)
  expect((await buy(client, fresh('plan'), { key })).body.code).toBe('idempotency_key_reused')
  expect(await moneyOf(client)).toMatchObject({ balanceMicrodollars: 0, sum: 0 })
})

test('EXT-1: buying the same plan again stacks one period: same subscription, same key, one more charge', async () => {
  const { planId, providerId } = await openShop(house, { period: { unit: 'day', count: 30 } })
  const client = await someone(100 * USD)
  const { subscription: first } = (await buy(client, planId)).body
  const keyBefore = (await client(`POST /slots/${providerId}/reveal`)).body.key
  await client(`POST /subscriptions/${first.id}/cancel`, { body: {} })
  const extended = await buy(client, planId, { gateway: 1 })
  expect(extended.status).toBe(201)
  expect(extended.body).toMatchObject({
    kind: 'extension',
    subscription: { id: first.id, currentPeriodStart: first.currentPeriodStart },
  })
  // EXT-2: it clears a cancellation scheduled before it.
  expect(extended.body.subscription.cancelAtPeriodEnd).toBe(false)
  expect(Date.parse(extended.body.subscription.currentPeriodEnd)).toBe(Date.parse(first.currentPeriodEnd) + 30 * DAY)
  expect((await client(`POST /slots/${providerId}/reveal`)).body.key).toBe(keyBefore)
  expect((await moneyOf(client)).balanceMicrodollars).toBe(60 * USD)
})

test('EXT-5 and EXT-2: another plan of the provider, or reject, is refused; so is more than may be prepaid', async () => {
  const { planId, providerId } = await openShop(house, { price: USD, more: { maxPrepaidPeriods: 2 } })
  const other = await openShop(house, { price: USD, providerId })
  const client = await someone(100 * USD)
  expect((await buy(client, planId)).status).toBe(201)
  expect((await buy(client, other.planId)).body.code).toBe('already_subscribed')
  expect((await buy(client, planId)).status).toBe(201)
  expect((await buy(client, planId)).body.code).toBe('prepaid_limit')
  expect((await moneyOf(client)).balanceMicrodollars).toBe(98 * USD)
})

test('CAT-8: a free plan takes no credits and writes no charge, also with a negative balance', async () => {
  const { planId } = await openShop(house, { price: 0 })
  const client = await someone(-5 * USD)
  const bought = await buy(client, planId)
  expect(bought.status).toBe(201)
  expect(bought.body.charge).toBeNull()
  expect((await moneyOf(client)).balanceMicrodollars).toBe(-5 * USD)
})

test('REN-1, REN-3: it renews at its boundary, once, at the copied price; unfunded it ends and the key is removed', async () => {
  const { planId, providerId } = await openShop(house, { price: 10 * USD, period: { unit: 'day', count: 10 } })
  const client = await someone(25 * USD)
  const { subscription } = (await buy(client, planId)).body
  await house.admin(`PUT /admin/plans/${planId}`, {
    body: { name: 'Dearer', providerId, priceMicrodollars: 24 * USD, period: { unit: 'day', count: 10 } },
  })
  const end = Date.parse(subscription.currentPeriodEnd)
  expect((await advance({ to: new Date(end - 1).toISOString() })).status).toBe(200)
  expect((await moneyOf(client)).balanceMicrodollars).toBe(15 * USD)
  expect((await advance({ to: new Date(end).toISOString() })).body).toMatchObject({ settled: true, mode: 'test' })
  const { body: renewed } = await client(`GET /subscriptions/${subscription.id}`)
  expect(renewed).toMatchObject({ status: 'active', currentPeriodStart: subscription.currentPeriodEnd })
  expect(Date.parse(renewed.currentPeriodEnd)).toBe(end + 10 * DAY)
  expect((await moneyOf(client)).balanceMicrodollars).toBe(5 * USD)
  expect((await advance({ by: 'P10D' })).status).toBe(200)
  const { body: over } = await client(`GET /subscriptions/${subscription.id}`)
  expect(over).toMatchObject({ status: 'ended', endReason: 'insufficient_credits', endedAt: renewed.currentPeriodEnd })
  expect((await client('GET /slots')).body.data).toEqual([])
  expect(await moneyOf(client)).toMatchObject({ balanceMicrodollars: 5 * USD, heldMicrodollars: 0 })
})

test('REN-1: three renewals in one advance, each at its own boundary', async () => {
  const { planId } = await openShop(house, { price: USD, period: { unit: 'month', count: 1 } })
  const client = await someone(10 * USD)
  const { subscription } = (await buy(client, planId)).body
  const { body: clock } = await house.admin('GET /admin/clock')
  expect(clock).toMatchObject({ mode: 'test', settled: true })
  expect((await advance({ by: 'P3M' })).status).toBe(200)
  const { body: charges } = await client(`GET /subscriptions/${subscription.id}/charges`)
  expect(charges.data).toHaveLength(4)
  const [newest] = charges.data
  const { body: now } = await client(`GET /subscriptions/${subscription.id}`)
  expect(newest.periodEnd).toBe(now.currentPeriodEnd)
  for (const [n, charge] of charges.data.slice(0, -1).entries())
    expect(charge.periodStart).toBe(charges.data[n + 1].periodEnd)
})

test('CAN-1, REA-1, REA-2: cancel now ends at once; an own key then blocks the purchase untouched; bought again it is a new episode', async () => {
  const { planId, providerId } = await openShop(house, { price: USD })
  const client = await someone(10 * USD)
  const { subscription: first } = (await buy(client, planId)).body
  const canceled = await client(`POST /subscriptions/${first.id}/cancel`, { body: { when: 'now' } })
  expect(canceled).toMatchObject({ status: 200, body: { status: 'ended', endReason: 'user_canceled' } })
  expect((await client(`POST /subscriptions/${first.id}/cancel`, { body: {} })).body.code).toBe('not_cancelable')
  const own = `sk-own-${newKey()}`
  expect((await client(`PUT /slots/${providerId}`, { body: { key: own } })).body).toMatchObject({
    managedBy: 'user',
    enabled: true,
  })
  expect((await client(`PATCH /slots/${providerId}`, { body: { enabled: false } })).status).toBe(200)
  expect((await buy(client, planId)).body.code).toBe('slot_occupied')
  expect((await client(`POST /slots/${providerId}/reveal`)).body.key).toBe(own)
  expect((await client(`POST /slots/${providerId}/test`)).body).toMatchObject({ ok: null })
  expect((await client(`DELETE /slots/${providerId}`)).status).toBe(204)
  const again = await buy(client, planId)
  expect(again.status).toBe(201)
  expect(again.body.subscription.previousSubscriptionId).toBe(first.id)
  expect(again.body.subscription.id).not.toBe(first.id)
  expect((await client(`PUT /slots/${providerId}`, { body: { key: own } })).body.code).toBe('slot_managed')
})

test('CAN-1: canceled at the period’s end it lives to the end, then ends, without a charge', async () => {
  const { planId } = await openShop(house, { price: USD, period: { unit: 'day', count: 1 } })
  const client = await someone(10 * USD)
  const { subscription } = (await buy(client, planId)).body
  const flagged = await client(`POST /subscriptions/${subscription.id}/cancel`, { body: {} })
  expect(flagged.body).toMatchObject({ status: 'active', cancelAtPeriodEnd: true, renewsAt: null })
  await advance({ by: 'P1D' })
  const { body: over } = await client(`GET /subscriptions/${subscription.id}`)
  expect(over).toMatchObject({ status: 'ended', endReason: 'user_canceled', endedAt: subscription.currentPeriodEnd })
  expect((await moneyOf(client)).balanceMicrodollars).toBe(9 * USD)
})

test('LED-6: the statement as CSV, and the balance at a past instant', async () => {
  const client = await someone(3 * USD)
  const [{ at }] = (await moneyOf(client)).entries
  const csv = await client('GET /credits/entries', { headers: { accept: 'text/csv' } })
  expect(csv.headers.get('content-type')).toContain('text/csv')
  expect(csv.body.trim().split(/\r?\n/)).toHaveLength(2)
  await advance({ by: 'PT1H' })
  await grant(house, client.user, USD)
  expect((await client(`GET /credits?at=${at}`)).body.balanceMicrodollars).toBe(3 * USD)
  expect((await client('GET /credits')).body.balanceMicrodollars).toBe(4 * USD)
})

test('operations: 202 with a place to look, steps as they happen', async () => {
  const { planId } = await openShop(house)
  const client = await someone(20 * USD)
  const accepted = await buy(client, planId, { wait: 0 })
  expect([201, 202]).toContain(accepted.status)
  const id = accepted.headers.get('operation-id')
  if (accepted.status === 202) expect(accepted.headers.get('location')).toBe(`/v1/operations/${id}`)
  const done = await eventually(
    async () => (await client(`GET /operations/${id}`)).body,
    ({ status }) => status !== 'pending',
  )
  expect(done.status).toBe('succeeded')
  const events = await client(`GET /operations/${id}/events`)
  expect(events.headers.get('content-type')).toContain('text/event-stream')
  expect(events.body).toMatch(/event: step[\s\S]*event: done/)
  expect((await (await someone())(`GET /operations/${id}`)).status).toBe(404)
})

test('a second start on old data shows the same balances, keys and subscriptions', async () => {
  const { planId, providerId } = await openShop(house)
  const client = await someone(50 * USD)
  const { subscription } = (await buy(client, planId)).body
  const look = async () => ({
    credits: (await client('GET /credits')).body,
    entries: (await client('GET /credits/entries')).body,
    subscriptions: (await client('GET /subscriptions')).body,
    slots: (await client('GET /slots')).body,
    key: (await client(`POST /slots/${providerId}/reveal`)).body.key,
    inventory: (await house.admin(`GET /admin/inventory?planId=${planId}`)).body,
    clock: (await house.admin('GET /admin/clock')).body,
  })
  const before = await look()
  await house.restart()
  expect(await look()).toEqual(before)
  expect((await buy(client, planId)).body.subscription.id).toBe(subscription.id)
  await uploadKeys(house, planId, 3)
})
