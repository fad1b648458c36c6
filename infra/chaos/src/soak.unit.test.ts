import { expect, test } from 'vitest'
import { Notebook } from './memory.ts'
import { judgeGrowth } from './soak.ts'

const ran = (valueAt: (n: number) => number, kind: 'descriptors' | 'seen ids') =>
  Array.from({ length: 30 }, (_, n) => [{ kind, of: 'gateway-1', value: valueAt(n) }])

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
