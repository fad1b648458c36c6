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
  /** The verdict, once; without one, the judgement begins and `onSettled` tells when it is worth asking again. */
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

/**
 * Judges outside of any transaction. A verdict answers only the question it was asked for: a term that moved meanwhile
 * makes it another question. Where nothing answers, nothing has settled.
 */
export const createSettlement = (surroundings: Surroundings, onSettled: () => void, log: Logger): Settlement => {
  let judging = false
  let troubled = false
  let settled: string | null = null

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
    if (settled) onSettled()
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
