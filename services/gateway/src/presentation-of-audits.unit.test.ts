import { instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { CHECKED_WITHIN_MILLISECONDS, showInvariants } from './presentation-of-audits.ts'

const T0 = 1_000_000
const shown = (violations: number, { now, since = 0 }: { now: number; since?: number }) =>
  showInvariants({ checkedAt: instant(T0), checks: [{ check: 'keys_add_up', violations, examples: [] }] } as never, {
    now,
    since,
  })

test('what holds is well as long as somebody looks', () => {
  expect(shown(0, { now: T0 }).ok).toBe(true)
  expect(shown(1, { now: T0 })).toMatchObject({ ok: false, checks: [{ ok: false, violations: 1 }] })
  const late = T0 + CHECKED_WITHIN_MILLISECONDS
  expect(shown(0, { now: late }).ok).toBe(true)
  expect(shown(0, { now: late + 1 })).toMatchObject({ ok: false, checks: [{ ok: true }] })
  // A house that was stopped for the night is not unwell in the morning: the auditor is given its time.
  expect(shown(0, { now: late + 1, since: late }).ok).toBe(true)
})
