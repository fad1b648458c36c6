import type { Client } from '@coding-plans/e2e/house'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Notebook } from '../memory.ts'
import { askAuditor } from './auditor.ts'

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2032-01-01T00:00:00.000Z') }))
afterEach(() => void vi.useRealTimers())

/** An auditor that is this far behind, and tells of what was lost at the very end as soon as it may. */
const asked = async ({ behind, lost }: { behind: number; lost: boolean }) => {
  const notebook = new Notebook('mark')
  const calmSince = Date.now()
  const operator = (async () => {
    const checkedAt = Date.now() - behind
    const ok = !(lost && checkedAt >= calmSince + 42_000)
    const checks = [{ name: 'told_is_there', ok, examples: ['one less'] }]
    return { status: 200, body: { ok, checks, checkedAt: new Date(checkedAt).toISOString() } }
  }) as unknown as Client
  const sentence = askAuditor(operator, { notebook, calmSince })
  await vi.advanceTimersByTimeAsync(200_000)
  return { sentence: await sentence, violations: [...notebook.violations] }
}

test('what was lost last is waited for: the auditor speaks of it after 30 s only', async () => {
  expect(await asked({ behind: 1_000, lost: true })).toEqual({
    sentence: 'the auditor looked at 1 invariants: NOT ALL HOLD',
    violations: [['the auditor: told_is_there', ['one less']]],
  })
})

test('where nothing is lost all holds', async () => {
  expect(await asked({ behind: 1_000, lost: false })).toEqual({
    sentence: 'the auditor looked at 1 invariants: all hold',
    violations: [],
  })
})

test('an auditor that does not come so far is a violation itself', async () => {
  expect((await asked({ behind: 100_000, lost: false })).violations).toHaveLength(1)
})
