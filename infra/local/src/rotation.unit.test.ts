import { expect, test } from 'vitest'
import { lyingIn } from './rotation.ts'

const told = '# HELP vault_records Records.\n# TYPE vault_records gauge\n'
const line = (role: string, records: number) =>
  `vault_records{service="key-inventory",key="kek_1",role="${role}"} ${records}\n`

test('VLT-1: who does not tell yet where its records lie has not told that none lie under the old key', () => {
  expect(() => lyingIn('')).toThrow(/does not tell yet/)
  expect(() => lyingIn('# TYPE outbox_age_seconds gauge\noutbox_age_seconds 0\n')).toThrow(/does not tell yet/)
  expect(lyingIn(told)).toEqual([])
  expect(lyingIn(told + line('previous', 12) + line('unknown', 1))).toEqual([
    { role: 'previous', records: 12 },
    { role: 'unknown', records: 1 },
  ])
})
