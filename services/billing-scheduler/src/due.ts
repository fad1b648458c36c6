import { type LaneWork, type Saying, say, type Tx } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import type { ClockMode } from './domain/clock.ts'
import { horizonOf } from './domain/clock.ts'
import { causeOf, type Term } from './domain/term.ts'
import { countUnanswered, readClock, takeDue } from './store.ts'

/** One call says what some thousand users have due: a transaction and a send of the size of a round. */
const MOST_AT_ONCE = 2_000

/** Well within the second that requirements.md 4 allows. */
const EVERY_MILLISECONDS = 250

type Connection = Parameters<typeof readClock>[0]

const horizonIn = async (mode: ClockMode, tx: Connection, wallClock: Instant) =>
  mode === 'system' ? wallClock : horizonOf(await readClock(tx))

/** Says what is due in the lanes that this process owns (protocol.md 8). */
export const dueWork = (mode: ClockMode): LaneWork => ({
  name: 'due',
  everyMilliseconds: EVERY_MILLISECONDS,
  run: async (tx: Tx, lanes, wallClock) => {
    const horizon = await horizonIn(mode, tx, wallClock)
    const due = await takeDue(tx, lanes, { horizon, wallClock, most: MOST_AT_ONCE })
    return due.map((term) => periodEnded(term, mode === 'system' ? wallClock : term.boundary))
  },
})

const periodEnded = (term: Term, asOf: Instant): Saying => {
  const { userId, subscriptionId, boundary } = term
  return say('PeriodEnded', { userId, subscriptionId, boundary, asOf }, { time: boundary, cause: causeOf(term) })
}

/** How much is due and unanswered, for `/internal/open`. */
export const countDue = async (mode: ClockMode, knex: Connection, wallClock: Instant): Promise<number> =>
  countUnanswered(knex, await horizonIn(mode, knex, wallClock))
