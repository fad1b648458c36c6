import { instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { awaitOutcome, begin, flag, grace, move, stop, unflag } from './term.ts'

const HOUR = 3_600_000
const at = (hours: number) => instant(hours * HOUR)
/** Ends at hour 100, with a day of grace. */
const term = begin({ subscriptionId: 'sub_1', graceHours: 24, endsAt: at(100) }, at(0))

test('CAN-3: what renews is valid for its grace behind the end, an hour at least', () => {
  expect(term.validUntil).toBe(at(124))
  expect(begin({ subscriptionId: 'sub_1', graceHours: 0, endsAt: at(100) }, at(0)).validUntil).toBe(at(101))
})

test('REN-7: told later than the end, after an outage of ours, the margin counts from the present', () => {
  expect(begin({ subscriptionId: 'sub_1', graceHours: 0, endsAt: at(100) }, at(150)).validUntil).toBe(at(151))
  expect(move(term, at(200), false, at(210)).validUntil).toBe(at(234))
})

test('CAN-3: what ends is valid to its end exactly; undone, it is what renews again', () => {
  const flagged = flag(term, at(50), at(50))
  expect(flagged.validUntil).toBe(at(100))
  expect(move(flagged, at(200), true, at(90)).validUntil).toBe(at(200))
  expect(unflag(flagged, at(60)).validUntil).toBe(at(124))
})

test('CAN-3: flagged at the boundary or later it ends with the next term, and is not cut off while this one is paid', () => {
  expect(flag(term, at(100), at(100)).validUntil).toBe(at(124))
})

test('REN-6: in grace it is valid to the deadline; paid, to the next end', () => {
  const unpaid = grace(term, at(130))
  expect(unpaid.validUntil).toBe(at(130))
  expect(move(unpaid, at(200), false, at(130)).validUntil).toBe(at(224))
})

test('TOP-2: while the outcome of a top-up is awaited it is valid until then at least', () => {
  expect(awaitOutcome(term, at(110)).validUntil).toBe(at(124))
  expect(awaitOutcome(term, at(140)).validUntil).toBe(at(140))
})

test('CAN-3: being ended, it is valid to that instant, sooner or later than it was', () => {
  expect(stop(term, at(40)).validUntil).toBe(at(40))
  expect(stop(grace(term, at(104)), at(110)).validUntil).toBe(at(110))
})
