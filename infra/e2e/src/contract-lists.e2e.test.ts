import { afterAll, beforeAll, expect, test } from 'vitest'
import * as shape from './contract.ts'
import { expectRefusal, expectShape, INSTANT, type ShapeOf, watched, watchedUser } from './contract.ts'
import { buy, type Client, fresh, grant, type House, newKey, openHouse, openShop, USD, uploadKeys } from './house.ts'

let house: House
let admin: Client
beforeAll(async () => {
  house = await openHouse()
  admin = watched(house.admin)
})
afterAll(() => house?.close())

const DAY = 86_400_000
const someone = async (credits = 0, name = 'user'): Promise<Client & { user: string }> => {
  const user = fresh(name)
  if (credits > 0) await grant(house, user, credits)
  return Object.assign(await watchedUser(house, user), { user })
}
const advance = (body: object) => admin('POST /admin/clock/advance', { body, headers: { prefer: 'wait=30' } })
const clockNow = async () => Date.parse((await admin('GET /admin/clock')).body.now)
const idsOf = (rows: readonly { id: string }[]) => rows.map(({ id }) => id)

interface Page {
  // biome-ignore lint/suspicious/noExplicitAny: rows of any list
  readonly rows: any[]
  readonly pages: number
}
/** The whole list by its cursor; `between` runs after the first page. */
const walk = async (client: Client, path: string, limit: number, between?: () => Promise<unknown>): Promise<Page> => {
  const rows: unknown[] = []
  let cursor: string | null = null
  for (let pages = 1; pages < 200; pages += 1) {
    const more: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const { status, body } = await client(`GET ${path}${path.includes('?') ? '&' : '?'}limit=${limit}${more}`)
    expect(status).toBe(200)
    expect(body.data.length).toBeLessThanOrEqual(limit)
    rows.push(...body.data)
    if (body.nextCursor === null) return { rows, pages }
    expect(typeof body.nextCursor).toBe('string')
    cursor = body.nextCursor
    if (pages === 1) await between?.()
  }
  throw new Error(`${path} does not end`)
}

/** A user with three episodes, three charges on the last, and a statement of 30 lines and more. */
const richUser = async () => {
  const shop = await openShop(house, { keys: 4, price: USD })
  const client = await someone()
  for (let n = 1; n <= 28; n += 1) await grant(house, client.user, n * USD, n % 2 === 0 ? 'grant' : 'payment')
  for (let n = 0; n < 2; n += 1) {
    const { body } = await buy(client, shop.planId)
    await client(`POST /subscriptions/${body.subscription.id}/cancel`, { body: { when: 'now' } })
  }
  const { body: first } = await buy(client, shop.planId)
  await buy(client, shop.planId)
  const { body: last } = await buy(client, shop.planId)
  return { ...shop, client, user: client.user, id: first.subscription.id as string, last: last.subscription }
}
let rich: Awaited<ReturnType<typeof richUser>>
beforeAll(async () => {
  rich = await richUser()
})

const lists = () => ({
  '/subscriptions': rich.client,
  [`/subscriptions/${rich.id}/charges`]: rich.client,
  '/credits/entries': rich.client,
  [`/admin/users/${rich.user}/credits/entries`]: admin,
  [`/admin/users/${rich.user}/subscriptions`]: admin,
  [`/admin/subscriptions/${rich.id}/charges`]: admin,
  [`/admin/subscriptions?q=${rich.user}`]: admin,
  [`/admin/inventory/keys?planId=${rich.planId}`]: admin,
  '/admin/audit': admin,
  [`/admin/plans/${rich.planId}/versions`]: admin,
})

test('HIS-1: every list: 25 by default, 1 to 100 asked, a bad limit or cursor is refused', async () => {
  for (const [path, client] of Object.entries(lists())) {
    const ask = (query: string) => client(`GET ${path}${path.includes('?') ? '&' : '?'}${query}`)
    for (const limit of ['0', '101', '-1', '1.5', 'x', '', '1e1', '99999999999999999999', '1&limit=2'])
      expectRefusal(await ask(`limit=${limit}`), 400, 'invalid_request')
    const foreign = Buffer.from('["a","b","c"]').toString('base64url')
    for (const cursor of ['x', 'AAAA', '%00', '', 'null', foreign, 'x'.repeat(600)])
      expectRefusal(await ask(`cursor=${cursor}`), 400, 'invalid_request')
    for (const limit of [1, 100]) expect((await ask(`limit=${limit}`)).status).toBe(200)
    expect((await client(`GET ${path}`)).body.data.length).toBeLessThanOrEqual(25)
  }
  const { body } = await rich.client('GET /credits/entries')
  expect(body.data).toHaveLength(25)
  expect(typeof body.nextCursor).toBe('string')
})

test('HIS-1: page by page is the whole, each row once, also at equal instants', async () => {
  const expected: Record<string, number> = {
    '/credits/entries': 33,
    '/subscriptions': 3,
    [`/subscriptions/${rich.id}/charges`]: 3,
  }
  for (const [path, client] of Object.entries(lists()).filter(([path]) => path !== '/admin/audit')) {
    const whole = await walk(client, path, 100)
    const small = await walk(client, path, path.includes('entries') ? 7 : 1)
    expect(small.rows, path).toEqual(whole.rows)
    if (expected[path]) expect(small.rows, path).toHaveLength(expected[path])
    const names = whole.rows.map((row) => row.id ?? row.version)
    expect(new Set(names).size, path).toBe(names.length)
  }
  // An exact fit has no further page.
  expect((await walk(rich.client, '/subscriptions', 3)).pages).toBe(1)
})

test('HIS-1: newest first; at equal instants the one written later first', async () => {
  const { rows: entries } = await walk(rich.client, '/credits/entries', 100)
  const amounts = entries.map(({ amountMicrodollars }) => amountMicrodollars / USD)
  expect(amounts).toEqual([...Array(5).fill(-1), ...Array.from({ length: 28 }, (_, n) => 28 - n)])
  for (const [n, { amountMicrodollars, balanceAfterMicrodollars }] of entries.entries())
    expect(balanceAfterMicrodollars).toBe(amountMicrodollars + (entries[n + 1]?.balanceAfterMicrodollars ?? 0))
  const { rows: episodes } = await walk(rich.client, '/subscriptions', 100)
  expect(episodes.map(({ status }) => status)).toEqual(['active', 'ended', 'ended'])
  expect(episodes.map(({ previousSubscriptionId }) => previousSubscriptionId)).toEqual([
    ...idsOf(episodes.slice(1)),
    null,
  ])
  const { rows: charges } = await walk(rich.client, `/subscriptions/${rich.id}/charges`, 100)
  expect(charges.map(({ kind }) => kind)).toEqual(['extension', 'extension', 'activation'])
  expect(charges[0].periodEnd).toBe(rich.last.currentPeriodEnd)
  const { rows: audit } = await walk(admin, '/admin/audit', 100)
  const times = audit.map(({ at }) => at)
  expect(times).toEqual([...times].sort().reverse())
})

test('Lists: a cursor is stable while rows are added', async () => {
  const client = await someone()
  for (let n = 1; n <= 6; n += 1) await grant(house, client.user, n)
  const { rows: before } = await walk(client, '/credits/entries', 100)
  const add = () => Promise.all([7, 8, 9].map((n) => grant(house, client.user, n)))
  const { rows } = await walk(client, '/credits/entries', 2, add)
  expect(rows).toEqual(before)
  const { planId } = await openShop(house, { keys: 6 })
  const keys = `/admin/inventory/keys?planId=${planId}`
  const { rows: keysBefore } = await walk(admin, keys, 100)
  expect((await walk(admin, keys, 2, () => uploadKeys(house, planId, 5))).rows).toEqual(keysBefore)
  const seen = await walk(admin, '/admin/audit', 100)
  const again = await walk(admin, '/admin/audit', 50, () => grant(house, client.user, 1))
  expect(again.rows).toEqual(seen.rows)
})

test('Shapes: every row has the contract’s fields, with their types', async () => {
  const { user, planId, providerId, id, client } = rich
  await someone(USD)
  const rows: readonly (readonly [Client, string, ShapeOf])[] = [
    [client, '/plans', shape.plan],
    [client, '/subscriptions', shape.subscription],
    [client, `/subscriptions/${id}/charges`, shape.charge],
    [client, '/slots', shape.slot],
    [client, '/credits/entries', shape.entry],
    [admin, '/admin/plans', shape.operatorPlan],
    [
      admin,
      `/admin/plans/${planId}/versions`,
      { version: shape.count, priceMicrodollars: shape.count, publishedBy: shape.text },
    ],
    [admin, `/admin/inventory/keys?planId=${planId}`, shape.inventoryKey],
    [admin, `/admin/users/${user}/slots`, shape.slot],
    [admin, '/admin/subscriptions', shape.subscription],
    [admin, '/admin/audit', { id: shape.text, at: shape.instant }],
  ]
  for (const [who, path, expected] of rows) {
    const { body } = await who(`GET ${path}`)
    expect(Object.keys(body).sort(), path).toEqual(['data', 'nextCursor'])
    expect(body.data.length, path).toBeGreaterThan(0)
    for (const row of body.data) expectShape(expected, row)
  }
  expectShape(shape.credits, (await client('GET /credits')).body)
  expectShape(shape.clock, (await admin('GET /admin/clock')).body)
  const { body } = await admin(`GET /admin/inventory?planId=${planId}`)
  expect(body.data).toEqual([
    {
      planId,
      providerId,
      counts: {
        available: 1,
        quarantined: 0,
        assigned: 3,
        revocation_pending: 0,
        revoked: 0,
        revocation_failed: 0,
        retired: 0,
      },
      waiting: 0,
    },
  ])
  const { body: first } = await buy(await someone(USD), (await openShop(house, { price: USD })).planId)
  expectShape(shape.purchase, first)
})

test('INV-6: keys by state; who reads them sees no secret', async () => {
  const keys = async (query: string) =>
    (await admin(`GET /admin/inventory/keys?planId=${rich.planId}${query}`)).body.data
  const assigned = await keys('&state=assigned')
  expect(assigned).toHaveLength(3)
  expect(assigned[0]).toMatchObject({ subscriptionId: rich.id, assignedAt: expect.stringMatching(INSTANT) })
  expect(await keys('&state=available')).toMatchObject([
    { assignedAt: null, subscriptionId: null, attempts: 0, lastError: null },
  ])
  expect(await keys('&state=revoked')).toEqual([])
  expectRefusal(await admin('GET /admin/inventory/keys?state=lost'), 400, 'invalid_request')
  const everything = JSON.stringify([await keys(''), (await admin('GET /admin/audit?limit=100')).body])
  for (const secret of rich.secrets) expect(everything).not.toContain(secret)
})

test('an operator sees what the user sees; nobody sees another’s', async () => {
  const { user, client, id } = rich
  const pairs = {
    '/credits': `/admin/users/${user}/credits`,
    '/credits/entries': `/admin/users/${user}/credits/entries`,
    '/slots': `/admin/users/${user}/slots`,
    '/subscriptions': `/admin/users/${user}/subscriptions`,
    [`/subscriptions/${id}`]: `/admin/subscriptions/${id}`,
    [`/subscriptions/${id}/charges`]: `/admin/subscriptions/${id}/charges`,
  }
  for (const [own, theirs] of Object.entries(pairs))
    expect((await admin(`GET ${theirs}`)).body).toEqual((await client(`GET ${own}`)).body)
  for (const path of [`/subscriptions/${id}`, `/subscriptions/${id}/charges`])
    expectRefusal(await admin(`GET ${path}`), 404, 'not_found')
  for (const path of ['/admin/subscriptions/nope', '/admin/subscriptions/nope/charges'])
    expectRefusal(await admin(`GET ${path}`), 404, 'not_found')
})

test('ADM-1: subscriptions by literal text and shown status', async () => {
  const { planId } = await openShop(house, { price: 0 })
  const odd = await someone(0, '100%_a\\b')
  const plain = await someone(0, '100xya-b')
  for (const client of [odd, plain]) await buy(client, planId)
  const search = async (q: string, more = '') =>
    (await admin(`GET /admin/subscriptions?q=${encodeURIComponent(q)}${more}`)).body.data.map(
      ({ userId }: { userId: string }) => userId,
    )
  expect(await search(odd.user)).toEqual([odd.user])
  expect(await search('100%_a\\b')).toEqual([odd.user])
  for (const q of ['100%a', '100__', 'x%', "'; --"]) expect(await search(q)).toEqual([])
  expect(await search(rich.user, '&status=ended')).toHaveLength(2)
  expect(await search(rich.user, '&status=active')).toHaveLength(1)
  expect(await search(rich.user, '&status=past_due')).toEqual([])
  for (const path of ['/subscriptions?status=gone', '/admin/subscriptions?status=gone', '/subscriptions?status='])
    expectRefusal(await admin(`GET ${path}`), 400, 'invalid_request')
  for (const [status, many] of [
    ['active', 1],
    ['ended', 2],
    ['past_due', 0],
  ] as const)
    expect((await rich.client(`GET /subscriptions?status=${status}`)).body.data).toHaveLength(many)
})

test('LED-6: the CSV is the whole statement, whatever the descriptions hold', async () => {
  const client = await someone()
  const reason = 'a "quoted", reason;\r\nwith lines, ümlaut 😀'
  for (let n = 1; n <= 27; n += 1) await grant(house, client.user, n)
  const body = { amountMicrodollars: -5, kind: 'adjustment', reason }
  await admin(`POST /admin/users/${client.user}/credits`, { body, key: newKey() })
  const csv = await client('GET /credits/entries', { headers: { accept: 'text/csv' } })
  expect(csv.status).toBe(200)
  expect(csv.headers.get('content-type')).toMatch(/^text\/csv/)
  const table = parseCsv(csv.body)
  const header = [
    'id',
    'at',
    'kind',
    'amountMicrodollars',
    'balanceAfterMicrodollars',
    'description',
    'subscriptionId',
    'chargeId',
  ]
  expect(table[0]).toEqual(header)
  const { rows } = await walk(client, '/credits/entries', 100)
  expect(table.slice(1)).toEqual(rows.map((row) => header.map((name) => String(row[name] ?? ''))))
  expect(rows).toHaveLength(28)
  expect(rows[0].description).toContain(reason)
  for (const accept of ['application/json', '*/*'])
    expect((await client('GET /credits/entries', { headers: { accept } })).body.data).toHaveLength(25)
})

/** RFC 4180. */
const parseCsv = (text: string): string[][] => {
  const cells = [...text.matchAll(/("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/g)]
  const table: string[][] = [[]]
  for (const [whole, cell = '', end] of cells) {
    if (whole === '') break
    table.at(-1)?.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell)
    if (end !== ',') table.push([])
  }
  return table.filter((row) => row.length > 0)
}

test('LED-6: the balance at any past instant, that instant included; never set is zero', async () => {
  const zero = { balanceMicrodollars: 0, heldMicrodollars: 0, availableMicrodollars: 0 }
  const client = await someone()
  expect((await client('GET /credits')).body).toMatchObject({
    ...zero,
    autoTopUp: { enabled: false, amountMicrodollars: 0, paymentMethodId: null },
  })
  await grant(house, client.user, 5 * USD)
  const at = await clockNow()
  await advance({ by: 'PT1S' })
  await grant(house, client.user, -2 * USD, 'adjustment')
  const balanceAt = async (instant: number) => {
    const text = new Date(instant).toISOString()
    const { body } = await client(`GET /credits?at=${text}`)
    expect((await admin(`GET /admin/users/${client.user}/credits?at=${text}`)).body).toEqual(body)
    return body.balanceMicrodollars
  }
  expect(await balanceAt(at - 1)).toBe(0)
  expect(await balanceAt(at)).toBe(5 * USD)
  expect(await balanceAt(at + 999)).toBe(5 * USD)
  expect(await balanceAt(at + 1000)).toBe(3 * USD)
  for (const bad of ['', 'now', '2026', '2026-13-01T00:00:00.000Z', '2026-02-30T00:00:00.000Z', '%00'])
    expectRefusal(await client(`GET /credits?at=${bad}`), 400, 'invalid_request')
})

test('clock: to, by days, hours and calendar months; backwards and nonsense are refused and move nothing', async () => {
  const client = await someone()
  expectRefusal(await client('GET /admin/clock'), 403, 'forbidden')
  const start = await clockNow()
  const bad = [
    {},
    { to: new Date(start - 1).toISOString() },
    { by: '-PT1S' },
    { by: 'P' },
    { by: 'PT' },
    { by: 'P1H' },
    { by: 'tomorrow' },
    { by: '' },
    { by: 5 },
    { by: 'a\u0000b' },
    { by: 'P999999999Y' },
    { to: 'tomorrow' },
    { to: 5 },
    { to: '2999-02-30T00:00:00.000Z' },
    { by: 'PT1S', to: new Date(start + 1000).toISOString() },
  ]
  for (const body of bad) expectRefusal(await advance(body), 400, 'invalid_request')
  expect(await clockNow()).toBe(start)
  const to = async (body: object) => {
    const answer = await advance(body)
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ mode: 'test', settled: true })
    return Date.parse(answer.body.now)
  }
  expect(await to({ to: new Date(start).toISOString() })).toBe(start)
  expect(await to({ by: 'PT0.001S' })).toBe(start + 1)
  expect(await to({ by: 'P1DT1H1M1S' })).toBe(start + 1 + DAY + 3_661_000)
  expect(await to({ by: 'P1W' })).toBe(start + 1 + 8 * DAY + 3_661_000)
  const year = new Date(start).getUTCFullYear() + 1
  await to({ to: `${year}-01-31T12:00:00.000Z` })
  const february = new Date(Date.UTC(year, 2, 0, 12))
  expect(await to({ by: 'P1M' })).toBe(february.getTime())
  const [one, two] = await Promise.all([advance({ by: 'PT1H' }), advance({ by: 'PT1H' })])
  const reached = [one, two].map(({ body }) => Date.parse(body.now) - february.getTime()).sort((a, b) => a - b)
  expect(reached).toEqual([3_600_000, 7_200_000])
  const later = await admin('POST /admin/clock/advance', { body: { by: 'PT1H' }, headers: { prefer: 'wait=0' } })
  if (later.status === 202) expectShape({ ...shape.operation, ...shape.clock }, later.body)
  expect(await to({ by: 'PT0S' })).toBe(february.getTime() + 10_800_000)
})

test('CAN-1: an operator cancels at the period’s end, with a reason; ended it is not cancelable', async () => {
  const { planId, providerId } = await openShop(house, { price: USD, period: { unit: 'day', count: 1 } })
  const client = await someone(5 * USD)
  const { subscription } = (await buy(client, planId)).body
  const cancel = (body: object, id = subscription.id) => admin(`POST /admin/subscriptions/${id}/cancel`, { body })
  for (const body of [{ reason: '' }, { reason: 5 }, { reason: 'a\u0000' }, { reason: 'r', when: 'now' }])
    expectRefusal(await cancel(body), 400, 'invalid_request')
  expectRefusal(await cancel({ reason: 'r' }, 'nope'), 404, 'not_found')
  const flagged = await cancel({ reason: 'a reason of ours' })
  expect(flagged).toMatchObject({
    status: 200,
    body: { status: 'active', cancelAtPeriodEnd: true, renewsAt: null, endReason: null },
  })
  expectShape(shape.subscription, flagged.body)
  expect((await cancel({ reason: 'once more' })).status).toBe(200)
  const { body: audit } = await admin('GET /admin/audit?limit=5')
  expect(JSON.stringify(audit.data)).toContain('a reason of ours')
  await advance({ to: subscription.currentPeriodEnd })
  const { body: ended } = await client(`GET /subscriptions/${subscription.id}`)
  expect(ended).toMatchObject({
    status: 'ended',
    endReason: 'admin_terminated',
    endedAt: subscription.currentPeriodEnd,
    accessUntil: subscription.currentPeriodEnd,
    renewsAt: null,
    graceEndsAt: null,
  })
  expectRefusal(await cancel({ reason: 'late' }), 409, 'not_cancelable')
  expectRefusal(await client(`POST /slots/${providerId}/reveal`), 404, 'not_found')
})

test('CAN-1: canceled by an operator, resumed by its user, it renews; canceled again and ended, it cannot be resumed', async () => {
  const { planId } = await openShop(house, { price: USD, period: { unit: 'day', count: 1 } })
  const client = await someone(5 * USD)
  const { subscription } = (await buy(client, planId)).body
  const resume = (who = client) => who(`POST /subscriptions/${subscription.id}/resume`)
  expect(await resume()).toMatchObject({ status: 200, body: subscription })
  await admin(`POST /admin/subscriptions/${subscription.id}/cancel`, { body: { reason: 'asked by mail' } })
  expectRefusal(await resume(await someone(0)), 404, 'not_found')
  const resumed = await resume()
  expect(resumed).toMatchObject({
    status: 200,
    body: { cancelAtPeriodEnd: false, renewsAt: subscription.currentPeriodEnd },
  })
  expectShape(shape.subscription, resumed.body)
  await advance({ to: subscription.currentPeriodEnd })
  const { body: renewed } = await client(`GET /subscriptions/${subscription.id}`)
  expect(renewed).toMatchObject({ status: 'active', currentPeriodStart: subscription.currentPeriodEnd })
  expect((await client('GET /credits')).body.balanceMicrodollars).toBe(3 * USD)
  await client(`POST /subscriptions/${subscription.id}/cancel`)
  await advance({ to: renewed.currentPeriodEnd })
  expectRefusal(await resume(), 409, 'not_cancelable')
})
