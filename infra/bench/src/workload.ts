import type { Figure } from './figure.ts'

/** How much is measured: `quick` is for CI, a few seconds each; `full` is what the README reports. */
export type Size = 'quick' | 'full'

export interface Workload {
  readonly name: string
  /** Starts what it needs on free ports, stops it, also on failure. Throws when a count is wrong: speed without right is none. */
  readonly run: (size: Size, say: (line: string) => void) => Promise<readonly Figure[]>
}
