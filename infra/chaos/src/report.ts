import type { Tally } from './caller.ts'
import type { Notebook } from './memory.ts'
import { inSeconds, type Struck } from './storm.ts'

const EXAMPLES_SHOWN = 5

const medianOf = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0

const recoveryOf = (struck: readonly Struck[]) => {
  const times = struck.flatMap(({ recoveredAfterMilliseconds: after }) => (after === null ? [] : [after]))
  const never = struck.length - times.length
  const words = `ready again after ${inSeconds(medianOf(times))} (median), ${inSeconds(Math.max(0, ...times))} (worst)`
  return never > 0 ? `${words}, ${never} not in time` : words
}

const counted = (counts: ReadonlyMap<string, number>) =>
  [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')

/** What was done, what broke, what was found. */
export const reportOf = (tally: Tally, struck: readonly Struck[], notebook: Notebook): string[] => {
  const total = [...tally.requests.values()].reduce((sum, count) => sum + count, 0)
  const lines = [
    `requests: ${total} (${counted(tally.requests)})`,
    `answers: ${counted(tally.answers)}; ${tally.replays} of them marked as replayed`,
    `faults: ${struck.length}, ${struck.filter(({ landed }) => !landed).length} of which met nobody; ${recoveryOf(struck)}`,
  ]
  for (const [kind, of] of Map.groupBy(struck, (one) => one.kind)) {
    const targets = new Map([...Map.groupBy(of, ({ target }) => target)].map(([target, hits]) => [target, hits.length]))
    lines.push(`  ${kind}: ${of.length} (${counted(targets)}); ${recoveryOf(of)}`)
  }
  const { violations } = notebook
  lines.push(`violations: ${[...violations.values()].reduce((sum, examples) => sum + examples.length, 0)}`)
  for (const [what, examples] of violations) {
    lines.push(`  not so: ${what} (${examples.length})`)
    for (const example of examples.slice(0, EXAMPLES_SHOWN)) lines.push(`    ${example}`)
  }
  return lines
}
