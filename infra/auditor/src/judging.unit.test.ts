import { instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { judging, sayingWhoIsSilent } from './judging.ts'

test('a database that cannot be compared is named, and is no violation', () => {
  const none = { violations: 0, examples: [] }
  const checks = [
    { check: 'keys_add_up', ...none },
    { check: 'told_is_there', ...none },
  ]
  expect(sayingWhoIsSilent(checks, [])).toEqual(checks)
  expect(sayingWhoIsSilent(checks, ['subscription'])).toEqual([
    checks[0],
    { check: 'told_is_there', violations: 0, examples: ['not compared: subscription’s database is silent'] },
  ])
})

test('a process that judges no more takes back its verdict, and not for a moment in which a round holds the lane', async () => {
  const noted: unknown[] = []
  const work = judging({} as never, (checks) => noted.push(checks))
  const run = (second: number, lanes: readonly number[]) => work.run({} as never, lanes, instant(1_000 * second))
  await expect(run(100, [0, 1]), 'it judges').rejects.toThrow()
  await run(101, [1])
  expect(noted).toEqual([])
  await run(111, [1])
  expect(noted).toEqual([[]])
})
