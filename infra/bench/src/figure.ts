/** Times of single units, in milliseconds. */
export interface Latency {
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly most: number
}

/** What one process used while the units were done. */
export interface ProcessUse {
  readonly name: string
  /** CPU milliseconds for each unit. */
  readonly cpuPerUnit: number
  /** The highest resident memory until now, in megabytes. */
  readonly peakMegabytes: number
}

/** What lies on disk more than before, in bytes for each unit. */
export interface DiskUse {
  readonly name: string
  readonly bytesPerUnit: number
}

/** What was measured once. The clock stops when the last effect is visible. */
export interface Figure {
  readonly workload: string
  readonly variant: string
  /** What is counted: holds, commands, purchases, renewals. */
  readonly unit: string
  readonly units: number
  readonly seconds: number
  readonly perSecond: number
  /** How fast they were taken in, where that differs from being done. */
  readonly acceptedPerSecond?: number
  readonly latency?: Latency
  readonly cpu: readonly ProcessUse[]
  /** Of those who asked: not counted in what a unit costs. */
  readonly load?: readonly ProcessUse[]
  readonly disk: readonly DiskUse[]
  /** Against a figure of the baseline, measured in the same run; more is better. */
  readonly ratio?: { readonly to: string; readonly value: number }
  readonly notes?: readonly string[]
}

/** @param milliseconds of each unit, in any order */
export const latencyOf = (milliseconds: readonly number[]): Latency => {
  const sorted = Float64Array.from(milliseconds).sort()
  const at = (q: number) => rounded(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0, 1)
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), most: at(1) }
}

const rounded = (value: number, digits: number) => Number(value.toFixed(digits))

const totalOf = (cpu: readonly ProcessUse[]) => cpu.reduce((sum, { cpuPerUnit }) => sum + cpuPerUnit, 0)

const cellsOf = (figure: Figure) => {
  const { workload, variant, units, unit, seconds, perSecond, acceptedPerSecond, latency, cpu, ratio } = figure
  return [
    workload,
    variant,
    `${units} ${unit}`,
    `${rounded(seconds, 1)} s`,
    `${rounded(perSecond, perSecond < 10 ? 1 : 0)}/s${acceptedPerSecond ? ` (taken in ${Math.round(acceptedPerSecond)}/s)` : ''}`,
    latency ? `${latency.p50} / ${latency.p95} / ${latency.p99} ms` : '',
    cpu.length > 0 ? `${rounded(totalOf(cpu), 3)} ms` : '',
    ratio ? `${rounded(ratio.value, 2)} × ${ratio.to}` : '',
  ]
}

const HEAD = ['workload', 'variant', 'units', 'time', 'throughput', 'p50 / p95 / p99', 'CPU per unit', 'ratio']

/** The figures as a table, and below it what each process used. */
export const tableOf = (figures: readonly Figure[]): string => {
  const rows = [HEAD, ...figures.map(cellsOf)]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [...lines, '', ...figures.flatMap(detailsOf)].join('\n')
}

const detailsOf = ({ workload, variant, unit, cpu, load = [], disk, notes = [] }: Figure) => {
  const cpus = [...cpu, ...load].map(
    ({ name, cpuPerUnit, peakMegabytes }) => `${name} ${rounded(cpuPerUnit, 3)} ms (${peakMegabytes} MB)`,
  )
  const disks = disk.map(({ name, bytesPerUnit }) => `${name} ${Math.round(bytesPerUnit)} B`)
  const lines = [
    `${workload} ${variant}, of each of its ${unit}:`,
    ...(cpus.length > 0 ? [`  CPU (peak memory)  ${cpus.join(', ')}`] : []),
    ...(disk.length > 0 ? [`  disk  ${disks.join(', ')}`] : []),
    ...notes.map((note) => `  ${note}`),
  ]
  return lines.length > 1 ? lines : []
}
