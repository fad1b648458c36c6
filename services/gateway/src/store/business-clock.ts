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

/** In test mode the clock that events tell of; else the wall clock, never below the last heard. */
export const businessClock = (mode: 'system' | 'test', wallClock: () => number): BusinessClock => {
  let heard = 0
  if (mode === 'system')
    return {
      now: async () => instant(Math.max(wallClock(), heard)),
      hear: (messages) => {
        for (const { time } of messages) heard = Math.max(heard, time)
      },
    }
  return {
    now: async (tx) => {
      const [row] = await select<{ now: number }>(tx, 'select now from clock')
      return row ? instant(row.now) : null
    },
    hear: () => {},
  }
}
