import { afterAll, beforeAll, expect, test } from 'vitest'
import { buy, type Client, fresh, grant, type House, openHouse, openShop, USD } from './house.ts'
import { advance, chargesOf, DAY, iso, nowOf, subscriptionOf } from './life.ts'

// Two things that the best existing product gets wrong: overlapping sweeps, and starvation.

let house: House
beforeAll(async () => {
  house = await openHouse({ env: { LOG_LEVEL: 'warn' } })
})
afterAll(() => house?.close())

const AT_ONCE = 40

/** In the order given, so many at a time. */
const each = async <T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<R[]> => {
  const done: R[] = []
  let next = 0
  const work = async () => {
    for (let n = next++; n < items.length; n = next++) done[n] = await act(items[n] as T)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return done
}

interface Buyer {
  readonly user: string
  readonly client: Client
  readonly id: string
}

/** So many users with a plan, and money for this many terms more. */
const crowd = async (planId: string, count: number, terms: number): Promise<Buyer[]> =>
  each(
    Array.from({ length: count }, () => fresh('sweep')),
    async (user) => {
      await grant(house, user, (1 + terms) * USD)
      const client = await house.as(user)
      const bought = await buy(client, planId)
      if (bought.status !== 201) throw new Error(`A purchase answered ${JSON.stringify(bought.body)}`)
      return { user, client, id: bought.body.subscription.id }
    },
  )

/** A billing tick, as the machine that ticks sends it. */
const tick = async () => {
  const { secrets, urls } = house.stack
  const answer = await fetch(`${urls[0]}/v1/cron/billing`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secrets.CRON_SECRET}`, prefer: 'wait=30' },
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, number> }
}

const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

const shop = () =>
  openShop(house, { price: USD, period: { unit: 'day', count: 30 }, keys: 1000, more: { graceHours: 720 } })

let early: Buyer[]
let late: Buyer[]

test('REN-3: overlapping sweeps: two and four ticks over 2,000 due terms, at once and 2 s apart, during an advance: each charged once', async () => {
  const [{ planId: one }, { planId: two }] = [await shop(), await shop()]
  const begun = await nowOf(house)
  early = await crowd(one, 1000, 1)
  await advance(house, { by: 'P1D' })
  late = await crowd(two, 1000, 1)
  const everybody = [...early, ...late]
  const before = begun + 30 * DAY - 1
  await advance(house, { to: iso(before) })
  const moved = await house.admin('POST /admin/clock/advance', {
    body: { to: iso(begun + 31 * DAY) },
    headers: { prefer: 'wait=0' },
  })
  expect([200, 202]).toContain(moved.status)
  const atOnce = [tick(), tick()]
  await later(2_000)
  const apart = [tick(), tick(), tick(), tick()]
  for (const { status, body } of await Promise.all([...atOnce, ...apart]))
    expect([status, body.errors, body.ended, body.pastDue]).toEqual([200, 0, 0, 0])
  await advance(house, { by: 'PT0S' })
  const charged = await each(everybody, async ({ client, id }) => (await chargesOf(client, id)).map(({ kind }) => kind))
  for (const kinds of charged) expect(kinds).toEqual(['renewal', 'activation'])
  const left = await each(everybody, async ({ client }) => (await client('GET /credits')).body)
  for (const credits of left) expect([credits.balanceMicrodollars, credits.heldMicrodollars]).toEqual([0, 0])
}, 600_000)

test('REN-4: starvation: 1,000 that wait in grace ahead of 500 that can pay: all 500 renew in the first tick', async () => {
  const paying = late.slice(0, 500)
  await each(paying, ({ user }) => grant(house, user, USD))
  const end = Date.parse((await subscriptionOf((paying[0] as Buyer).client, (paying[0] as Buyer).id)).currentPeriodEnd)
  await advance(house, { to: iso(end - 1) })
  expect((await subscriptionOf((early[0] as Buyer).client, (early[0] as Buyer).id)).status).toBe('past_due')
  const moved = await house.admin('POST /admin/clock/advance', {
    body: { to: iso(end) },
    headers: { prefer: 'wait=0' },
  })
  expect([200, 202]).toContain(moved.status)
  const { status, body } = await tick()
  expect([status, body.errors]).toEqual([200, 0])
  // Nothing more ticks: this only waits until what the tick was answered with can be read on every gateway.
  await advance(house, { by: 'PT0S' })
  const renewed = await each(paying, async ({ client, id }) => (await subscriptionOf(client, id)).currentPeriodStart)
  expect(renewed.filter((start) => start === iso(end))).toHaveLength(500)
  const waiting = await each(early, async ({ client, id }) => (await subscriptionOf(client, id)).status)
  expect(waiting.filter((status) => status === 'past_due')).toHaveLength(1000)
}, 600_000)
