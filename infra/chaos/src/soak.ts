import { readdirSync, readFileSync } from 'node:fs'
import { accesses } from '@coding-plans/local'
import { endOffsets, groupOffsets, pause } from '@coding-plans/runtime'
import { services } from '@coding-plans/schemas'
import { askDatabase, databaseOf } from './compare/inside.ts'
import { SPARED } from './faults.ts'
import type { Expected, Found, Kind, Look } from './growth.ts'
import type { Site } from './site.ts'
import { childrenOf } from './strike.ts'

/** What must not grow for as long as the house runs, looked at again and again. */

const LOOK_EVERY_MILLISECONDS = 10_000
/** As many looks as are needed, each of which takes its time. */
const LEAST_SECONDS = 150

/** Why nothing could be said of the growth of a run of so many seconds; null: something can. */
export const refusalOf = (seconds: number): string | null =>
  seconds >= LEAST_SECONDS
    ? null
    : `--soak takes at least ${LEAST_SECONDS} s, not ${seconds}: what grows is seen by the first third of many looks against the last.`

const servers = ['kafka', 'registry'] as const

/** What every look should find. */
export const expectedOf = ({ stack }: Site): Expected => {
  const subjects = (kinds: readonly Kind[], names: readonly string[]) =>
    kinds.flatMap((kind) => names.map((of) => ({ kind, of })))
  const processes = stack.services.map(({ name }) => name)
  return {
    subjects: [
      ...subjects(['memory (MiB)', 'descriptors'], [...processes, ...servers]),
      ...subjects(['memory (MiB)', 'processes'], ['postgres']),
      ...subjects(['outbox rows', 'seen ids', 'records heard', 'records unread'], services),
    ],
    spared: stack.services.filter(({ instance }) => instance === SPARED).map(({ name }) => name),
  }
}

/** How much of this there is in memory, in MiB; null: it is dead at this moment. */
const memoryOf = (pid: number | undefined, what: 'VmRSS' | 'RssAnon') => {
  const found = new RegExp(`${what}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return found === undefined ? null : Number(found) / 1024
}

const lookAtProcess = (of: string, pid: number | undefined): Found[] => {
  const memory = memoryOf(pid, 'VmRSS')
  if (memory === null) return []
  return [
    { kind: 'memory (MiB)', of, value: Math.round(memory) },
    { kind: 'descriptors', of, value: readdirSync(`/proc/${pid}/fd`).length },
  ]
}

/** Who dies while being looked at is not there. */
const ifAlive = <T>(look: () => T[]): T[] => {
  try {
    return look()
  } catch {
    return []
  }
}

/** With all its children; what they share would be counted again and again. */
const lookAtPostgres = ({ servers }: Site): Found[] => {
  const { pid } = servers.postgres
  if (pid === undefined) return []
  const family = [pid, ...childrenOf(pid)]
  const memory = family.flatMap((one) => ifAlive(() => [memoryOf(one, 'RssAnon') ?? 0]))
  return [
    { kind: 'memory (MiB)', of: 'postgres', value: Math.round(memory.reduce((sum, own) => sum + own, 0)) },
    { kind: 'processes', of: 'postgres', value: family.length },
  ]
}

const lookAtProcesses = (site: Site): Found[] => {
  const { stack, servers } = site
  return [
    ...stack.services.flatMap(({ name, pid }) =>
      ifAlive(() => lookAtProcess(name, pid).map((found) => ({ ...found, pid: pid as number }))),
    ),
    ...ifAlive(() => lookAtProcess('kafka', servers.broker.pid)),
    ...ifAlive(() => lookAtProcess('registry', servers.registry.pid)),
    ...ifAlive(() => lookAtPostgres(site)),
  ]
}

const lookAtDatabases = async (site: Site): Promise<Found[]> => {
  const found: Found[] = []
  for (const of of services) {
    const sql = 'select (select count(*) from outbox) as outbox, (select count(*) from seen) as seen'
    const [row] = await askDatabase(databaseOf(site, of), sql)
    found.push({ kind: 'outbox rows', of, value: Number(row?.outbox) })
    found.push({ kind: 'seen ids', of, value: Number(row?.seen) })
  }
  return found
}

const topicsHeardBy = (service: string) =>
  accesses.flatMap(({ user, operation, on }) =>
    user === service && operation === 'read' && on !== 'cluster' && 'topic' in on ? [on.topic] : [],
  )

/** How many records there are for each service, and how many its group has not read yet. */
const lookAtGroups = async ({ servers }: Site): Promise<Found[]> => {
  const committed = await groupOffsets(servers, services)
  const ends = await endOffsets(servers, [...new Set(services.flatMap(topicsHeardBy))])
  return services.flatMap((of): Found[] => {
    const said = topicsHeardBy(of).flatMap((topic) => [...(ends.get(topic)?.values() ?? [])])
    const unread = [...(committed.get(of) ?? [])].flatMap(([topic, offsets]) =>
      [...offsets].map(([lane, offset]) => (ends.get(topic)?.get(lane) ?? 0) - Math.max(0, offset)),
    )
    return [
      { kind: 'records heard', of, value: sumOf(said) },
      { kind: 'records unread', of, value: sumOf(unread) },
    ]
  })
}

const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0)

/** Looks until it is time. What did not answer just then is not in a look. */
export const watchGrowth = async (site: Site, until: number): Promise<Look[]> => {
  const looks: Look[] = []
  const began = performance.now()
  while (Date.now() < until) {
    const seconds = (performance.now() - began) / 1_000
    const found = lookAtProcesses(site)
    // The databases first: what is seen by then was said by then.
    for (const look of [lookAtDatabases, lookAtGroups]) found.push(...(await look(site).catch(() => [])))
    looks.push({ seconds, found })
    await pause(LOOK_EVERY_MILLISECONDS)
  }
  return looks
}
