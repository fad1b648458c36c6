import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tables } from './engine.ts'
import { draw, isFinalState, statesOf, type Way, waysThrough } from './picture.ts'
import type { SagaKind } from './saga.ts'

const kinds = Object.keys(tables) as SagaKind[]
const rowOf = (kind: SagaKind, state: string): Record<string, unknown> =>
  (tables[kind].states as Record<string, object>)[state] as Record<string, unknown>

/** All that can be reached from here, along these ways of a table. */
const reachable = (kind: SagaKind, from: string, along: (way: Way) => boolean = () => true) => {
  const reached = new Set([from])
  for (const state of reached)
    for (const way of waysThrough(kind)) if (way.from === state && along(way)) reached.add(way.to)
  return reached
}

test.each(kinds)('%s: every state is named, reached, and has a way to an end', (kind) => {
  const states = statesOf(kind)
  for (const { to } of waysThrough(kind)) expect(states).toContain(to)
  expect([...reachable(kind, '[*]')].filter((state) => state !== '[*]').sort()).toEqual([...states].sort())
  for (const state of states)
    expect([...reachable(kind, state)].some((reached) => isFinalState(kind, reached))).toBe(true)
})

test('the final states are these and no others', () => {
  const finals = kinds.map((kind) => [kind, statesOf(kind).filter((state) => isFinalState(kind, state))])
  expect(Object.fromEntries(finals)).toEqual({
    activation: ['active', 'refused', 'failed'],
    extension: ['extended', 'refused', 'failed'],
    renewal: ['renewed', 'unfunded', 'abandoned', 'failed'],
    end: ['ended'],
    erasure: ['erased'],
  })
})

test.each(kinds)('%s: every state knows what to do when a step fails (protocol.md 3)', (kind) => {
  for (const state of statesOf(kind)) expect(rowOf(kind, state).CommandFailed, state).toBeDefined()
})

test.each(kinds)('%s: undecided states give back; where there is no way back, the same step is said again', (kind) => {
  const undecided = ['holding', 'assigning']
  // A top-up that fails counts as declined for all who wait for it; the other two have no step that could fail.
  const waiting = ['toppingUp', 'pastDue', 'ending']
  const succeeded = ['active', 'extended', 'renewed', 'ended', 'erased', ...waiting]
  const failures = waysThrough(kind).filter(({ heard }) => heard === 'CommandFailed')
  for (const { from, to, again } of failures) {
    expect(again, from).toBe(!undecided.includes(from))
    expect(to === from, from).toBe(!undecided.includes(from))
  }
  const unfinished = statesOf(kind).filter((state) => !succeeded.includes(state))
  expect([...new Set(failures.map(({ from }) => from))].sort()).toEqual(unfinished.sort())
})

const ANSWERS = [
  'CreditsHeld',
  'HoldDeclined',
  'HoldCaptured',
  'HoldReleased',
  'KeyAssigned',
  'KeyDeclined',
  'KeyRemoved',
  'CreditsRefunded',
  'KeysUnlinked',
  'AccountClosed',
]
const HOLD_ANSWERS = ['CreditsHeld', 'HoldDeclined', 'HoldCaptured', 'HoldReleased']

test.each(kinds)('IDE-4: %s: wherever it has come to, a copy of any answer on its way there is no nonsense', (kind) => {
  // The answers to an earlier hold never reach the table (`answers.ts`).
  const isEarlier = ({ holds }: Way, heard: string) => holds && HOLD_ANSWERS.includes(heard)
  for (const way of waysThrough(kind).filter(({ from, to, heard }) => from !== to && ANSWERS.includes(heard)))
    for (const state of isEarlier(way, way.heard) ? [] : reachable(kind, way.to, (next) => !isEarlier(next, way.heard)))
      expect(rowOf(kind, state)[way.heard], `${state} ${way.heard}`).toBeDefined()
})

test.each(['activation', 'extension', 'renewal'] as const)(
  'late credits: %s gives them back where it did not succeed, and nowhere else',
  (kind) => {
    const succeeded = { activation: 'active', extension: 'extended', renewal: 'renewed' }[kind]
    for (const state of statesOf(kind).filter((one) => isFinalState(kind, one))) {
      const late = waysThrough(kind).filter(({ from, heard }) => from === state && heard === 'CreditsHeld')
      expect(late.length, state).toBe(state === succeeded ? 0 : 1)
    }
  },
)

test.each(kinds)('%s: the picture in the README is printed from the table', (kind) => {
  const readme = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8')
  expect(readme).toContain(draw(kind))
})
