import { afterAll, beforeAll, expect, test } from 'vitest'
import { buy, type House, moneyOf, newKey, openHouse, openShop, USD } from './house.ts'
import { advance, chargesOf, DAY, iso, kindsTold, nowOf, type Someone, someone, subscriptionOf } from './life.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house?.close())

const subscribed = async ({ credits = 100, price = 10, more = {}, keys = 10 } = {}) => {
  const shop = await openShop(house, { price: price * USD, period: { unit: 'day', count: 30 }, more, keys })
  const client = await someone(house, credits * USD)
  const { subscription } = (await buy(client, shop.planId)).body
  return { ...shop, client, id: subscription.id as string, end: subscription.currentPeriodEnd as string }
}
const cancel = (client: Someone, id: string, when?: 'now') =>
  client(`POST /subscriptions/${id}/cancel`, when ? { body: { when } } : {})
const byOperator = (what: string, id: string, body: object) =>
  house.admin(`POST /admin/subscriptions/${id}/${what}`, { body })
/** Money and charges say the same: nothing was charged that is not a term, nothing held. */
const chargedTerms = async (client: Someone, id: string) => {
  const { entries, sum, balanceMicrodollars, heldMicrodollars } = await moneyOf(client)
  expect([sum, heldMicrodollars]).toEqual([balanceMicrodollars, 0])
  const paid = entries.filter(
    ({ kind, subscriptionId }: { kind: string; subscriptionId: string }) => kind === 'charge' && subscriptionId === id,
  )
  const terms = (await chargesOf(client, id)).filter(({ kind }) => kind !== 'refund')
  expect(paid).toHaveLength(terms.length)
  return terms.length
}

test('CAN-1: flagged twice is harmless; resumed it renews; a resumption of what is not flagged changes nothing', async () => {
  const { client, id, end } = await subscribed()
  for (const _ of [1, 2])
    expect((await cancel(client, id)).body).toMatchObject({ cancelAtPeriodEnd: true, renewsAt: null, accessUntil: end })
  expect((await client(`POST /subscriptions/${id}/resume`)).body).toMatchObject({
    cancelAtPeriodEnd: false,
    renewsAt: end,
  })
  expect((await client(`POST /subscriptions/${id}/resume`)).status).toBe(200)
  await advance(house, { to: end })
  expect(await chargedTerms(client, id)).toBe(2)
  expect(await kindsTold(client)).toEqual([
    'activated',
    'cancellation_scheduled',
    'cancellation_undone',
    'renewing_soon',
    'renewed',
  ])
})

test('CAN-1: an operator’s cancellation is undone by the user’s resumption, or extension; who wants it final terminates', async () => {
  const { client, id, planId, end } = await subscribed()
  expect((await byOperator('cancel', id, { reason: 'misuse' })).body).toMatchObject({ cancelAtPeriodEnd: true })
  expect((await client(`POST /subscriptions/${id}/resume`)).body).toMatchObject({ cancelAtPeriodEnd: false })
  await byOperator('cancel', id, { reason: 'misuse' })
  expect((await buy(client, planId)).body).toMatchObject({
    kind: 'extension',
    subscription: { cancelAtPeriodEnd: false },
  })
  await byOperator('cancel', id, { reason: 'misuse' })
  await advance(house, { by: 'P61D' })
  const ended = await subscriptionOf(client, id)
  expect(ended).toMatchObject({
    status: 'ended',
    endReason: 'admin_terminated',
    endedAt: iso(Date.parse(end) + 30 * DAY),
  })
  expect((await byOperator('cancel', id, { reason: 'late' })).body.code).toBe('not_cancelable')
})

test('EXT-2: an extension clears a cancellation that came before it; up to the cap, counted in terms that are not over', async () => {
  const { client, id, planId } = await subscribed({ more: { maxPrepaidPeriods: 3 } })
  await cancel(client, id)
  expect((await buy(client, planId)).body.subscription.cancelAtPeriodEnd).toBe(false)
  expect((await buy(client, planId)).status).toBe(201)
  expect((await buy(client, planId)).body.code).toBe('prepaid_limit')
  await advance(house, { by: 'P30D' })
  expect((await buy(client, planId)).status).toBe(201)
  expect(await chargedTerms(client, id)).toBe(4)
})

test('EXT-3: twenty extensions at once on an active plan are one', async () => {
  const { client, id, planId, end } = await subscribed()
  const answers = await Promise.all(Array.from({ length: 20 }, () => buy(client, planId)))
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
  for (const { status, body } of answers) if (status !== 201) expect(body.code).toBe('purchase_in_progress')
  expect((await subscriptionOf(client, id)).currentPeriodEnd).toBe(iso(Date.parse(end) + 30 * DAY))
  expect(await chargedTerms(client, id)).toBe(2)
})

test('EXT-4: an extension against cancel now, 50 times: never charged on a dead subscription', async () => {
  const shop = await openShop(house, { price: 10 * USD, keys: 50 })
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, async (_, n) => {
      const client = await someone(house, 30 * USD)
      const { id } = (await buy(client, shop.planId)).body.subscription
      const [first, second] = n % 2 ? [0, 1] : [1, 0]
      const wait = (turn: number) => new Promise((resolve) => setTimeout(resolve, turn * (n % 5) * 4))
      const [extended, canceled] = await Promise.all([
        wait(first).then(() => buy(client, shop.planId)),
        wait(second).then(() => cancel(client, id, 'now')),
      ])
      return { client, id, extended, canceled }
    }),
  )
  for (const { client, id, extended, canceled } of outcomes) {
    expect([canceled.status, canceled.body.status]).toEqual([200, 'ended'])
    expect(await chargedTerms(client, id)).toBe(extended.status === 201 ? 2 : 1)
    if (extended.status !== 201) expect(extended.body.code).toBe('purchase_in_progress')
    expect((await client('GET /slots')).body.data).toEqual([])
  }
})

test('REA-1: buy, end, buy, end, buy within a minute: new episodes with fresh keys, each pointing at the one before', async () => {
  const { client, planId, providerId, id } = await subscribed({ keys: 3 })
  const keys = [(await client(`POST /slots/${providerId}/reveal`)).body.key]
  let previous = id
  for (const _ of [1, 2]) {
    await cancel(client, previous, 'now')
    const { subscription } = (await buy(client, planId)).body
    expect(subscription).toMatchObject({ previousSubscriptionId: previous, status: 'active' })
    previous = subscription.id
    keys.push((await client(`POST /slots/${providerId}/reveal`)).body.key)
  }
  expect(new Set(keys).size).toBe(3)
  expect((await client('GET /subscriptions')).body.data.map(({ status }: { status: string }) => status)).toEqual([
    'active',
    'ended',
    'ended',
  ])
  expect(await chargedTerms(client, id)).toBe(1)
})

test('REA-2: an own key that was added after the end blocks the purchase, and stays byte for byte', async () => {
  const { client, planId, providerId, id } = await subscribed()
  await cancel(client, id, 'now')
  const own = ' own-key-äöü-🔑 '
  await client(`PUT /slots/${providerId}`, { body: { key: own } })
  expect((await buy(client, planId)).body.code).toBe('slot_occupied')
  await advance(house, { by: 'P31D' })
  expect((await client(`POST /slots/${providerId}/reveal`)).body.key).toBe(own.trim())
  expect(await chargedTerms(client, id)).toBe(1)
})

test('IDE-2: the key of a purchase answers the same for ever, also after its subscription ended', async () => {
  const { planId } = await openShop(house, { price: 10 * USD })
  const client = await someone(house, 100 * USD)
  const key = newKey()
  const first = await buy(client, planId, { key })
  await cancel(client, first.body.subscription.id, 'now')
  const again = await buy(client, planId, { key })
  expect([again.status, again.headers.get('idempotency-replayed'), again.body]).toEqual([201, 'true', first.body])
  expect((await client('GET /subscriptions')).body.data).toHaveLength(1)
  expect(await chargedTerms(client, first.body.subscription.id)).toBe(1)
})

test('CAN-2: an operator ends it at once and gives back nothing, the unserved part, or all, as an entry of its own', async () => {
  for (const [refund, given] of [
    ['none', 0],
    ['prorated', 15],
    ['full', 20],
  ] as const) {
    const { client, id, planId } = await subscribed({ more: { priceMicrodollars: 10 * USD } })
    await buy(client, planId)
    await advance(house, { by: 'P15D' })
    const cause = refund === 'full' ? { cause: 'dispute' } : {}
    const ended = await byOperator('terminate', id, { reason: 'because', refund, ...cause })
    expect(ended.body).toMatchObject({
      status: 'ended',
      endedAt: iso(await nowOf(house)),
      endReason: refund === 'full' ? 'dispute' : 'admin_terminated',
    })
    const { entries } = await moneyOf(client)
    const refunds = entries.filter(({ kind }: { kind: string }) => kind === 'refund')
    expect(refunds.map(({ amountMicrodollars }: { amountMicrodollars: number }) => amountMicrodollars)).toEqual(
      given === 0 ? [] : [given * USD],
    )
    expect((await chargesOf(client, id)).filter(({ kind }) => kind === 'refund')).toHaveLength(given === 0 ? 0 : 1)
    await chargedTerms(client, id)
    expect((await byOperator('terminate', id, { reason: 'again', refund })).body.code).toBe('not_cancelable')
  }
})

test('CAN-4: a dispute ends only the subscription it pays for; each reason is stored and shown', async () => {
  const { client, id, planId } = await subscribed()
  const { planId: other } = await openShop(house, { price: 10 * USD })
  const { id: kept } = (await buy(client, other)).body.subscription
  await byOperator('terminate', id, { reason: 'chargeback 17', refund: 'none', cause: 'dispute' })
  const { id: again } = (await buy(client, planId)).body.subscription
  await cancel(client, again, 'now')
  const reasons = (await client('GET /subscriptions')).body.data.map((one: Record<string, string>) => [
    one.id,
    one.endReason,
  ])
  expect(reasons).toEqual([
    [again, 'user_canceled'],
    [kept, null],
    [id, 'dispute'],
  ])
  expect((await client('GET /notifications')).body.data).toContainEqual(
    expect.objectContaining({
      kind: 'ended',
      subscriptionId: id,
      data: expect.objectContaining({ endReason: 'dispute' }),
    }),
  )
})

test('AUD-1: what operators did to a subscription is in the audit, with the reason', async () => {
  const { id } = await subscribed()
  await byOperator('cancel', id, { reason: 'reason one' })
  await house.admin(`POST /admin/subscriptions/${id}/grant-days`, {
    body: { days: 2, reason: 'reason two' },
    key: newKey(),
  })
  await byOperator('terminate', id, { reason: 'reason three', refund: 'none' })
  const { data } = (await house.admin('GET /admin/audit?limit=20')).body
  const said = data.filter(({ target }: { target: string }) => target === id)
  expect(said.map(({ action, reason, actor }: Record<string, string>) => [action, reason, actor])).toEqual([
    ['subscription.terminate', 'reason three', 'admin-1'],
    ['subscription.grant_days', 'reason two', 'admin-1'],
    ['subscription.cancel', 'reason one', 'admin-1'],
  ])
})

test('INV-9, SLT-3: what must be revoked by hand waits in a queue: failed with its reason, tried anew, done', async () => {
  const credentialPolicy = { ownership: 'operator', reveal: false, upstreamRevocation: 'manual' }
  const { client, id, planId, secrets } = await subscribed({ more: { credentialPolicy } })
  await cancel(client, id, 'now')
  const list = async (state: string) =>
    (await house.admin(`GET /admin/inventory/keys?planId=${planId}&state=${state}`)).body.data
  const [pending] = await list('revocation_pending')
  expect(pending).toMatchObject({ subscriptionId: id, attempts: 0, lastError: null })
  const settle = (outcome: string, reason?: string, key = newKey()) =>
    house.admin(`POST /admin/inventory/keys/${pending.id}/revocation`, {
      body: { outcome, ...(reason ? { reason } : {}) },
      key,
    })
  expect((await settle('failed', `vendor said no to ${secrets[0]}`)).status).toBe(200)
  const [failed] = await list('revocation_failed')
  expect(failed).toMatchObject({ id: pending.id, attempts: 1, lastError: expect.stringContaining('vendor said no') })
  expect(JSON.stringify(failed)).not.toContain(secrets[0])
  expect((await settle('failed', 'again')).body.code).toBe('revocation_state')
  expect((await settle('requeue')).status).toBe(200)
  const key = newKey()
  const answers = await Promise.all([settle('done', undefined, key), settle('done', undefined, key)])
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
  expect(await list('revoked')).toHaveLength(1)
  expect((await settle('requeue')).body.code).toBe('revocation_state')
  const nowhere = await house.admin('POST /admin/inventory/keys/nowhere/revocation', {
    body: { outcome: 'done' },
    key: newKey(),
  })
  expect(nowhere.status).toBe(404)
})
