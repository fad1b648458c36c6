import { expect, test } from 'vitest'
import { Notebook } from './memory.ts'
import { judgeGrowth, refusalOf } from './soak.ts'

const ran = (valueAt: (n: number) => number, kind: 'descriptors' | 'seen ids', length = 30) =>
  Array.from({ length }, (_, n) => [{ kind, of: 'gateway-1', value: valueAt(n) }])

test('descriptors that leak are seen; those that come and go are not, nor what grows by design', () => {
  const notebook = new Notebook('mark')
  judgeGrowth(
    ran((n) => 60 + (n % 7), 'descriptors'),
    notebook,
  )
  judgeGrowth(
    ran((n) => n * 1_000, 'seen ids'),
    notebook,
  )
  expect([...notebook.violations]).toEqual([])
  const lines = judgeGrowth(
    ran((n) => 60 + n * 5, 'descriptors'),
    notebook,
  )
  expect(lines[1]).toBe('  descriptors of gateway-1: 60 / 85 / 105 → 160 / 185 / 205')
  expect([...notebook.violations.keys()]).toEqual(['what is bounded does not grow'])
})

test('a run that is too short to say anything of growth is refused, and calls nothing grown', () => {
  expect(refusalOf(30)).toMatch(/^--soak takes at least 150 s, not 30/)
  expect(refusalOf(1_800)).toBeNull()
  const notebook = new Notebook('mark')
  expect(
    judgeGrowth(
      ran(() => 1_000, 'descriptors', 2),
      notebook,
    ),
  ).toEqual([])
  expect([...notebook.violations.keys()]).toEqual(['what may grow is looked at'])
})
