import { type Heard, Listener } from '@coding-plans/runtime/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buy, type Client, eventually, type House, openHouse, openShop, USD } from './house.ts'
import { advance, advanceTo, DAY, HOUR, type Someone, someone, subscriptionOf } from './life.ts'

// What a model gateway sees that knows nothing of us but the topic (SLT-4).

let house: House
let topic: Listener
beforeAll(async () => {
  house = await openHouse()
  topic = await new Listener(house.stack.servers).open(['key-inventory.entitlements'])
})
afterAll(async () => {
  await topic?.close()
  await house?.close()
})

interface Entitlement {
  readonly managedBy: 'none' | 'user' | 'plan'
  readonly keyReference: string | null
  readonly subscriptionId: string | null
  readonly enabled: boolean
  readonly validUntil: number | null
  readonly version: number
}

/** All records of one user and provider, each version once, in their order; with the business time they were said at. */
const historyOf = ({ user }: Someone, providerId: string) => {
  const records = topic.heard.filter(({ key }) => key === `${user}|${providerId}`)
  const byVersion = new Map<number, Heard>(records.map((record) => [record.body.version, record]))
  return [...byVersion.values()]
    .toSorted((a, b) => a.body.version - b.body.version)
    .map(({ body, headers }) => ({ ...(body as Entitlement), at: Date.parse(headers.ce_time ?? '') }))
}
const presentOf = (client: Someone, providerId: string) => historyOf(client, providerId).at(-1)
const becomes = (client: Someone, providerId: string, expected: Partial<Entitlement>) =>
  eventually(
    async () => presentOf(client, providerId),
    (seen) => seen !== undefined && Object.entries(expected).every(([name, value]) => seen[name as never] === value),
  )

const subscribed = async ({ credits = 10, graceHours = 0 } = {}) => {
  const { planId, providerId } = await openShop(house, { price: USD, more: { graceHours } })
  const client = await someone(house, credits * USD)
  const { subscription } = (await buy(client, planId)).body
  const end = Date.parse(subscription.currentPeriodEnd)
  return { client, providerId, planId, id: subscription.id as string, end }
}
const cancel = (client: Client, id: string, when?: 'now') =>
  client(`POST /subscriptions/${id}/cancel`, when ? { body: { when } } : {})

test('SLT-4: a paying user is never cut off: each record holds an hour beyond the boundary at which it renews', async () => {
  const { client, providerId, id, end } = await subscribed()
  const first = await becomes(client, providerId, { managedBy: 'plan', validUntil: end + HOUR })
  expect(first).toMatchObject({ subscriptionId: id, enabled: true, keyReference: expect.stringMatching(/\S/) })
  await advance(house, { by: 'P3M' })
  const { currentPeriodEnd } = await subscriptionOf(client, id)
  await becomes(client, providerId, { validUntil: Date.parse(currentPeriodEnd) + HOUR })
  const history = historyOf(client, providerId)
  expect(history).toHaveLength(4)
  for (const [place, next] of history.entries()) {
    const before = history[place - 1]
    // Valid until after the instant at which the next one was said, and the same key all along.
    if (before)
      expect([(before.validUntil as number) > next.at, before.keyReference]).toEqual([true, next.keyReference])
  }
})

test('CAN-3: what is flagged holds to its end and no further; resumed, it renews again; ended, it is withdrawn', async () => {
  const { client, providerId, id, end } = await subscribed()
  await cancel(client, id)
  await becomes(client, providerId, { validUntil: end })
  await client(`POST /subscriptions/${id}/resume`)
  await becomes(client, providerId, { validUntil: end + HOUR })
  await cancel(client, id)
  await becomes(client, providerId, { validUntil: end })
  await advanceTo(house, end)
  const gone = await becomes(client, providerId, { managedBy: 'none' })
  expect(gone).toMatchObject({ keyReference: null, subscriptionId: null, enabled: false })
  for (const { validUntil, managedBy } of historyOf(client, providerId).slice(-2))
    if (managedBy === 'plan') expect(validUntil).toBeLessThanOrEqual(end)
})

test('CAN-3: past due it holds until the end of the grace, exactly; recovered, it holds on', async () => {
  const { client, providerId, id, end } = await subscribed({ credits: 1, graceHours: 48 })
  await becomes(client, providerId, { validUntil: end + 2 * DAY })
  await advanceTo(house, end)
  await becomes(client, providerId, { validUntil: end + 2 * DAY, managedBy: 'plan' })
  await advanceTo(house, end + 2 * DAY)
  await becomes(client, providerId, { managedBy: 'none' })
  expect((await subscriptionOf(client, id)).endReason).toBe('insufficient_credits')
})

test('TOP-2, SLT-4: while a top-up is awaited access lasts to the end of the wait', async () => {
  const { client, providerId, end } = await subscribed({ credits: 1 })
  await client('PUT /credits/auto-top-up', {
    body: { enabled: true, amountMicrodollars: USD, paymentMethodId: 'pm_never' },
  })
  await advanceTo(house, end)
  const present = presentOf(client, providerId)
  expect(present?.managedBy).toBe('plan')
  expect(present?.validUntil).toBeGreaterThanOrEqual(end + HOUR)
})

test('SLT-4: canceled now, by whomever, it is withdrawn before the end is said: whoever reads after that sees none', async () => {
  const ended = [await subscribed(), await subscribed(), await subscribed()]
  const [one, two, three] = ended as [(typeof ended)[0], (typeof ended)[0], (typeof ended)[0]]
  await cancel(one.client, one.id, 'now')
  await house.admin(`POST /admin/subscriptions/${two.id}/terminate`, { body: { reason: 'x', refund: 'full' } })
  await three.client('DELETE /me')
  const stranger = await new Listener(house.stack.servers).open(['key-inventory.entitlements'])
  try {
    for (const { client, providerId } of ended) {
      const key = `${client.user}|${providerId}`
      await stranger.until((record) => record.key === key, historyOf(client, providerId).length)
      await stranger.until((record) => record.key === key && record.body.managedBy === 'none')
    }
  } finally {
    await stranger.close()
  }
})

test('SLT-4: a key of one’s own is the user’s, without an end; disabled and deleted are told', async () => {
  const { client, providerId, id } = await subscribed()
  await cancel(client, id, 'now')
  await client(`PUT /slots/${providerId}`, { body: { key: 'my-own-key' } })
  const own = await becomes(client, providerId, { managedBy: 'user', enabled: true, validUntil: null })
  expect(JSON.stringify(own)).not.toContain('my-own-key')
  await client(`PATCH /slots/${providerId}`, { body: { enabled: false } })
  await becomes(client, providerId, { managedBy: 'user', enabled: false })
  await client(`DELETE /slots/${providerId}`)
  await becomes(client, providerId, { managedBy: 'none' })
  const versions = historyOf(client, providerId).map(({ version }) => version)
  expect(versions).toEqual(versions.map((_, place) => place + (versions[0] as number)))
})
