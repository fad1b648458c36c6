import { type Service, services } from '@coding-plans/schemas'
import { Random } from '@coding-plans/simulator/random'
import { SESSION_MILLISECONDS, type ServerName, serverNames } from './site.ts'

export interface ServiceTarget {
  readonly service: Service
  readonly instance: 1 | 2
}

export type Fault =
  | { readonly kind: 'kill a service'; readonly target: ServiceTarget }
  | { readonly kind: 'kill a server'; readonly target: ServerName; readonly how: 'SIGKILL' | 'SIGQUIT' }
  | { readonly kind: 'pause a service'; readonly target: ServiceTarget; readonly milliseconds: number }
  | { readonly kind: 'pause a server'; readonly target: ServerName; readonly milliseconds: number }
  | { readonly kind: 'cut connections'; readonly target: ServerName; readonly share: number }
  | { readonly kind: 'shut a door'; readonly target: ServerName; readonly milliseconds: number }
  | { readonly kind: 'pull a cable'; readonly target: ServerName; readonly milliseconds: number }

/** What happens together, and how long all was quiet before. */
export interface Blow {
  readonly quietMilliseconds: number
  readonly faults: readonly Fault[]
}

const LONGEST_OUTAGE_MILLISECONDS = 7_000
const SHORTEST_QUIET_MILLISECONDS = 500
const LONGEST_QUIET_MILLISECONDS = 3_000
/** Now and then one comes seldom alone. */
const TOGETHER = 0.25

const between = (random: Random, least: number, most: number) => least + random.below(most - least + 1)
const instance = (random: Random): 1 | 2 => (random.chance(0.5) ? 1 : 2)

/** Of each kind as many as there should be of it among others; each deal is a whole deck in another order. */
const deck = (random: Random): Fault[] => [
  ...services.map((service): Fault => ({ kind: 'kill a service', target: { service, instance: instance(random) } })),
  ...serverNames.map(
    (target): Fault => ({
      kind: 'kill a server',
      target,
      // A whole server that crashes: the postmaster and, at once, all its children; or told to die without tidying up.
      how: target === 'postgres' && random.chance(0.5) ? 'SIGQUIT' : 'SIGKILL',
    }),
  ),
  ...[1, 2].map((): Fault => {
    const target = { service: random.pick(services), instance: instance(random) }
    // A zombie: the group has gone on without it when it wakes up.
    const least = Math.round(SESSION_MILLISECONDS * 1.25)
    return { kind: 'pause a service', target, milliseconds: between(random, least, SESSION_MILLISECONDS * 2) }
  }),
  { kind: 'pause a server', target: random.pick(serverNames), milliseconds: outage(random) },
  { kind: 'cut connections', target: random.pick(serverNames), share: random.pick([0.3, 0.6, 1]) },
  { kind: 'shut a door', target: random.pick(serverNames), milliseconds: outage(random) },
  { kind: 'pull a cable', target: random.pick(serverNames), milliseconds: outage(random) },
]

const outage = (random: Random) => between(random, 1_000, LONGEST_OUTAGE_MILLISECONDS)

const shuffled = <T>(random: Random, all: readonly T[]): T[] => random.merge(all.map((one) => [one]))

/** What breaks, in which order, from a seed: the same seed, the same blows. How many of them fit is the machine's. */
export function* blowsOf(seed: number): Generator<Blow, never> {
  const random = new Random(seed)
  const left: Fault[] = []
  for (;;) {
    if (left.length < 2) left.push(...shuffled(random, deck(random)))
    const count = random.chance(TOGETHER) ? 2 : 1
    const quietMilliseconds = between(random, SHORTEST_QUIET_MILLISECONDS, LONGEST_QUIET_MILLISECONDS)
    yield { quietMilliseconds, faults: left.splice(0, count) }
  }
}

/** Of each service this process is not killed in a soak: it lives the whole time, so what it leaks adds up. */
export const SPARED = 1
const sparing = (fault: Fault): Fault =>
  fault.kind === 'kill a service' ? { ...fault, target: { ...fault.target, instance: 2 } } : fault

/** One process dies a minute, nothing else: for a long run that looks at what grows. */
export function* gentleBlowsOf(seed: number): Generator<Blow, never> {
  const random = new Random(seed)
  for (;;)
    for (const fault of shuffled(random, deck(random)))
      if (fault.kind.startsWith('kill')) yield { quietMilliseconds: 60_000, faults: [sparing(fault)] }
}

/** For the report: whom it meets. */
export const targetOf = ({ target }: Fault) => (typeof target === 'string' ? target : target.service)

/** In words, to find it again in logs. */
export const wordsOf = (fault: Fault): string => {
  const { kind, target } = fault
  const whom = typeof target === 'string' ? target : `${target.service}-${target.instance}`
  if (kind === 'cut connections') return `${kind}: ${fault.share * 100} % of those to the ${whom}`
  if (kind === 'kill a server') return `${kind}: ${whom} (${fault.how})`
  if (kind === 'kill a service') return `${kind}: ${whom}`
  return `${kind}: ${whom} for ${(fault.milliseconds / 1_000).toFixed(1)} s`
}
