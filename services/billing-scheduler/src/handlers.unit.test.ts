import { messageId } from '@coding-plans/runtime'
import { message } from '@coding-plans/runtime/testing'
import { type Bodies, type Instant, instant, type MessageName, microdollars, userId } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import type { Agenda } from './agenda.ts'
import { activatedBody, endedBody, endingBody, extendedBody, renewedBody } from './bodies.testing.ts'
import type { ClockMode } from './domain/clock.ts'
import { causeOf, type Term } from './domain/term.ts'
import { Flow } from './flow.ts'
import { createHandler, SERVICE } from './handlers.ts'
import { sqlStore } from './store.ts'

const ada = userId('ada')
const subscriptionId = 'sub_1'
const JANUARY = instant(Date.parse('2026-01-01T00:00:00.000Z'))
const FEBRUARY = instant(Date.parse('2026-02-01T00:00:00.000Z'))
const MARCH = instant(Date.parse('2026-03-01T00:00:00.000Z'))
const WALL = instant(1_000_000)

const emptyAgenda = (): Agenda => ({
  terms: new Map(),
  changed: new Set(),
  known: new Set(),
  requested: [],
  ticks: [],
  counted: new Map(),
  wallClock: WALL,
})

const hear = <Name extends MessageName>(
  agenda: Agenda,
  name: Name,
  body: Bodies[Name],
  { mode = 'test', source, time }: { mode?: ClockMode; source?: string; time?: Instant } = {},
) => {
  const decide = createHandler({ mode, store: sqlStore, flow: new Flow(), wallClock: () => WALL }).decide[name]
  if (!decide) throw new Error(`${name} is not heard.`)
  return decide(agenda, message(name, body, { ...(source ? { source } : {}), time: time ?? JANUARY }))
}

// Free: nothing is said beforehand.
const activated = activatedBody({ currentPeriodEnd: FEBRUARY, createdAt: JANUARY, price: microdollars(0) })
const failure = (messageIdOfDue: string, messageName = 'PeriodEnded'): Bodies['CommandFailed'] => ({
  subject: ada,
  messageId: messageIdOfDue,
  messageName,
  reason: 'a bug',
})

/** An agenda with one term, due on 1 February. */
const withTerm = ({ boundary, ...change }: Partial<Term> = {}) => {
  const agenda = emptyAgenda()
  hear(agenda, 'SubscriptionActivated', activated)
  const moved = boundary === undefined ? {} : { boundary, due: boundary }
  const term = { ...(agenda.terms.get(subscriptionId) as Term), ...moved, ...change }
  agenda.terms.set(subscriptionId, term)
  agenda.changed.clear()
  return agenda
}
const termIn = (agenda: Agenda) => agenda.terms.get(subscriptionId) as Term
const dueId = (term: Term) => messageId(SERVICE, causeOf(term), 0)

test('REN-1: a subscription that began waits for its boundary, in its lane', () => {
  const agenda = emptyAgenda()
  expect(hear(agenda, 'SubscriptionActivated', activated)).toEqual([])
  expect(termIn(agenda)).toMatchObject({ userId: ada, boundary: FEBRUARY, createdAt: JANUARY, state: 'waiting' })
  expect(agenda.changed).toEqual(new Set([subscriptionId]))
})

test('REN-3: renewed, the next boundary waits, and its due message has another id', () => {
  const agenda = withTerm({ state: 'said' })
  const before = dueId(termIn(agenda))
  hear(agenda, 'SubscriptionRenewed', renewedBody({ version: 2, boundary: FEBRUARY, currentPeriodEnd: MARCH }))
  expect(termIn(agenda)).toMatchObject({ boundary: MARCH, state: 'waiting', attempt: 0, version: 2 })
  expect(dueId(termIn(agenda))).not.toBe(before)
})

test('EXT-1: extended, the old boundary is no longer due', () => {
  const agenda = withTerm()
  hear(agenda, 'SubscriptionExtended', extendedBody({ version: 2, currentPeriodEnd: MARCH }))
  expect(termIn(agenda)).toMatchObject({ boundary: MARCH, state: 'waiting' })
})

test('IDE-4: what is not newer changes nothing: no replay re-creates, moves back or revives a term', () => {
  const agenda = withTerm()
  hear(agenda, 'SubscriptionRenewed', renewedBody({ version: 2, boundary: FEBRUARY, currentPeriodEnd: MARCH }))
  hear(agenda, 'SubscriptionEnding', endingBody(3))
  hear(agenda, 'SubscriptionEnded', endedBody({ version: 4 }))
  const before = termIn(agenda)
  agenda.changed.clear()
  hear(agenda, 'SubscriptionActivated', activated)
  hear(agenda, 'SubscriptionRenewed', renewedBody({ version: 2, boundary: FEBRUARY, currentPeriodEnd: MARCH }))
  hear(agenda, 'SubscriptionEnding', endingBody(3))
  hear(agenda, 'SubscriptionEnded', endedBody({ version: 4 }))
  hear(agenda, 'DueIgnored', { userId: ada, subscriptionId, boundary: MARCH, what: 'period_ended' })
  expect(termIn(agenda)).toBe(before)
  expect(before.state).toBe('ended')
  expect(agenda.changed.size).toBe(0)
})

test('a late copy never moves a boundary back', () => {
  const agenda = withTerm()
  hear(agenda, 'SubscriptionExtended', extendedBody({ version: 3, currentPeriodEnd: MARCH }))
  hear(agenda, 'SubscriptionRenewed', renewedBody({ version: 2, boundary: JANUARY, currentPeriodEnd: FEBRUARY }))
  expect(termIn(agenda).boundary).toBe(MARCH)
})

test('CAN-1: a subscription that is being ended is not said to be due', () => {
  const agenda = withTerm()
  hear(agenda, 'SubscriptionEnding', endingBody(2))
  expect(termIn(agenda).state).toBe('answered')
})

test('an end that a due message started is its answer only when it is carried out', () => {
  const agenda = withTerm({ state: 'said' })
  hear(agenda, 'SubscriptionEnding', endingBody(2))
  expect(termIn(agenda).state).toBe('said')
  hear(agenda, 'SubscriptionEnded', endedBody({ version: 3 }))
  expect(termIn(agenda).state).toBe('ended')
})

test('a due message without consequence is answered and not said again until the boundary moves', () => {
  const agenda = withTerm({ state: 'said' })
  hear(agenda, 'DueIgnored', { userId: ada, subscriptionId, boundary: FEBRUARY, what: 'period_ended' })
  expect(termIn(agenda).state).toBe('answered')
  hear(agenda, 'SubscriptionExtended', extendedBody({ version: 2, currentPeriodEnd: MARCH }))
  expect(termIn(agenda)).toMatchObject({ state: 'waiting', boundary: MARCH })
})

test.each(['waiting', 'said'] as const)(
  'an answer about a boundary that has moved since answers nothing (%s)',
  (state) => {
    const agenda = withTerm({ boundary: MARCH, version: 2, state })
    hear(agenda, 'DueIgnored', { userId: ada, subscriptionId, boundary: FEBRUARY, what: 'period_ended' })
    expect(termIn(agenda)).toMatchObject({ state, boundary: MARCH })
  },
)

test('REN-4: a due message that could not be handled is said again after a while, under another id', () => {
  const agenda = withTerm({ state: 'said' })
  const said = dueId(termIn(agenda))
  hear(agenda, 'CommandFailed', failure(said), { source: 'subscription' })
  expect(termIn(agenda)).toMatchObject({ state: 'waiting', boundary: FEBRUARY, attempt: 1, retryAt: WALL + 1_000 })
  expect(dueId(termIn(agenda))).not.toBe(said)
})

test('the back-off doubles to a minute and begins anew with the next boundary', () => {
  const agenda = withTerm({ state: 'said', attempt: 3 })
  hear(agenda, 'CommandFailed', failure(dueId(termIn(agenda))), { source: 'subscription' })
  expect(termIn(agenda).retryAt).toBe(WALL + 8_000)
  const worst = withTerm({ state: 'said', attempt: 40 })
  hear(worst, 'CommandFailed', failure(dueId(termIn(worst))), { source: 'subscription' })
  expect(termIn(worst).retryAt).toBe(WALL + 60_000)
  hear(worst, 'SubscriptionRenewed', renewedBody({ version: 2, boundary: FEBRUARY, currentPeriodEnd: MARCH }))
  expect(termIn(worst)).toMatchObject({ attempt: 0, retryAt: null })
})

test.each([
  ['of an earlier attempt', messageId(SERVICE, 'due|sub_1|period_ended|0|0|0', 0), 'PeriodEnded', 'subscription'],
  ['of another message', null, 'PurchasePlan', 'subscription'],
  ['of a service that does not answer for terms', null, 'PeriodEnded', 'gateway'],
])('the failure %s changes nothing', (_, id, name, source) => {
  const agenda = withTerm({ state: 'said' })
  hear(agenda, 'CommandFailed', failure(id ?? dueId(termIn(agenda)), name), { source })
  expect(termIn(agenda).state).toBe('said')
  expect(agenda.changed.size).toBe(0)
})

test('an event about a subscription that never began is a dead letter', () => {
  expect(() =>
    hear(
      emptyAgenda(),
      'SubscriptionRenewed',
      renewedBody({ version: 2, boundary: FEBRUARY, currentPeriodEnd: MARCH }),
    ),
  ).toThrow('sub_1')
})

const advance = (change: Partial<Bodies['AdvanceClock']>): Bodies['AdvanceClock'] => ({
  clock: 'clock',
  operationId: 'op_9',
  to: null,
  by: null,
  actor: 'admin-1',
  outage: false,
  ...change,
})

test('an advance waits for its turn, once however often it is asked', () => {
  const agenda = emptyAgenda()
  expect(hear(agenda, 'AdvanceClock', advance({ by: 'P1M' }))).toEqual([])
  expect(hear(agenda, 'AdvanceClock', advance({ by: 'P1M' }))).toEqual([])
  hear(agenda, 'AdvanceClock', advance({ operationId: 'op_10', to: MARCH }))
  expect(agenda.requested).toEqual([
    { operationId: 'op_9', toInstant: null, byDuration: 'P1M', actor: 'admin-1', outage: false },
    { operationId: 'op_10', toInstant: MARCH, byDuration: null, actor: 'admin-1', outage: false },
  ])
})

test('a system clock does not move by hand', () => {
  const agenda = emptyAgenda()
  const [refusal] = hear(agenda, 'AdvanceClock', advance({ by: 'P1M' }), { mode: 'system' })
  expect(refusal).toMatchObject({ name: 'ClockRefused', body: { operationId: 'op_9', reason: 'clock_not_test' } })
  expect(agenda.requested).toEqual([])
})

test.each([{ by: 'a month' }, { by: '-P1D' }, {}])('%j is refused as no duration', (asked) => {
  const agenda = emptyAgenda()
  expect(hear(agenda, 'AdvanceClock', advance(asked))).toMatchObject([
    { name: 'ClockRefused', body: { clock: 'clock', operationId: 'op_9', reason: 'duration_invalid' } },
  ])
  expect(agenda.requested).toEqual([])
})

const DAY = 86_400_000
const whose = { userId: ada, subscriptionId }
const paid = activatedBody({ currentPeriodEnd: FEBRUARY, createdAt: JANUARY })
const FEBRUARY_4 = instant(FEBRUARY + 3 * DAY)

test('REN-9: what costs something is told three days before, then it is due', () => {
  const agenda = emptyAgenda()
  hear(agenda, 'SubscriptionActivated', paid)
  expect(termIn(agenda)).toMatchObject({ what: 'renewal_due_soon', due: FEBRUARY - 3 * DAY, boundary: FEBRUARY })
  agenda.terms.set(subscriptionId, { ...termIn(agenda), state: 'said' })
  hear(agenda, 'RenewingSoon', { ...whose, boundary: FEBRUARY, amount: paid.price, at: FEBRUARY })
  expect(termIn(agenda)).toMatchObject({ what: 'period_ended', due: FEBRUARY, state: 'waiting' })
})

test('REN-9: also if nothing was to be told; a copy of the answer changes nothing later', () => {
  const agenda = withTerm({ what: 'renewal_due_soon', due: JANUARY, state: 'said' })
  const ignored = { ...whose, boundary: FEBRUARY, what: 'renewal_due_soon' } as const
  hear(agenda, 'DueIgnored', ignored)
  expect(termIn(agenda)).toMatchObject({ what: 'period_ended', state: 'waiting' })
  agenda.terms.set(subscriptionId, { ...termIn(agenda), state: 'said' })
  hear(agenda, 'DueIgnored', ignored)
  expect(termIn(agenda)).toMatchObject({ what: 'period_ended', state: 'said' })
})

test('REN-9: a shorter term is told at its start; nothing is told for an instant that has gone by', () => {
  const agenda = withTerm({ free: false, state: 'said' })
  const end = instant(FEBRUARY + DAY)
  hear(agenda, 'SubscriptionRenewed', renewedBody({ version: 2, boundary: FEBRUARY, currentPeriodEnd: end }), {
    time: FEBRUARY,
  })
  expect(termIn(agenda)).toMatchObject({ what: 'renewal_due_soon', due: FEBRUARY })
  const late = instant(FEBRUARY + DAY / 2)
  const again = renewedBody({ version: 3, boundary: FEBRUARY, currentPeriodEnd: end })
  hear(agenda, 'SubscriptionRenewed', again, { time: late })
  expect(termIn(agenda)).toMatchObject({ what: 'renewal_due_soon', due: late })
  hear(agenda, 'SubscriptionRenewed', { ...again, version: 4 }, { time: end })
  expect(termIn(agenda)).toMatchObject({ what: 'period_ended', due: end })
})

const pastDue = { ...whose, boundary: FEBRUARY, graceEndsAt: FEBRUARY_4, amount: microdollars(20), version: 2 }
const rests = { available: microdollars(0), accountVersion: 4 }

test('REN-5, REN-6: past due, the end of its grace is said; then what follows', () => {
  const agenda = withTerm({ state: 'said' })
  hear(agenda, 'SubscriptionPastDue', { ...pastDue, ...rests })
  expect(termIn(agenda)).toMatchObject({ what: 'grace_ended', due: FEBRUARY_4, boundary: FEBRUARY, state: 'waiting' })
  hear(agenda, 'SubscriptionRenewed', renewedBody({ version: 3, boundary: FEBRUARY, currentPeriodEnd: MARCH }))
  expect(termIn(agenda)).toMatchObject({ what: 'period_ended', due: MARCH, boundary: MARCH, state: 'waiting' })
})

test('TOP-2: the end of a wait for a top-up is said; declined in the meantime, the grace is instead', () => {
  const agenda = withTerm({ state: 'said' })
  const until = instant(FEBRUARY + 3_600_000)
  hear(agenda, 'TopUpAwaited', { ...whose, boundary: FEBRUARY, until, version: 2 })
  expect(termIn(agenda)).toMatchObject({ what: 'top_up_wait_ended', due: until, state: 'waiting' })
  hear(agenda, 'SubscriptionPastDue', { ...pastDue, ...rests, version: 3 })
  expect(termIn(agenda)).toMatchObject({ what: 'grace_ended', due: FEBRUARY_4 })
  hear(agenda, 'TopUpAwaited', { ...whose, boundary: FEBRUARY, until, version: 2 })
  expect(termIn(agenda).what).toBe('grace_ended')
})

test('EXT-6: granted days move the boundary', () => {
  const agenda = withTerm({ what: 'grace_ended', due: FEBRUARY_4, version: 2 })
  const given = { days: 3, chargeId: 'c', operationId: 'op', actor: 'a', reason: 'r', cancelAtPeriodEnd: false }
  const body = { ...whose, ...given, at: FEBRUARY, periodStart: FEBRUARY, currentPeriodEnd: MARCH, version: 3 }
  hear(agenda, 'DaysGranted', body)
  expect(termIn(agenda)).toMatchObject({ what: 'period_ended', due: MARCH, state: 'waiting' })
})

test('an answer to another due message of the same boundary answers nothing', () => {
  const agenda = withTerm({ what: 'grace_ended', due: FEBRUARY_4, state: 'said' })
  hear(agenda, 'DueIgnored', { ...whose, boundary: FEBRUARY, what: 'period_ended' })
  expect(termIn(agenda).state).toBe('said')
  hear(agenda, 'DueIgnored', { ...whose, boundary: FEBRUARY, what: 'grace_ended' })
  expect(termIn(agenda).state).toBe('answered')
})

test('a tick waits up to the present instant; what comes of due messages is counted once', () => {
  const agenda = withTerm({ state: 'said' })
  hear(agenda, 'RunBillingTick', { clock: 'clock', operationId: 'op_tick', waitMilliseconds: 500 })
  hear(agenda, 'RunBillingTick', { clock: 'clock', operationId: 'op_tick', waitMilliseconds: 500 })
  expect(agenda.ticks).toEqual([{ operationId: 'op_tick', asOf: null, askedAt: WALL, waitUntil: WALL + 500 }])
  const renewal = renewedBody({ version: 2, boundary: FEBRUARY, currentPeriodEnd: MARCH })
  for (const _ of [1, 2]) hear(agenda, 'SubscriptionRenewed', renewal)
  hear(agenda, 'SubscriptionPastDue', { ...pastDue, ...rests, boundary: MARCH, version: 3 })
  hear(agenda, 'SubscriptionRenewed', { ...renewal, boundary: MARCH, recovered: true, version: 4 })
  hear(agenda, 'SubscriptionEnded', endedBody({ version: 5 }))
  const counts = [...agenda.counted.values()].map(({ outcome, count }) => [outcome, count])
  expect(Object.fromEntries(counts)).toEqual({ renewed: 1, pastDue: 1, recovered: 1, ended: 1 })
})
