import { expect, test } from 'vitest'
import { Tally } from './caller.ts'
import { type Done, judgeDone } from './least.ts'
import { Notebook } from './memory.ts'
import type { Struck } from './storm.ts'

const blow: Struck = { kind: 'kill a service', target: 'gateway', landed: true, recoveredAfterMilliseconds: 1 }

const answered = (counts: Readonly<Record<string, number>>) => {
  const tally = new Tally()
  tally.requests.set(
    'purchase',
    Object.values(counts).reduce((sum, count) => sum + count),
  )
  for (const [status, count] of Object.entries(counts)) tally.answers.set(status, count)
  return tally
}

/** 30 s on a machine that did everything else as well. */
const slow: Done = {
  ...{ seconds: 30, soak: false, struck: [blow, blow], bought: 9, renewed: 2, ambiguous: 1 },
  tally: answered({ 200: 107, 202: 63, 201: 50, 503: 67 }),
}

const broken = (changes: Partial<Done>) => {
  const notebook = new Notebook('mark')
  judgeDone({ ...slow, ...changes }, notebook)
  return [...notebook.violations.keys()]
}

test('a slow run has done enough', () => {
  expect(broken({})).toEqual([])
})

test.each<[string, Partial<Done>, string]>([
  ['a house that sells nothing', { bought: 0 }, 'purchases are answered while things break'],
  ['a clock that stands still', { renewed: 0 }, 'terms are renewed'],
  ['a run without a blow', { struck: [] }, 'things break'],
  ['blows that met nobody', { struck: [{ ...blow, landed: false }] }, 'things break'],
  ['too few blows for half an hour', { seconds: 1_800, bought: 999, renewed: 99 }, 'things break'],
  ['503 to everything', { tally: answered({ 200: 9, 503: 91 }) }, 'a tenth of what is asked for is done'],
  ['500 again and again', { ambiguous: 6 }, 'hardly any commit loses its answer'],
])('%s is no run', (_, changes, what) => {
  expect(broken(changes)).toEqual([what])
})
