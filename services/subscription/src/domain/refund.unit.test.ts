import { MOST_MICRODOLLARS, microdollars } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { at, DAY } from '../bodies.testing.ts'
import { refundOf } from './refund.ts'
import { termOf } from './term.ts'

const term = (fromDay: number, toDay: number, amount: number) =>
  termOf({
    subscriptionId: 's',
    boundary: at(fromDay * DAY),
    endsAt: at(toDay * DAY),
    kind: 'renewal',
    amount: microdollars(amount),
  })
const terms = [term(0, 30, 100), term(30, 60, 70), term(60, 61, 0)]

test('CAN-2: full is the sum of all charges whose term has not ended', () => {
  expect(refundOf('full', terms, at(0))).toBe(170)
  expect(refundOf('full', terms, at(30 * DAY))).toBe(70)
  expect(refundOf('full', terms, at(61 * DAY))).toBe(0)
})

test('CAN-2: prorated is per charge amount × remaining ÷ term, rounded down', () => {
  expect(refundOf('prorated', terms, at(0))).toBe(170)
  expect(refundOf('prorated', terms, at(1))).toBe(99 + 70)
  expect(refundOf('prorated', terms, at(15 * DAY))).toBe(50 + 70)
  expect(refundOf('prorated', terms, at(59 * DAY))).toBe(2)
})

test('CAN-2: none is nothing', () => {
  expect(refundOf('none', terms, at(0))).toBe(0)
})

test('CAN-2: the largest amounts are divided exactly', () => {
  expect(refundOf('prorated', [term(0, 3, MOST_MICRODOLLARS)], at(DAY))).toBe(Math.floor((MOST_MICRODOLLARS / 3) * 2))
})
