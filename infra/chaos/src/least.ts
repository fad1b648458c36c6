import type { Tally } from './caller.ts'
import type { Notebook } from './memory.ts'
import type { Struck } from './storm.ts'

/** Who does nothing breaks no rule: what a run must have done, so that the other rules say something. */

/** Of each one in so many seconds, and one at least. On a machine that did everything else as well it was four times as much. */
const SECONDS_PER_PURCHASE = 15
const SECONDS_PER_RENEWAL = 60
/** A blow waits for the one before, but not for ever: 23 s, and 80 s in a soak. */
const SECONDS_PER_BLOW = 30
const SECONDS_PER_GENTLE_BLOW = 90
/** Of all requests. In the worst storm it was a quarter: most of the rest was answered with 503. */
const LEAST_DONE = 0.1
/** Of all requests; never more than one was seen, but one cut may meet several commits. */
const MOST_AMBIGUOUS = 0.005
const ALWAYS_AMBIGUOUS = 5

export interface Done {
  readonly seconds: number
  readonly soak: boolean
  readonly tally: Tally
  readonly struck: readonly Struck[]
  /** Purchases that were answered while things broke. */
  readonly bought: number
  /** Terms of everybody, also of who was deleted. */
  readonly renewed: number
  /** Requests that were answered with 500 because a commit's answer was lost. */
  readonly ambiguous: number
}

/** @returns what was done, in a sentence */
export const judgeDone = (done: Done, notebook: Notebook): string => {
  const { seconds, soak, tally, struck, bought, renewed, ambiguous } = done
  const landed = struck.filter((one) => one.landed).length
  const requests = [...tally.requests.values()].reduce((sum, count) => sum + count, 0)
  const succeeded = [...tally.answers].reduce((sum, [status, count]) => sum + (status.startsWith('2') ? count : 0), 0)
  const oneIn = (each: number) => Math.max(1, Math.floor(seconds / each))
  const least: readonly [what: string, found: number, least: number][] = [
    ['purchases are answered while things break', bought, oneIn(SECONDS_PER_PURCHASE)],
    ['terms are renewed', renewed, oneIn(SECONDS_PER_RENEWAL)],
    ['things break', landed, oneIn(soak ? SECONDS_PER_GENTLE_BLOW : SECONDS_PER_BLOW)],
    ['a tenth of what is asked for is done', succeeded, Math.ceil(requests * LEAST_DONE)],
  ]
  for (const [what, found, needed] of least)
    if (found < needed) notebook.violation(what, `${found} times only, and ${needed} are needed`)
  const most = Math.max(ALWAYS_AMBIGUOUS, Math.floor(requests * MOST_AMBIGUOUS))
  if (ambiguous > most)
    notebook.violation('hardly any commit loses its answer', `${ambiguous} of ${requests} requests; ${most} may`)
  const asked = least.map(([what, found, needed]) => `${what} ${found} (${needed})`).join(', ')
  return `done, and needed at least: ${asked}; commits that lost their answer: ${ambiguous} (${most} at most)`
}
