import { instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { type DueKind, dueKinds } from './index.ts'
import {
  activated,
  ada,
  assigned,
  ended,
  free,
  MONTH,
  money,
  removed,
  renewed,
  T0,
  type Told,
  told,
  wrong,
} from './told.testing.ts'

const [boundary, deadline] = [instant(T0 + MONTH), instant(T0 + MONTH + 3_600_000)]
const term = { userId: ada, subscriptionId: 'sub_1', boundary }
const live = [assigned(), activated(free)] as const

const over: Told = ['PeriodEnded', { ...term, asOf: boundary }]
const pastDue: Told = [
  'SubscriptionPastDue',
  { ...term, graceEndsAt: deadline, amount: money(20), available: money(0), version: 2, accountVersion: 1 },
]
const awaited: Told = ['TopUpAwaited', { ...term, until: deadline, version: 2 }]
const daysGranted: Told = [
  'DaysGranted',
  {
    ...{ userId: ada, subscriptionId: 'sub_1', operationId: 'op_8', chargeId: 'chg_8', days: 3, actor: 'admin-1' },
    ...{
      periodStart: deadline,
      currentPeriodEnd: instant(deadline + MONTH),
      at: deadline,
      reason: 'sorry',
      version: 3,
    },
    cancelAtPeriodEnd: false,
  },
]
const ignored = (what: DueKind): Told => ['DueIgnored', { ...term, what }]

const deadlines = [
  ['GraceEnded', pastDue, 'grace_ended', /the end of the grace for the due term of sub_1 at 2026-02-28/],
  ['TopUpWaitEnded', awaited, 'top_up_wait_ended', /the end of the wait for a top-up .* of sub_1 at 2026-02-28/],
] as const

test.each(deadlines)('%s that nobody answers leaves access for nothing, and is found', (name, given, kind, found) => {
  const reached: Told = [name, { ...term, deadline, asOf: deadline }]
  const hanging = (...messages: readonly Told[]) => wrong(told(...live, ...messages)).nothing_hangs?.join()
  expect(hanging(over, given)).toBeUndefined()
  expect(hanging(over, given, reached)).toMatch(found)
  // What answers the end of the term, or another deadline, is no answer to this one, whichever is heard first.
  expect(hanging(reached, over, given)).toMatch(found)
  for (const other of dueKinds.filter((one) => one !== kind))
    expect(hanging(over, given, ignored(other), reached)).toMatch(found)
  const next: Told = [name, { ...term, boundary: instant(boundary + MONTH), deadline, asOf: deadline }]
  expect(hanging(over, given, reached, ignored(kind), next)).toMatch(/of sub_1 at 2026-03-28/)
})

test.each(deadlines)('%s is answered by a payment, the end, another boundary, or as ignored', (name, given, kind) => {
  const reached: Told = [name, { ...term, deadline, asOf: deadline }]
  const gone = [removed(), ended({ version: 3 })]
  for (const answer of [[renewed({ version: 3 })], gone, [daysGranted, ignored('period_ended')], [ignored(kind)]]) {
    expect(wrong(told(...live, over, given, reached, ...answer))).toEqual({})
    expect(wrong(told(...live, given, ...answer, over, reached, reached))).toEqual({})
  }
})

test('a due term whose renewal failed, and which days are given for before it is said again, is answered by them', () => {
  const hanging = (...messages: readonly Told[]) => wrong(told(...live, ...messages)).nothing_hangs?.join()
  expect(hanging(over)).toMatch(/the due term of sub_1/)
  expect(hanging(over, daysGranted)).toBeUndefined()
  expect(hanging(daysGranted, over)).toBeUndefined()
})
