import { afterAll, beforeAll, expect, test } from 'vitest'
import { buy, eventually, grant, type House, moneyOf, openHouse, openShop, USD } from './house.ts'
import { advance, advanceTo, HOUR, iso, kindsTold, type Someone, someone, subscriptionOf } from './life.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house?.close())

interface TopUp {
  readonly method?: string
  readonly amount?: number
}

const set = (client: Someone, { method = 'pm_ok', amount = 50 }: TopUp = {}, enabled = true) =>
  client('PUT /credits/auto-top-up', {
    body: { enabled, amountMicrodollars: amount * USD, paymentMethodId: method },
  })

/** Somebody with one plan per price, all bought at one instant, this much left, and a top-up that is switched on. */
const subscribed = async ({
  prices = [20],
  left = 0,
  graceHours = 0,
  topUp,
}: {
  prices?: number[]
  left?: number
  graceHours?: number
  topUp?: TopUp | null
}) => {
  const client = await someone(house, (prices.reduce((sum, price) => sum + price, 0) + left) * USD)
  if (topUp !== null) expect((await set(client, topUp)).status).toBe(200)
  const ids: string[] = []
  let boundary = 0
  for (const price of prices) {
    const { planId } = await openShop(house, { price: price * USD, more: { graceHours } })
    const { subscription } = (await buy(client, planId)).body
    ids.push(subscription.id)
    boundary = Date.parse(subscription.currentPeriodEnd)
  }
  return { client, ids, id: ids[0] as string, boundary }
}

const topUpsOf = async (client: Someone) => {
  const { entries, balanceMicrodollars, sum, heldMicrodollars } = await moneyOf(client)
  expect([sum, heldMicrodollars]).toEqual([balanceMicrodollars, 0])
  const paid = entries.filter(({ kind }: { kind: string }) => kind === 'top_up')
  return {
    topUps: paid.map(({ amountMicrodollars }: { amountMicrodollars: number }) => amountMicrodollars / USD),
    left: balanceMicrodollars / USD,
  }
}
const statusOf = async (client: Someone, id: string) => (await subscriptionOf(client, id)).status
const settingsOf = async (client: Someone) => (await client('GET /credits')).body.autoTopUp

test('TOP-1: to switch it on, amount and method are needed, given now or before; both are kept while it is off', async () => {
  const client = await someone(house)
  const put = (body: object) => client('PUT /credits/auto-top-up', { body })
  expect(await settingsOf(client)).toEqual({ enabled: false, amountMicrodollars: 0, paymentMethodId: null })
  expect((await put({ enabled: true })).body.code).toBe('invalid_request')
  expect((await put({ enabled: true, amountMicrodollars: 5 * USD })).status).toBe(400)
  expect((await put({ enabled: false, amountMicrodollars: 0 })).status).toBe(400)
  expect((await put({ enabled: false, amountMicrodollars: 5 * USD })).status).toBe(200)
  const on = await put({ enabled: true, paymentMethodId: 'pm_ok' })
  expect(on.body.autoTopUp).toEqual({ enabled: true, amountMicrodollars: 5 * USD, paymentMethodId: 'pm_ok' })
  expect((await put({ enabled: false })).body.autoTopUp).toEqual({ ...on.body.autoTopUp, enabled: false })
  expect((await put({ enabled: true })).body).toMatchObject(on.body)
})

test('TOP-2: with a balance between 5 USD and the price it pays what is configured, or what is missing if that is more', async () => {
  const configured = await subscribed({ left: 7, topUp: { amount: 50 } })
  const short = await subscribed({ left: 7, topUp: { amount: 10 } })
  await advanceTo(house, short.boundary)
  expect(await statusOf(configured.client, configured.id)).toBe('active')
  expect(await topUpsOf(configured.client)).toEqual({ topUps: [50], left: 37 })
  expect(await topUpsOf(short.client)).toEqual({ topUps: [13], left: 0 })
  expect(await kindsTold(short.client)).toEqual(['activated', 'renewing_soon', 'renewed'])
})

test('TOP-2: two plans due at once are one top-up for both', async () => {
  const { client, ids, boundary } = await subscribed({
    prices: [20, 30],
    left: 8,
    topUp: { method: 'pm_slow', amount: 1 },
  })
  await advanceTo(house, boundary)
  for (const id of ids) expect(await statusOf(client, id)).toBe('active')
  expect(await topUpsOf(client)).toEqual({ topUps: [42], left: 0 })
})

test('TOP-3: declined, it goes off, the user is told, and the term goes on as without it', async () => {
  const { client, id, boundary } = await subscribed({ left: 5, topUp: { method: 'pm_decline' } })
  const graced = await subscribed({ left: 5, graceHours: 24, topUp: { method: 'pm_unheard_of' } })
  await advanceTo(house, graced.boundary)
  expect(graced.boundary).toBe(boundary)
  expect(await subscriptionOf(client, id)).toMatchObject({ status: 'ended', endReason: 'insufficient_credits' })
  expect((await settingsOf(client)).enabled).toBe(false)
  expect(await kindsTold(client)).toEqual(['activated', 'renewing_soon', 'top_up_failed', 'ended'])
  expect(await statusOf(graced.client, graced.id)).toBe('past_due')
  expect(await topUpsOf(client)).toEqual({ topUps: [], left: 5 })
})

test('TOP-1: one attempt per term: tried and declined, another method does not try that term again; the next is tried', async () => {
  const { client, id, boundary } = await subscribed({ graceHours: 48, topUp: { method: 'pm_decline' } })
  await advanceTo(house, boundary)
  expect(await statusOf(client, id)).toBe('past_due')
  await set(client, { method: 'pm_ok' })
  await advance(house, { by: 'PT1H' })
  expect(await statusOf(client, id)).toBe('past_due')
  await grant(house, client.user, 20 * USD)
  await advance(house, { by: 'PT0S' })
  await advanceTo(house, Date.parse((await subscriptionOf(client, id)).currentPeriodEnd))
  expect(await statusOf(client, id)).toBe('active')
  expect(await topUpsOf(client)).toEqual({ topUps: [50], left: 30 })
})

test('TOP-1: switched on while a term is unpaid and untried, it is tried then', async () => {
  const { client, id, boundary } = await subscribed({ graceHours: 48, topUp: null })
  await advanceTo(house, boundary + HOUR)
  expect(await statusOf(client, id)).toBe('past_due')
  await set(client, { amount: 20 })
  await advance(house, { by: 'PT0S' })
  expect(await statusOf(client, id)).toBe('active')
  expect(await topUpsOf(client)).toEqual({ topUps: [20], left: 0 })
})

test('TOP-3: a subscription that is flagged never triggers one', async () => {
  const { client, id, boundary } = await subscribed({})
  await client(`POST /subscriptions/${id}/cancel`)
  await advanceTo(house, boundary)
  expect(await subscriptionOf(client, id)).toMatchObject({ status: 'ended', endReason: 'user_canceled' })
  expect(await topUpsOf(client)).toEqual({ topUps: [], left: 0 })
})

test('TOP-2: never answered, it is waited for with access; at the end of the wait it ends, and top-up stays on', async () => {
  const { client, id, boundary } = await subscribed({ topUp: { method: 'pm_never' } })
  const canceled = await subscribed({ topUp: { method: 'pm_never' } })
  await advanceTo(house, canceled.boundary)
  const until = iso(boundary + HOUR)
  expect(await subscriptionOf(client, id)).toMatchObject({ status: 'active', accessUntil: until, graceEndsAt: null })
  const given = await canceled.client(`POST /subscriptions/${canceled.id}/cancel`)
  expect(given.body).toMatchObject({ status: 'ended', endReason: 'user_canceled' })
  await advanceTo(house, boundary + HOUR - 1)
  expect(await statusOf(client, id)).toBe('active')
  await advanceTo(house, boundary + HOUR)
  expect(await subscriptionOf(client, id)).toMatchObject({
    status: 'ended',
    endReason: 'insufficient_credits',
    endedAt: until,
  })
  expect((await settingsOf(client)).enabled).toBe(true)
  expect(await topUpsOf(client)).toEqual({ topUps: [], left: 0 })
})

test('REN-6: while a top-up is awaited other money recovers at once', async () => {
  const { client, id, boundary } = await subscribed({ topUp: { method: 'pm_never' } })
  await advanceTo(house, boundary)
  await grant(house, client.user, 20 * USD)
  const renewed = await eventually(
    () => subscriptionOf(client, id),
    ({ currentPeriodStart }) => currentPeriodStart === iso(boundary),
  )
  expect(renewed).toMatchObject({ status: 'active', accessUntil: renewed.currentPeriodEnd })
  expect(await topUpsOf(client)).toEqual({ topUps: [], left: 0 })
})
