import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FINISHED_WITHIN_MILLISECONDS, untilFinished } from './looking-again.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Looks of which each sees these; the last one stays. @returns what was left, and how often was read on. */
const watched = async (...seen: readonly (readonly string[])[]) => {
  let reads = 0
  const look = () =>
    (seen[Math.min(reads, seen.length - 1)] ?? []).map((name) => ({ name, sentence: `${name} ${reads}` }))
  const left = untilFinished(look, async () => {
    reads += 1
  })
  await vi.advanceTimersByTimeAsync(FINISHED_WITHIN_MILLISECONDS + 5_000)
  return { left: (await left).map(({ name }) => name), reads }
}

test('where nothing is unfinished nobody reads on', async () => {
  expect(await watched([])).toEqual({ left: [], reads: 0 })
})

test('what was on its way is finished at a later look, whatever else is on its way by then', async () => {
  expect(await watched(['a', 'b'], ['b', 'c'], ['c', 'd'])).toEqual({ left: [], reads: 2 })
})

test('what stays so is told, after 30 s and not before', async () => {
  const { left, reads } = await watched(['a', 'b'], ['b', 'c'])
  expect(left).toEqual(['b'])
  expect(reads).toBe(15)
})
