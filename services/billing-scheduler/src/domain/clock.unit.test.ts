import { type Instant, instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import {
  type Advance,
  arrive,
  begin,
  type Clock,
  horizonOf,
  isRunning,
  type Running,
  stopOnTheWay,
  targetOf,
} from './clock.ts'

const NEW_YEAR = instant(Date.parse('2026-01-01T00:00:00.000Z'))
const day = (count: number) => instant(NEW_YEAR + count * 86_400_000)
const still: Clock = {
  mode: 'test',
  now: NEW_YEAR,
  version: 3,
  operationId: null,
  target: null,
  horizon: null,
  movedAt: null,
  outage: false,
}
const to = (target: Instant, outage = false) => ({ operationId: 'op_1', target, outage })
const wall = (milliseconds: number) => instant(1_000_000 + milliseconds)
const asked = (advance: Partial<Advance>): Advance => ({
  operationId: 'op_1',
  toInstant: null,
  byDuration: null,
  actor: 'admin-1',
  outage: false,
  ...advance,
})

test('an advance leads to its instant, or by its duration from where the clock is at its turn', () => {
  expect(targetOf(NEW_YEAR, asked({ toInstant: day(3) }))).toBe(day(3))
  expect(targetOf(NEW_YEAR, asked({ byDuration: 'P1M' }))).toBe(day(31))
  expect(targetOf(day(31), asked({ byDuration: 'P1M' }))).toBe(day(59))
})

test('the clock does not go backwards; the same instant is no way back', () => {
  expect(targetOf(NEW_YEAR, asked({ toInstant: instant(NEW_YEAR - 1) }))).toBe('backwards')
  expect(targetOf(NEW_YEAR, asked({ toInstant: NEW_YEAR }))).toBe(NEW_YEAR)
  expect(targetOf(NEW_YEAR, asked({ byDuration: 'P0D' }))).toBe(NEW_YEAR)
})

test('what is no duration leads nowhere', () => {
  expect(targetOf(NEW_YEAR, asked({ byDuration: 'tomorrow' }))).toBe('duration_invalid')
  expect(targetOf(NEW_YEAR, asked({ byDuration: 'P999999999Y' }))).toBe('duration_invalid')
  expect(targetOf(NEW_YEAR, asked({}))).toBe('duration_invalid')
})

test('while an advance runs its target is due, and the clock that others read stays', () => {
  const running = begin(still, to(day(31)), wall(0))
  expect(horizonOf(still)).toBe(NEW_YEAR)
  expect(horizonOf(running)).toBe(day(31))
  expect(running).toMatchObject({ now: NEW_YEAR, version: 4 })
  expect(isRunning(running)).toBe(true)
})

test('what has settled is reached, and at the target the clock stands still again', () => {
  const there = arrive(begin(still, to(day(31)), wall(0)), wall(10))
  expect(there).toEqual({ ...still, now: day(31), version: 5 })
  expect(isRunning(there)).toBe(false)
})

test('a long advance stops at the furthest term that was said, then goes on to its target', () => {
  const running = begin(still, to(day(31)), wall(0))
  expect(stopOnTheWay(running, day(7), wall(999))).toBe(running)
  const stopping = stopOnTheWay(running, day(7), wall(1_000))
  expect(stopping).toEqual({ ...running, horizon: day(7) })
  expect(stopOnTheWay(stopping, day(9), wall(5_000))).toBe(stopping)
  const onTheWay = arrive(stopping, wall(1_200)) as Running
  expect(onTheWay).toEqual({ ...running, now: day(7), version: 5, horizon: day(31), movedAt: wall(1_200) })
  expect(stopOnTheWay(onTheWay, day(9), wall(2_199))).toBe(onTheWay)
})

test('there is no stop where nothing was said, behind the clock, or at the target', () => {
  const running = begin(still, to(day(31)), wall(0))
  for (const furthest of [null, NEW_YEAR, day(31)]) expect(stopOnTheWay(running, furthest, wall(2_000))).toBe(running)
})

test('REN-7: an outage is one jump: no stop on the way, and over when it is there', () => {
  const running = begin(still, to(day(95), true), wall(0))
  expect(stopOnTheWay(running, day(7), wall(60_000))).toBe(running)
  expect(arrive(running, wall(60_000))).toEqual({ ...still, now: day(95), version: 5 })
})
