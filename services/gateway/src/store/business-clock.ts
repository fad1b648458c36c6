import { type Message, select, type Tx } from '@coding-plans/runtime'
import { type Instant, instant } from '@coding-plans/schemas'
import type { Knex } from 'knex'

/** The instant that counts. */
export interface BusinessClock {
  /** null: a test clock that has not been heard yet. */
  now(tx: Tx | Knex): Promise<Instant | null>
  /** What messages say the time is. */
  hear(messages: readonly Message[]): void
}

/** More than the clocks of hosts that are kept right differ: by what is further ahead a wrong one would set everybody's (CAN-1). */
const MOST_AHEAD_MILLISECONDS = 5_000

/** The wall clock, never below the last heard that can be true. */
export const systemClock = (wallClock: () => number) => {
  let heard = 0
  return {
    now: (): Instant => instant(Math.max(wallClock(), heard)),
    hear: (messages: readonly Message[]) => {
      const latest = wallClock() + MOST_AHEAD_MILLISECONDS
      for (const { time } of messages) if (time <= latest) heard = Math.max(heard, time)
    },
  }
}

/** In test mode the clock that events tell of; else the hosts' own. */
export const businessClock = (mode: 'system' | 'test', wallClock: () => number): BusinessClock => {
  if (mode === 'system') {
    const { now, hear } = systemClock(wallClock)
    return { now: async () => now(), hear }
  }
  return {
    now: async (tx) => {
      const [row] = await select<{ now: number }>(tx, 'select now from clock')
      return row ? instant(row.now) : null
    },
    hear: () => {},
  }
}
