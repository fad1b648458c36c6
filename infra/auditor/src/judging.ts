import { type LaneWork, type Saying, say, type Tx } from '@coding-plans/runtime'
import { AUDITOR, type Bodies, type Instant } from '@coding-plans/schemas'
import { QUIET_MILLISECONDS } from './differences.ts'
import { type Check, checkNames, findingsOf, type Kinds, mispriced } from './fold/index.ts'
import type { Look, Outlook } from './outlook.ts'
import { amiss, keepReport, lastReport, positions, type Standing, sales } from './store.ts'

/** The lane whose owner speaks for all. */
const SPEAKING_LANE = 0
const JUDGED_EVERY_MILLISECONDS = 1_000
/** Said again at least so often, that its readers know it is alive. */
const SAID_EVERY_MILLISECONDS = 10_000
const MOST_EXAMPLES = 5

type Verdict = Bodies['InvariantsChecked']['checks']

/** Every second, what holds and what does not; told when it changes, and now and then. */
export const judging = (outlook: Outlook, note: (verdict: Verdict) => void): LaneWork => {
  let judgedAt = 0
  return {
    name: 'judging',
    everyMilliseconds: JUDGED_EVERY_MILLISECONDS,
    unhurried: true,
    run: async (tx, lanes, wallClock) => {
      if (!lanes.includes(SPEAKING_LANE)) {
        // Held by a round for a moment, or another process judges: then what this one found last is nobody's verdict any more.
        if (wallClock - judgedAt > SAID_EVERY_MILLISECONDS) note([])
        return []
      }
      judgedAt = wallClock
      const caughtUp = await newestPassed(tx, outlook.looks)
      if (!caughtUp) return []
      outlook.forgetBefore(caughtUp)
      const judged = await judge(tx, caughtUp.at, await outlook.compare(tx, caughtUp))
      const checks = sayingWhoIsSilent(judged, caughtUp.silent)
      note(checks)
      return report(tx, checks, caughtUp.at, wallClock)
    },
  }
}

/** What cannot be compared is no violation; that it cannot is said in the place of one. */
export const sayingWhoIsSilent = (checks: Verdict, silent: readonly string[]): Verdict =>
  checks.map(({ check, violations, examples }) => {
    const sentences =
      check === 'told_is_there' ? silent.map((service) => `not compared: ${service}’s database is silent`) : []
    return { check, violations, examples: [...examples, ...sentences] }
  })

const report = async (tx: Tx, checks: Verdict, checkedAt: Instant, wallClock: Instant): Promise<Saying[]> => {
  const last = await lastReport(tx)
  const verdict = JSON.stringify(checks)
  if (last && last.verdict === verdict && wallClock - last.saidAt < SAID_EVERY_MILLISECONDS) return []
  const version = Math.max(wallClock, (last?.version ?? 0) + 1)
  await keepReport(tx, { version, saidAt: wallClock, verdict })
  const body = { auditor: AUDITOR, version, checkedAt, checks }
  return [say('InvariantsChecked', body, { cause: `invariants|${version}`, time: wallClock })]
}

/** The newest look of which everything that was there then has been heard. */
const newestPassed = async (tx: Tx, looks: readonly Look[]): Promise<Look | null> => {
  const read = new Map((await positions(tx)).map((row) => [row.lane, row.positions]))
  const hasPassed = ({ ends }: Look) =>
    [...ends].every(([topic, lanes]) =>
      [...lanes].every(([lane, end]) => end === 0 || (read.get(lane)?.[topic] ?? 0) >= end),
    )
  return looks.findLast(hasPassed) ?? null
}

/** What is amiss now, by check. */
const judge = async (tx: Tx, until: Instant, differences: readonly Standing[]): Promise<Verdict> => {
  const found = new Map<Check, string[]>(checkNames.map((check) => [check, []]))
  const rows = await amiss(tx)
  for (const { kind, id, value, findings } of rows)
    if (findings > 0)
      for (const { check, detail } of findingsOf({ kind, id, value: JSON.parse(value) as Kinds[typeof kind] }))
        found.get(check)?.push(detail)
  for (const { sale, plan } of await sales(tx)) {
    const wrong = mispriced(sale, plan)
    if (wrong) found.get(wrong.check)?.push(wrong.detail)
  }
  const standing = rows.flatMap(({ passing }) => (passing ? (JSON.parse(passing) as Standing[]) : []))
  for (const { check, detail, since } of [...standing, ...differences])
    if (since <= until - QUIET_MILLISECONDS) found.get(check)?.push(detail)
  return checkNames.map((check) => {
    const details = found.get(check) ?? []
    return { check, violations: details.length, examples: details.slice(0, MOST_EXAMPLES) }
  })
}
