import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buy, eventually, type House, openHouse, openShop, USD } from './house.ts'
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

test('an entry of somebody else, or of nobody, is explained to nobody', async () => {
  const [one, other] = [await someone(USD), await someone(USD)]
  const [entry] = (await one('GET /credits/entries')).body.data
  expect((await one(`GET /credits/entries/${entry.id}/explanation`)).status).toBe(200)
  expect((await other(`GET /credits/entries/${entry.id}/explanation`)).status).toBe(404)
  expect((await one('GET /credits/entries/ent_nothing/explanation')).status).toBe(404)
})

test('a balance that is changed behind everybody’s back is found and named, and no longer when it is put right', async () => {
  await someone(7 * USD)
  const ledger = new pg.Client({ connectionString: house.stack.servers.databaseUrl('coding_plans_credits_ledger') })
  await ledger.connect()
  const move = (amount: number) =>
    ledger.query(
      `update accounts set available = available + $1, promotion = promotion - $1
       where user_id = (select user_id from accounts where available > 0 order by user_id limit 1)`,
      [amount],
    )
  try {
    await move(5)
    const found = await eventually(invariants, ({ ok }) => !ok, 90_000)
    const wrong = found.checks.filter(({ ok }: { ok: boolean }) => !ok)
    expect(wrong).toMatchObject([{ name: 'told_is_there', violations: 1 }])
    expect(wrong[0].examples[0]).toMatch(/ledger balance is 5 more/)
    await move(-5)
    await eventually(invariants, ({ ok }) => ok)
  } finally {
    await ledger.end()
  }
})
