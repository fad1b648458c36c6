import { type LaneWork, type Saying, say, type Tx } from '@coding-plans/runtime'
import { type Instant, instant } from '@coding-plans/schemas'
import { type ClockMode, horizonOf } from './domain/clock.ts'
import { causeOf, type DueKind, type Term } from './domain/term.ts'
import type { Flow } from './flow.ts'
import type { Store } from './store.ts'

/** Well within the second that requirements.md 4 allows. */
const EVERY_MILLISECONDS = 250

type Connection = Parameters<Store['readClock']>[0]

interface Counting {
  readonly mode: ClockMode
  readonly store: Store
}

/** Up to which instant terms are due, and as of when all of it is said: null is each at its own instant. */
const horizonIn = async ({ mode, store }: Counting, tx: Connection, wallClock: Instant) => {
  if (mode === 'system') return { horizon: wallClock, asOf: wallClock }
  const clock = await store.readClock(tx)
  return { horizon: horizonOf(clock), asOf: clock.outage ? clock.target : null }
}

export interface DueOptions extends Counting {
  readonly flow: Flow
}

/** Says what is due in the lanes that this process owns (protocol.md 8), as much at once as there is room for. */
export const dueWork = ({ mode, store, flow }: DueOptions): LaneWork => ({
  name: 'due',
  everyMilliseconds: EVERY_MILLISECONDS,
  // An advance of the test clock waits for each answer; the wall clock is not hastened by any.
  unhurried: mode === 'system',
  run: async (tx: Tx, lanes, wallClock) => {
    const { horizon, asOf } = await horizonIn({ mode, store }, tx, wallClock)
    const room = flow.room(wallClock)
    const due = room > 0 ? await store.takeDue(tx, lanes, { horizon, wallClock, most: room }) : []
    flow.said(
      due.map(({ subscriptionId }) => subscriptionId),
      wallClock,
      due.length >= room,
    )
    return due.map((term) => sayDue(term, instant(Math.max(term.due, asOf ?? term.due))))
  },
})

const says: Record<DueKind, (term: Term, asOf: Instant) => Saying> = {
  renewal_due_soon: ({ due: at, ...term }, asOf) => say('RenewalDueSoon', { ...whose(term), at, asOf }),
  period_ended: (term, asOf) => say('PeriodEnded', { ...whose(term), asOf }),
  grace_ended: ({ due: deadline, ...term }, asOf) => say('GraceEnded', { ...whose(term), deadline, asOf }),
  top_up_wait_ended: ({ due: deadline, ...term }, asOf) => say('TopUpWaitEnded', { ...whose(term), deadline, asOf }),
}

const whose = ({ userId, subscriptionId, boundary }: Pick<Term, 'userId' | 'subscriptionId' | 'boundary'>) => ({
  userId,
  subscriptionId,
  boundary,
})

const sayDue = (term: Term, asOf: Instant): Saying => ({
  ...says[term.what](term, asOf),
  time: term.due,
  cause: causeOf(term),
})

/** How much is due and unanswered, for `/internal/open`. */
export const countDue = async (counting: Counting, on: Connection, wallClock: Instant): Promise<number> =>
  counting.store.countUnanswered(on, (await horizonIn(counting, on, wallClock)).horizon)
