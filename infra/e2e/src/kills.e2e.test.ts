import { type Service, services } from '@coding-plans/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Answer,
  buy,
  type Client,
  eventually,
  fresh,
  grant,
  type House,
  moneyOf,
  newKey,
  openHouse,
  openShop,
  USD,
} from './house.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house?.close())

const BUYERS = 24
const SPREAD_MILLISECONDS = 1_500
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

interface Order {
  readonly client: Client
  readonly key: string
  answer: Answer | null
}

/** Clicks as a user does who hears nothing: again and again under one key, until there is an answer that says something. */
const insist = async (order: Order, planId: string, gateway: number) => {
  for (const until = Date.now() + 90_000; Date.now() < until; await pause(200)) {
    const answer = await buy(order.client, planId, { key: order.key, gateway, wait: 5 }).catch(() => null)
    if (!answer || answer.status === 202 || answer.status >= 500) continue
    order.answer = answer
    return
  }
}

/** Many buyers, spread over a second or two, while something happens to the house. */
const buyWhile = async (happens: () => Promise<void>) => {
  const shop = await openShop(house, { keys: BUYERS })
  const orders: Order[] = await Promise.all(
    Array.from({ length: BUYERS }, async () => {
      const user = fresh('survivor')
      await grant(house, user, 20 * USD)
      return { client: await house.as(user), key: newKey(), answer: null }
    }),
  )
  const buying = orders.map(async (order, n) => {
    await pause((n / BUYERS) * SPREAD_MILLISECONDS)
    await insist(order, shop.planId, n)
  })
  await pause(SPREAD_MILLISECONDS / 3)
  await happens()
  await Promise.all(buying)
  return { ...shop, orders }
}

/** Every purchase happened once: charged once, a key of its own, nothing held, as many keys gone as sold. */
const allBoughtOnce = async ({ planId, providerId, orders }: Awaited<ReturnType<typeof buyWhile>>) => {
  const keys = new Set<string>()
  for (const { client, answer } of orders) {
    expect(answer).toMatchObject({ status: 201, body: { kind: 'activation' } })
    const money = await moneyOf(client)
    expect(money).toMatchObject({ balanceMicrodollars: 0, heldMicrodollars: 0, sum: 0 })
    expect(money.entries).toHaveLength(2)
    const revealed = await eventually(
      () => client(`POST /slots/${providerId}/reveal`),
      ({ status }) => status === 200,
    )
    keys.add(revealed.body.key)
  }
  expect(keys.size).toBe(BUYERS)
  const counts = async () => (await house.admin(`GET /admin/inventory?planId=${planId}`)).body.data[0].counts
  await eventually(counts, ({ available, assigned }) => available === 0 && assigned === BUYERS)
}

const ready = () =>
  eventually(
    async () =>
      Promise.all(
        house.stack.services.map(({ url }) =>
          fetch(`${url}/readyz`).then(
            ({ status }) => status,
            () => 0,
          ),
        ),
      ),
    (statuses) => statuses.every((status) => status === 200),
  )

test.each(services)('OPS-2: %s killed in the middle of purchases: every one happens once', async (service: Service) => {
  const bought = await buyWhile(async () => {
    house.stack.services.find((one) => one.service === service)?.kill('SIGKILL')
  })
  await allBoughtOnce(bought)
  await ready()
})

test.each(['broker', 'registry', 'postgres'] as const)(
  'OPS-2: the %s killed in the middle of purchases: every one happens once',
  async (server) => {
    const bought = await buyWhile(async () => house.stack.servers[server].kill('SIGKILL'))
    await allBoughtOnce(bought)
    await ready()
  },
)

test('SIGTERM to every service, one after the other, loses nothing', async () => {
  const bought = await buyWhile(async () => {
    for (const service of house.stack.services) await service.restart()
  })
  await allBoughtOnce(bought)
})
