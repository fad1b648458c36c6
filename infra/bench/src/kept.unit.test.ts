import { expect, test } from 'vitest'
import { compareWithKept, lossesOf } from './kept.ts'

const kept = { 'ledger spread': 3, 'purchase 32 clients': 1.5 }

test('a ratio below a third of what it was is told, one that is merely lower is not', () => {
  expect(lossesOf(kept, { 'ledger spread': 1, 'purchase 32 clients': 0.6 })).toEqual([])
  expect(lossesOf(kept, { 'ledger spread': 0.99, 'purchase 32 clients': 9 })).toEqual([
    'ledger spread is 0.99 times the baseline; it was 3 times.',
  ])
})

test('a ratio that nobody measures any more is told', () => {
  expect(lossesOf(kept, { 'ledger spread': 3 })).toEqual([
    'purchase 32 clients was not measured; it was 1.5 times the baseline.',
  ])
})

test('what is kept is read, and only of what was run', () => {
  expect(compareWithKept([], ['nothing'])).toEqual([])
  expect(compareWithKept([], ['ledger']).length).toBeGreaterThan(0)
})
