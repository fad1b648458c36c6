import { services } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { type Blow, blowsOf, gentleBlowsOf, targetOf, wordsOf } from './faults.ts'
import { SESSION_MILLISECONDS, serverNames } from './site.ts'

const first = (count: number, blows: Generator<Blow>) => Array.from({ length: count }, () => blows.next().value as Blow)

test('the same seed breaks the same things in the same order, another one others', () => {
  expect(first(50, blowsOf(7))).toEqual(first(50, blowsOf(7)))
  expect(first(50, blowsOf(7))).not.toEqual(first(50, blowsOf(8)))
})

test('a deck holds a kill of everything, and pauses long enough to make zombies', () => {
  const faults = first(40, blowsOf(3)).flatMap((blow) => blow.faults)
  const killed = new Set(faults.filter(({ kind }) => kind.startsWith('kill')).map(targetOf))
  expect(killed).toEqual(new Set([...services, ...serverNames]))
  const pauses = faults.filter((fault) => fault.kind === 'pause a service')
  expect(pauses.length).toBeGreaterThan(0)
  for (const { milliseconds } of pauses) expect(milliseconds).toBeGreaterThan(SESSION_MILLISECONDS)
})

test('a soak only kills, once a minute, and spares one process of every service', () => {
  for (const { quietMilliseconds, faults } of first(20, gentleBlowsOf(1))) {
    expect(quietMilliseconds).toBe(60_000)
    expect(faults.map(({ kind }) => kind)).toEqual([expect.stringMatching(/^kill/)])
    expect(faults.map(wordsOf).join()).not.toMatch(/-1$/)
  }
})
