import { createHash } from 'node:crypto'
import type { Client } from './house.ts'

/** What a user's money tells, without any id: the same in every run that lived through the same instants. */

interface Line {
  readonly at: string
  readonly kind: string
  readonly amount: number
  readonly balanceAfter: number
  readonly description: string
  /** Of a charge: the term that it pays for. */
  readonly term: readonly [kind: string, periodStart: string, periodEnd: string] | null
}

export interface Statement {
  /** Oldest first. */
  readonly lines: readonly Line[]
  readonly balance: number
  readonly held: number
  readonly subscriptions: readonly { status: string; currentPeriodStart: string; currentPeriodEnd: string }[]
}

interface Entry {
  at: string
  kind: string
  amountMicrodollars: number
  balanceAfterMicrodollars: number
  description: string
  chargeId: string | null
}
interface Charge {
  id: string
  kind: string
  periodStart: string
  periodEnd: string
}

/** Every page of a list. @throws for anything but 200. */
const listed = async <T>(client: Client, path: string): Promise<T[]> => {
  const all: T[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const after: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const { status, body } = await client(`GET ${path}?limit=100${after}`)
    if (status !== 200) throw new Error(`GET ${path} answered ${status} ${JSON.stringify(body)}`)
    all.push(...body.data)
    cursor = body.nextCursor
  }
  return all
}

/** As the user reads it by HTTP. */
export const readStatement = async (client: Client): Promise<Statement> => {
  const subscriptions = await listed<{ id: string; status: string } & Record<string, string>>(client, '/subscriptions')
  const charges = new Map<string, Charge>()
  for (const { id } of subscriptions)
    for (const charge of await listed<Charge>(client, `/subscriptions/${id}/charges`)) charges.set(charge.id, charge)
  const entries = await listed<Entry>(client, '/credits/entries')
  const { body: credits } = await client('GET /credits')
  return {
    lines: entries.reverse().map((entry) => {
      const charge = charges.get(entry.chargeId ?? '')
      return {
        at: entry.at,
        kind: entry.kind,
        amount: entry.amountMicrodollars,
        balanceAfter: entry.balanceAfterMicrodollars,
        description: entry.description,
        term: charge ? [charge.kind, charge.periodStart, charge.periodEnd] : null,
      }
    }),
    balance: credits.balanceMicrodollars,
    held: credits.heldMicrodollars,
    subscriptions: subscriptions.map(({ status, currentPeriodStart = '', currentPeriodEnd = '' }) => ({
      status,
      currentPeriodStart,
      currentPeriodEnd,
    })),
  }
}

export const digestOf = ({ lines }: Statement) => createHash('sha256').update(JSON.stringify(lines)).digest('hex')

/** `months` calendar months after it, clamped to the last day of the month that is reached. */
export const monthsAfter = (at: number, months: number) => {
  const from = new Date(at)
  const last = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + months + 1, 0))
  const day = Math.min(from.getUTCDate(), last.getUTCDate())
  const midnight = Date.UTC(last.getUTCFullYear(), last.getUTCMonth(), day)
  return new Date(midnight + (at % 86_400_000)).toISOString()
}

/**
 * What is wrong with a statement, in sentences, if its user bought a monthly plan at that instant and paid for `terms`
 * terms with all that was granted.
 */
export const complaintsOf = (
  { lines, balance, held, subscriptions }: Statement,
  { boughtAt, terms, price }: { boughtAt: number; terms: number; price: number },
): string[] => {
  const instants = Array.from({ length: terms + 1 }, (_, n) => monthsAfter(boughtAt, n))
  const [live] = subscriptions
  const found = lines.filter(({ kind }) => kind === 'charge')
  const wrongTerms = instants.slice(0, terms).filter((start, n) => {
    const { at, amount, balanceAfter, term } = found[n] ?? {}
    const kind = n === 0 ? 'activation' : 'renewal'
    const isRight = at === start && amount === -price && balanceAfter === price * (terms - n - 1)
    return !isRight || JSON.stringify(term) !== JSON.stringify([kind, start, instants[n + 1]])
  })
  return [
    ...(balance === 0 && held === 0 ? [] : [`the balance is ${balance}, ${held} held`]),
    ...(found.length === terms ? [] : [`${found.length} charges instead of ${terms}`]),
    ...(lines.length === terms + 1 ? [] : [`${lines.length} entries instead of ${terms + 1}`]),
    ...(wrongTerms.length === 0 ? [] : [`the terms from ${wrongTerms.slice(0, 3).join(', ')} are not charged right`]),
    ...(subscriptions.length === 1 && live?.status === 'active' ? [] : ['there is not one active subscription']),
    ...(live?.currentPeriodStart === instants[terms - 1] && live?.currentPeriodEnd === instants[terms]
      ? []
      : [`the term is ${live?.currentPeriodStart} to ${live?.currentPeriodEnd}`]),
  ]
}
