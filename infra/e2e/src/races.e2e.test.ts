import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Answer,
  buy,
  type Client,
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

const rounds = [1, 2, 3]
const people = (count: number, credits: number): Promise<Client[]> =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const user = fresh('racer')
      await grant(house, user, credits)
      return house.as(user)
    }),
  )
const codes = (answers: readonly Answer[]) =>
  answers.reduce<Record<string, number>>((counts, { status, body }) => {
    const code = status === 201 ? body.kind : body.code
    counts[code] = (counts[code] ?? 0) + 1
    return counts
  }, {})

test.each(rounds)(
  'EXT-3: 20 purchases of one plan by one user at once → one activation, the rest purchase_in_progress (%i)',
  async () => {
    const { planId } = await openShop(house)
    const [client] = (await people(1, 1_000 * USD)) as [Client]
    const answers = await Promise.all(Array.from({ length: 20 }, (_, gateway) => buy(client, planId, { gateway })))
    expect(codes(answers)).toEqual({ activation: 1, purchase_in_progress: 19 })
    const again = await Promise.all(Array.from({ length: 20 }, (_, gateway) => buy(client, planId, { gateway })))
    expect(codes(again)).toEqual({ extension: 1, purchase_in_progress: 19 })
    expect(await moneyOf(client)).toMatchObject({ balanceMicrodollars: 960 * USD, heldMicrodollars: 0, sum: 960 * USD })
  },
)

test('LED-2: two providers at once with money for one → exactly one, 30 users', async () => {
  const left = await openShop(house, { keys: 30 })
  const right = await openShop(house, { keys: 30 })
  const clients = await people(30, 20 * USD)
  const outcomes = await Promise.all(
    clients.map((client, n) =>
      Promise.all([buy(client, left.planId, { gateway: n }), buy(client, right.planId, { gateway: n + 1 })]),
    ),
  )
  for (const [n, pair] of outcomes.entries()) {
    expect(codes(pair)).toEqual({ activation: 1, insufficient_credits: 1 })
    expect(await moneyOf(clients[n] as Client)).toMatchObject({ balanceMicrodollars: 0, heldMicrodollars: 0, sum: 0 })
  }
})

test.each(rounds)(
  'INV-5: 40 users for 7 keys → 7 winners with 7 different keys, the others not charged and no hold left (%i)',
  async () => {
    const { planId, providerId, secrets } = await openShop(house, { keys: 7 })
    const clients = await people(40, 20 * USD)
    const answers = await Promise.all(clients.map((client, gateway) => buy(client, planId, { gateway })))
    expect(codes(answers)).toEqual({ activation: 7, sold_out: 33 })
    const keys = new Set<string>()
    for (const [n, client] of clients.entries()) {
      const won = answers[n]?.status === 201
      const money = await moneyOf(client)
      expect(money).toMatchObject({ balanceMicrodollars: won ? 0 : 20 * USD, heldMicrodollars: 0 })
      // SUB-2: no charge-and-refund pair on any statement.
      expect(money.entries).toHaveLength(won ? 2 : 1)
      if (won) keys.add((await client(`POST /slots/${providerId}/reveal`)).body.key)
    }
    expect([...keys].sort()).toEqual([...secrets].sort())
    const { body } = await (clients[0] as Client)('GET /plans')
    expect(body.data.find(({ id }: { id: string }) => id === planId).availability).toBe('sold_out')
  },
)

test.each(rounds)('IDE-1: the same Idempotency-Key 20 times at once → one outcome (%i)', async () => {
  const { planId } = await openShop(house)
  const [client] = (await people(1, 100 * USD)) as [Client]
  const key = newKey()
  const answers = await Promise.all(Array.from({ length: 20 }, (_, gateway) => buy(client, planId, { key, gateway })))
  expect(codes(answers)).toEqual({ activation: 20 })
  expect(new Set(answers.map(({ body }) => body.subscription.id)).size).toBe(1)
  expect((await moneyOf(client)).balanceMicrodollars).toBe(80 * USD)
})

test('EXT-4: an extension against cancel now, 10 times: never charged on a dead subscription, no hold left', async () => {
  const { planId } = await openShop(house, { keys: 10 })
  const clients = await people(10, 100 * USD)
  await Promise.all(
    clients.map(async (client, n) => {
      const { subscription } = (await buy(client, planId)).body
      const [extended, canceled] = await Promise.all([
        buy(client, planId, { gateway: n }),
        client(`POST /subscriptions/${subscription.id}/cancel`, {
          body: { when: 'now' },
          gateway: n + 1,
          headers: { prefer: 'wait=30' },
        }),
      ])
      expect(canceled).toMatchObject({ status: 200, body: { status: 'ended' } })
      const money = await moneyOf(client)
      const charged = extended.status === 201 ? 2 : 1
      expect(money).toMatchObject({ balanceMicrodollars: (100 - charged * 20) * USD, heldMicrodollars: 0 })
      if (charged === 1) expect(extended.body.code).toBe('purchase_in_progress')
    }),
  )
})
