import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Stack, startStack } from '@coding-plans/local'
import { type Figure, latencyOf } from '../figure.ts'
import { between, type Look, look, processesOf } from '../usage.ts'
import type { Size, Workload } from '../workload.ts'

// Everything from nothing to ready, as `npm start` starts it, and once more on the same data.

const STARTS: Record<Size, number> = { quick: 1, full: 3 }

interface Start {
  readonly seconds: number
  readonly use: Pick<Figure, 'cpu' | 'disk'>
  readonly after: Look
}

const NOTHING: Look = { cpuSeconds: [], walBytes: 0, databaseBytes: 0, kafkaBytes: 0 }

/** The processes are new: what they have used until they are ready, the start has used. */
const start = async (dataDir: string, before: Look): Promise<Start> => {
  const began = performance.now()
  const stack: Stack = await startStack({ dataDir, clock: 'system', log: () => {} })
  try {
    const seconds = (performance.now() - began) / 1_000
    const processes = processesOf(stack)
    const disks = { databaseUrl: stack.servers.databaseUrl('postgres'), kafkaDirectory: join(dataDir, 'kafka') }
    const after = await look(processes, disks)
    return { seconds, use: between(processes, { ...before, cpuSeconds: [] }, after, 1), after }
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
    return [figureOf('new data', first), figureOf('same data', again)]
  },
}
