import { message } from '@coding-plans/runtime/testing'
import { instant, type PlanPublished } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { type Entry, Facts, fold, mispriced, planKeyOf, priceOf, type Sale } from './index.ts'
import { activated, ada, life, MONTH, money, posted, T0, type Told, told, wrong } from './told.testing.ts'

const published = (change: Partial<PlanPublished>): Told => [
  'PlanPublished',
  {
    ...{ planId: 'acme', version: 1, operationId: null, publishedBy: 'admin-1', publishedAt: instant(T0) },
    ...{ providerId: 'acme', providerName: 'Acme', name: 'Acme', features: [], models: [], price: money(20) },
    ...{ periodUnit: 'month', periodCount: 1, ownership: 'user', reveal: true, upstreamRevocation: 'never' },
    ...{ repurchase: 'extend', graceHours: 0, maxPrepaidPeriods: 12, lowStockThreshold: 0, position: 0 },
    ...{ saleState: 'open' },
    ...change,
  },
]
const purchase: Told = [
  'PurchasePlan',
  {
    ...{ userId: ada, operationId: 'op_7', planId: 'acme', planVersion: 2 },
    ...{ knownSubscriptionId: 'sub_1', knownEnd: instant(T0 + MONTH) },
  },
  'gateway',
]
const charge = {
  ...{ userId: ada, holdId: 'hold_7', entryId: 'ent_7', chargeId: 'chg_7', subscriptionId: 'sub_1', amount: money(25) },
  ...{ at: instant(T0), balance: money(25), held: money(0), description: 'Acme', version: 7 },
}

/** As an explanation gives it. */
const priceIn = (facts: Facts, id: string) => {
  const entry = facts.peek('entry', id) as Entry
  return priceOf({
    subscription: facts.peek('subscription', entry.subscriptionId ?? ''),
    extension: facts.peek('extension', entry.correlationId),
    plan: facts.peek('plan', planKeyOf({ planId: 'acme', version: 2 })),
  })
}

/** Bought at 20, published again at 25 for 30 days, extended. */
const extendedFrom = (...publications: readonly Told[]) => {
  const facts = told(...publications, ...life.slice(0, 8), purchase)
  fold(facts, message('HoldCaptured', charge, { correlationId: 'op_7' }) as never)
  return facts
}
const dearer = published({ version: 2, price: money(25), periodUnit: 'day', periodCount: 30 })

test('CAT-5: an extension is explained by today’s version, what was bought and renewed by the copied one', () => {
  const facts = extendedFrom(published({}), dearer)
  expect(priceIn(facts, 'ent_7')).toEqual({ planId: 'acme', planVersion: 2, price: 25, period: '30 day' })
  const copied = { planId: 'acme', planVersion: 1, price: 20, period: '1 month' }
  expect(priceIn(facts, 'ent_2')).toEqual(copied)
  expect(priceIn(facts, 'ent_3')).toEqual(copied)
})

test('an extension is not explained before its version was heard of', () => {
  expect(priceIn(extendedFrom(published({})), 'ent_7')).toBeNull()
})

test('what has no subscription has no price', () => {
  expect(priceIn(told(posted()), 'ent_1')).toEqual({ planId: null, planVersion: null, price: null, period: null })
})

const bought = (planVersion: number, price: number) =>
  activated({ operationId: 'op_2', planVersion, price: money(price), chargeId: 'chg_1' })
const asked = (planVersion: number): Told => [
  'PurchasePlan',
  {
    ...{ userId: ada, operationId: 'op_2', planId: 'acme', planVersion },
    ...{ knownSubscriptionId: null, knownEnd: null },
  },
  'gateway',
]
const lengthened = (planVersion: number, amount: number): Told => [
  'SubscriptionExtended',
  {
    ...{ userId: ada, operationId: 'op_7', subscriptionId: 'sub_1', periodStart: instant(T0 + MONTH), version: 2 },
    ...{ currentPeriodEnd: instant(T0 + 2 * MONTH), amount: money(amount), chargeId: 'chg_7', at: instant(T0) },
    ...{ cancelAtPeriodEnd: false, accountVersion: 5, planId: 'acme', planVersion },
  },
]
const mispricedIn = (facts: Facts) =>
  [...facts].flatMap(({ kind, value }) => {
    const { planKey } = value as Sale
    return kind === 'sale' ? (mispriced(value as Sale, facts.peek('plan', planKey))?.detail ?? []) : []
  })

test('CAT-4, CAT-5: an activation and an extension at another price than their version was published with are found', () => {
  const versions = [published({}), dearer]
  expect(mispricedIn(told(...versions, bought(1, 20), lengthened(2, 25)))).toEqual([])
  expect(mispricedIn(told(...versions, bought(1, 19), lengthened(2, 20)))).toEqual([
    'sub_1 is sold acme 1 for 19, which was published at 20',
    'sub_1 is sold acme 2 for 20, which was published at 25',
  ])
  // Whichever is heard first; and of a version that has not been heard of nothing is said.
  expect(mispricedIn(told(bought(1, 19), published({})))).toHaveLength(1)
  expect(mispricedIn(told(bought(1, 19)))).toEqual([])
})

test('CAT-4: what is bought in another version than its buyer was shown is found, whichever is heard first', () => {
  const found = (...messages: readonly Told[]) => wrong(told(...messages)).charge_has_its_term?.join() ?? ''
  expect(found(asked(1), bought(1, 20))).not.toContain('purchase op_2')
  expect(found(bought(1, 20), asked(1))).not.toContain('purchase op_2')
  expect(found(asked(1), bought(2, 20))).toContain('purchase op_2 of ada is of acme 2 where it is told, and of acme 1')
  expect(found(bought(2, 20), asked(1))).toContain('purchase op_2 of ada is of acme 1 where it is told, and of acme 2')
  expect(found(purchase, lengthened(1, 20))).toContain('purchase op_7')
})

test('of purchases that were refused no version is kept, whichever is heard first, and of others few', () => {
  const refused: Told = [
    'PurchaseRefused',
    {
      ...{ userId: ada, operationId: 'op_2', planId: 'acme', reason: 'sold_out', required: null, available: null },
      ...{ accountVersion: null, subscriptionId: null, subscriptionVersion: null, slotVersion: null },
      ...{ stockVersion: null },
    },
  ]
  expect(told(asked(1), refused).of('subject', 'ada').versions).toEqual({})
  expect(told(refused, asked(1)).of('subject', 'ada').versions).toEqual({})
  const facts = new Facts()
  for (let n = 0; n < 50; n += 1) {
    const [name, body] = activated({ operationId: `op_${n}`, subscriptionId: `sub_${n}` })
    fold(facts, message(name, body as never) as never)
  }
  expect(Object.keys(facts.of('subject', 'ada').versions)).toHaveLength(20)
})
