import type { Tx } from '@coding-plans/runtime'
import { instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { event, T0 } from '../events.testing.ts'
import { businessClock } from './business-clock.ts'

const MINUTE = 60_000
const tx = undefined as unknown as Tx

const open = () => {
  let wall = T0
  const clock = businessClock('system', () => wall)
  return {
    now: () => clock.now(tx),
    hear: (...times: number[]) => clock.hear(times.map((time) => event('StockChanged', {}, { time: instant(time) }))),
    pass: (milliseconds: number) => {
      wall += milliseconds
    },
  }
}

test('time is never below the last heard: the clocks of hosts differ a little', async () => {
  const clock = open()
  clock.hear(T0 + 2_000, T0 + 1_000)
  expect(await clock.now()).toBe(T0 + 2_000)
  clock.pass(3_000)
  expect(await clock.now()).toBe(T0 + 3_000)
})

test('CAN-1: one host’s clock that is ten minutes fast moves nobody else’s', async () => {
  const clock = open()
  clock.hear(T0 + 10 * MINUTE)
  expect(await clock.now()).toBe(T0)
  clock.hear(T0 + 10 * MINUTE + 1_000, T0 + 1_000)
  expect(await clock.now()).toBe(T0 + 1_000)
})
