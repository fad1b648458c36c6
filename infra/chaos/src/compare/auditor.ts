import type { Client } from '@coding-plans/e2e/house'
import { pause } from '@coding-plans/runtime'
import type { Notebook } from '../memory.ts'

/** What spans services is a violation when it has stood this long (requirements.md 5): what was lost last is one only then. */
const QUIET_MILLISECONDS = 30_000
/** The auditor asks the databases every 10 s: it may begin to count so much later, and end so much later. */
const LOOKS_APART_MILLISECONDS = 15_000
const JUDGED_AFTER_MILLISECONDS = QUIET_MILLISECONDS + LOOKS_APART_MILLISECONDS
const JUDGED_WITHIN_MILLISECONDS = JUDGED_AFTER_MILLISECONDS + 90_000
const ASKED_EVERY_MILLISECONDS = 500

interface Asking {
  readonly notebook: Notebook
  /** Wall clock: since then nothing happens any more. */
  readonly calmSince: number
}

/** The auditor has heard everything that was said, for long enough to judge it, and finds nothing wrong. @returns a sentence */
export const askAuditor = async (operator: Client, { notebook, calmSince }: Asking): Promise<string> => {
  const judgedAt = new Date(calmSince + JUDGED_AFTER_MILLISECONDS).toISOString()
  for (
    const until = Date.now() + JUDGED_WITHIN_MILLISECONDS;
    Date.now() < until;
    await pause(ASKED_EVERY_MILLISECONDS)
  ) {
    const { status, body } = await operator('GET /admin/invariants')
    if (status !== 200 || body.checkedAt < judgedAt) continue
    for (const { name, examples } of body.checks.filter(({ ok }: { ok: boolean }) => !ok))
      notebook.violation(`the auditor: ${name}`, examples.join('; '))
    return `the auditor looked at ${body.checks.length} invariants: ${body.ok ? 'all hold' : 'NOT ALL HOLD'}`
  }
  notebook.violation('the auditor catches up when all is calm', `it has not within ${JUDGED_WITHIN_MILLISECONDS} ms`)
  return 'the auditor is behind'
}
