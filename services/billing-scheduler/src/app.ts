import {
  backOff,
  isTrouble,
  type LaneWork,
  type Parts,
  pause,
  type Saying,
  type ServiceOptions,
} from '@coding-plans/runtime'
import { instant } from '@coding-plans/schemas'
import type { Agenda } from './agenda.ts'
import { clockWork } from './clockwork.ts'
import type { ClockMode } from './domain/clock.ts'
import { countDue, dueWork } from './due.ts'
import { Flow } from './flow.ts'
import { createHandler, SERVICE } from './handlers.ts'
import { createSettlement, type Surroundings } from './settlement.ts'
import { makeClock, sqlStore as store } from './store.ts'
import { tickWork } from './ticks.ts'

const wallClock = () => instant(Date.now())

export interface SchedulerOptions {
  readonly mode: ClockMode
  /** Asked whether everything has settled (test mode). */
  readonly surroundings: Surroundings
  readonly log: Parts['log']
}

/** The service, but for its environment. */
export const billingScheduler = ({
  mode,
  surroundings,
  log,
}: SchedulerOptions): Omit<ServiceOptions<Agenda>, 'environment'> => {
  let nudge = () => {}
  const settlement = createSettlement(surroundings, () => nudge(), log)
  const flow = new Flow(() => nudge())
  const due = dueWork({ mode, store, flow })
  const ticks = tickWork(store)
  const clock = clockWork(settlement, store)
  return {
    service: SERVICE,
    handler: createHandler({ mode, store, flow, wallClock }),
    work: [mode === 'test' ? inTurn([due, ticks, clock]) : inTurn([due, ticks])],
    due: (knex) => countDue({ mode, store }, knex, wallClock()),
    begin: async ({ knex, worker }) => {
      await keepMode(knex, mode)
      nudge = () => worker.nudge()
    },
  }
}

/** Several works in one transaction, as often as the most frequent: after each round one commit instead of several. */
const inTurn = (works: readonly LaneWork[]): LaneWork => ({
  name: works.map(({ name }) => name).join('+'),
  everyMilliseconds: Math.min(...works.map(({ everyMilliseconds }) => everyMilliseconds)),
  run: async (tx, lanes, wallClock) => {
    const said: Saying[] = []
    for (const work of works) said.push(...(await work.run(tx, lanes, wallClock)))
    return said
  },
})

/** The data keep the mode they began with. @throws Error for another. */
const keepMode = async (knex: Parts['knex'], mode: ClockMode) => {
  for (let attempt = 0; ; attempt += 1) {
    const clock = await makeClock(knex, mode, wallClock()).catch((error) => {
      if (!isTrouble(error)) throw error
      return null
    })
    if (clock && clock.mode !== mode)
      throw new Error(`CLOCK is ${mode}, but these data began with the ${clock.mode} clock and keep it.`)
    if (clock) return
    await pause(backOff(attempt))
  }
}
