import { afterAll, beforeAll, expect, test } from 'vitest'
import { buy, eventually, grant, type House, newKey, openHouse, openShop, USD } from './house.ts'
import { advance, type Someone, someone } from './life.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house?.close())

const remove = (client: Someone, wait = 30) => client('DELETE /me', { headers: { prefer: `wait=${wait}` } })
const asNew = {
  balanceMicrodollars: 0,
  heldMicrodollars: 0,
  availableMicrodollars: 0,
  autoTopUp: { enabled: false, amountMicrodollars: 0, paymentMethodId: null },
}

/** Two plans, one of them ended and its slot taken by a key of one's own; a wish, a top-up, credits left. */
const settledIn = async () => {
  const [ended, live, wanted] = [
    await openShop(house, { price: 10 * USD }),
    await openShop(house, { price: 10 * USD }),
    await openShop(house, { price: 10 * USD, keys: 0 }),
  ]
  const client = await someone(house, 25 * USD)
  const { id } = (await buy(client, ended.planId)).body.subscription
  await client(`POST /subscriptions/${id}/cancel`, { body: { when: 'now' } })
  await client(`PUT /slots/${ended.providerId}`, { body: { key: 'my-own-key-1234' } })
  const bought = await buy(client, live.planId)
  await client(`PUT /plans/${wanted.planId}/restock-wish`)
  await client('PUT /credits/auto-top-up', {
    body: { enabled: true, amountMicrodollars: 5 * USD, paymentMethodId: 'pm_ok' },
  })
  return { client, ended, live, wanted, subscriptionId: bought.body.subscription.id as string }
}

test('GDP-1: everything ends at once; the report says what; nothing but the ledger is left', async () => {
  const { client, live, ended, wanted, subscriptionId } = await settledIn()
  const answer = await remove(client)
  expect(answer.status).toBe(202)
  expect(answer.body).toMatchObject({
    kind: 'delete_account',
    status: 'succeeded',
    result: {
      endedSubscriptions: 1,
      unlinkedKeys: 2,
      // The plan's own was emptied by its end.
      removedSlots: 1,
      forgottenWishes: 1,
      remainingCreditsMicrodollars: 5 * USD,
    },
  })
  expect(answer.headers.get('location')).toBe(`/v1/operations/${answer.body.id}`)
  for (const path of ['subscriptions', 'credits/entries', 'slots', 'notifications'])
    expect([path, (await client(`GET /${path}`)).body.data]).toEqual([path, []])
  expect((await client('GET /credits')).body).toEqual(asNew)
  expect((await client(`GET /subscriptions/${subscriptionId}`)).status).toBe(404)
  for (const { planId } of [live, ended]) {
    const { data } = (await house.admin(`GET /admin/inventory/keys?planId=${planId}&state=assigned`)).body
    expect(data).toMatchObject([{ state: 'assigned', subscriptionId: null }])
  }
  expect((await house.admin(`GET /admin/inventory?planId=${wanted.planId}`)).body.data[0].waiting).toBe(0)
})

test('PER-1: for ever after every command is 403; a deletion asked for again is the first one’s operation', async () => {
  const { client, live, ended } = await settledIn()
  const first = await remove(client)
  await advance(house, { by: 'P40D' })
  const body = { planId: live.planId }
  const commands = [
    client('POST /subscriptions', { body, key: newKey() }),
    client('POST /subscriptions/x/cancel'),
    client(`PUT /slots/${ended.providerId}`, { body: { key: 'again' } }),
    client(`DELETE /slots/${ended.providerId}`),
    client(`POST /slots/${ended.providerId}/reveal`),
    client(`PUT /plans/${live.planId}/restock-wish`),
    client('PUT /credits/auto-top-up', { body: { enabled: false } }),
    house.admin(`POST /admin/users/${client.user}/credits`, {
      body: { amountMicrodollars: USD, kind: 'grant', reason: 'late' },
      key: newKey(),
    }),
  ]
  for (const command of commands) {
    const { status, body } = await command
    expect([status, body.code]).toEqual([403, 'account_deleted'])
  }
  expect((await client('POST /subscriptions', { body: {}, key: newKey() })).status).toBe(400)
  expect((await client('POST /subscriptions', { body })).body.code).toBe('idempotency_key_required')
  for (const again of [await remove(client), await house.admin(`DELETE /admin/users/${client.user}`)]) {
    expect([again.status, again.body.id]).toEqual([202, first.body.id])
    expect(again.body.result).toEqual(first.body.result)
  }
  expect((await client(`GET /operations/${first.body.id}`)).body.result).toEqual(first.body.result)
})

test('GDP-1: by an operator, who reads the report; the user may read it too; a user nobody knows is deleted as well', async () => {
  const client = await someone(house, 3 * USD)
  const answer = await house.admin(`DELETE /admin/users/${client.user}`, { headers: { prefer: 'wait=30' } })
  expect(answer.body).toMatchObject({ status: 'succeeded', result: { remainingCreditsMicrodollars: 3 * USD } })
  expect((await client(`GET /operations/${answer.body.id}`)).status).toBe(200)
  expect((await (await someone(house))(`GET /operations/${answer.body.id}`)).status).toBe(404)
  const stranger = await someone(house)
  expect((await remove(stranger)).body).toMatchObject({ status: 'succeeded', result: { endedSubscriptions: 0 } })
  const { data } = (await house.admin('GET /admin/audit?limit=5')).body
  expect(data).toContainEqual(expect.objectContaining({ action: 'account.delete', target: client.user }))
})

test('GDP-1: twenty deletions during purchases in flight: each is paid or given back, and nothing is left', async () => {
  const { planId } = await openShop(house, { price: 10 * USD, keys: 20 })
  await Promise.all(
    Array.from({ length: 20 }, async (_, n) => {
      const client = await someone(house, 30 * USD)
      const buying = buy(client, planId)
      await new Promise((resolve) => setTimeout(resolve, n * 8))
      const deleted = await remove(client)
      const bought = await buying
      expect(deleted.body.status).toBe('succeeded')
      expect([201, 403]).toContain(bought.status)
      const { endedSubscriptions, remainingCreditsMicrodollars } = deleted.body.result
      expect(remainingCreditsMicrodollars).toBe(endedSubscriptions === 1 ? 20 * USD : 30 * USD)
      for (const path of ['subscriptions', 'slots']) expect((await client(`GET /${path}`)).body.data).toEqual([])
    }),
  )
  await advance(house, { by: 'P40D' })
  const { counts } = (await house.admin(`GET /admin/inventory?planId=${planId}`)).body.data[0]
  expect(counts.available + counts.assigned).toBe(20)
})

const paymentsUnderWay = async () => {
  const headers = { authorization: `Bearer ${house.stack.secrets.INTERNAL_SECRET}` }
  const ledgers = house.stack.services.filter(({ service }) => service === 'credits-ledger')
  const open = await Promise.all(
    ledgers.map(
      async ({ url }) => (await (await fetch(`${url}/internal/open`, { headers })).json()) as { calls: number },
    ),
  )
  return open.reduce((sum, { calls }) => sum + calls, 0)
}

test('GDP-1: with a top-up awaited, in grace, or asked for twice at once, a deletion is never held up', async () => {
  const { planId } = await openShop(house, { price: 10 * USD, more: { graceHours: 48 } })
  const graced = await someone(house, 10 * USD)
  await buy(graced, planId)
  const awaited = await someone(house, 10 * USD)
  await awaited('PUT /credits/auto-top-up', {
    body: { enabled: true, amountMicrodollars: 5 * USD, paymentMethodId: 'pm_slow' },
  })
  const { subscription } = (await buy(awaited, planId)).body
  await house.admin('POST /admin/clock/advance', {
    body: { to: subscription.currentPeriodEnd },
    headers: { prefer: 'wait=0' },
  })
  await eventually(paymentsUnderWay, (calls) => calls > 0)
  const inGrace = async () => {
    await eventually(
      async () => (await graced('GET /subscriptions')).body.data[0].status,
      (status) => status === 'past_due',
    )
    return remove(graced)
  }
  // First: the money is only two seconds on its way.
  const answers = await Promise.all([remove(awaited), remove(awaited), inGrace()])
  for (const { body } of answers) expect(body).toMatchObject({ status: 'succeeded', result: { endedSubscriptions: 1 } })
  // The money that was on its way comes later, and is returned: nothing of it is credited.
  await advance(house, { by: 'PT1H' })
  const paid = await eventually(
    async () => {
      const answer = await fetch(`${house.stack.paymentsUrl}/charges?userId=${awaited.user}`)
      return ((await answer.json()) as { data: { returned: boolean }[] }).data
    },
    (charges) => charges.every(({ returned }) => returned),
  )
  expect(paid.length).toBeLessThanOrEqual(1)
  expect((await awaited('GET /credits')).body).toEqual(asNew)
  await expect(grant(house, awaited.user, USD)).rejects.toThrow('403')
})
