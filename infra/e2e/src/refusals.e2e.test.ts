import { afterAll, beforeAll, expect, test } from 'vitest'
import { buy, type Client, fresh, grant, type House, moneyOf, newKey, openHouse, openShop, USD } from './house.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house?.close())

const someone = async (credits: number) => {
  const user = fresh('user')
  if (credits > 0) await grant(house, user, credits)
  return house.as(user)
}
const everything = async (client: Client) => ({
  money: await moneyOf(client),
  slots: (await client('GET /slots')).body,
  subscriptions: (await client('GET /subscriptions')).body,
})

/** The refusal, and that nothing was changed by it. */
const refused = async (client: Client, ask: () => ReturnType<Client>) => {
  const before = await everything(client)
  const answer = await ask()
  expect(await everything(client)).toEqual(before)
  expect(answer.headers.get('content-type')).toContain('application/problem+json')
  expect(answer.body).toMatchObject({
    type: expect.any(String),
    title: expect.any(String),
    status: answer.status,
    code: expect.any(String),
  })
  return { status: answer.status, ...answer.body }
}

test('SUB-3: 402 with both amounts; equal is enough', async () => {
  const { planId } = await openShop(house, { price: 20 * USD })
  const client = await someone(20 * USD - 1)
  expect(await refused(client, () => buy(client, planId))).toMatchObject({
    status: 402,
    code: 'insufficient_credits',
    requiredMicrodollars: 20 * USD,
    availableMicrodollars: 20 * USD - 1,
  })
  const { body } = await client('GET /credits')
  expect(body.balanceMicrodollars).toBe(20 * USD - 1)
  const exact = await someone(20 * USD)
  expect((await buy(exact, planId)).status).toBe(201)
})

test('SUB-4: sold_out; slot_occupied for the user’s own key, even a disabled one', async () => {
  const { planId, providerId } = await openShop(house, { keys: 0 })
  const client = await someone(50 * USD)
  expect(await refused(client, () => buy(client, planId))).toMatchObject({ status: 409, code: 'sold_out' })
  await client(`PUT /slots/${providerId}`, { body: { key: 'sk-own' } })
  await client(`PATCH /slots/${providerId}`, { body: { enabled: false } })
  expect(await refused(client, () => buy(client, planId))).toMatchObject({ status: 409, code: 'slot_occupied' })
})

test('CAT-7: closed and hidden plans are not sold; hidden ones are not listed', async () => {
  const closed = await openShop(house, { more: { saleState: 'closed' } })
  const hidden = await openShop(house, { more: { saleState: 'hidden' } })
  const client = await someone(50 * USD)
  for (const { planId } of [closed, hidden])
    expect(await refused(client, () => buy(client, planId))).toMatchObject({ status: 409, code: 'plan_closed' })
  const listed = (await client('GET /plans')).body.data.map(({ id }: { id: string }) => id)
  expect(listed).toContain(closed.planId)
  expect(listed).not.toContain(hidden.planId)
})

test('CAT-4 and IDE-1: an unknown plan, a missing or long key, a price or an unknown field in the body', async () => {
  const { planId } = await openShop(house)
  const client = await someone(50 * USD)
  const post = (body: unknown, key?: string) =>
    client('POST /subscriptions', { body, ...(key === undefined ? {} : { key }) })
  expect(await refused(client, () => buy(client, fresh('nowhere')))).toMatchObject({ status: 404, code: 'not_found' })
  expect(await refused(client, () => post({ planId }))).toMatchObject({ status: 400, code: 'idempotency_key_required' })
  expect((await refused(client, () => post({ planId }, 'k'.repeat(201)))).status).toBe(400)
  for (const body of [{ planId, priceMicrodollars: 1 }, { planId, more: true }, {}, { planId: 7 }])
    expect(await refused(client, () => post(body, newKey()))).toMatchObject({ status: 400, code: 'invalid_request' })
  expect((await refused(client, () => client('POST /subscriptions', { body: '{', key: newKey() }))).status).toBe(400)
  expect(
    (
      await refused(client, () =>
        client('POST /subscriptions', { body: 'x', key: newKey(), headers: { 'content-type': 'text/plain' } }),
      )
    ).status,
  ).toBe(415)
  expect((await refused(client, () => post({ planId: 'x'.repeat(2_000_000) }, newKey()))).status).toBe(413)
})

test('PER-1: no token 401, a user on operators’ paths 403, another user’s things 404', async () => {
  const { planId } = await openShop(house)
  const client = await someone(50 * USD)
  const stranger = await someone(0)
  const { subscription } = (await buy(client, planId)).body
  expect((await fetch(`${house.stack.url}/v1/plans`)).status).toBe(401)
  expect((await client('GET /admin/plans')).body.code).toBe('forbidden')
  expect((await client(`PUT /admin/plans/${planId}`, { body: {} })).body.code).toBe('forbidden')
  expect((await stranger(`GET /subscriptions/${subscription.id}`)).status).toBe(404)
  expect((await stranger(`POST /subscriptions/${subscription.id}/cancel`, { body: {} })).status).toBe(404)
  expect((await house.admin(`GET /subscriptions/${subscription.id}`)).status).toBe(404)
  expect((await house.admin(`GET /admin/subscriptions/${subscription.id}`)).body.id).toBe(subscription.id)
})

test('INV-1, INV-3: a report per line; duplicates over all plans; allOrNothing keeps nothing', async () => {
  const { planId, secrets } = await openShop(house, { keys: 1 })
  const other = await openShop(house, { keys: 0 })
  const line = { key: `sk-${newKey()}` }
  const upload = (plan: string, body: object) => house.admin(`POST /admin/plans/${plan}/keys`, { key: newKey(), body })
  const entries = [
    line,
    line,
    { key: secrets[0] },
    { key: ' ' },
    { key: 'x'.repeat(501) },
    { key: 'late', expiresAt: '2001-01-01T00:00:00.000Z' },
  ]
  const refusedWhole = await upload(other.planId, { entries, allOrNothing: true })
  expect(refusedWhole).toMatchObject({ status: 422, body: { code: 'entries_invalid' } })
  const report = await upload(other.planId, { entries })
  expect(report).toMatchObject({ status: 200, body: { accepted: 1, duplicates: 2, invalid: 3 } })
  expect(report.body.report.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
    'accepted',
    'duplicate',
    'duplicate',
    'invalid',
    'invalid',
    'invalid',
  ])
  expect(JSON.stringify(report.body)).not.toContain(line.key)
  const { body } = await house.admin(`GET /admin/inventory?planId=${other.planId}`)
  expect(body.data[0]).toMatchObject({ planId: other.planId, counts: { available: 1, assigned: 0 } })
  const lines = await house.admin(`POST /admin/plans/${planId}/keys`, {
    key: newKey(),
    body: `{"key":"nd-${newKey()}"}\n\nnot json\n`,
    headers: { 'content-type': 'application/x-ndjson' },
  })
  expect(lines.body).toMatchObject({ accepted: 1, invalid: 1 })
})
