import type { Notebook } from './memory.ts'

/** What may have grown, judged by what was seen of it again and again. */

/** Four a third: of fewer the middle says nothing, and of none the first third would be nothing, whatever the last has. */
export const LEAST_LOOKS = 12
/** Of the looks of a third: what was killed, or asked while another was, did not answer just then. */
const LEAST_ANSWERED = 0.25

export type Kind =
  | 'memory (MiB)'
  | 'descriptors'
  | 'processes'
  | 'outbox rows'
  | 'seen ids'
  | 'records heard'
  | 'records unread'

/** What the middle of the last third may have more than that of the first. Null: it grows with what was done, by design. */
const limits: Readonly<Record<Kind, { factor: number; more: number } | null>> = {
  // Heaps settle where their collector likes it, and who was killed begins anew: of a slow leak the lives below tell.
  'memory (MiB)': { factor: 1.3, more: 64 },
  descriptors: { factor: 1.3, more: 30 },
  processes: { factor: 1.3, more: 20 },
  // What is published is deleted; what lies there is under way.
  'outbox rows': { factor: 1, more: 100 },
  // Kept for eight days, but one for each record at most.
  'seen ids': null,
  'records heard': null,
  'records unread': { factor: 1, more: 200 },
}

/** Until then a process compiles, fills its pools and caches, and takes over from others. */
const WARMS_UP_SECONDS = 600
/** Then it is looked at for so long at least. */
const JUDGED_SECONDS = 600
/** The first and the last look at it may be missing. */
const MISSED_SECONDS = 60
/** What one process may gain a minute, again and again, for as long as it lives. */
const mostPerMinute: Partial<Record<Kind, number>> = { 'memory (MiB)': 1.5, descriptors: 0.5 }

export interface Found {
  readonly kind: Kind
  readonly of: string
  readonly value: number
  /** One life of a process of ours; who is started again is another. */
  readonly pid?: number
}

/** Everything that answered at one time. */
export interface Look {
  /** Since the first. */
  readonly seconds: number
  readonly found: readonly Found[]
}

/** What there must be to see. */
export interface Expected {
  readonly subjects: readonly Pick<Found, 'kind' | 'of'>[]
  /** Who is not killed, and so can be judged by a whole life. */
  readonly spared: readonly string[]
}

const nameOf = ({ kind, of }: Pick<Found, 'kind' | 'of'>) => `${kind} of ${of}`

const summaryOf = (values: readonly number[]) => {
  const sorted = values.toSorted((a, b) => a - b)
  const [least = 0, middle = 0, most = 0] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)]
  return { middle, words: `${least} / ${middle} / ${most}` }
}

/** A look that is missing, or is no number, is not a good one. */
const judgeLooks = (looks: readonly Look[], { subjects }: Expected, notebook: Notebook) => {
  for (const found of looks.flatMap((look) => look.found).filter(({ value }) => !Number.isFinite(value)))
    notebook.violation('what may grow is looked at', `${nameOf(found)} was ${found.value}`)
  const third = Math.floor(looks.length / 3)
  for (const [which, part] of [
    ['first', looks.slice(0, third)],
    ['last', looks.slice(-third)],
  ] as const)
    for (const subject of subjects) {
      const name = nameOf(subject)
      const answered = part.filter(({ found }) => found.some((one) => nameOf(one) === name)).length
      if (answered < third * LEAST_ANSWERED)
        notebook.violation('what may grow is looked at', `${name}: ${answered} of ${third} times in the ${which} third`)
    }
}

/** The first third against the last: what grew beyond its limit is a violation. */
const judgeThirds = (looks: readonly Look[], notebook: Notebook): string[] => {
  const third = Math.floor(looks.length / 3)
  const [first, last] = [looks.slice(0, third), looks.slice(-third)].map((part) => part.flatMap(({ found }) => found))
  return [...Map.groupBy(last ?? [], nameOf)].map(([name, of]) => {
    const before = summaryOf((first ?? []).filter((one) => nameOf(one) === name).map(({ value }) => value))
    const after = summaryOf(of.map(({ value }) => value))
    const limit = limits[(of[0] as Found).kind]
    if (limit && after.middle > before.middle * limit.factor + limit.more)
      notebook.violation('what is bounded does not grow', `${name}: ${before.words} → ${after.words}`)
    return `  ${name}: ${before.words} → ${after.words}`
  })
}

/** Of each message that a service hears it remembers one id at most. */
const judgeSeen = (looks: readonly Look[], notebook: Notebook) => {
  for (const { found } of looks)
    for (const { of, value } of found.filter(({ kind }) => kind === 'seen ids')) {
      const heard = found.find((one) => one.kind === 'records heard' && one.of === of)
      if (heard && value > heard.value)
        notebook.violation('no more ids are seen than records were said', `${of}: ${value} of ${heard.value}`)
    }
}

/** One life after its youth, in thirds: what is gained from the first to the second and again to the last, per minute. */
const gainsOf = (life: readonly { seconds: number; value: number }[]): number[] | null => {
  const from = (life[0]?.seconds ?? 0) + WARMS_UP_SECONDS
  const lasts = (life.at(-1)?.seconds ?? 0) - from
  if (lasts < JUDGED_SECONDS) return null
  const middles = [0, 1, 2].map((n) => {
    const [begins, ends] = [from + (n * lasts) / 3, from + ((n + 1) * lasts) / 3]
    return summaryOf(life.filter(({ seconds }) => seconds >= begins && seconds <= ends).map(({ value }) => value))
      .middle
  })
  const [young = 0, grown = 0, old = 0] = middles
  return [grown - young, old - grown].map((gain) => gain / (lasts / 3 / 60))
}

/** A leak goes on and on; what settles, or takes over from another and then settles, gains once. */
const judgeLives = (looks: readonly Look[], { spared }: Expected, notebook: Notebook): string[] => {
  const all = looks.flatMap(({ seconds, found }) => found.map((one) => ({ ...one, seconds })))
  const lives = Map.groupBy(
    all.filter(({ pid, kind }) => pid !== undefined && mostPerMinute[kind] !== undefined),
    (one) => `${nameOf(one)} (process ${one.pid})`,
  )
  const judged = [...lives].flatMap(([name, life]) => {
    const gains = gainsOf(life)
    return gains ? [{ name, gains, ...(life[0] as Found) }] : []
  })
  for (const { name, gains, kind } of judged)
    if (Math.min(...gains) > (mostPerMinute[kind] as number))
      notebook.violation('a process does not grow for as long as it lives', `${name}: ${wordsOf(gains)}`)
  const isLong = (looks.at(-1)?.seconds ?? 0) >= WARMS_UP_SECONDS + JUDGED_SECONDS + MISSED_SECONDS
  for (const who of spared)
    if (isLong && !judged.some(({ of }) => of === who))
      notebook.violation('who is not killed lives for as long as is looked', `${who} does not`)
  const least = (WARMS_UP_SECONDS + JUDGED_SECONDS) / 60
  return [
    `lives of at least ${least} minutes: ${judged.length}`,
    ...judged.map(({ name, gains }) => `  ${name}: ${wordsOf(gains)}`),
  ]
}

const wordsOf = (gains: readonly number[]) => `${gains.map((gain) => gain.toFixed(2)).join(', then ')} a minute`

/** @returns a table, line by line */
export const judgeGrowth = (looks: readonly Look[], expected: Expected, notebook: Notebook): string[] => {
  if (looks.length < LEAST_LOOKS) {
    notebook.violation('what may grow is looked at', `${looks.length} times only, and ${LEAST_LOOKS} are needed`)
    return []
  }
  judgeLooks(looks, expected, notebook)
  judgeSeen(looks, notebook)
  return [
    `growth, least / median / most of the first third → of the last, ${looks.length} looks:`,
    ...judgeThirds(looks, notebook),
    ...judgeLives(looks, expected, notebook),
  ]
}
