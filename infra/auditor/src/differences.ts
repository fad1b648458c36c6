import type { Instant } from '@coding-plans/schemas'
import type { Totals } from './fold/index.ts'
import type { Standing } from './store.ts'

/** What spans services is judged on what has been quiet this long (requirements.md 5). */
export const QUIET_MILLISECONDS = 30_000
/**
 * Databases are asked every 10 s, and one answer may be missed. Over a longer silence nobody looked on: another process was
 * the judge, or a database did not answer. What differs as it did before may have been right in between.
 */
const SILENT_FOR_TOO_LONG_MILLISECONDS = 25_000

interface Difference {
  readonly difference: number
  readonly since: number
  /** When it was last found to be so. */
  readonly seenAt: number
}

/**
 * What the databases say and the topics do not, sample by sample. Between the two something is always on its way; what
 * differs by the same amount for long is not.
 */
export class Differences {
  readonly #known = new Map<string, Difference>()

  /** @param found of the databases that answered */
  sample(at: Instant, found: Totals, told: Totals) {
    for (const [name, total] of Object.entries(found)) {
      const difference = total - (told[name] ?? 0)
      const known = this.#known.get(name)
      const isSame = known?.difference === difference && at - known.seenAt <= SILENT_FOR_TOO_LONG_MILLISECONDS
      if (difference === 0) this.#known.delete(name)
      else this.#known.set(name, { difference, since: isSame ? known.since : at, seenAt: at })
    }
  }

  /** Those that stood, as often as was looked, and that was not long ago. */
  standing(at: Instant): Standing[] {
    return [...this.#known]
      .filter(
        ([, { since, seenAt }]) =>
          seenAt - since >= QUIET_MILLISECONDS && at - seenAt <= SILENT_FOR_TOO_LONG_MILLISECONDS,
      )
      .map(([name, { difference, since }]) => ({
        check: 'told_is_there',
        about: name,
        since,
        detail: `the database’s ${name} is ${Math.abs(difference)} ${difference > 0 ? 'more' : 'less'} than what was said comes to`,
      }))
  }
}
