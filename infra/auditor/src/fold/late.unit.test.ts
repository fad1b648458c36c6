import { instant, userId } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import type { Entry, Facts, Subscription } from './index.ts'
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
  posted,
  removed,
  renewed,
  T0,
  type Told,
  told,
  wrong,
} from './told.testing.ts'

// What lay in the auditor's dead letters and was sent again, or was lost for a while: heard behind what came after it.

const entryOf = (facts: Facts, id: string) => facts.peek('entry', id) as Entry | undefined
const subscriptionOf = (facts: Facts) => facts.peek('subscription', 'sub_1') as Subscription

const refunded = (amount: number, version: number): Told => [
  'CreditsRefunded',
  {
    ...{ userId: ada, refundId: 'rfd_1', subscriptionId: 'sub_1', entryId: 'ent_9', amount: money(amount) },
    ...{ at: instant(T0), balance: money(10 + amount), held: money(0), description: 'back', version },
  },
]
const released = (version: number, balance = money(50)): Told => [
  'HoldReleased',
  { userId: ada, holdId: 'hold_1', balance, held: money(0), version },
]
const canceled = (version: number): Told => [
  'CancellationScheduled',
  { userId: ada, operationId: 'op_6', subscriptionId: 'sub_1', by: 'user', version },
]
const extended = (version: number): Told => [
  'SubscriptionExtended',
  {
    ...{ userId: ada, operationId: 'op_7', subscriptionId: 'sub_1', periodStart: instant(T0 + MONTH) },
    ...{ currentPeriodEnd: instant(T0 + 2 * MONTH), amount: money(20), chargeId: 'chg_2', at: instant(T0) },
    ...{ cancelAtPeriodEnd: false, version, accountVersion: 5, planId: 'acme', planVersion: 2 },
  },
]

test('any one message of a life that is missed and heard last: nothing is wrong, and every entry is there', () => {
  for (const missed of life) {
    const facts = told(...life.filter((one) => one !== missed), missed)
    expect([missed[0], wrong(facts)]).toEqual([missed[0], {}])
    for (const entry of ['ent_1', 'ent_2', 'ent_3']) expect(entryOf(facts, entry)).toMatchObject({ userId: 'ada' })
    expect(facts.peek('subject', 'ada')).toMatchObject({ balance: 10, held: 0, version: 5, missing: [], live: {} })
    expect(subscriptionOf(facts)).toMatchObject({ state: 'ended', paid: 40, price: 20 })
  }
})

test('what is heard late is heard once', () => {
  for (const missed of life) {
    const others = life.filter((one) => one !== missed)
    expect([missed[0], wrong(told(...others, missed, ...life, missed))]).toEqual([missed[0], {}])
  }
})

test('a posting that never comes is told by its number, and only that one', () => {
  const facts = told(...life.filter(([name, body]) => name !== 'CreditsHeld' || body.holdId !== 'hold_2'))
  expect(wrong(facts)).toEqual({ postings_add_up: ['posting 4 of ada is missing, and posting 5 was heard'] })
})

test('more postings than are waited for are missing for ever', () => {
  const [{ postings_add_up: found }] = [wrong(told(granted, held({ version: 1_000 })))]
  expect(found?.[0]).toMatch(/^948 postings of ada before posting 1000 are missing/)
  expect(found).toHaveLength(51)
})

/** Heard while the hold before it was not. */
const meanwhile = posted({ entryId: 'ent_8', amount: money(50), balance: money(100), held: money(20), version: 3 })

test('a hold that is heard of late is open if as much is held, closed if it is not, and judged as any', () => {
  expect(wrong(told(granted, meanwhile, held())).nothing_hangs?.join()).toMatch(/hold hold_1 of ada over 20 is open/)
  expect(wrong(told(granted, released(3), held()))).toEqual({})
  const tooMuch = held({ amount: money(60), held: money(60) })
  expect(wrong(told(granted, meanwhile, tooMuch)).available_never_negative?.join()).toMatch(/leaves ada -10/)
})

test('a release or a capture of a hold whose opening is missing is not taken for wrong', () => {
  const release = released(4, money(100))
  expect(wrong(told(granted, meanwhile, release, held()))).toEqual({})
  const capture = captured({ balance: money(80), version: 4 })
  expect(wrong(told(granted, meanwhile, capture, held(), assigned(), activated()))).toEqual({})
})

test('a release of nothing tells the version of another posting: if that was not heard, it is missing, and nothing else is wrong', () => {
  const nothing = released(1)
  expect(wrong(told(nothing))).toEqual({ postings_add_up: ['posting 1 of ada is missing, and posting 1 was heard'] })
  expect(wrong(told(nothing, granted))).toEqual({})
  expect(wrong(told(granted, nothing, nothing))).toEqual({})
  expect(told(nothing, granted).peek('subject', 'ada')).toMatchObject({ balance: 50, held: 0, version: 1 })
  const later = posted({ entryId: 'ent_8', balance: money(90), version: 3 })
  expect(told(granted, later, nothing).peek('subject', 'ada')).toMatchObject({ balance: 90, version: 3, missing: [2] })
})

test('a hold and its capture that are both heard late are right, in whatever order', () => {
  const after = posted({ entryId: 'ent_8', balance: money(80), version: 4 })
  const served = [assigned(), activated()]
  expect(wrong(told(granted, after, held(), captured(), ...served))).toEqual({})
  expect(wrong(told(granted, after, captured(), held(), ...served))).toEqual({})
})

test('a change of a slot that never comes is told by its number; what it left in the slot is not guessed', () => {
  const taken = [assigned(), activated(free), own(3)]
  expect(wrong(told(...taken))).toEqual({
    one_key_per_slot: ['change 2 of the slot of ada at acme is missing, and change 3 was heard'],
  })
  expect(wrong(told(...taken, removed(), ended()))).toEqual({})
  const overwritten = [own(1), assigned({ slotVersion: 3 })]
  expect(wrong(told(...overwritten, own(2))).own_key_untouched).toBeUndefined()
})

test('key_has_one_user: an assignment that is heard late is one too', () => {
  const bobs = assigned({ userId: userId('bob'), subscriptionId: 'sub_2' })
  expect(wrong(told(own(2), bobs, assigned())).key_has_one_user?.join()).toMatch(/given to bob .* and to ada/)
})

test('a refund of a charge that is heard later is none of what nobody paid', () => {
  const charge = life[6] as Told
  const others = life.filter((one) => one !== charge)
  const before = told(...others, refunded(40, 6))
  expect(wrong(before).charge_has_its_term?.join()).toMatch(/ada is given back 20 more than sub_1 was paid/)
  expect(wrong(told(...others, refunded(40, 6), charge))).toEqual({})
})

test('a cancellation that tells again the version of a missed extension does not take its place', () => {
  const begun = life.slice(0, 7)
  expect(wrong(told(...begun, canceled(2), extended(2)))).toEqual({})
  expect(wrong(told(...begun, extended(2), canceled(2), canceled(2), extended(2)))).toEqual({})
  expect(
    wrong(told(...life.slice(0, 5), canceled(2), renewed({ version: 3, amount: money(20) }))).charge_has_its_term,
  ).toHaveLength(1)
})

test('an activation that is heard after its end makes nobody live', () => {
  const facts = told(assigned(), removed(), ended(), activated(free))
  expect(wrong(facts)).toEqual({})
  expect(facts.peek('lane', '0') ?? { live: 0 }).toMatchObject({ live: 0 })
})

test('term_charged_once: a late term that begins where the last one did is found', () => {
  const facts = told(activated(free), renewed({ version: 3 }), renewed({ version: 2 }))
  expect(wrong(facts).term_charged_once?.join()).toMatch(/not after the one before it/)
})
