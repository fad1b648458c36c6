import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Stack, startStack } from '@coding-plans/local'
import { pause } from '@coding-plans/runtime'
import { type Figure, latencyOf } from '../figure.ts'
import { between, type Disks, type Look, look, type Process, processesOf } from '../usage.ts'
import type { Size, Workload } from '../workload.ts'

// Everything from nothing to ready, as `npm start` starts it, and once more on the same data.

const STARTS: Record<Size, number> = { quick: 1, full: 3 }
const SETTLED_AFTER_MILLISECONDS = 3_000
const REST_SECONDS = 10

interface Start {
  readonly seconds: number
  readonly use: Pick<Figure, 'cpu' | 'disk'>
  readonly after: Look
  readonly atRest: Figure
}

const NOTHING: Look = { cpuSeconds: [], walBytes: 0, databaseBytes: 0, kafkaBytes: 0 }

/** Nobody asks anything: what each process uses to be there. */
const rest = async (processes: readonly Process[], disks: Disks): Promise<Figure> => {
  await pause(SETTLED_AFTER_MILLISECONDS)
  const before = await look(processes, disks)
  await pause(REST_SECONDS * 1_000)
  const use = between(processes, before, await look(processes, disks), REST_SECONDS)
  return {
    ...{ workload: 'start', variant: 'at rest', unit: 'seconds', units: REST_SECONDS, seconds: REST_SECONDS },
    ...{ perSecond: 1, ...use },
  }
}

/** The processes are new: what they have used until they are ready, the start has used. */
const start = async (dataDir: string, before: Look): Promise<Start> => {
  const began = performance.now()
  const stack: Stack = await startStack({ dataDir, clock: 'system', log: () => {} })
  try {
    const seconds = (performance.now() - began) / 1_000
    const processes = processesOf(stack)
    const disks = { databaseUrl: stack.servers.databaseUrl('postgres'), kafkaDirectory: join(dataDir, 'kafka') }
    const after = await look(processes, disks)
    const use = between(processes, { ...before, cpuSeconds: [] }, after, 1)
    return { seconds, use, after, atRest: await rest(processes, disks) }
  } finally {
    await stack.stop()
  }
}

const figureOf = (variant: string, starts: readonly Start[]): Figure => {
  const seconds = starts.reduce((sum, one) => sum + one.seconds, 0)
  const { cpu, disk } = (starts.at(-1) as Start).use
  const [units, times] = [starts.length, starts.map((one) => one.seconds * 1_000)]
  const rest = { unit: 'starts', units, seconds, perSecond: units / seconds, latency: latencyOf(times) }
  return { workload: 'start', variant, ...rest, cpu, disk }
}

export const starts: Workload = {
  name: 'start',
  run: async (size, say) => {
    const [first, again]: [Start[], Start[]] = [[], []]
    for (let n = 0; n < STARTS[size]; n += 1) {
      const dataDir = mkdtempSync(join(tmpdir(), 'coding-plans-bench-'))
      try {
        const made = await start(dataDir, NOTHING)
        first.push(made)
        again.push(await start(dataDir, made.after))
        say(`${made.seconds.toFixed(1)} s, and ${again.at(-1)?.seconds.toFixed(1)} s on the same data`)
      } finally {
        rmSync(dataDir, { recursive: true, force: true })
      }
    }
    return [figureOf('new data', first), figureOf('same data', again), (again.at(-1) as Start).atRest]
  },
}
