import type { Saying } from '@coding-plans/runtime'
import type { CommandFailed, Instant } from '@coding-plans/schemas'
import type { Books } from '../books.ts'
import { activation } from './activation.ts'
import { end } from './end.ts'
import { erasure } from './erasure.ts'
import { extension } from './extension.ts'
import { renewal } from './renewal.ts'
import type { MoneyMemory, Saga, SagaKind } from './saga.ts'
import { releaseEarlier } from './steps.ts'
import {
  type Beginning,
  type Cell,
  type Entry,
  type Heard,
  type Hearings,
  type SagaTable,
  type Stage,
  type Step,
  waysOf,
} from './table.ts'

/** Every saga of this service, by its kind. */
export const tables = { activation, extension, renewal, end, erasure }

// Which saga hears what is settled in the tables; the engine walks them all alike.
type AnyTable = SagaTable<string, unknown>
type AnyEntry = Entry<string, unknown, Heard>
const tableOf = (kind: SagaKind) => tables[kind] as unknown as AnyTable

/** Final: no cell leads to another state. */
export const isFinal = ({ states }: AnyTable, state: string) =>
  Object.values(states[state] ?? {}).every((entry) => waysOf(entry as AnyEntry).every(({ cell }) => cell.to === state))

const FIRST_RETRY_MILLISECONDS = 1_000
const LONGEST_RETRY_MILLISECONDS = 60_000
const retryAfter = (failures: number) =>
  Math.min(LONGEST_RETRY_MILLISECONDS, FIRST_RETRY_MILLISECONDS * 2 ** Math.min(failures - 1, 10))

/** Where sagas play at this instant. */
export const stageOf = (books: Books, at: Instant): Stage => ({
  books,
  at,
  begin: (beginning) => begin(books, beginning, at),
  tell: (saga, name, heard) => hear(books, saga, name, heard, at),
})

/** Begin a saga. Business time `at` is that of what it is begun by. */
export const begin = <Kind extends SagaKind>(books: Books, beginning: Beginning<Kind>, at: Instant): Saying[] => {
  if (books.sagas.get(beginning.id)) throw new Error(`Saga ${beginning.id} has begun already.`)
  const saga: Saga = { ...beginning, state: '', running: true, failures: 0, retryAt: null, at }
  return walk(books, saga, tableOf(saga.kind).begins as AnyEntry, null, at)
}

/** A saga hears something. @throws if that is impossible in its state. */
export const hear = <Name extends Heard>(
  books: Books,
  saga: Saga,
  name: Name,
  heard: Hearings[Name],
  at: Instant,
): Saying[] => {
  const row: Partial<Record<Heard, unknown>> = tableOf(saga.kind).states[saga.state] ?? {}
  const entry = row[name] as AnyEntry | undefined
  if (!entry) throw new Error(`The ${saga.kind} ${saga.id} is ${saga.state}: ${name} is impossible.`)
  return entry === 'ignore' ? [] : walk(books, saga, entry, heard, at)
}

const walk = (books: Books, saga: Saga, entry: AnyEntry, heard: Hearings[Heard], at: Instant): Saying[] => {
  const stepOf = (now: Saga): Step<unknown> => ({ ...stageOf(books, at), saga: now, heard })
  const cell = choose(entry, stepOf(saga))
  const learned = [cell.learn ?? []].flat().map((learn) => learn(stepOf(saga)))
  const failed = cell.again ? { failed: (heard as Partial<CommandFailed> | null)?.messageId } : {}
  const memory = Object.assign({}, saga.memory, ...learned, failed)
  const next = { ...moved(books, saga, cell, at), memory }
  const step = stepOf(next)
  books.sagas.put(next)
  for (const change of [cell.change ?? []].flat()) change(step)
  const said: Saying[] = [cell.send ?? []].flat().map((send) => ({ correlationId: saga.id, ...send(step) }))
  said.push(...(cell.follow?.(step) ?? []))
  return saga.running && !next.running ? [...said, ...tellErasure(books, next, at)] : said
}

/** Whoever waits until nothing of a user runs any more. */
const tellErasure = (books: Books, { id, userId }: Saga, at: Instant): Saying[] => {
  const erasing = books.erasureOf(userId)
  return erasing?.running && erasing.id !== id ? hear(books, erasing, 'SagaOver', null, at) : []
}

const choose = (entry: AnyEntry, step: Step<unknown>) => {
  if (entry === 'ignore') throw new Error('What is ignored goes nowhere.')
  let way = entry
  while (!('to' in way)) way = way.when(step) ? way.yes : way.no
  return way
}

/** The message of this saga that failed last: what is said again goes back to it. */
interface Failed {
  readonly failed?: string
}

const failedOnce = (books: Books, saga: Saga): Saga => {
  const failures = saga.failures + 1
  return { ...saga, failures, retryAt: books.wallClock + retryAfter(failures) }
}

const moved = (books: Books, saga: Saga, { to, again }: Cell<string, unknown, Heard>, at: Instant): Saga => {
  if (again) return { ...failedOnce(books, saga), at }
  if (to === saga.state) return saga
  const running = !isFinal(tableOf(saga.kind), to)
  // What failed and is still to be said again stays owed wherever the saga says things again.
  const owed = saga.retryAt !== null && owedBy({ ...saga, state: to }).length > 0
  return {
    ...saga,
    state: to,
    running,
    at,
    failures: owed ? saga.failures : 0,
    retryAt: owed ? saga.retryAt : null,
  }
}

const againOf = ({ kind, state }: Pick<Saga, 'kind' | 'state'>) => {
  const entry = tableOf(kind).states[state]?.CommandFailed
  return entry && entry !== 'ignore' && 'again' in entry ? [entry.again ?? []].flat() : []
}

/** What a saga says again: its step, and that nothing is to be held for the attempts before the present one. */
const owedBy = (saga: Saga): Saying[] => [...againOf(saga).map((send) => send({ saga })), ...releaseEarlier(saga)]

/** What an earlier attempt got could not be given back: it is said again, whatever the present one does. */
export const releaseLater = (books: Books, saga: Saga): Saying[] => {
  if (owedBy(saga).length > 0) books.sagas.put(failedOnce(books, saga))
  return []
}

/** Its present step is one that is said again when it fails. */
export const saysAgain = (saga: Saga) => againOf(saga).length > 0

/** What is to be said again, of a saga whose step failed. */
export const stepAgain = (saga: Saga): Saying[] => {
  const owed = owedBy(saga)
  if (owed.length === 0) throw new Error(`The ${saga.kind} ${saga.id} is ${saga.state}: it has no step to say again.`)
  // Another hold counts its failures from the beginning.
  const { holds = 0, failed } = saga.memory as Partial<MoneyMemory> & Failed
  const cause = `again|${saga.id}|${saga.state}|${holds}|${saga.failures}`
  return owed.map((saying) => ({
    ...saying,
    correlationId: saga.id,
    time: saga.at,
    cause,
    ...(failed ? { because: failed } : {}),
  }))
}
