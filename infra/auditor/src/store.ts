import { execute, insertRows, type Message, select, type Tx, upsertRows } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import {
  type Background,
  type Entry,
  type Fact,
  type FactKey,
  Facts,
  factsOf,
  findingsOf,
  type Kinds,
  type Link,
  MOST_LINKS,
  type Passing,
  type Plan,
  passingOf,
  planKeyOf,
  type Sale,
} from './fold/index.ts'

/** Since when something is so that must not stay so, by wall clock. */
export interface Standing extends Passing {
  readonly since: number
}

interface FactRow {
  readonly kind: FactKey['kind']
  readonly id: string
  readonly value: string
  readonly passing: string | null
}

export interface Question {
  readonly operationId: string
  readonly lane: number
  readonly userId: string
  readonly entryId: string
  readonly askedAt: number
}

/** What a round knows, and what it wants written. */
export interface Notebook {
  readonly facts: Facts
  readonly loaded: ReadonlyMap<string, FactRow>
  readonly heard: readonly Message[]
  readonly questions: Question[]
}

const nameOf = ({ kind, id }: FactKey) => `${kind}\n${id}`

const keysOf = (messages: readonly Message[]): FactKey[] => {
  const keys = new Map<string, FactKey>()
  for (const message of messages) for (const key of factsOf(message)) keys.set(nameOf(key), key)
  return [...keys.values()]
}

/**
 * Facts that two lanes may write are made before they are locked, so that none of two owners overwrites what the other made.
 */
const makeShared = (tx: Tx, keys: readonly FactKey[]) => {
  const shared = keys.filter(({ kind }) => kind === 'key' || kind === 'sale')
  if (shared.length === 0) return
  return execute(
    tx,
    `insert into facts (kind, id, value)
     select kind, id, '' from unnest(?::text[], ?::text[]) as r(kind, id) order by kind, id on conflict do nothing`,
    [shared.map(({ kind }) => kind), shared.map(({ id }) => id)],
  )
}

export const load = async (tx: Tx, messages: readonly Message[]): Promise<Notebook> => {
  const keys = keysOf(messages)
  const [, rows] = await Promise.all([
    makeShared(tx, keys),
    select<FactRow>(
      tx,
      `select f.kind, f.id, f.value, f.passing from facts f join unnest(?::text[], ?::text[]) as r(kind, id) using (kind, id)
       order by f.kind, f.id for update of f`,
      [keys.map(({ kind }) => kind), keys.map(({ id }) => id)],
    ),
  ])
  const loaded = new Map(rows.map((row) => [nameOf(row), row]))
  const known = rows.flatMap(({ kind, id, value }): Fact[] =>
    value === '' ? [] : [{ kind, id, value: JSON.parse(value) as Kinds[typeof kind] } as Fact],
  )
  return { facts: new Facts(known), loaded, heard: messages, questions: [] }
}

/** As it stands now; what stood before keeps its instant. */
const standingOf = (fact: Fact, before: string | null | undefined, now: number): string | null => {
  const passing = passingOf(fact)
  if (passing.length === 0) return null
  const known = new Map(
    (before ? (JSON.parse(before) as Standing[]) : []).map(({ check, about, since }) => [`${check}\n${about}`, since]),
  )
  return JSON.stringify(
    passing.map((one): Standing => ({ ...one, since: known.get(`${one.check}\n${one.about}`) ?? now })),
  )
}

export const save = async (tx: Tx, { facts, loaded, heard, questions }: Notebook): Promise<void> => {
  const now = Date.now()
  const changed = facts.takeTouched().flatMap((fact) => {
    const before = loaded.get(nameOf(fact))
    const value = JSON.stringify(fact.value)
    if (value === before?.value) return []
    const { kind, id } = fact
    return [{ kind, id, value, findings: findingsOf(fact).length, passing: standingOf(fact, before?.passing, now) }]
  })
  const places = heard.map(({ id, name, source, topic, lane, offset, time, causationId }) => ({
    ...{ id, name, source, topic },
    partition: lane,
    recordOffset: offset,
    at: time,
    causeId: causationId,
  }))
  await Promise.all([
    upsertRows(tx, 'facts', ['kind', 'id'], changed),
    insertRows(tx, 'messages', places, 'on conflict do nothing'),
    insertRows(tx, 'questions', questions, 'on conflict do nothing'),
  ])
}

export const openQuestions = (tx: Tx, lanes: readonly number[]) =>
  select<Question>(tx, 'select * from questions where lane = any(?) order by asked_at', [lanes])

export const closeQuestions = (tx: Tx, operationIds: readonly string[]) =>
  execute(tx, 'delete from questions where operation_id = any(?)', [operationIds])

const factOf = async <K extends FactKey['kind']>(tx: Tx, kind: K, id: string): Promise<Kinds[K] | null> => {
  const [row] = await select<{ value: string }>(
    tx,
    `select value from facts where kind = ? and id = ? and value <> ''`,
    [kind, id],
  )
  return row ? (JSON.parse(row.value) as Kinds[K]) : null
}

export const entryOf = async (tx: Tx, id: string): Promise<Entry | null> => {
  const entry = await factOf(tx, 'entry', id)
  return entry && 'messageId' in entry ? (entry as Entry) : null
}

/** What the price of an entry goes back to. */
export const backgroundOf = async (tx: Tx, { subscriptionId, correlationId }: Entry): Promise<Background> => {
  const [subscription, extension] = await Promise.all([
    subscriptionId === null ? null : factOf(tx, 'subscription', subscriptionId),
    factOf(tx, 'extension', correlationId),
  ])
  const { planId = null, planVersion: version = null } = extension ?? {}
  const plan = planId === null || version === null ? null : await factOf(tx, 'plan', planKeyOf({ planId, version }))
  return { subscription, extension, plan }
}

/** What said the term of a charge due, if its chain may not go back to that. */
export const dueIdOf = async (tx: Tx, { correlationId }: Entry): Promise<string | null> =>
  (await factOf(tx, 'renewal', correlationId))?.dueId ?? null

/** These messages and what they go back to, as far as they have been heard. */
export const linksOf = (tx: Tx, messageIds: readonly (string | null)[]) =>
  select<Link>(
    tx,
    `with recursive back as (
       select m.*, 1 as steps from messages m where id = any(?::uuid[])
       union all
       select m.*, steps + 1 from back join messages m on m.id = back.cause_id where steps < ${MOST_LINKS}
     )
     select id, name, source, topic, partition, record_offset as offset, at, cause_id from back`,
    [messageIds],
  )

const MOST_EXAMINED = 10_000

/** Every fact that something is wrong with, or may be. What is wrong comes first: what passes does not crowd it out. */
export const amiss = (tx: Tx) =>
  select<FactRow & { findings: number }>(
    tx,
    `select kind, id, value, passing, findings from facts where findings > 0 or passing is not null
     order by findings > 0 desc, kind, id limit ${MOST_EXAMINED}`,
  )

/** Every price that a version was sold at, beside what was published. */
export const sales = async (tx: Tx): Promise<{ sale: Sale; plan: Plan }[]> => {
  const rows = await select<{ sale: string; plan: string }>(
    tx,
    `select s.value as sale, p.value as plan from facts s
     join facts p on p.kind = 'plan' and p.id = left(s.id, length(s.id) - position(' ' in reverse(s.id)))
     where s.kind = 'sale' and s.value <> '' order by s.id limit ${MOST_EXAMINED}`,
  )
  return rows.map(({ sale, plan }) => ({ sale: JSON.parse(sale), plan: JSON.parse(plan) }))
}

/** What all lanes together come to. */
export const laneTotals = async (tx: Tx): Promise<Kinds['lane'][]> =>
  (await select<{ value: string }>(tx, `select value from facts where kind = 'lane'`)).map(({ value }) =>
    JSON.parse(value),
  )

/** How far each lane has read. */
export const positions = (tx: Tx) =>
  select<{ lane: number; positions: Record<string, number> }>(tx, 'select lane, positions from lanes')

export interface Report {
  readonly version: number
  readonly saidAt: number
  /** What was said, but for when. */
  readonly verdict: string
}

export const lastReport = async (tx: Tx): Promise<Report | null> =>
  (await select<Report>(tx, 'select version, said_at, verdict from report'))[0] ?? null

export const keepReport = (tx: Tx, report: { version: number; saidAt: Instant; verdict: string }) =>
  upsertRows(tx, 'report', ['one'], [{ one: true, ...report }])
