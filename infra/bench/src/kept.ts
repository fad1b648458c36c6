import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Figure } from './figure.ts'

/** The ratios of the quick form as they were when somebody last looked at them: `npm run bench -- --quick --keep`. */
const PLACE = join(import.meta.dirname, '..', 'kept-ratios.json')

/** Below this part of what was kept, something is broken; above it, it may be the machine. */
const GROSS_LOSS = 1 / 3

type Ratios = Readonly<Record<string, number>>

const ratiosOf = (figures: readonly Figure[]): Ratios =>
  Object.fromEntries(
    figures.flatMap(({ workload, variant, ratio }) =>
      ratio ? [[`${workload} ${variant}`, Number(ratio.value.toFixed(2))]] : [],
    ),
  )

/** Every kept ratio that was lost, in a sentence. A ratio that is not measured any more is lost too. */
export const lossesOf = (kept: Ratios, measured: Ratios): string[] =>
  Object.entries(kept).flatMap(([name, before]) => {
    const now = measured[name]
    if (now === undefined) return [`${name} was not measured; it was ${before} times the baseline.`]
    return now < before * GROSS_LOSS ? [`${name} is ${now} times the baseline; it was ${before} times.`] : []
  })

export const keep = (figures: readonly Figure[]) =>
  writeFileSync(PLACE, `${JSON.stringify(ratiosOf(figures), null, 2)}\n`)

/** @param workloads those that were run: of the others nothing is expected */
export const compareWithKept = (figures: readonly Figure[], workloads: readonly string[]): string[] => {
  const kept = Object.entries(JSON.parse(readFileSync(PLACE, 'utf8')) as Ratios)
  const expected = kept.filter(([name]) => workloads.some((workload) => name.startsWith(`${workload} `)))
  return lossesOf(Object.fromEntries(expected), ratiosOf(figures))
}
