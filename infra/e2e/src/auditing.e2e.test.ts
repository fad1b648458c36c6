import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buy, eventually, grant, type House, openHouse, openShop, USD } from './house.ts'
import { someone as newcomer } from './life.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house?.close())

const someone = (credits = 0) => newcomer(house, credits)
const advance = (body: object) => house.admin('POST /admin/clock/advance', { body, headers: { prefer: 'wait=30' } })
const invariants = async () => (await house.admin('GET /admin/invariants')).body
interface Link {
  readonly messageId: string
  readonly name: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly causedBy: string | null
}

test('what is due, charged, canceled and given back: every invariant holds, and it is said again and again', async () => {
  const { planId } = await openShop(house)
  const client = await someone(100 * USD)
  const bought = await buy(client, planId)
  expect(bought.status).toBe(201)
  expect((await advance({ by: 'P1M' })).status).toBe(200)
  const terminated = await house.admin(`POST /admin/subscriptions/${bought.body.subscription.id}/terminate`, {
    body: { reason: 'a test', refund: 'full' },
  })
  expect(terminated.status).toBe(200)
  const now = new Date().toISOString()
  const checked = await eventually(invariants, ({ checkedAt }) => checkedAt > now)
  expect(checked.checks.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([])
  expect(checked.ok).toBe(true)
  expect(checked.checks).toHaveLength(14)
  for (const check of checked.checks) expect(check).toMatchObject({ violations: 0, examples: [] })
})

test('“why was I charged?”: the price, the balance, and every message from the request to the entry', async () => {
  const { planId } = await openShop(house)
  const client = await someone(100 * USD)
  await buy(client, planId)
  await advance({ by: 'P1M' })
  const { data: entries } = (await client('GET /credits/entries')).body
  expect(entries.map(({ kind }: { kind: string }) => kind)).toEqual(['charge', 'charge', 'grant'])
  const explained = await Promise.all(
    entries.map(async ({ id }: { id: string }) => (await client(`GET /credits/entries/${id}/explanation`)).body),
  )
  for (const [place, { chain, ...explanation }] of explained.entries()) {
    const { id, kind, amountMicrodollars, balanceAfterMicrodollars } = entries[place]
    expect(explanation).toMatchObject({ entryId: id, kind, amountMicrodollars, balanceAfterMicrodollars })
    expect(explanation.balanceBeforeMicrodollars).toBe(balanceAfterMicrodollars - amountMicrodollars)
    expect(chain[0].causedBy).toBeNull()
    for (const [n, link] of chain.slice(1).entries()) expect(link.causedBy).toBe(chain[n].messageId)
    for (const { topic, partition, offset } of chain as Link[])
      expect([topic.length > 0, partition >= 0, offset >= 0]).toEqual([true, true, true])
  }
  const [renewal, purchase, welcome] = explained
  const names = ({ chain }: { chain: Link[] }) => chain.map(({ name }) => name)
  expect(names(purchase)).toEqual([
    ...['PurchasePlan', 'HoldCredits', 'CreditsHeld', 'AssignKey', 'KeyAssigned', 'CaptureHold', 'HoldCaptured'],
  ])
  expect(names(renewal)).toEqual(['PeriodEnded', 'HoldCredits', 'CreditsHeld', 'CaptureHold', 'HoldCaptured'])
  expect(names(welcome)).toEqual(['PostCredits', 'CreditsPosted'])
  expect([purchase, renewal, welcome].map(({ askedBy }) => askedBy)).toEqual(['user', 'schedule', 'operator'])
  const price = { planId, planVersion: 1, priceMicrodollars: 20 * USD, period: '1 month' }
  expect([purchase, renewal, welcome].map(({ price: copied }) => copied)).toEqual([price, price, null])
})

test('“why was I charged?”: a renewal that waited, an extension at today’s price, a top-up and what was given back', async () => {
  const { planId, providerId } = await openShop(house, { more: { graceHours: 72 } })
  const client = await someone(20 * USD)
  const { subscription } = (await buy(client, planId)).body
  await advance({ by: 'P1M' })
  // In grace, until somebody brings credits: nobody but the calendar asked for the term.
  await grant(house, client.user, 20 * USD)
  await eventually(
    () => client(`GET /subscriptions/${subscription.id}`),
    ({ body }) => body.status === 'active',
  )
  const dearer = { name: 'Dearer', providerId, priceMicrodollars: 25 * USD, period: { unit: 'month', count: 1 } }
  expect((await house.admin(`PUT /admin/plans/${planId}`, { body: dearer })).status).toBe(200)
  await grant(house, client.user, 25 * USD)
  expect((await buy(client, planId)).status).toBe(201)
  const topUp = { enabled: true, amountMicrodollars: 20 * USD, paymentMethodId: 'pm_ok' }
  expect((await client('PUT /credits/auto-top-up', { body: topUp })).status).toBe(200)
  // Beyond two months of any length, and not three.
  await advance({ by: 'P65D' })
  const end = { reason: 'a test', refund: 'full' }
  expect((await house.admin(`POST /admin/subscriptions/${subscription.id}/terminate`, { body: end })).status).toBe(200)
  const { data: entries } = (await client('GET /credits/entries')).body
  const explained = await Promise.all(
    entries.map(async ({ id }: { id: string }) => (await client(`GET /credits/entries/${id}/explanation`)).body),
  )
  const told = explained.map(({ kind, askedBy, price, chain }) => [
    ...[kind, askedBy, price?.planVersion ?? null, (price?.priceMicrodollars ?? 0) / USD],
    ...[chain[0].name, chain.at(-1).name],
  ])
  expect(told).toEqual([
    ['refund', 'operator', 1, 20, 'TerminateSubscription', 'CreditsRefunded'],
    ['charge', 'schedule', 1, 20, 'PeriodEnded', 'HoldCaptured'],
    ['top_up', 'schedule', null, 0, 'PeriodEnded', 'CreditsToppedUp'],
    ['charge', 'user', 2, 25, 'PurchasePlan', 'HoldCaptured'],
    ['grant', 'operator', null, 0, 'PostCredits', 'CreditsPosted'],
    ['charge', 'schedule', 1, 20, 'PeriodEnded', 'HoldCaptured'],
    ['grant', 'operator', null, 0, 'PostCredits', 'CreditsPosted'],
    ['charge', 'user', 1, 20, 'PurchasePlan', 'HoldCaptured'],
    ['grant', 'operator', null, 0, 'PostCredits', 'CreditsPosted'],
  ])
  const names = explained[5].chain.map(({ name }: Link) => name)
  expect(names).toContain('PostCredits')
})

test('an entry of somebody else, or of nobody, is explained to nobody', async () => {
  const [one, other] = [await someone(USD), await someone(USD)]
  const [entry] = (await one('GET /credits/entries')).body.data
  expect((await one(`GET /credits/entries/${entry.id}/explanation`)).status).toBe(200)
  expect((await other(`GET /credits/entries/${entry.id}/explanation`)).status).toBe(404)
  expect((await one('GET /credits/entries/ent_nothing/explanation')).status).toBe(404)
})

const openDatabase = async (name: string) => {
  const database = new pg.Client({ connectionString: house.stack.servers.databaseUrl(`coding_plans_${name}`) })
  await database.connect()
  return database
}

/** As a metric that somebody watches. */
const gauged = async () => {
  const urls = house.stack.services.flatMap(({ service, url }) => (service === 'auditor' ? [url] : []))
  const texts = await Promise.all(urls.map(async (url) => (await fetch(`${url}/metrics`)).text()))
  const lines = texts.flatMap((text) => text.match(/^invariant_violations\{.*$/gm) ?? [])
  return new Map(lines.map((line) => [/check="(\w+)"/.exec(line)?.[1], Number(line.split(' ').at(-1))]))
}

test('what is changed, lost or left behind everybody’s back is found and named, and no longer when it is put right', async () => {
  const { planId } = await openShop(house)
  const client = await someone(50 * USD)
  const { subscription } = (await buy(client, planId)).body
  const [ledger, terms, gateway] = await Promise.all(['credits_ledger', 'subscription', 'gateway'].map(openDatabase))
  const move = (amount: number) =>
    ledger?.query('update accounts set available = available + $1, promotion = promotion - $1 where user_id = $2', [
      amount,
      client.user,
    ])
  const lose = async (database: pg.Client | undefined, table: string, column: string, id: string) => {
    const { rows } = (await database?.query(`delete from ${table} where ${column} = $1 returning *`, [id])) ?? {}
    expect(rows).toHaveLength(1)
    return () =>
      database?.query(`insert into ${table} select * from jsonb_populate_record(null::${table}, $1)`, [rows?.[0]])
  }
  try {
    await move(5)
    const restore = await lose(terms, 'terms', 'subscription_id', subscription.id)
    // Accepted, and answered by nobody; of sealed commands no topic tells that.
    await gateway?.query(`insert into operations (id, caller, kind, subject, started_at, accepted_at)
      values ('op_lost', 'admin', 'upload_keys', 'no-plan', 0, now() - interval '1 minute')`)
    const found = await eventually(
      async () => (await invariants()).checks.filter(({ ok }: { ok: boolean }) => !ok),
      (wrong) => wrong.length === 2 && wrong[1].violations === 2,
      90_000,
    )
    expect(found).toMatchObject([
      { name: 'nothing_hangs', violations: 1, examples: [expect.stringMatching(/operations unanswered.*: 1$/)] },
      { name: 'told_is_there', violations: 2 },
    ])
    expect(found[1].examples.join()).toMatch(/ledger balance is 5 more.*subscription terms is 1 less/)
    const told = await gauged()
    expect([told.get('nothing_hangs'), told.get('told_is_there'), told.get('keys_add_up')]).toEqual([1, 2, 0])
    await move(-5)
    await restore()
    await gateway?.query(`delete from operations where id = 'op_lost'`)
    await eventually(invariants, ({ ok }) => ok)
    expect(Math.max(...(await gauged()).values())).toBe(0)
  } finally {
    await Promise.all([ledger, terms, gateway].map((database) => database?.end()))
  }
})
