import { readFileSync } from 'node:fs'
import type { House } from './house.ts'

/** What processes use of the machine, as the scripts with figures print it. */

const TICKS_PER_SECOND = 100

/** CPU seconds and resident megabytes of one process. */
const usageOf = (pid: number | undefined) => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // Its own, and that of the children it has buried.
  const cpuSeconds = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  return { cpuSeconds, megabytes: Math.round(kilobytes / 1024) }
}

/** A server that forks has its CPU in its children. */
const familyOf = (pid: number | undefined) => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number)
  const cpuSeconds = children.reduce((sum, child) => sum + usageOf(child).cpuSeconds, usageOf(pid).cpuSeconds)
  return { ...usageOf(pid), cpuSeconds }
}

export interface Process {
  readonly name: string
  readonly pid: number | undefined
}

export interface Use {
  readonly name: string
  readonly cpuSeconds: number
  readonly megabytes: number
}

/** The servers that a stack or a bed has started. */
export const serversOf = ({ broker, registry, postgres }: House['stack']['servers']): Process[] => [
  { name: 'kafka', pid: broker.pid },
  { name: 'registry', pid: registry.pid },
  { name: 'postgres', pid: postgres.pid },
]

export const processesOf = ({ stack }: House): Process[] => [
  ...stack.services.map(({ service, pid }) => ({ name: service as string, pid })),
  ...serversOf(stack.servers),
]

export const measure = (processes: readonly Process[]): Use[] =>
  processes.map(({ name, pid }) => ({ name, ...familyOf(pid) }))

/** What was used from one measure to the other; the memory is that of the latter. */
export const between = (before: readonly Use[], after: readonly Use[]): Use[] =>
  after.map(({ name, cpuSeconds, megabytes }, n) => ({
    name,
    megabytes,
    cpuSeconds: cpuSeconds - (before[n]?.cpuSeconds ?? 0),
  }))

/** Rounds that each service took until now, and the messages they handled. */
export const roundsOf = ({ stack }: House) =>
  Promise.all(
    stack.services.map(async ({ service, url }) => {
      const text = await (await fetch(`${url}/metrics`)).text()
      const counted = (what: string) =>
        Number(new RegExp(`round_messages_${what}\\{[^}]*\\} (\\d+)`).exec(text)?.[1] ?? 0)
      return { service, rounds: counted('count'), messages: counted('sum') }
    }),
  )
