import type { LaneWork } from '@coding-plans/runtime'
import { stepAgain } from './sagas/engine.ts'
import type { Store } from './store.ts'

const LOOK_EVERY_MILLISECONDS = 500
// A few hundred commands are one send; the rest comes with the next look.
const MOST_AT_ONCE = 500

/** What is decided only goes forward: a step that failed is said again, each time under a new id (protocol.md 3). */
export const retries = ({ takeRetries }: Pick<Store, 'takeRetries'>): LaneWork => ({
  name: 'retries',
  everyMilliseconds: LOOK_EVERY_MILLISECONDS,
  unhurried: true,
  run: async (tx, lanes, wallClock) => (await takeRetries(tx, lanes, wallClock, MOST_AT_ONCE)).flatMap(stepAgain),
})
