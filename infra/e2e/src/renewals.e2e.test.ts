import { afterAll, beforeAll, expect, test } from 'vitest'
import { buy, type House, moneyOf, openHouse, openShop, USD } from './house.ts'
import {
  advance,
  advanceTo,
  availableOf,
  chargesOf,
  DAY,
  iso,
  kindsTold,
  nowOf,
  someone,
  subscriptionOf,
  toldTo,
} from './life.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house?.close())

const days = (count: number) => ({ unit: 'day' as const, count })
const status = async (client: Parameters<typeof subscriptionOf>[0], id: string) =>
  (await subscriptionOf(client, id)).status

test('REN-1: a millisecond before its end nothing is due; at the instant it is', async () => {
  const { planId } = await openShop(house, { price: 10 * USD })
  const client = await someone(house, 20 * USD)
  const { subscription } = (await buy(client, planId)).body
  const end = Date.parse(subscription.currentPeriodEnd)
  await advanceTo(house, end - 1)
  expect(await chargesOf(client, subscription.id)).toHaveLength(1)
  await advanceTo(house, end)
  expect(await subscriptionOf(client, subscription.id)).toMatchObject({
    currentPeriodStart: iso(end),
    status: 'active',
  })
  expect(await chargesOf(client, subscription.id)).toHaveLength(2)
})

/** Plans that are all due at one instant, the first bought first; afterwards this much is left for their renewals. */
const dueTogether = async (prices: readonly number[], left: number) => {
  const client = await someone(house, (prices.reduce((sum, price) => sum + price, 0) + left) * USD)
  const ids: string[] = []
  for (const [place, price] of prices.entries()) {
    const { planId } = await openShop(house, { price: price * USD, period: days(30 - place) })
    if (place > 0) await advance(house, { by: 'P1D' })
    ids.push((await buy(client, planId)).body.subscription.id)
  }
  const ends = await Promise.all(ids.map(async (id) => (await subscriptionOf(client, id)).currentPeriodEnd))
  expect(new Set(ends).size).toBe(1)
  await advance(house, { to: ends[0] as string })
  const { heldMicrodollars, sum, balanceMicrodollars } = await moneyOf(client)
  expect([heldMicrodollars, sum]).toEqual([0, balanceMicrodollars])
  return { statuses: await Promise.all(ids.map((id) => status(client, id))), left: balanceMicrodollars / USD }
}

test('LED-3: two plans due together with money for one: the older one first, the other ends', async () => {
  expect(await dueTogether([20, 15], 20)).toEqual({ statuses: ['active', 'ended'], left: 0 })
})

test('LED-3: each is judged on what is left: too dear is passed over, the cheaper one is paid', async () => {
  expect(await dueTogether([20, 15], 15)).toEqual({ statuses: ['ended', 'active'], left: 0 })
  expect(await dueTogether([20, 15, 10], 30)).toEqual({ statuses: ['active', 'ended', 'active'], left: 0 })
})

test('section 4: bought on the 31st and on the 1st: both due in one month, the 31st clamped once and back', async () => {
  const { planId } = await openShop(house, { price: 1 * USD })
  const { planId: other } = await openShop(house, { price: 1 * USD })
  const client = await someone(house, 20 * USD)
  const year = new Date(await nowOf(house)).getUTCFullYear() + 1
  const at = (month: number, day: number) => Date.UTC(year, month, day, 10)
  await advanceTo(house, at(0, 31))
  const { id } = (await buy(client, planId)).body.subscription
  await advanceTo(house, at(1, 1))
  const { id: first } = (await buy(client, other)).body.subscription
  expect((await subscriptionOf(client, id)).currentPeriodEnd).toBe(iso(Date.UTC(year, 2, 0, 10)))
  await advanceTo(house, at(2, 31))
  expect(await subscriptionOf(client, id)).toMatchObject({
    currentPeriodStart: iso(at(2, 31)),
    currentPeriodEnd: iso(at(3, 30)),
  })
  expect(await subscriptionOf(client, first)).toMatchObject({
    currentPeriodStart: iso(at(2, 1)),
    currentPeriodEnd: iso(at(3, 1)),
  })
  const starts = (await chargesOf(client, id)).map(({ periodStart }) => periodStart).toReversed()
  expect(starts).toEqual([iso(at(0, 31)), iso(Date.UTC(year, 2, 0, 10)), iso(at(2, 31))])
  await client(`POST /subscriptions/${id}/cancel`, { body: { when: 'now' } })
  await client(`POST /subscriptions/${first}/cancel`, { body: { when: 'now' } })
})

test('CAT-5: a renewal takes the copied price, an extension today’s price and length, a new episode today’s', async () => {
  const { planId, providerId } = await openShop(house, { price: 10 * USD, period: days(10) })
  const client = await someone(house, 200 * USD)
  const { subscription } = (await buy(client, planId)).body
  const spec = { name: 'dearer', providerId, priceMicrodollars: 30 * USD, period: days(20) }
  await house.admin(`PUT /admin/plans/${planId}`, { body: spec })
  await advance(house, { to: subscription.currentPeriodEnd })
  const renewed = await subscriptionOf(client, subscription.id)
  expect(renewed.priceMicrodollars).toBe(10 * USD)
  const extended = (await buy(client, planId)).body
  expect(extended).toMatchObject({ kind: 'extension', charge: { amountMicrodollars: 30 * USD } })
  expect(extended.subscription.currentPeriodEnd).toBe(iso(Date.parse(renewed.currentPeriodEnd) + 20 * DAY))
  await advance(house, { to: extended.subscription.currentPeriodEnd })
  const [last] = await chargesOf(client, subscription.id)
  expect(last).toMatchObject({ kind: 'renewal', amountMicrodollars: 10 * USD })
  await client(`POST /subscriptions/${subscription.id}/cancel`, { body: { when: 'now' } })
  expect((await buy(client, planId)).body.subscription).toMatchObject({
    priceMicrodollars: 30 * USD,
    planName: 'dearer',
  })
})

test('CAT-7: a plan that vanished renews at its copied price, and is sold to nobody', async () => {
  const { planId, providerId } = await openShop(house, { price: 7 * USD, period: days(5) })
  const client = await someone(house, 14 * USD)
  const { subscription } = (await buy(client, planId)).body
  const spec = { name: 'gone', providerId, priceMicrodollars: 99 * USD, period: days(5), saleState: 'hidden' }
  await house.admin(`PUT /admin/plans/${planId}`, { body: spec })
  expect((await client('GET /plans')).body.data.map(({ id }: { id: string }) => id)).not.toContain(planId)
  expect((await buy(await someone(house, 100 * USD), planId)).body.code).toBe('plan_closed')
  await advance(house, { to: subscription.currentPeriodEnd })
  expect(await chargesOf(client, subscription.id)).toMatchObject([{ kind: 'renewal', amountMicrodollars: 7 * USD }, {}])
  expect(await availableOf(client)).toBe(0)
})

test('CAT-8: a free plan renews with a negative balance, without a line in the statement or a charge', async () => {
  const { planId } = await openShop(house, { price: 0, period: days(3) })
  const client = await someone(house, -5 * USD)
  const { subscription } = (await buy(client, planId)).body
  await advance(house, { by: 'P10D' })
  expect(await subscriptionOf(client, subscription.id)).toMatchObject({ status: 'active' })
  expect(await chargesOf(client, subscription.id)).toEqual([])
  expect((await moneyOf(client)).entries).toHaveLength(1)
  // REN-9: nothing is said beforehand of what is free.
  expect(await kindsTold(client)).toEqual(['activated', 'renewed', 'renewed', 'renewed'])
})

test('REN-7: after an outage of 95 days the term that contains the present is charged, and no other; a moved clock is none', async () => {
  const { planId } = await openShop(house, { price: 10 * USD, period: days(30) })
  const [slept, lived] = [await someone(house, 100 * USD), await someone(house, 100 * USD)]
  const { subscription } = (await buy(slept, planId)).body
  const begun = Date.parse(subscription.currentPeriodStart)
  await advance(house, { by: 'P95D', outage: true })
  expect(await subscriptionOf(slept, subscription.id)).toMatchObject({
    status: 'active',
    currentPeriodStart: iso(begun + 90 * DAY),
    currentPeriodEnd: iso(begun + 120 * DAY),
  })
  expect((await chargesOf(slept, subscription.id)).map(({ periodStart }) => periodStart)).toEqual([
    iso(begun + 90 * DAY),
    iso(begun),
  ])
  expect((await toldTo(slept)).at(-1)).toMatchObject({ kind: 'renewed', data: { unservedFrom: iso(begun + 30 * DAY) } })
  const { id } = (await buy(lived, planId)).body.subscription
  await advance(house, { by: 'P95D' })
  expect(await chargesOf(lived, id)).toHaveLength(4)
})

test('REN-7: unfunded after an outage, grace counts from the present', async () => {
  const { planId } = await openShop(house, { price: 10 * USD, period: days(30), more: { graceHours: 48 } })
  const client = await someone(house, 10 * USD)
  const { id } = (await buy(client, planId)).body.subscription
  await advance(house, { by: 'P95D', outage: true })
  const graceEndsAt = iso((await nowOf(house)) + 2 * DAY)
  expect(await subscriptionOf(client, id)).toMatchObject({ status: 'past_due', graceEndsAt, accessUntil: graceEndsAt })
})

test('REN-9: renewing soon is told three days before, with the amount and what is available; not of what is flagged', async () => {
  const { planId } = await openShop(house, { price: 10 * USD })
  const [client, leaving] = [await someone(house, 25 * USD), await someone(house, 25 * USD)]
  const { subscription } = (await buy(client, planId)).body
  const { id } = (await buy(leaving, planId)).body.subscription
  await leaving(`POST /subscriptions/${id}/cancel`)
  const end = Date.parse(subscription.currentPeriodEnd)
  await advanceTo(house, end - 3 * DAY - 1)
  expect(await kindsTold(client)).toEqual(['activated'])
  await advanceTo(house, end)
  const told = await toldTo(client)
  expect(told.map(({ kind }) => kind)).toEqual(['activated', 'renewing_soon', 'renewed'])
  expect(told[1]).toMatchObject({
    at: iso(end - 3 * DAY),
    data: { amountMicrodollars: 10 * USD, availableMicrodollars: 15 * USD, renewsAt: iso(end) },
  })
  expect(await kindsTold(leaving)).toEqual(['activated', 'cancellation_scheduled', 'ended'])
})
