import { readdirSync, readFileSync } from 'node:fs'
import { endOffsets, groupOffsets } from '@coding-plans/runtime'
import { services } from '@coding-plans/schemas'
import { askDatabase, databaseOf } from './compare/inside.ts'
import type { Notebook } from './memory.ts'
import type { Site } from './site.ts'

/** What must not grow for as long as the house runs, looked at again and again. */

const LOOK_EVERY_MILLISECONDS = 10_000
/** Four a third: of fewer the middle says nothing, and of none the first third would be nothing, whatever the last has. */
const LEAST_LOOKS = 12
/** As many looks, each of which takes its time. */
const LEAST_SECONDS = 150

/** Why nothing could be said of the growth of a run of so many seconds; null: something can. */
export const refusalOf = (seconds: number): string | null =>
  seconds >= LEAST_SECONDS
    ? null
    : `--soak takes at least ${LEAST_SECONDS} s, not ${seconds}: what grows is seen by the first third of many looks against the last.`

type Kind = 'memory (MiB)' | 'descriptors' | 'outbox rows' | 'seen ids' | 'records unread'

/** What the middle of the last third may have more than that of the first. Null: it grows with what was done, by design. */
const limits: Readonly<Record<Kind, { factor: number; more: number } | null>> = {
  // Heaps settle where their collector likes it; one that leaks at this load gains more within half an hour.
  'memory (MiB)': { factor: 1.3, more: 64 },
  descriptors: { factor: 1.3, more: 30 },
  // What is published is deleted; what lies there is under way.
  'outbox rows': { factor: 1, more: 100 },
  'seen ids': null,
  'records unread': { factor: 1, more: 200 },
}

interface Look {
  readonly kind: Kind
  readonly of: string
  readonly value: number
}

const processesOf = ({ stack, servers }: Site) => [
  ...stack.services.map(({ name, pid }) => ({ name, pid })),
  { name: 'kafka', pid: servers.broker.pid },
  { name: 'registry', pid: servers.registry.pid },
]

const lookAtProcesses = (site: Site): Look[] =>
  processesOf(site).flatMap(({ name, pid }) => {
    try {
      const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
      return [
        { kind: 'memory (MiB)', of: name, value: Math.round(Number(resident) / 1024) },
        { kind: 'descriptors', of: name, value: readdirSync(`/proc/${pid}/fd`).length },
      ]
    } catch {
      return [] // dead at this moment
    }
  })

const lookAtDatabases = async (site: Site): Promise<Look[]> => {
  const looks: Look[] = []
  for (const service of services) {
    const sql = 'select (select count(*) from outbox) as outbox, (select count(*) from seen) as seen'
    const [row] = await askDatabase(databaseOf(site, service), sql)
    looks.push({ kind: 'outbox rows', of: service, value: Number(row?.outbox) })
    looks.push({ kind: 'seen ids', of: service, value: Number(row?.seen) })
  }
  return looks
}

/** How many records each service's group has not read yet. */
const lookAtGroups = async ({ servers }: Site): Promise<Look[]> => {
  const committed = await groupOffsets(servers, services)
  const read = new Set([...committed.values()].flatMap((topics) => [...topics.keys()]))
  const ends = await endOffsets(servers, [...read])
  return services.map((service) => {
    const lanes = [...(committed.get(service) ?? [])].flatMap(([topic, offsets]) =>
      [...offsets].map(([lane, offset]) => (ends.get(topic)?.get(lane) ?? 0) - Math.max(0, offset)),
    )
    return { kind: 'records unread', of: service, value: lanes.reduce((sum, unread) => sum + unread, 0) }
  })
}

/** Looks until it is time. @returns one list per look; what did not answer just then is not in it. */
export const watchGrowth = async (site: Site, until: number): Promise<Look[][]> => {
  const looks: Look[][] = []
  while (Date.now() < until) {
    const parts = await Promise.allSettled([lookAtProcesses(site), lookAtDatabases(site), lookAtGroups(site)])
    looks.push(parts.flatMap((part) => (part.status === 'fulfilled' ? part.value : [])))
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MILLISECONDS))
  }
  return looks
}

const summaryOf = (values: readonly number[]) => {
  const sorted = values.toSorted((a, b) => a - b)
  const [least = 0, middle = 0, most = 0] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)]
  return { middle, words: `${least} / ${middle} / ${most}` }
}

/** The first third against the last: what grew beyond its limit is a violation. @returns a table, line by line */
export const judgeGrowth = (looks: readonly Look[][], notebook: Notebook): string[] => {
  if (looks.length < LEAST_LOOKS) {
    notebook.violation('what may grow is looked at', `${looks.length} times only, and ${LEAST_LOOKS} are needed`)
    return []
  }
  const third = Math.floor(looks.length / 3)
  const [first, last] = [looks.slice(0, third).flat(), looks.slice(-third).flat()]
  const lines = [`growth, least / median / most of the first third → of the last, ${looks.length} looks:`]
  for (const [name, of] of Map.groupBy(last, (look) => `${look.kind} of ${look.of}`)) {
    const { kind } = of[0] as Look
    const before = summaryOf(first.filter((look) => `${look.kind} of ${look.of}` === name).map(({ value }) => value))
    const after = summaryOf(of.map(({ value }) => value))
    lines.push(`  ${name}: ${before.words} → ${after.words}`)
    const limit = limits[kind]
    if (limit && after.middle > before.middle * limit.factor + limit.more)
      notebook.violation('what is bounded does not grow', `${name}: ${before.words} → ${after.words}`)
  }
  return lines
}
