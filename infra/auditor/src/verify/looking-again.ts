import { pause } from '@coding-plans/runtime'
import type { Unfinished } from './comparison.ts'

/** As long as the auditor waits (requirements.md 5). */
export const FINISHED_WITHIN_MILLISECONDS = 30_000
const LOOK_EVERY_MILLISECONDS = 2_000

/**
 * Topics are read one beside the other, and a running house goes on meanwhile: where the reading ends, of much only one half
 * is told. So whatever is unfinished is looked at again. @returns what was so at every look
 */
export const untilFinished = async (
  look: () => readonly Unfinished[],
  readOn: () => Promise<void>,
): Promise<readonly Unfinished[]> => {
  let left = look()
  for (const until = Date.now() + FINISHED_WITHIN_MILLISECONDS; left.length > 0 && Date.now() < until; ) {
    await pause(LOOK_EVERY_MILLISECONDS)
    await readOn()
    const now = new Map(look().map((one) => [one.name, one]))
    left = left.flatMap(({ name }) => now.get(name) ?? [])
  }
  return left
}
