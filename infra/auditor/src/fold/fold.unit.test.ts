import { message } from '@coding-plans/runtime/testing'
import { type Bodies, instant, type MessageName, microdollars, userId } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import {
  type Check,
  chainOf,
  checkNames,
  Facts,
  findingsOf,
  fold,
  type Lane,
  type Link,
  passingOf,
  totalsOf,
} from './index.ts'

const T0 = Date.parse('2026-01-31T10:00:00.000Z')
const MONTH = 28 * 86_400_000
const ada = userId('ada')
const money = microdollars

type Told = { [Name in MessageName]: readonly [name: Name, body: Bodies[Name], source?: string] }[MessageName]

const told = (...messages: readonly Told[]): Facts => {
  const facts = new Facts()
  for (const [name, body, source] of messages)
    fold(facts, message(name, body as never, source ? { source } : {}) as never)
  return facts
}

/** What is wrong with it in the end, by check. */
const wrong = (facts: Facts): Partial<Record<Check, string[]>> => {
  const found: Partial<Record<Check, string[]>> = {}
  for (const fact of facts)
    for (const { check, detail } of [...findingsOf(fact), ...passingOf(fact)])
      found[check] = [...(found[check] ?? []), detail]
  return found
}

const granted: Told = [
  'CreditsPosted',
  {
    ...{ userId: ada, operationId: 'op_1', entryId: 'ent_1', creditKind: 'grant', description: 'welcome' },
    ...{ amount: money(50), at: instant(T0), balance: money(50), held: money(0), version: 1 },
  },
]
const held = (change: Partial<Bodies['CreditsHeld']> = {}): Told => [
  'CreditsHeld',
  {
    ...{ userId: ada, holdId: 'hold_1', amount: money(20), balance: money(50), held: money(20), version: 2 },
    ...change,
  },
]
const captured = (change: Partial<Bodies['HoldCaptured']> = {}): Told => [
  'HoldCaptured',
  {
    ...{ userId: ada, holdId: 'hold_1', entryId: 'ent_2', chargeId: 'chg_1', subscriptionId: 'sub_1' },
    ...{ amount: money(20), at: instant(T0), balance: money(30), held: money(0), description: 'Acme', version: 3 },
    ...change,
  },
]
const assigned = (change: Partial<Bodies['KeyAssigned']> = {}): Told => [
  'KeyAssigned',
  {
    ...{ userId: ada, assignmentId: 'act_1', subscriptionId: 'sub_1', planId: 'acme', providerId: 'acme' },
    ...{ keyId: 'key_1', maskedKey: '…1234', at: instant(T0), slotVersion: 1, stockVersion: 2 },
    ...change,
  },
]
const activated = (change: Partial<Bodies['SubscriptionActivated']> = {}): Told => [
  'SubscriptionActivated',
  {
    ...{ userId: ada, operationId: 'op_2', subscriptionId: 'sub_1', planId: 'acme', planVersion: 1, planName: 'Acme' },
    ...{ providerId: 'acme', price: money(20), periodUnit: 'month', periodCount: 1, graceHours: 0 },
    ...{ currentPeriodStart: instant(T0), currentPeriodEnd: instant(T0 + MONTH), previousSubscriptionId: null },
    ...{ createdAt: instant(T0), chargeId: 'chg_1', keyId: 'key_1', version: 1, accountVersion: 3, slotVersion: 1 },
    ...{ stockVersion: 2, wishVersion: null },
    ...change,
  },
]
const free = { price: money(0), chargeId: null }
const renewed = (change: Partial<Bodies['SubscriptionRenewed']> = {}): Told => [
  'SubscriptionRenewed',
  {
    ...{
      userId: ada,
      subscriptionId: 'sub_1',
      boundary: instant(T0 + MONTH),
      currentPeriodEnd: instant(T0 + 2 * MONTH),
    },
    ...{ amount: money(0), chargeId: null, cancelAtPeriodEnd: false, version: 2, accountVersion: null },
    ...{ periodStart: null, recovered: false },
    ...change,
  },
]
const removed = (change: Partial<Bodies['KeyRemoved']> = {}): Told => [
  'KeyRemoved',
  {
    ...{ userId: ada, subscriptionId: 'sub_1', providerId: 'acme', keyId: 'key_1', at: instant(T0), slotVersion: 2 },
    ...{ emptied: true, stockVersion: 3 },
    ...change,
  },
]
const ended = (change: Partial<Bodies['SubscriptionEnded']> = {}): Told => [
  'SubscriptionEnded',
  {
    ...{ userId: ada, subscriptionId: 'sub_1', operationId: null, boundary: null, endedAt: instant(T0) },
    ...{ reason: 'user_canceled', version: 2, slotVersion: 2, accountVersion: null, refundId: null },
    ...{ refundAmount: null, refundedUntil: null, stockVersion: null },
    ...change,
  },
]
const own = (version: number): Told => [
  'SlotChanged',
  {
    ...{ userId: ada, operationId: 'op_3', providerId: 'acme', managedBy: 'user', enabled: true, maskedKey: '…5678' },
    ...{ createdAt: instant(T0), updatedAt: instant(T0), version },
  },
]
const stock = (available: number, keys: readonly string[], version = 1): Told => [
  'StockChanged',
  {
    ...{ planId: 'acme', providerId: 'acme', version, available, quarantined: 0, assigned: 0, revocationPending: 0 },
    ...{ revoked: 0, revocationFailed: 0, retired: 0, sellableUntil: null },
    keys: keys.map((keyId) => ({
      ...{ keyId, state: 'available', upstreamPlanId: null, uploadedAt: instant(T0), assignedAt: null },
      ...{ subscriptionId: null, attempts: 0, lastError: null },
    })),
  },
]
const uploaded = (accepted: number): Told => [
  'KeysUploaded',
  { planId: 'acme', operationId: 'op_4', accepted, duplicates: 0, invalid: 0, report: [], stockVersion: 1 },
]
const topUp = (topUpId: string): Told => ['TopUpCredits', { userId: ada, topUpId, shortfall: money(1) }]

const life = [
  granted,
  held(),
  assigned(),
  captured(),
  activated(),
  held({ holdId: 'hold_2', balance: money(30), version: 4 }),
  captured({ holdId: 'hold_2', chargeId: 'chg_2', entryId: 'ent_3', balance: money(10), version: 5 }),
  renewed({ amount: money(20), chargeId: 'chg_2', accountVersion: 5 }),
  removed(),
  ended({ version: 3 }),
] as const

test('a whole life is right, in whatever order its topics are heard, and however often', () => {
  expect(wrong(told(...life))).toEqual({})
  const [money1, hold, key, capture, subscription, hold2, capture2, renewal, removal, end] = life
  expect(wrong(told(subscription, renewal, end, key, removal, money1, hold, capture, hold2, capture2))).toEqual({})
  expect(wrong(told(...life, ...life))).toEqual({})
  expect(wrong(told(granted, assigned(), activated(free), renewed(), removed(), ended({ version: 3 })))).toEqual({})
})

const planted: readonly (readonly [check: Check, what: string, found: RegExp, messages: readonly Told[]])[] = [
  [
    'available_never_negative',
    'a hold over more than there is',
    /leaves ada -10/,
    [granted, held({ amount: money(60), held: money(60) })],
  ],
  [
    'available_never_negative',
    'a charge of no hold',
    /which is not open/,
    [granted, captured({ version: 2, held: money(-20) })],
  ],
  [
    'postings_add_up',
    'a balance off by one',
    /it should be 30, 0 held/,
    [granted, held(), captured({ balance: money(31) })],
  ],
  ['postings_add_up', 'a posting that was never told', /posting 3 of ada follows posting 1/, [granted, captured()]],
  ['charge_has_its_term', 'a charge without a term', /charge chg_1 .* has no term/, [granted, held(), captured()]],
  ['charge_has_its_term', 'a paid term without a charge', /which is not there/, [assigned(), activated()]],
  [
    'charge_has_its_term',
    'another amount than the term names',
    /is 20 where it is served, and 19 elsewhere/,
    [
      granted,
      held({ amount: money(19), held: money(19) }),
      captured({ amount: money(19), balance: money(31) }),
      assigned(),
      activated(),
    ],
  ],
  [
    'charge_has_its_term',
    'an activation that costs and names no charge',
    /a term of sub_1 over 20 names no charge/,
    [assigned(), activated({ chargeId: null })],
  ],
  [
    'charge_has_its_term',
    'a free term that names a charge',
    /a term of sub_1 over 0 names charge chg_1/,
    [assigned(), activated({ price: money(0) })],
  ],
  [
    'charge_has_its_term',
    'a renewal for nothing of what was bought at a price',
    /costs 0, and was bought at 20/,
    [...life.slice(0, 5), renewed()],
  ],
  [
    'charge_has_its_term',
    'a renewal that names no charge',
    /a term of sub_1 over 20 names no charge/,
    [...life.slice(0, 5), renewed({ amount: money(20) })],
  ],
  [
    'key_has_one_user',
    'a key that is sold twice',
    /key_1 was given to ada .* and to bob/,
    [assigned(), assigned({ userId: userId('bob'), subscriptionId: 'sub_2' })],
  ],
  [
    'one_live_subscription',
    'a second one of the provider',
    /sub_1 and sub_2 of acme/,
    [activated(free), activated({ subscriptionId: 'sub_2', ...free })],
  ],
  [
    'one_key_per_slot',
    'a key where another is',
    /key_2 goes where ada has the key of sub_1/,
    [assigned(), assigned({ subscriptionId: 'sub_2', keyId: 'key_2', slotVersion: 2 })],
  ],
  ['access_follows_subscription', 'live without a key', /its key is not in the slot/, [activated(free)]],
  ['access_follows_subscription', 'a key for nobody', /there is no such subscription/, [assigned()]],
  [
    'access_follows_subscription',
    'over, and the key still there',
    /has ended, and its key is in the slot/,
    [assigned(), activated(free), ended()],
  ],
  [
    'access_follows_subscription',
    'over, with the key left in the slot by who says that none was there',
    /has ended, and its key is in the slot/,
    [assigned(), activated(free), removed({ emptied: false, slotVersion: 1 }), ended()],
  ],
  ['own_key_untouched', 'a plan’s key over one’s own', /is replaced by key_1/, [own(1), assigned({ slotVersion: 2 })]],
  ['own_key_untouched', 'one’s own taken out', /is removed with sub_1/, [own(1), removed()]],
  [
    'term_charged_once',
    'a term that begins twice',
    /begins at 2026-02-28.* not after/,
    [activated(free), renewed(), renewed({ version: 3 })],
  ],
  [
    'term_charged_once',
    'a charge that is taken twice',
    /is taken twice/,
    [
      granted,
      held(),
      captured(),
      held({ version: 4, balance: money(30) }),
      captured({ version: 5, balance: money(10), entryId: 'ent_3' }),
    ],
  ],
  [
    'keys_add_up',
    'a count that is not so',
    /says that 3 keys are available .* and it is 2/,
    [uploaded(2), stock(3, ['a', 'b'])],
  ],
  [
    'keys_add_up',
    'a key that got lost',
    /2 keys of acme were uploaded, and there are 1/,
    [uploaded(2), stock(1, ['a'])],
  ],
  ['nothing_hangs', 'an open hold', /hold hold_1 of ada over 20 is open/, [granted, held()]],
  [
    'nothing_hangs',
    'a purchase that nobody answers',
    /PurchasePlan of ada is not answered/,
    [
      [
        'PurchasePlan',
        {
          ...{ userId: ada, operationId: 'op_9', planId: 'acme', planVersion: 1 },
          ...{ knownSubscriptionId: null, knownEnd: null },
        },
        'gateway',
      ],
    ],
  ],
  [
    'nothing_hangs',
    'a due term that nobody answers',
    /the due term of sub_1/,
    [['PeriodEnded', { userId: ada, subscriptionId: 'sub_1', boundary: instant(T0), asOf: instant(T0) }]],
  ],
  [
    'ended_stays_ended',
    'a renewal of what is over',
    /has ended, and then a renewal is told/,
    [...life, renewed({ version: 4 })],
  ],
]

test.each(planted)('%s: %s is found', (check, _, found, messages) => {
  expect(wrong(told(...messages))[check]?.join()).toMatch(found)
})

test('a removal that is asked for twice, be it with one’s own key there by then, after a deletion, or before the key came, is right', () => {
  const begun = [assigned(), activated(free)] as const
  const again = (slotVersion: number) => removed({ emptied: false, slotVersion })
  const unlinked: Told = ['KeysUnlinked', { userId: ada, operationId: 'op_5', keys: 1, slots: 1, at: instant(T0) }]
  expect(wrong(told(...begun, removed(), ended(), again(2)))).toEqual({})
  expect(wrong(told(...begun, removed(), own(3), again(3), ended()))).toEqual({})
  expect(wrong(told(...begun, removed(), ended(), unlinked, again(0)))).toEqual({})
  expect(wrong(told(again(0), assigned(), removed()))).toEqual({})
})

test('one_top_up_per_term: two top-ups of one saga; not when the first was no attempt', () => {
  const asked = (...ids: string[]) => {
    const facts = new Facts()
    for (const id of ids) {
      const [name, body] = topUp(id)
      fold(facts, message(name, body as never, { correlationId: 'ren_1' }) as never)
    }
    return facts
  }
  expect(wrong(asked('top_1', 'top_1'))).toEqual({})
  const facts = asked('top_1', 'top_2')
  expect(wrong(facts).one_top_up_per_term?.join()).toMatch(/ren_1 asks for top-ups top_1 and top_2/)
  const off = { userId: ada, topUpId: 'top_1', reason: 'off', at: instant(T0) } as const
  fold(facts, message('TopUpDeclined', off) as never)
  expect(wrong(facts)).toEqual({})
})

test('every check but the databases’ totals has something planted that it finds', () => {
  const found = new Set<Check>([...planted.map(([check]) => check), 'one_top_up_per_term'])
  expect(checkNames.filter((check) => !found.has(check))).toEqual(['told_is_there'])
})

test('GDP-1: what a deleted user leaves stays in the ledger, and is shown by the gateway no more, whichever is heard first', () => {
  const deletion: Told = [
    'AccountDeleted',
    {
      ...{ userId: ada, operationId: 'op_5', at: instant(T0), endedSubscriptions: 0, unlinkedKeys: 0 },
      ...{ removedSlots: 0, forgottenWishes: 0, remainingCredits: money(50) },
    },
  ]
  for (const facts of [told(granted, deletion), told(deletion, granted), told(granted, deletion, deletion)]) {
    const lanes = [...facts].flatMap(({ kind, value }) => (kind === 'lane' ? [value as Lane] : []))
    expect(totalsOf(lanes)).toMatchObject({ 'ledger balance': 50, 'gateway balance': 0 })
  }
})

test('a chain goes back to what began it; one that has a hole does not close', () => {
  const link = (id: string, causeId: string | null) => ({ id, causeId }) as Link
  const links = new Map([link('a', null), link('b', 'a'), link('c', 'b')].map((one) => [one.id, one]))
  const from = (id: string) => chainOf(id, (one) => links.get(one))
  expect(from('c')).toEqual({ chain: [links.get('a'), links.get('b'), links.get('c')], closed: true })
  links.delete('b')
  expect(from('c').closed).toBe(false)
})

test('a fold asks for no fact but those that were to be loaded for it', () => {
  const facts = new Facts()
  expect(() => facts.within([{ kind: 'subject', id: 'ada' }], () => facts.of('lane', '0'))).toThrow(/lane 0/)
})
