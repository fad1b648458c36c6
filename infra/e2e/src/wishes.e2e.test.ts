import { afterAll, beforeAll, expect, test } from 'vitest'
import { buy, type House, openHouse, openShop, USD, uploadKeys } from './house.ts'
import { advance, kindsTold, type Someone, someone, toldTo } from './life.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house?.close())

const wish = (client: Someone, planId: string) => client(`PUT /plans/${planId}/restock-wish`)
const withdraw = (client: Someone, planId: string) => client(`DELETE /plans/${planId}/restock-wish`)
const waitingFor = async (planId: string) =>
  (await house.admin(`GET /admin/inventory?planId=${planId}`)).body.data[0].waiting as number
const shown = async (client: Someone, planId: string) =>
  (await client('GET /plans')).body.data.find(({ id }: { id: string }) => id === planId)
const settle = () => advance(house, { by: 'PT1S' })

/** A plan whose only key is sold. */
const soldOut = async (more = {}) => {
  const shop = await openShop(house, { price: 1 * USD, keys: 1, more })
  await buy(await someone(house, 1 * USD), shop.planId)
  return shop
}

test('RST-1: only while it is sold out and open; once more changes nothing; withdrawn it is not told', async () => {
  const { planId } = await openShop(house, { price: 1 * USD, keys: 1 })
  const [client, other] = [await someone(house, 9 * USD), await someone(house)]
  const refused = await wish(other, planId)
  expect([refused.status, refused.body.code]).toEqual([409, 'plan_available'])
  expect((await wish(other, 'nowhere')).status).toBe(404)
  expect((await withdraw(other, 'nowhere')).status).toBe(404)
  await buy(client, planId)
  for (const _ of [1, 2]) {
    const answer = await wish(other, planId)
    expect([answer.status, answer.body.id, answer.body.restockWish, answer.body.availability]).toEqual([
      200,
      planId,
      true,
      'sold_out',
    ])
  }
  expect([(await shown(other, planId)).restockWish, (await shown(client, planId)).restockWish]).toEqual([true, false])
  expect(await waitingFor(planId)).toBe(1)
  for (const _ of [1, 2]) expect((await withdraw(other, planId)).status).toBe(204)
  expect((await shown(other, planId)).restockWish).toBe(false)
  expect(await waitingFor(planId)).toBe(0)
  await uploadKeys(house, planId, 1)
  await settle()
  expect(await kindsTold(other)).toEqual([])
})

test('RST-1: back in stock, all who wait are told once, in the order of asking; kept when told, cleared by buying', async () => {
  const { planId } = await soldOut()
  const waiting: Someone[] = []
  for (let n = 0; n < 6; n += 1) {
    const client = await someone(house, 5 * USD)
    await wish(client, planId)
    waiting.push(client)
  }
  await uploadKeys(house, planId, 2)
  await uploadKeys(house, planId, 1)
  await settle()
  for (const client of waiting) expect(await kindsTold(client)).toEqual(['restock'])
  expect(await waitingFor(planId)).toBe(6)
  const [buyer, next] = waiting as [Someone, Someone]
  await buy(buyer, planId)
  await settle()
  expect([(await shown(buyer, planId)).restockWish, (await shown(next, planId)).restockWish]).toEqual([false, true])
  for (const client of waiting.slice(1, 3)) await buy(client, planId)
  await settle()
  await uploadKeys(house, planId, 1)
  await settle()
  expect(await kindsTold(waiting[5] as Someone)).toEqual(['restock', 'restock'])
  expect((await toldTo(waiting[5] as Someone))[1]).toMatchObject({ kind: 'restock' })
  expect(await waitingFor(planId)).toBe(3)
})

test('RST-1: a closed plan is not wished; opened again with stock, the waiting are told', async () => {
  const { planId, providerId } = await soldOut()
  const client = await someone(house)
  await wish(client, planId)
  const publish = (saleState: string) =>
    house.admin(`PUT /admin/plans/${planId}`, {
      body: { name: 'x', providerId, priceMicrodollars: USD, period: { unit: 'day', count: 9 }, saleState },
    })
  await publish('closed')
  expect((await wish(await someone(house), planId)).body.code).toBe('plan_closed')
  await uploadKeys(house, planId, 1)
  await settle()
  expect(await kindsTold(client)).toEqual([])
  await publish('open')
  await settle()
  expect(await kindsTold(client)).toEqual(['restock'])
})

test('RST-1: wishes against restocks, 20 at once: whoever was taken is told, whoever was refused could buy', async () => {
  const { planId } = await soldOut()
  const clients = await Promise.all(Array.from({ length: 20 }, () => someone(house)))
  const [, ...answers] = await Promise.all([
    uploadKeys(house, planId, 1),
    ...clients.map((client) => wish(client, planId)),
  ])
  await settle()
  for (const [n, { status, body }] of answers.entries()) {
    if (status !== 200) expect([status, body.code]).toEqual([409, 'plan_available'])
    expect(await kindsTold(clients[n] as Someone)).toEqual(status === 200 ? ['restock'] : [])
  }
})
