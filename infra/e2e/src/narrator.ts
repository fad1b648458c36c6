import { type Answer, USD } from './house.ts'

/** Prints a story of calls and answers, short enough to read. */
export class Narrator {
  readonly #print: (line: string) => void
  #chapters = 0

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  chapter(title: string) {
    this.#chapters += 1
    this.#print(`\n${this.#chapters}. ${title}\n`)
  }

  called(who: string, call: string, body: unknown, { status, body: answer, milliseconds }: Answer) {
    const asked = body === undefined ? '' : ` ${brief(body)}`
    this.#print(`   ${who.padEnd(8)} ${call}${asked}`)
    this.#print(`${' '.repeat(12)}→ ${status}${gist(answer)}  (${Math.round(milliseconds)} ms)`)
  }

  credits(who: string, { balanceMicrodollars, heldMicrodollars }: Record<string, number>) {
    const dollars = (amount: number | undefined) => `${(amount ?? 0) / USD} USD`
    this.#print(
      `${' '.repeat(12)}${who} has ${dollars(balanceMicrodollars)}, of which ${dollars(heldMicrodollars)} are held`,
    )
  }

  told(who: string, notifications: readonly { at: string; kind: string }[]) {
    for (const { at, kind } of notifications.toReversed())
      this.#print(`${' '.repeat(12)}${who} was told  ${at.slice(0, 16)}  ${kind}`)
  }

  passed(how: string, { now }: { now: string }) {
    this.#print(`   ··· ${how}: ${now}`)
  }

  end() {
    this.#print(`\n${this.#chapters} chapters, told.`)
  }
}

const MOST_CHARACTERS = 150
const brief = (value: unknown) => {
  const text = JSON.stringify(value)
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text
}

/** What a reader wants to know of an answer, in the order of telling. */
const TOLD = [
  'code',
  'kind',
  'status',
  'availability',
  'restockWish',
  'currentPeriodEnd',
  'accessUntil',
  'graceEndsAt',
  'endReason',
  'previousSubscriptionId',
  'key',
  'managedBy',
  'maskedKey',
  'amountMicrodollars',
  'balanceMicrodollars',
  'accepted',
  'counts',
  'waiting',
  'action',
  'target',
  'result',
] as const

const gist = (answer: unknown): string => {
  if (answer === null || typeof answer !== 'object') return ''
  const body = answer as Record<string, unknown>
  if (Array.isArray(body.data)) return body.data.length === 0 ? ' nothing' : body.data.slice(0, 5).map(line).join('')
  const told = { ...body, ...(typeof body.subscription === 'object' ? (body.subscription as object) : {}) }
  return facts({ ...told, ...(body.kind === undefined ? {} : { kind: body.kind }) })
}

const line = (item: unknown) => `\n${' '.repeat(14)}${gist(item)}`

const facts = (body: Record<string, unknown>) =>
  TOLD.filter((name) => body[name] !== undefined && body[name] !== null)
    .map((name) => `  ${name} ${typeof body[name] === 'object' ? brief(body[name]) : String(body[name])}`)
    .join('')
