import { message } from '@coding-plans/runtime/testing'
import { instant, type PlanPublished } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { type Entry, type Facts, fold, planKeyOf, priceOf } from './index.ts'
import { ada, life, MONTH, money, posted, T0, type Told, told } from './told.testing.ts'

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
  return priceOf(entry, {
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
