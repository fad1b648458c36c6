import { messageId } from '@coding-plans/runtime'
import { message } from '@coding-plans/runtime/testing'
import { type Bodies, instant, type MessageName, userId } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import type { Agenda } from './agenda.ts'
import { activatedBody, endedBody, endingBody, extendedBody, renewedBody } from './bodies.testing.ts'
import type { ClockMode } from './domain/clock.ts'
import { causeOf, type Term } from './domain/term.ts'
import { createHandler, SERVICE } from './handlers.ts'

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
  wallClock: WALL,
})

const hear = <Name extends MessageName>(
  agenda: Agenda,
  name: Name,
  body: Bodies[Name],
  { mode = 'test', source }: { mode?: ClockMode; source?: string } = {},
) => {
  const decide = createHandler(mode, () => WALL).decide[name]
  if (!decide) throw new Error(`${name} is not heard.`)
  return decide(agenda, message(name, body, source ? { source } : {}))
}

const activated = activatedBody({ currentPeriodEnd: FEBRUARY, createdAt: JANUARY })
const failure = (messageIdOfDue: string, messageName = 'PeriodEnded'): Bodies['CommandFailed'] => ({
  subject: ada,
  messageId: messageIdOfDue,
  messageName,
  reason: 'a bug',
})

/** An agenda with one term, due on 1 February. */
const withTerm = (change: Partial<Term> = {}) => {
  const agenda = emptyAgenda()
  hear(agenda, 'SubscriptionActivated', activated)
  const term = { ...(agenda.terms.get(subscriptionId) as Term), ...change }
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
  hear(agenda, 'DueIgnored', { userId: ada, subscriptionId, boundary: MARCH })
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
  hear(agenda, 'DueIgnored', { userId: ada, subscriptionId, boundary: FEBRUARY })
  expect(termIn(agenda).state).toBe('answered')
  hear(agenda, 'SubscriptionExtended', extendedBody({ version: 2, currentPeriodEnd: MARCH }))
  expect(termIn(agenda)).toMatchObject({ state: 'waiting', boundary: MARCH })
})

test.each(['waiting', 'said'] as const)(
  'an answer about a boundary that has moved since answers nothing (%s)',
  (state) => {
    const agenda = withTerm({ boundary: MARCH, version: 2, state })
    hear(agenda, 'DueIgnored', { userId: ada, subscriptionId, boundary: FEBRUARY })
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
  ['of an earlier attempt', messageId(SERVICE, 'due|sub_1|0|0', 0), 'PeriodEnded', 'subscription'],
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
  ...change,
})

test('an advance waits for its turn, once however often it is asked', () => {
  const agenda = emptyAgenda()
  expect(hear(agenda, 'AdvanceClock', advance({ by: 'P1M' }))).toEqual([])
  expect(hear(agenda, 'AdvanceClock', advance({ by: 'P1M' }))).toEqual([])
  hear(agenda, 'AdvanceClock', advance({ operationId: 'op_10', to: MARCH }))
  expect(agenda.requested).toEqual([
    { operationId: 'op_9', toInstant: null, byDuration: 'P1M', actor: 'admin-1' },
    { operationId: 'op_10', toInstant: MARCH, byDuration: null, actor: 'admin-1' },
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
