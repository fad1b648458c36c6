import { expect, test } from 'vitest'
import { Memory, Notebook } from '../memory.ts'
import { choiceRules } from './choices.ts'
import type { Charge, Life, Rule, Subscription } from './life.ts'
import { compareCards, moneyRules } from './money.ts'
import { slotRules } from './slots.ts'
import { termRules } from './terms.ts'

const [DAY_1, DAY_2, DAY_3, NOON_2] = ['01T00', '02T00', '03T00', '02T12'].map((at) => `2032-01-${at}:00:00.000Z`) as [
  string,
  string,
  string,
  string,
]
const KEY = 'sk-1'

const charge = (id: string, kind: Charge['kind'], [periodStart, periodEnd]: readonly [string, string]): Charge => ({
  ...{ id, kind, periodStart, periodEnd },
  amountMicrodollars: 3_000_000,
})
const subscription: Subscription = {
  ...{ id: 'sub', planId: 'acme-day', providerId: 'acme', status: 'active', cancelAtPeriodEnd: false },
  ...{ createdAt: DAY_1, currentPeriodEnd: DAY_3, endedAt: null, endReason: null },
  charges: [charge('c1', 'activation', [DAY_1, DAY_2]), charge('c2', 'renewal', [DAY_2, DAY_3])],
}
const entry = (id: string, kind: string, amountMicrodollars: number, more: object) => ({
  ...{ id, kind, amountMicrodollars, balanceAfterMicrodollars: 0, chargeId: null },
  ...more,
})

const off = { enabled: false, amountMicrodollars: 0, paymentMethodId: null }
const having = (changes: Partial<Life['credits']>): Life['credits'] => ({
  ...{ balanceMicrodollars: 4_000_000, heldMicrodollars: 0, autoTopUp: off },
  ...changes,
})

/** Granted ten dollars, bought for a day at three, renewed once; and a key of their own elsewhere. */
const rightLife = () => {
  const memory = new Memory('ann')
  memory.credits.set('e1', 10_000_000)
  memory.charges.set('c1', { id: 'c1', kind: 'activation', amount: 3_000_000, subscriptionId: 'sub' })
  memory.subscriptions.set('sub', { planId: 'acme-day', providerId: 'acme' })
  memory.ownKey('bolt').said = 'own'
  memory.wish('dune-scarce').said = true
  memory.goesOn.add('sub')
  const life: Life = {
    ...{ user: 'ann', memory },
    credits: having({}),
    entries: [
      entry('e1', 'grant', 10_000_000, { balanceAfterMicrodollars: 10_000_000 }),
      entry('e2', 'charge', -3_000_000, { balanceAfterMicrodollars: 7_000_000, chargeId: 'c1' }),
      entry('e3', 'charge', -3_000_000, { balanceAfterMicrodollars: 4_000_000, chargeId: 'c2' }),
    ],
    subscriptions: [subscription],
    slots: [
      { providerId: 'acme', managedBy: 'plan', subscriptionId: 'sub', key: KEY },
      { providerId: 'bolt', managedBy: 'user', subscriptionId: null, key: 'own' },
    ],
    wishes: new Set(['dune-scarce']),
  }
  return life
}

const judge = (life: Life) => {
  const notebook = new Notebook('mark')
  notebook.uploaded.set(KEY, 'acme-day')
  const rules: Rule[] = [...moneyRules(new Map()), ...termRules(NOON_2), ...slotRules(notebook), ...choiceRules]
  const broken = rules.flatMap((rule) => (rule.check(life).length > 0 ? [rule.what] : []))
  return [...broken, ...notebook.violations.keys()]
}

test('a life as it should be breaks no rule', () => {
  expect(judge(rightLife())).toEqual([])
})

const changed = (changes: Partial<Life>) => ({ ...rightLife(), ...changes })
const of = (changes: Partial<Subscription>) => changed({ subscriptions: [{ ...subscription, ...changes }] })
const remembering = (change: (memory: Memory) => void) => {
  const life = rightLife()
  change(life.memory)
  return life
}
const { slots } = rightLife()
const [first, second] = subscription.charges as [Charge, Charge]

test.each<[string, Life, RegExp]>([
  ['a microdollar too much', changed({ credits: having({ balanceMicrodollars: 4_000_001 }) }), /are the balance/],
  ['a hold', changed({ credits: having({ heldMicrodollars: 1 }) }), /no hold/],
  ['a lost entry', changed({ entries: rightLife().entries.slice(1) }), /adds up/],
  ['a lost credit', remembering(({ credits }) => credits.set('e9', 5)), /every answered credit/],
  ['a lost purchase', of({ charges: subscription.charges.slice(1) }), /every answered purchase/],
  ['a purchase nobody was answered', remembering(({ charges }) => charges.delete('c1')), /nothing was bought/],
  [
    'a charge other than was answered',
    of({ charges: [{ ...first, amountMicrodollars: 1 }, second] }),
    /every answered/,
  ],
  ['a renewal at another price', of({ charges: [first, { ...second, amountMicrodollars: 1 }] }), /a renewal costs/],
  ['a lost subscription', changed({ subscriptions: [] }), /every answered subscription/],
  ['a hole between terms', of({ charges: [charge('c1', 'activation', [DAY_1, DAY_2])] }), /follow each other/],
  ['a due term that was left', of({ currentPeriodEnd: DAY_2 }), /nothing that is due/],
  ['two live ones', changed({ subscriptions: [subscription, { ...subscription, id: 'other' }] }), /one live/],
  ['risen from the dead', remembering(({ ended }) => ended.add('sub')), /stays ended/],
  ['charged after a cancellation', remembering(({ flagged }) => flagged.set('sub', DAY_2)), /not charged for another/],
  ['live without a key', changed({ slots: slots.slice(1) }), /who is live/],
  ['live with a foreign key', changed({ slots: slots.map((slot) => ({ ...slot, key: 'own' })) }), /was uploaded/],
  ['a key after the end', of({ status: 'ended' }), /no key but their own/],
  ['an own key that changed', changed({ slots: slots.map((slot) => ({ ...slot, key: KEY })) }), /byte for byte/],
  ['a top-up nobody asked for', changed({ credits: having({ autoTopUp: { ...off, enabled: true } }) }), /top-up is as/],
  ['a lost wish', changed({ wishes: new Set() }), /wish is as/],
  ['a wish that nobody had', changed({ wishes: new Set(['dune-scarce', 'echo-none']) }), /wish is as/],
  ['canceled after it was resumed', of({ cancelAtPeriodEnd: true }), /is not canceled/],
])('%s is seen', (_, life, rule) => {
  expect(judge(life)).toContainEqual(expect.stringMatching(rule))
})

test('a termination’s refund is counted anew: of what is left, rounded down', () => {
  const ended = { status: 'ended', endReason: 'admin_terminated', endedAt: NOON_2 } as const
  const life = remembering(({ terminated }) => terminated.set('sub', 'prorated'))
  const refund = entry('e4', 'refund', 1_500_000, { balanceAfterMicrodollars: 5_500_000 })
  const over = {
    ...life,
    subscriptions: [{ ...subscription, ...ended }],
    slots: slots.slice(1),
    entries: [...life.entries, refund],
  }
  expect(judge({ ...over, credits: having({ balanceMicrodollars: 5_500_000 }) })).toEqual([])
  expect(judge({ ...over, credits: having({ balanceMicrodollars: 5_500_001 }) })).toHaveLength(2)
})

test('a purchase that is answered only when all is calm undoes a cancellation that was answered before: nobody is wronged', () => {
  const life = remembering((memory) => {
    memory.flagged.set('sub', DAY_2)
    const { charges: _, ...shown } = subscription
    const { id, amountMicrodollars } = second
    const body = { operationId: 'op', subscription: shown, charge: { id, kind: 'extension', amountMicrodollars } }
    memory.learnPurchase({ kind: 'purchase', call: 'POST /subscriptions' }, { status: 201, body } as never, true)
  })
  const extended = { ...subscription, charges: [first, { ...second, kind: 'extension' as const }] }
  expect(judge({ ...life, subscriptions: [extended] })).toEqual([])
})

test('a card that paid for somebody who is gone must have been credited or given back', () => {
  const credited = new Map([['gone', 5]])
  expect(compareCards(new Map([['gone', 5]]), credited)).toEqual([])
  expect(compareCards(new Map([['gone', 12]]), credited)).toEqual(['gone: the card paid 12, and 5 were credited'])
  expect(compareCards(new Map(), credited)).toHaveLength(1)
})

test('top-up that was declined is off by itself, and what was never answered may be so or not', () => {
  const topped = (enabled: boolean, paymentMethodId: string) => {
    const life = changed({ credits: having({ autoTopUp: { enabled, amountMicrodollars: 5, paymentMethodId } }) })
    const { autoTopUp } = life.memory
    autoTopUp.enabled.said = true
    autoTopUp.amountMicrodollars.said = 5
    autoTopUp.paymentMethodId.said = 'pm_decline'
    autoTopUp.paymentMethodId.late.add('pm_ok')
    return judge(life)
  }
  expect(topped(true, 'pm_ok')).toEqual([])
  expect(topped(false, 'pm_decline')).toEqual([])
  expect(topped(false, 'pm_ok')).toHaveLength(1)
  expect(topped(true, 'pm_slow')).toHaveLength(1)
})

test('who buys wishes no more; if it may have been before the wish, either is right', () => {
  const bought = (isLate: boolean) =>
    remembering((memory) => {
      const plan = { id: 'sub', planId: 'dune-scarce', providerId: 'acme' }
      const body = { operationId: 'op', kind: 'activation', subscription: plan, charge: null }
      memory.learnPurchase({ kind: 'purchase', call: 'POST /subscriptions' }, { body } as never, isLate)
    })
  expect(judge(bought(true))).toEqual([])
  expect(judge(bought(false))).toEqual(['a restock wish is as it was answered last'])
})
