import { type LaneWork, laneOf, type Saying, say } from '@coding-plans/runtime'
import { CLOCK } from './clockwork.ts'
import type { Store } from './store.ts'

/** How soon a tick is answered after the last of what it waits for. */
const EVERY_MILLISECONDS = 50

/** Answers billing ticks, with what came of due terms since they were asked for. They cause nothing: what is due is said anyway. */
export const tickWork = (store: Pick<Store, 'answerTick' | 'findAnsweredTicks'>): LaneWork => ({
  name: 'ticks',
  everyMilliseconds: EVERY_MILLISECONDS,
  run: async (tx, lanes, wallClock) => {
    if (!lanes.includes(laneOf(CLOCK))) return []
    const said: Saying[] = []
    for (const { operationId, asOf, counts } of await store.findAnsweredTicks(tx, wallClock)) {
      await store.answerTick(tx, operationId, wallClock)
      const how = { time: asOf, correlationId: operationId, cause: `tick|${operationId}` }
      said.push(say('BillingTicked', { clock: CLOCK, operationId, asOf, ...counts }, how))
    }
    return said
  },
})
