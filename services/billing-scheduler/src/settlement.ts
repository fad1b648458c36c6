import type { Logger } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import { isFinished, isRead, type Offsets, type Open } from './domain/settled.ts'

/** What the judge asks of the world; `surroundings.ts` is the real one. */
export interface Surroundings {
  /** Group → topic → partition → committed offset, of every service. */
  committed(): Promise<ReadonlyMap<string, Offsets>>
  /** What every process of every service has not finished. */
  open(): Promise<readonly Open[]>
  ends(topics: readonly string[]): Promise<Offsets>
}

/** Has everything settled up to this horizon, if no term was said, answered or begun since that generation? */
export interface Question {
  readonly operationId: string
  readonly horizon: Instant
  readonly generation: number
}

export interface Settlement {
  /** The verdict, once; without one, the judgement begins and `askAgain` tells when that is worth while. */
  confirms(question: Question): boolean
}

/** In this order, and no other, it is exact (protocol.md 8). */
export const judge = async (surroundings: Surroundings): Promise<boolean> => {
  const committed = await surroundings.committed()
  const open = await surroundings.open()
  if (!open.every(isFinished)) return false
  const topics = new Set([...committed.values()].flatMap((read) => [...read.keys()]))
  return isRead(committed, await surroundings.ends([...topics]))
}

/** What is open is mostly closed at once: the first looks come sooner than the clock's own pace, in milliseconds. */
const LOOK_AGAIN_AFTER = [20, 30, 50]

/**
 * Judges outside of any transaction. A verdict answers only the question it was asked for: a term that moved meanwhile
 * makes it another question. Where nothing answers, nothing has settled.
 */
export const createSettlement = (surroundings: Surroundings, askAgain: () => void, log: Logger): Settlement => {
  let judging = false
  let troubled = false
  let settled: string | null = null
  let inVain = 0

  const begin = async (question: string) => {
    judging = true
    try {
      if (await judge(surroundings)) settled = question
      troubled = false
    } catch (error) {
      if (!troubled) log.warn({ err: error }, 'Whether the clock has settled could not be judged; trying again')
      troubled = true
    } finally {
      judging = false
    }
    if (settled) inVain = 0
    const again = settled ? 0 : LOOK_AGAIN_AFTER[inVain++]
    if (again !== undefined) setTimeout(askAgain, again).unref()
  }

  return {
    confirms: (question) => {
      const asked = JSON.stringify(question)
      const confirmed = settled === asked
      settled = null
      if (!confirmed && !judging) void begin(asked)
      return confirmed
    },
  }
}
