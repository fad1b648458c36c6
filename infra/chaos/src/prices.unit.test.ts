import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Prices } from './prices.ts'

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }))
afterEach(() => void vi.useRealTimers())

const MINUTE = 60_000

/** At 3, then at 4 ten minutes later, then at 5 another ten minutes later; answered at once, or not for sure. */
const published = ({ isSecondLost = false } = {}) => {
  const prices = new Prices()
  for (const price of [3, 4, 5]) {
    const asked = prices.ask('plan', price)
    asked.mayComeLate = isSecondLost && price === 4
    if (!asked.mayComeLate) asked.standsSince = Date.now()
    vi.advanceTimersByTime(10 * MINUTE)
  }
  return { prices, minutesAgo: (minutes: number) => Date.now() - minutes * MINUTE }
}

test('a purchase costs what was published while it was asked for, or shortly before: a gateway may not have heard', () => {
  const { prices, minutesAgo } = published()
  expect(prices.couldCost('plan', minutesAgo(1))).toEqual(new Set([5]))
  expect(prices.couldCost('plan', minutesAgo(9))).toEqual(new Set([4, 5]))
  expect(prices.couldCost('plan', minutesAgo(25))).toEqual(new Set([3, 4, 5]))
  expect(prices.couldCost('other', minutesAgo(1))).toEqual(new Set())
})

test('what was published last is shown, or what may have come late', () => {
  expect(published().prices.couldShow('plan')).toEqual(new Set([5]))
  expect(published({ isSecondLost: true }).prices.couldShow('plan')).toEqual(new Set([4, 5]))
})
