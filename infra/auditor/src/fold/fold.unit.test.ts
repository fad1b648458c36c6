import { instant, userId } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { type Check, chainOf, checkNames, Facts, type Lane, type Link, passingOf, totalsOf } from './index.ts'
import {
  activated,
  ada,
  assigned,
  captured,
  ended,
  free,
  granted,
  held,
  life,
  MONTH,
  money,
  own,
  removed,
  renewed,
  stock,
  T0,
  type Told,
  told,
  uploaded,
  wrong,
} from './told.testing.ts'

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
  [
    'postings_add_up',
    'a posting that was never told',
    /posting 2 of ada is missing, and posting 3 was heard/,
    [granted, captured()],
  ],
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

test('every check but the databases’ totals has something planted that it finds', () => {
  const found = new Set<Check>([...planted.map(([check]) => check), 'one_top_up_per_term'])
  expect(checkNames.filter((check) => !found.has(check))).toEqual(['told_is_there'])
})

test('of two due terms of one subscription each stands for itself', () => {
  const due = (boundary: number): Told => [
    'PeriodEnded',
    { userId: ada, subscriptionId: 'sub_1', boundary: instant(boundary), asOf: instant(boundary) },
  ]
  const standing = (...messages: readonly Told[]) =>
    [...told(...messages)].flatMap(passingOf).map(({ check, about }) => `${check} ${about}`)
  const [first, second] = [standing(due(T0)), standing(due(T0), due(T0 + MONTH))]
  expect([first.length, second.length]).toEqual([1, 1])
  expect(second).not.toEqual(first)
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
