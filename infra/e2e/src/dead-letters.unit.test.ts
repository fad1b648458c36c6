import { Metrics } from '@coding-plans/runtime/testing'
import { expect, test } from 'vitest'
import { deadLettersIn } from './dead-letters.ts'

test('a process tells how many messages died in it; one that tells nothing of them has not said that none did', async () => {
  const metrics = new Metrics('credits-ledger')
  const said = () => metrics.registry.metrics()
  expect(deadLettersIn(await said())).toBe(0)
  metrics.round(5, 0.1, 2)
  metrics.round(5, 0.1, 1)
  expect(deadLettersIn(await said())).toBe(3)
  const renamed = (await said()).replaceAll('dead_letters_total', 'letters_total')
  expect(() => deadLettersIn(renamed)).toThrow('/metrics does not tell dead_letters_total.')
})
