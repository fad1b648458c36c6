import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { expect, test } from 'vitest'
import { openBench, operation } from '../desk.testing.ts'
import { T0 } from '../events.testing.ts'
import { problem, Refused } from '../problem.ts'
import { Credits, Entry, Operation, OperatorPlan, Plan, page, Slot, Subscription } from '../shapes.ts'

const must = (schema: TSchema, value: unknown) => {
  const errors = Compile(schema).Errors(value)
  expect(errors).toEqual([])
}

const plan = {
  planId: 'acme-coding',
  version: 2,
  providerId: 'acme',
  providerName: 'Acme',
  name: 'Acme Coding',
  features: [],
  models: [],
  price: 20 as never,
  periodUnit: 'month' as const,
  periodCount: 1,
  ownership: 'user' as const,
  reveal: true,
  upstreamRevocation: 'never' as const,
  repurchase: 'extend' as const,
  graceHours: 0,
  maxPrepaidPeriods: 12,
  lowStockThreshold: 0,
  position: 0,
  saleState: 'open' as const,
  publishedBy: 'admin-1',
  publishedAt: T0 as never,
  available: 1,
  sellableUntil: null,
}

const subscription = {
  id: 'sub_1',
  userId: 'ada',
  planId: 'acme-coding',
  planName: 'Acme Coding',
  providerId: 'acme',
  status: 'active' as const,
  cancelAtPeriodEnd: false,
  price: 20,
  periodUnit: 'month',
  periodCount: 1,
  currentPeriodStart: T0,
  currentPeriodEnd: T0 + 1_000,
  accessUntil: null,
  graceEndsAt: null,
  awaitedUntil: null,
  endedAt: null,
  endReason: null,
  previousSubscriptionId: null,
  createdAt: T0,
  sequence: 1,
}

const movement = (version: number) => ({
  userId: 'ada',
  version,
  at: T0,
  kind: 'grant' as const,
  entryId: `ent_${version}`,
  amount: 5,
  balanceAfter: 5,
  heldAfter: 0,
  description: '=1+1, "quoted"',
  subscriptionId: null,
  chargeId: null,
})

test('CAT-6: plans have the shape of the contract: no counts, no wish', async () => {
  const { ask } = await openBench({ reading: { plans: async () => [plan] } })
  const { data, nextCursor } = (await ask({ url: '/v1/plans' })).json()
  must(page(Plan), { data, nextCursor })
  expect(data[0]).toMatchObject({ availability: 'available', restockWish: false, priceMicrodollars: 20 })
  must(page(OperatorPlan), (await ask({ url: '/v1/admin/plans' }, { roles: ['billing'] })).json())
})

test('CAT-6: available, sold out or closed', async () => {
  const shown = async (change: object) => {
    const { ask } = await openBench({ reading: { plans: async () => [{ ...plan, ...change }] } })
    return (await ask({ url: '/v1/plans' })).json().data[0].availability
  }
  expect(await shown({ available: 0 })).toBe('sold_out')
  expect(await shown({ sellableUntil: T0 })).toBe('sold_out')
  expect(await shown({ sellableUntil: T0 + 1 })).toBe('available')
  expect(await shown({ saleState: 'closed' })).toBe('closed')
  expect(await shown({ saleState: 'hidden' })).toBe('closed')
})

test('a subscription has the shape of the contract; another’s is 404, for an admin too', async () => {
  const { ask } = await openBench({ reading: { subscription: async () => subscription } })
  const shown = (await ask({ url: '/v1/subscriptions/sub_1' })).json()
  must(Subscription, shown)
  expect(shown).toMatchObject({
    renewsAt: shown.currentPeriodEnd,
    accessUntil: shown.currentPeriodEnd,
    graceEndsAt: null,
  })
  for (const url of ['/v1/subscriptions/sub_1', '/v1/subscriptions/sub_1/charges'])
    expect((await ask({ url }, { sub: 'bob', roles: ['admin'] })).statusCode).toBe(404)
  expect((await ask({ url: '/v1/admin/subscriptions/sub_1' }, { sub: 'bob', roles: ['support'] })).statusCode).toBe(200)
})

test('what is being ended, or flagged, does not renew', async () => {
  const shown = async (change: object) => {
    const { ask } = await openBench({ reading: { subscription: async () => ({ ...subscription, ...change }) } })
    return (await ask({ url: '/v1/subscriptions/sub_1' })).json()
  }
  expect(await shown({ cancelAtPeriodEnd: true })).toMatchObject({ status: 'active', renewsAt: null })
  expect(await shown({ accessUntil: T0 })).toMatchObject({ renewsAt: null, accessUntil: new Date(T0).toISOString() })
  expect(await shown({ status: 'ended', endedAt: T0 + 5, accessUntil: T0 + 5 })).toMatchObject({ renewsAt: null })
})

test('REN-6, TOP-2: access lasts to the end of the grace, or of the wait for a top-up', async () => {
  const shown = async (change: object) => {
    const { ask } = await openBench({ reading: { subscription: async () => ({ ...subscription, ...change }) } })
    const body = (await ask({ url: '/v1/subscriptions/sub_1' })).json()
    must(Subscription, body)
    return body
  }
  const later = (milliseconds: number) => new Date(T0 + milliseconds).toISOString()
  expect(await shown({ status: 'past_due', graceEndsAt: T0 + 9_000 })).toMatchObject({
    status: 'past_due',
    accessUntil: later(9_000),
    graceEndsAt: later(9_000),
    renewsAt: null,
  })
  expect(await shown({ awaitedUntil: T0 + 7_000 })).toMatchObject({ accessUntil: later(7_000), graceEndsAt: null })
  const over = { status: 'ended', graceEndsAt: T0 + 9_000, accessUntil: T0 + 9_000, endedAt: T0 + 9_000 }
  expect(await shown(over)).toMatchObject({ accessUntil: later(9_000), graceEndsAt: null })
})

test('credits of somebody new are nothing, at any instant; auto top-up was never set', async () => {
  const { ask } = await openBench()
  for (const url of ['/v1/credits', '/v1/credits?at=2026-01-01T00:00:00Z']) {
    const credits = (await ask({ url })).json()
    must(Credits, credits)
    expect(credits.autoTopUp).toEqual({ enabled: false, amountMicrodollars: 0, paymentMethodId: null })
  }
  expect((await ask({ url: '/v1/credits?at=yesterday' })).statusCode).toBe(400)
})

test('LED-6: the statement, as a page and whole as CSV, with nothing that a spreadsheet would run', async () => {
  const rows = Array.from({ length: 1_500 }, (_, place) => movement(1_500 - place))
  const { ask } = await openBench({
    reading: {
      entries: async (_user, { limit, after }) =>
        rows.filter(({ version }) => !after || version < (after[0] ?? 0)).slice(0, limit + 1),
    },
  })
  const first = (await ask({ url: '/v1/credits/entries?limit=2' })).json()
  must(page(Entry), first)
  const next = (await ask({ url: `/v1/credits/entries?limit=2&cursor=${first.nextCursor}` })).json()
  expect(next.data.map(({ id }: { id: string }) => id)).toEqual(['ent_1498', 'ent_1497'])
  const csv = await ask({ url: '/v1/credits/entries', headers: { accept: 'text/csv' } })
  const lines = csv.body.trimEnd().split('\r\n')
  expect(csv.headers['content-type']).toMatch(/^text\/csv/)
  expect(lines).toHaveLength(1_501)
  expect(lines[0]).toBe('id,at,kind,amountMicrodollars,balanceAfterMicrodollars,description,subscriptionId,chargeId')
  expect(lines[1]).toBe(`"ent_1500","2026-01-01T00:00:00.000Z","grant",5,5,"'=1+1, ""quoted""",,`)
})

test('a cursor that no list has given, or a limit out of range: 400', async () => {
  const { ask } = await openBench()
  const forged = Buffer.from('["x"]').toString('base64url')
  for (const query of [
    'limit=0',
    'limit=101',
    'limit=x',
    'limit=1.5',
    'cursor=x',
    `cursor=${forged}`,
    'unknown=1',
    'limit=1&limit=2',
  ])
    expect([query, (await ask({ url: `/v1/credits/entries?${query}` })).statusCode]).toEqual([query, 400])
})

test('an operation: its caller’s own, and any operator’s of support or billing', async () => {
  const steps = [
    { id: '2', name: 'SubscriptionActivated', service: 'subscription', at: T0, detail: null },
    { id: '1', name: 'CreditsHeld', service: 'credits-ledger', at: T0, detail: null },
  ]
  const pending = operation({ outcome: 'succeeded', answer: { a: 1 }, finishedAt: T0, visible: false, steps })
  const scene = (found: typeof pending) => openBench({ reading: { operation: async () => found } })
  const { ask } = await scene(pending)
  const shown = (await ask({ url: '/v1/operations/op_1' })).json()
  must(Operation, shown)
  expect(shown).toMatchObject({ status: 'pending', finishedAt: null, result: null, steps: [{ name: 'CreditsHeld' }] })
  const url = '/v1/operations/op_1'
  expect((await ask({ url }, { sub: 'bob' })).statusCode).toBe(404)
  expect((await ask({ url }, { sub: 'bob', roles: ['inventory'] })).statusCode).toBe(404)
  expect((await ask({ url }, { sub: 'bob', roles: ['support'] })).statusCode).toBe(200)
  const done = await scene({ ...pending, visible: true })
  expect((await done.ask({ url })).json()).toMatchObject({
    status: 'succeeded',
    result: { a: 1 },
    steps: [{ name: 'CreditsHeld' }, { name: 'SubscriptionActivated' }],
  })
})

test('the events of an operation: each step once, then done', async () => {
  const step = (id: string, name: string) => ({ id, name, service: 'x', at: T0, detail: null })
  const looks = [
    operation({ steps: [step('1', 'CreditsHeld')] }),
    operation({ steps: [step('1', 'CreditsHeld'), step('2', 'PurchaseRefused')] }),
    operation({
      steps: [step('2', 'PurchaseRefused'), step('1', 'CreditsHeld')],
      outcome: 'refused',
      answer: {},
      finishedAt: T0,
      visible: true,
    }),
  ]
  const { ask } = await openBench({ reading: { operation: async () => looks.shift() ?? null } })
  const answer = await ask({ url: '/v1/operations/op_1/events' })
  expect(answer.headers['content-type']).toMatch(/^text\/event-stream/)
  expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  const events = answer.body
    .split('\n\n')
    .filter(Boolean)
    .map((text) => text.split('\n')[0])
  expect(events).toEqual(['event: step', 'event: step', 'event: done'])
})

test('SLT-2: a revealed key is never stored by anybody on the way, and says what using it elsewhere shows', async () => {
  const { ask } = await openBench()
  const answer = await ask({ method: 'POST', url: '/v1/slots/acme/reveal' })
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(answer.json()).toMatchObject({ key: 'sk-in-clear', note: expect.stringContaining('address') })
  const inventory = {
    sealingKey: async () => ({ keyId: '', publicKey: new Uint8Array() }),
    reveal: async () => {
      throw new Refused(problem('rate_limited', 'x'), 42)
    },
  }
  const limited = await openBench({ desk: { inventory } })
  expect((await limited.ask({ method: 'POST', url: '/v1/slots/acme/reveal' })).headers['retry-after']).toBe('42')
})

test('slots whole, in one page', async () => {
  const slot = {
    userId: 'ada',
    providerId: 'acme',
    managedBy: 'plan' as const,
    subscriptionId: 'sub_1',
    enabled: true,
    maskedKey: '••••cdef',
    createdAt: T0,
    updatedAt: T0,
    version: 1,
  }
  const { ask } = await openBench({ reading: { slots: async () => [slot] } })
  must(page(Slot), (await ask({ url: '/v1/slots' })).json())
})
