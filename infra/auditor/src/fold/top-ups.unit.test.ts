import { message } from '@coding-plans/runtime/testing'
import { type Bodies, instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { Facts, fold } from './index.ts'
import { ada, MONTH, money, T0, wrong } from './told.testing.ts'

type Step = (facts: Facts) => void

/** The message of this id says that the term is due. */
const due =
  (id: string, change: Partial<Bodies['PeriodEnded']> = {}): Step =>
  (facts) => {
    const [boundary, asOf] = [instant(T0), instant(T0)]
    fold(
      facts,
      message('PeriodEnded', { userId: ada, subscriptionId: 'sub_1', boundary, asOf, ...change }, { id }) as never,
    )
  }
const holds =
  (correlationId: string, causationId: string, change: Partial<Bodies['HoldCredits']> = {}): Step =>
  (facts) => {
    const term = { operationId: null, subscriptionId: 'sub_1', boundary: instant(T0) }
    const body = {
      userId: ada,
      holdId: correlationId,
      amount: money(20),
      purpose: 'renewal',
      ...term,
      ...change,
    } as const
    fold(facts, message('HoldCredits', body, { correlationId, causationId }) as never)
  }
const asks =
  (correlationId: string, topUpId: string): Step =>
  (facts) =>
    fold(facts, message('TopUpCredits', { userId: ada, topUpId, shortfall: money(1) }, { correlationId }) as never)
const isOff =
  (topUpId: string): Step =>
  (facts) =>
    fold(facts, message('TopUpDeclined', { userId: ada, topUpId, reason: 'off', at: instant(T0) }) as never)

const after = (...steps: readonly Step[]) => {
  const facts = new Facts()
  for (const step of steps) step(facts)
  return wrong(facts).one_top_up_per_term?.join()
}

test('one_top_up_per_term: two top-ups of one saga are found', () => {
  expect(after(asks('ren_1', 'top_1'), asks('ren_1', 'top_1'))).toBeUndefined()
  expect(after(asks('ren_1', 'top_1'), asks('ren_1', 'top_2'))).toMatch(/for ren_1 of ada top-ups top_1 and top_2/)
})

test('one_top_up_per_term: another attempt at the same term that asks once more is found, on whatever topic it is heard first', () => {
  const said = [due('due_1'), due('due_1_again')]
  const asked = [holds('ren_1', 'due_1'), asks('ren_1', 'top_1'), holds('ren_2', 'due_1_again'), asks('ren_2', 'top_2')]
  const found = /for sub_1 at 2026-01-31T10:00:00.000Z of ada top-ups top_1 and top_2/
  expect(after(...said, ...asked)).toMatch(found)
  expect(after(...asked, ...said)).toMatch(found)
  // The next boundary makes nobody forget it.
  expect(after(...said, ...asked, due('due_2', { boundary: instant(T0 + MONTH) }))).toMatch(found)
})

test('a second hold of the same saga, for another term after an outage, leaves the boundary that it is for', () => {
  const next = { boundary: instant(T0 + MONTH) }
  const first = [due('due_1'), holds('ren_1', 'due_1', next), asks('ren_1', 'top_1'), holds('ren_1', 'more')]
  expect(after(...first, due('due_2', next), holds('ren_2', 'due_2', next), asks('ren_2', 'top_2'))).toBeUndefined()
})

test('another term, and another subscription, may be topped up for', () => {
  const first = [due('due_1'), holds('ren_1', 'due_1'), asks('ren_1', 'top_1')]
  const next = due('due_2', { boundary: instant(T0 + MONTH) })
  expect(after(...first, next, holds('ren_2', 'due_2'), asks('ren_2', 'top_2'))).toBeUndefined()
  const other = { subscriptionId: 'sub_2' }
  expect(after(...first, due('due_3', other), holds('ren_3', 'due_3', other), asks('ren_3', 'top_3'))).toBeUndefined()
})

test('TOP-1: what was asked for while it was switched off was no attempt, whichever is heard first', () => {
  const said = [due('due_1'), due('due_1_again')]
  const first = [holds('ren_1', 'due_1'), asks('ren_1', 'top_1')]
  const again = [holds('ren_2', 'due_1_again'), asks('ren_2', 'top_2')]
  expect(after(...said, ...first, isOff('top_1'), ...again)).toBeUndefined()
  expect(after(...said, isOff('top_1'), ...first, ...again)).toBeUndefined()
})

test('one_top_up_per_term: a second one stays found, however many follow', () => {
  const twice = [asks('ren_1', 'top_1'), asks('ren_1', 'top_2')]
  const more = Array.from({ length: 50 }, (_, n) => asks(`ren_more_${n}`, `top_more_${n}`))
  expect(after(...twice, ...more)).toMatch(/for ren_1 of ada top-ups top_1 and top_2/)
  expect(after(twice[0] as Step, isOff('top_1'), twice[1] as Step, ...more)).toBeUndefined()
})

test('what is remembered of a user stays small', () => {
  const facts = new Facts()
  for (let n = 0; n < 100; n += 1) {
    due(`due_${n}`, { subscriptionId: `sub_${n % 30}`, boundary: instant(T0 + n) })(facts)
    holds(`ren_${n}`, `due_${n}`, { subscriptionId: `sub_${n % 30}` })(facts)
    asks(`ren_${n}`, `top_${n}`)(facts)
    holds(`op_${n}`, 'asked', { purpose: 'extension', subscriptionId: `sub_x_${n}` })(facts)
    for (let attempt = 0; attempt < 10; attempt += 1)
      holds(`ren_${n}_${attempt}`, 'due', { subscriptionId: 'sub_9' })(facts)
  }
  const { renewals, topUps } = facts.of('subject', 'ada')
  expect(Object.keys(renewals)).toHaveLength(20)
  for (const { sagas } of Object.values(renewals)) expect(Object.keys(sagas).length).toBeLessThanOrEqual(5)
  expect(Object.keys(topUps)).toHaveLength(20)
  expect(JSON.stringify(renewals)).not.toContain('sub_x')
})

test('which term was due is remembered of a renewal that asks for credits again, and of no other', () => {
  const facts = new Facts()
  for (const step of [due('due_1'), holds('ren_1', 'due_1')]) step(facts)
  expect(facts.peek('renewal', 'ren_1')).toBeUndefined()
  holds('ren_1', 'more')(facts)
  expect(facts.peek('renewal', 'ren_1')).toEqual({ dueId: 'due_1' })
})
