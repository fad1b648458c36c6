import { instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { Differences } from './differences.ts'

const NAME = 'ledger balance'
const told = { [NAME]: 100 }

/** Samples at these seconds, each with what the database says. */
const sampled = (samples: Record<number, number>) => {
  const differences = new Differences()
  for (const [second, total] of Object.entries(samples))
    differences.sample(instant(Number(second) * 1_000), { [NAME]: total }, told)
  return { at: (second: number) => differences.standing(instant(second * 1_000)), differences }
}

test('what differs by the same amount for 30 s is told, and until it is put right', () => {
  const { at, differences } = sampled({ 1: 97, 11: 97, 21: 97, 31: 97 })
  const detail = 'the database’s ledger balance is 3 less than what was said comes to'
  expect(at(31)).toEqual([{ check: 'told_is_there', about: NAME, since: 1_000, detail }])
  expect(at(40)).toHaveLength(1)
  differences.sample(instant(41_000), told, told)
  expect(at(41)).toEqual([])
})

test('what differs by another amount each time is on its way', () => {
  expect(sampled({ 0: 97, 10: 97, 20: 96, 30: 97, 40: 97 }).at(40)).toEqual([])
})

test('time in which nobody looked does not count: not before the next sample, and not with it', () => {
  const lost = sampled({ 1: 97 })
  expect(lost.at(60)).toEqual([])
  const regained = sampled({ 1: 97, 61: 97 })
  expect(regained.at(62)).toEqual([])
  regained.differences.sample(instant(91_000), { [NAME]: 97 }, told)
  expect(regained.at(91), 'a gap of 30 s begins anew').toEqual([])
})

test('what was found an hour ago is not told when the lane comes back', () => {
  const { at } = sampled({ 0: 97, 10: 97, 20: 97, 30: 97 })
  expect(at(30)).toHaveLength(1)
  expect(at(3_600)).toEqual([])
})

test('of a database that does not answer nothing is told, of the others as ever', () => {
  const { at, differences } = sampled({ 0: 97, 10: 97, 20: 97, 30: 97 })
  for (const second of [40, 50, 60, 70])
    differences.sample(instant(second * 1_000), { 'subscription live': 1 }, { ...told, 'subscription live': 2 })
  expect(at(70).map(({ about }) => about)).toEqual(['subscription live'])
})
