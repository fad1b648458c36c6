import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Figure, tableOf } from './figure.ts'
import { compareWithKept, keep } from './kept.ts'
import type { Workload } from './workload.ts'
import { clock } from './workloads/clock.ts'
import { growth } from './workloads/growth.ts'
import { ledger } from './workloads/ledger.ts'
import { mixed } from './workloads/mixed.ts'
import { purchase } from './workloads/purchase.ts'
import { renewal } from './workloads/renewal.ts'
import { starts } from './workloads/start.ts'

// npm run bench -- [--quick] [--only ledger,purchase] [--json FILE] [--keep]

const workloads: readonly Workload[] = [ledger, purchase, renewal, mixed, growth, clock, starts]
/** Those that have a baseline: their ratios are what the quick form is for. */
const WITH_A_BASELINE: readonly string[] = [ledger, purchase, renewal].map(({ name }) => name)

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    only: { type: 'string' },
    json: { type: 'string' },
    /** The ratios of this quick run are what later ones are compared with. */
    keep: { type: 'boolean' },
  },
})
const size = values.quick ? 'quick' : 'full'
const names = workloads.map(({ name }) => name)
const wanted = values.only?.split(',') ?? (values.quick ? WITH_A_BASELINE : names)
const unknown = wanted.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  console.error(`There is no workload ${unknown.join(', ')}; there are ${names.join(', ')}.`)
  process.exit(2)
}
// What was started is ended when the process exits, which an unheard signal is not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

/** How much of the last minute something waited for a processor, in percent: beside others no figure is worth much. */
const pressure = () => {
  try {
    return /some .*avg60=([\d.]+)/.exec(readFileSync('/proc/pressure/cpu', 'utf8'))?.[1] ?? 'unknown'
  } catch {
    return 'unknown' // not every kernel counts it
  }
}

const say = (name: string) => (line: string) => console.log(`${name}: ${line}`)
say('bench')(`in the minute before, something waited for a processor ${pressure()} % of the time`)
const figures: Figure[] = []
for (const { name, run } of workloads.filter(({ name }) => wanted.includes(name)))
  try {
    figures.push(...(await run(size, say(name))))
  } catch (error) {
    // What the others took an hour to measure is told all the same.
    console.error(`${name} failed:`, error)
    process.exitCode = 1
  }
console.log(`\n${tableOf(figures)}`)
if (values.json) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`)

if (size === 'quick') {
  if (values.keep) keep(figures)
  const losses = compareWithKept(figures, wanted)
  for (const loss of losses) console.error(loss)
  if (losses.length > 0) process.exitCode = 1
}
