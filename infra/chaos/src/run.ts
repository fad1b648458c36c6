import { randomUUID } from 'node:crypto'
import { Tally } from './caller.ts'
import { failedRequestsOf, searchForKeys } from './compare/files.ts'
import { compare } from './compare/index.ts'
import { countRenewals } from './compare/inside.ts'
import { type Blow, blowsOf, gentleBlowsOf } from './faults.ts'
import { judgeGrowth } from './growth.ts'
import { judgeDone } from './least.ts'
import { openLoad } from './load.ts'
import { Notebook } from './memory.ts'
import { reportOf } from './report.ts'
import { settle } from './settle.ts'
import type { Site } from './site.ts'
import { expectedOf, watchGrowth } from './soak.ts'
import { inSeconds, rage } from './storm.ts'

export interface ChaosOptions {
  readonly seconds: number
  readonly seed: number
  readonly clients: number
  /** Only one kill a minute, and a look at what grows. */
  readonly soak: boolean
  readonly say: (line: string) => void
}

/** Load and storm for so long, then calm, then the comparison. @returns how many rules were broken. */
export const runChaos = async (site: Site, { seconds, seed, clients, soak, say }: ChaosOptions): Promise<number> => {
  const tally = new Tally()
  const notebook = new Notebook(`chaos${randomUUID().replaceAll('-', '')}`)
  const load = await openLoad(site, { seed, clients, tally, notebook })
  const until = Date.now() + seconds * 1_000
  const blows: Iterator<Blow> = soak ? gentleBlowsOf(seed) : blowsOf(seed)
  const [struck, looks] = await Promise.all([
    rage({ site, blows, seed, until, say }),
    soak ? watchGrowth(site, until) : [],
    load.run(until),
  ])
  for (const { kind, target, recoveredAfterMilliseconds } of struck)
    if (recoveredAfterMilliseconds === null)
      notebook.violation('everything recovers without hands', `${kind}: ${target}`)

  const bought = load.people.reduce((sum, { memory }) => sum + memory.bought.length, 0)
  const calmFrom = performance.now()
  await settle(site, load, { tally, notebook })
  say(`settled ${inSeconds(performance.now() - calmFrom)} after the last fault and the last request`)
  const operator = await site.as('operator-1', ['admin'])
  const growth = soak ? judgeGrowth(looks, expectedOf(site), notebook) : []
  const looked = await compare(site, { people: load.people, operator }, notebook)
  const renewed = await countRenewals(site)
  await site.stop()
  const processes = site.stack.services.map(({ name }) => name)
  looked.push(searchForKeys(site.directory, processes, notebook))
  const { faulty, ambiguous } = failedRequestsOf(site)
  for (const failure of faulty)
    notebook.violation('what is away is answered with 503; with 500 only what a lost commit leaves open', failure)
  looked.push(judgeDone({ seconds, soak, tally, struck, bought, renewed, ambiguous }, notebook))
  for (const line of [...growth, ...looked, ...reportOf(tally, struck, notebook)]) say(line)
  return notebook.violations.size
}
