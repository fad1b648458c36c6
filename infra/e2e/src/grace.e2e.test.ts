import { afterAll, beforeAll, expect, test } from 'vitest'
import { buy, grant, type House, moneyOf, newKey, openHouse, openShop, USD } from './house.ts'
import {
  advance,
  advanceTo,
  chargesOf,
  DAY,
  HOUR,
  iso,
  kindsTold,
  nowOf,
  type Someone,
  someone,
  subscriptionOf,
} from './life.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house?.close())

const MINUTE = 60_000

/** Somebody whose term is due and not paid: 10 USD a month, two days of grace, and this much left. */
const pastDue = async ({ left = 0, graceHours = 48 } = {}) => {
  const { planId, providerId } = await openShop(house, { price: 10 * USD, more: { graceHours } })
  const client = await someone(house, (10 + left) * USD)
  const { subscription } = (await buy(client, planId)).body
  const boundary = Date.parse(subscription.currentPeriodEnd)
  await advanceTo(house, boundary)
  return { client, planId, providerId, id: subscription.id as string, boundary, deadline: boundary + graceHours * HOUR }
}

const settledWith = async (client: Someone) => {
  const { heldMicrodollars, sum, balanceMicrodollars } = await moneyOf(client)
  expect([heldMicrodollars, sum]).toEqual([0, balanceMicrodollars])
  return balanceMicrodollars / USD
}

test('REN-5: unfunded it is past due until its deadline, which is shown; access and key stay', async () => {
  const { client, id, providerId, deadline, boundary } = await pastDue({ left: 9 })
  expect(await subscriptionOf(client, id)).toMatchObject({
    status: 'past_due',
    graceEndsAt: iso(deadline),
    accessUntil: iso(deadline),
    renewsAt: null,
    currentPeriodEnd: iso(boundary),
  })
  const [slot] = (await client('GET /slots')).body.data
  expect(slot).toMatchObject({ providerId, managedBy: 'plan', enabled: true })
  expect(await kindsTold(client)).toEqual(['activated', 'renewing_soon', 'past_due'])
  expect((await client('GET /subscriptions?status=past_due')).body.data).toMatchObject([{ id }])
  expect(await settledWith(client)).toBe(9)
})

test('REN-5: without grace it ends at the boundary', async () => {
  const { client, id, boundary } = await pastDue({ graceHours: 0 })
  expect(await subscriptionOf(client, id)).toMatchObject({
    status: 'ended',
    endReason: 'insufficient_credits',
    endedAt: iso(boundary),
  })
  expect((await client('GET /slots')).body.data).toEqual([])
})

test('REN-6: money a minute before the deadline recovers at once, from the old boundary', async () => {
  const { client, id, boundary, deadline } = await pastDue({ left: 4 })
  await advanceTo(house, deadline - MINUTE)
  await grant(house, client.user, 5 * USD)
  expect((await subscriptionOf(client, id)).status).toBe('past_due')
  await grant(house, client.user, 1 * USD)
  await advance(house, { by: 'PT0S' })
  expect(await subscriptionOf(client, id)).toMatchObject({
    status: 'active',
    graceEndsAt: null,
    currentPeriodStart: iso(boundary),
  })
  expect((await kindsTold(client)).at(-1)).toBe('recovered')
  await advanceTo(house, deadline)
  expect((await subscriptionOf(client, id)).status).toBe('active')
  expect(await settledWith(client)).toBe(0)
})

test('REN-6: money a minute after the deadline is only credit: it ended exactly at the deadline', async () => {
  const { client, id, deadline } = await pastDue()
  await advanceTo(house, deadline - 1)
  expect((await subscriptionOf(client, id)).status).toBe('past_due')
  await advanceTo(house, deadline + MINUTE)
  await grant(house, client.user, 50 * USD)
  await advance(house, { by: 'PT0S' })
  expect(await subscriptionOf(client, id)).toMatchObject({
    status: 'ended',
    endReason: 'insufficient_credits',
    endedAt: iso(deadline),
    accessUntil: iso(deadline),
  })
  expect(await settledWith(client)).toBe(50)
  expect(await chargesOf(client, id)).toHaveLength(1)
})

test('REN-6: any cause recovers: a payment, and what is given back of another subscription', async () => {
  const first = await pastDue()
  await grant(house, first.client.user, 10 * USD, 'payment')
  await advance(house, { by: 'PT0S' })
  expect((await subscriptionOf(first.client, first.id)).status).toBe('active')

  const { planId } = await openShop(house, { price: 10 * USD, more: { graceHours: 48 } })
  const { planId: longer } = await openShop(house, { price: 10 * USD, period: { unit: 'day', count: 90 } })
  const client = await someone(house, 20 * USD)
  const { subscription } = (await buy(client, planId)).body
  const { id: other } = (await buy(client, longer)).body.subscription
  await advance(house, { to: subscription.currentPeriodEnd })
  expect((await subscriptionOf(client, subscription.id)).status).toBe('past_due')
  const body = { reason: 'it broke', refund: 'full' }
  expect((await house.admin(`POST /admin/subscriptions/${other}/terminate`, { body })).body.status).toBe('ended')
  await advance(house, { by: 'PT0S' })
  expect((await subscriptionOf(client, subscription.id)).status).toBe('active')
  expect(await settledWith(client)).toBe(0)
})

test('REN-6: with money for one of two unpaid terms, the older boundary is paid', async () => {
  // Not months: an hour apart, near a month's end, they may be clamped to one boundary.
  const period = { unit: 'day', count: 30 } as const
  const { planId } = await openShop(house, { price: 10 * USD, period, more: { graceHours: 240 } })
  const { planId: later } = await openShop(house, { price: 10 * USD, period, more: { graceHours: 240 } })
  const client = await someone(house, 20 * USD)
  const { id: older } = (await buy(client, planId)).body.subscription
  await advance(house, { by: 'PT1H' })
  const { id: newer } = (await buy(client, later)).body.subscription
  await advanceTo(house, Date.parse((await subscriptionOf(client, newer)).currentPeriodEnd))
  expect((await client('GET /subscriptions?status=past_due')).body.data).toHaveLength(2)
  await grant(house, client.user, 10 * USD)
  await advance(house, { by: 'PT0S' })
  expect((await subscriptionOf(client, older)).status).toBe('active')
  expect((await subscriptionOf(client, newer)).status).toBe('past_due')
})

test('EXT-5: the same plan while its term is unpaid is 402 with that term’s price; money that covers it recovers', async () => {
  const { client, planId, id } = await pastDue({ left: 3 })
  const refused = await buy(client, planId)
  expect(refused.status).toBe(402)
  expect(refused.body).toMatchObject({
    code: 'insufficient_credits',
    requiredMicrodollars: 10 * USD,
    availableMicrodollars: 3 * USD,
  })
  await grant(house, client.user, 7 * USD)
  await advance(house, { by: 'PT0S' })
  expect((await subscriptionOf(client, id)).status).toBe('active')
  expect(await settledWith(client)).toBe(0)
})

test('CAN-1: while a due term is unpaid cancel ends it at once, whichever is asked for', async () => {
  for (const when of ['period_end', 'now']) {
    const { client, id } = await pastDue()
    const ended = await client(`POST /subscriptions/${id}/cancel`, { body: { when } })
    expect(ended.status).toBe(200)
    expect(ended.body).toMatchObject({ status: 'ended', endReason: 'user_canceled', endedAt: iso(await nowOf(house)) })
    expect((await client('GET /slots')).body.data).toEqual([])
    expect((await client(`POST /subscriptions/${id}/cancel`)).body.code).toBe('not_cancelable')
  }
})

test('EXT-6: days granted in grace make it active again, from now; a double click grants once', async () => {
  const { client, id } = await pastDue()
  await advance(house, { by: 'PT5H' })
  const now = await nowOf(house)
  const key = newKey()
  const give = () =>
    house.admin(`POST /admin/subscriptions/${id}/grant-days`, { body: { days: 7, reason: 'sorry' }, key })
  const answers = await Promise.all([give(), give()])
  answers.push(await give())
  for (const { status, body } of answers) {
    expect(status).toBe(200)
    expect(body).toMatchObject({ status: 'active', graceEndsAt: null, currentPeriodEnd: iso(now + 7 * DAY) })
  }
  const charges = await chargesOf(client, id)
  expect(charges.filter(({ kind }) => kind === 'grant')).toMatchObject([
    { amountMicrodollars: 0, description: expect.stringMatching(/admin-1.*sorry/) },
  ])
  await grant(house, client.user, 10 * USD)
  await advanceTo(house, now + 7 * DAY)
  const renewed = await subscriptionOf(client, id)
  expect(renewed).toMatchObject({ status: 'active', currentPeriodStart: iso(now + 7 * DAY) })
  for (const days of [0, 91, 1.5])
    expect(
      (await house.admin(`POST /admin/subscriptions/${id}/grant-days`, { body: { days, reason: 'x' }, key: newKey() }))
        .status,
    ).toBe(400)
})
