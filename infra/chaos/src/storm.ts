import { askBroker } from '@coding-plans/local'
import { pause } from '@coding-plans/runtime'
import { Random } from '@coding-plans/simulator/random'
import { type Blow, type Fault, targetOf, wordsOf } from './faults.ts'
import type { Site } from './site.ts'
import { strike } from './strike.ts'

const ANSWERS_WITHIN_MILLISECONDS = 3_000
const LOOK_EVERY_MILLISECONDS = 150
/** Then the next blow comes all the same. */
const PATIENCE_MILLISECONDS = 20_000
/** Who is not back by then has not recovered without hands. */
export const RECOVERS_WITHIN_MILLISECONDS = 120_000
/** A process that was killed may answer one last question. */
const LAST_WORDS_MILLISECONDS = 100

const isReady = async (url: string) => {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(ANSWERS_WITHIN_MILLISECONDS) })
    await answer.body?.cancel()
    return answer.status === 200
  } catch {
    return false
  }
}

/** Asked by us too: a service notices only after a while that its broker is silent. */
const brokerAnswers = ({ servers }: Site) =>
  askBroker(Number(servers.brokers[0]?.split(':')[1])).then(
    () => true,
    () => false,
  )

/** Waits until every service calls itself ready in one look, and the broker answers. @returns who does not, after the deadline. */
export const untilReady = async (site: Site, withinMilliseconds: number): Promise<readonly string[]> => {
  for (const until = Date.now() + withinMilliseconds; ; await pause(LOOK_EVERY_MILLISECONDS)) {
    const [broker, ...ready] = await Promise.all([
      brokerAnswers(site),
      ...site.stack.services.map(({ url }) => isReady(url)),
    ])
    const missing = site.stack.services.filter((_, n) => !ready[n]).map(({ name }) => name)
    if (!broker) missing.push('kafka')
    if (missing.length === 0 || Date.now() > until) return missing
  }
}

export interface Struck {
  readonly kind: Fault['kind']
  readonly target: string
  /** It met somebody. */
  readonly landed: boolean
  /** From the end of what broke it until everything was ready; null: not in time. */
  readonly recoveredAfterMilliseconds: number | null
}

interface Weather {
  readonly site: Site
  readonly blows: Iterator<Blow>
  readonly seed: number
  readonly until: number
  readonly say: (line: string) => void
}

/** Blow after blow until it is time; each when all have got up from the last, or after a while. */
export const rage = async ({ site, blows, seed, until, say }: Weather): Promise<Struck[]> => {
  const random = new Random(seed + 1)
  const struck: Promise<Struck[]>[] = []
  const land = async (faults: readonly Fault[]): Promise<Struck[]> => {
    const landed = await Promise.all(faults.map((fault) => strike(site, fault, random)))
    const over = performance.now()
    await pause(LAST_WORDS_MILLISECONDS)
    const missing = await untilReady(site, RECOVERS_WITHIN_MILLISECONDS)
    const milliseconds = performance.now() - over
    const words = faults.map(wordsOf).join(' and ')
    say(
      missing.length > 0
        ? `${words}: ${missing} never recovered`
        : `${words}: all ready after ${inSeconds(milliseconds)}`,
    )
    const recoveredAfterMilliseconds = missing.length > 0 ? null : milliseconds
    return faults.map((fault, n) => ({
      kind: fault.kind,
      target: targetOf(fault),
      landed: landed[n] as boolean,
      recoveredAfterMilliseconds,
    }))
  }
  for (;;) {
    const { quietMilliseconds, faults } = blows.next().value as Blow
    if (Date.now() + quietMilliseconds > until) break
    await pause(quietMilliseconds)
    struck.push(land(faults))
    await Promise.race([struck.at(-1), pause(PATIENCE_MILLISECONDS)])
  }
  return (await Promise.all(struck)).flat()
}

export const inSeconds = (milliseconds: number) => `${(milliseconds / 1_000).toFixed(1)} s`
