import { expect, test } from 'vitest'
import { type Found, judgeGrowth, type Look } from './growth.ts'
import { Notebook } from './memory.ts'
import { refusalOf } from './soak.ts'

const EVERY_SECONDS = 10
/** Half an hour. */
const LONG = 180

/** What one look after the other finds; nothing: it did not answer. */
type Series = (n: number) => readonly Found[]

const looksAt = (series: readonly Series[], length = LONG): Look[] =>
  Array.from({ length }, (_, n) => ({ seconds: n * EVERY_SECONDS, found: series.flatMap((at) => at(n)) }))

const judged = (series: readonly Series[], { length = LONG, spared = [] as string[], of = 'gateway-1' } = {}) => {
  const notebook = new Notebook('mark')
  const [first] = series[0]?.(0) ?? []
  const subjects = [{ kind: first?.kind ?? 'descriptors', of }]
  const lines = judgeGrowth(looksAt(series, length), { subjects, spared }, notebook)
  return { lines, broken: [...notebook.violations.keys()], examples: [...notebook.violations.values()].flat() }
}

const descriptors =
  (valueAt: (n: number) => number): Series =>
  (n) => [{ kind: 'descriptors', of: 'gateway-1', value: valueAt(n) }]

/** MiB by minutes of its life; who is killed begins anew. */
const processOf =
  (of: string, memoryAfter: (minutes: number) => number, { killedEvery = LONG } = {}): Series =>
  (n) => {
    const value = memoryAfter(((n % killedEvery) * EVERY_SECONDS) / 60)
    return [{ kind: 'memory (MiB)', of, value, pid: Math.floor(n / killedEvery) }]
  }

/** As a heap of ours does: it rises fast, then ever less, and goes up and down all the time. */
const settling = (minutes: number) => 190 - 60 * Math.exp(-minutes / 4) + Math.round(3 * Math.sin(minutes * 7))

test('descriptors that leak are seen; those that come and go are not', () => {
  expect(judged([descriptors((n) => 60 + (n % 7))], { length: 30 }).broken).toEqual([])
  const { lines, broken } = judged([descriptors((n) => 60 + n * 5)], { length: 30 })
  expect(lines[1]).toBe('  descriptors of gateway-1: 60 / 85 / 105 → 160 / 185 / 205')
  expect(broken).toEqual(['what is bounded does not grow'])
})

test('a slow leak is seen in the process that lives, though the thirds of all of them hardly differ', () => {
  const leaking = (minutes: number) => settling(minutes) + 3 * minutes
  const both = [processOf('gateway-1', leaking), processOf('gateway-2', leaking, { killedEvery: 54 })]
  const { broken, examples } = judged(both, { spared: ['gateway-1'] })
  expect(broken).toEqual(['a process does not grow for as long as it lives'])
  expect(examples).toEqual([expect.stringMatching(/^memory \(MiB\) of gateway-1 \(process 0\): 3\./)])
})

test('a heap that settles is no leak, also if it takes over from another late', () => {
  const takesOver = (minutes: number) => settling(minutes) + (minutes > 12 ? 40 * (1 - Math.exp(12 - minutes)) : 0)
  for (const memory of [settling, takesOver])
    expect(judged([processOf('gateway-1', memory)], { spared: ['gateway-1'] }).broken).toEqual([])
})

test('who should live the whole time and does not is found', () => {
  const series = [processOf('gateway-1', settling, { killedEvery: 90 })]
  expect(judged(series, { spared: ['gateway-1'] }).broken).toEqual(['who is not killed lives for as long as is looked'])
  expect(judged(series, { spared: ['gateway-1'], length: 90 }).broken).toEqual([])
})

test('a look that vanishes is found, in either third; one that fails now and then is not', () => {
  const missing = (isThere: (n: number) => boolean) =>
    judged([(n) => (isThere(n) ? descriptors(() => 60)(n) : [])], { length: 30 }).examples.filter((example) =>
      example.includes('times in'),
    )
  expect(missing((n) => n % 3 === 0)).toEqual([])
  expect(missing((n) => n < 15)).toEqual(['descriptors of gateway-1: 0 of 10 times in the last third'])
  expect(missing((n) => n > 15)).toEqual(['descriptors of gateway-1: 0 of 10 times in the first third'])
  expect(missing(() => false)).toHaveLength(2)
})

test('what is no number is found', () => {
  const { broken, examples } = judged([descriptors((n) => (n === 20 ? Number.NaN : 60))], { length: 30 })
  expect(broken).toEqual(['what may grow is looked at'])
  expect(examples).toEqual(['descriptors of gateway-1 was NaN'])
})

test('seen ids grow with what is said, and not beyond', () => {
  const seen = (factor: number) =>
    judged(
      [
        (n) => [
          { kind: 'seen ids', of: 'gateway', value: n * 1_000 * factor },
          { kind: 'records heard', of: 'gateway', value: n * 1_000 },
        ],
      ],
      { length: 30, of: 'gateway' },
    ).broken
  expect(seen(1)).toEqual([])
  expect(seen(1.01)).toEqual(['no more ids are seen than records were said'])
})

test('a run that is too short to say anything of growth is refused, and calls nothing grown', () => {
  expect(refusalOf(30)).toMatch(/^--soak takes at least 150 s, not 30/)
  expect(refusalOf(1_800)).toBeNull()
  expect(judged([descriptors(() => 1_000)], { length: 2 })).toMatchObject({
    lines: [],
    broken: ['what may grow is looked at'],
  })
})
