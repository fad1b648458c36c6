import { expect, test } from 'vitest'
import { sayingWhoIsSilent } from './judging.ts'

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
