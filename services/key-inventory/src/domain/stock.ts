import type { KeyState } from './key.ts'
import { keyStates } from './key.ts'

export type Counts = Readonly<Record<KeyState, number>>

/** One plan's stock: how many keys are in which state. Its row is the lock under which keys are claimed (protocol.md 6). */
export interface Stock {
  readonly planId: string
  readonly providerId: string
  /** Raised once by every round that changes it. */
  readonly version: number
  readonly counts: Counts
  readonly lowStockThreshold: number
  /** How many keys were ever uploaded; the next key's place in the order of upload follows it. */
  readonly uploaded: number
}

export const noCounts: Counts = Object.fromEntries(keyStates.map((state) => [state, 0])) as Record<KeyState, number>

/** One key came (from null) or went from a state to another. @throws for a key that was not there. */
export const recount = (counts: Counts, from: KeyState | null, to: KeyState): Counts => {
  if (from === to) return counts
  const left = from === null ? {} : { [from]: counts[from] - 1 }
  if (from !== null && counts[from] < 1) throw new Error(`No key is ${from}.`)
  return { ...counts, ...left, [to]: counts[to] + 1 }
}

/** Whether available stock fell below the plan's threshold (INV-6): said when it falls, not while it stays there. */
export const fellLow = (before: Stock, after: Stock) =>
  before.counts.available >= after.lowStockThreshold && after.counts.available < after.lowStockThreshold
