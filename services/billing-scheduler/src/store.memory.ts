import { MemoryDatabase } from '@coding-plans/runtime/memory'
import type { AdvanceClock, Instant, RunBillingTick } from '@coding-plans/schemas'
import type { Outcome, Tick } from './agenda.ts'
import type { Advance, Clock, ClockMode } from './domain/clock.ts'
import type { Term } from './domain/term.ts'
import { type AnsweredTick, type Counts, OUTCOMES, type Store } from './store.ts'

interface Asked {
  readonly operationId: string
  readonly answeredAt: Instant | null
}

const openTables = (database: MemoryDatabase) => ({
  terms: database.table<Term>('terms', ({ subscriptionId }) => subscriptionId),
  clock: database.table<Clock>('clock', () => 'clock', {
    check: {
      goes_forward: ({ now, horizon, target }) => horizon === null || (now <= horizon && horizon <= (target as number)),
    },
  }),
  advances: database.table<Advance & Asked>('advances', ({ operationId }) => operationId),
  ticks: database.table<Tick & Asked & { readonly before: Counts }>('ticks', ({ operationId }) => operationId),
  tallies: database.table<{ readonly lane: number; readonly outcome: Outcome; readonly count: number }>(
    'tallies',
    ({ lane, outcome }) => `${lane}|${outcome}`,
  ),
})

const inDueOrder = (a: Term, b: Term) =>
  a.due - b.due || a.createdAt - b.createdAt || (a.subscriptionId < b.subscriptionId ? -1 : 1)

/** The scheduler's store without a database. Its clock was made in this mode, at that instant. */
export const memoryStore = (mode: ClockMode, now: Instant, database = new MemoryDatabase()) => {
  const tables = openTables(database)
  const { terms, clock, advances, ticks, tallies } = tables
  clock.insert([
    { mode, now, version: 0, operationId: null, target: null, horizon: null, movedAt: null, outage: false },
  ])
  // As a sequence: it counts on although what raised it is undone.
  let generation = 1

  const tally = (): Counts => {
    const counted = (outcome: Outcome) =>
      tallies.where((row) => row.outcome === outcome).reduce((sum, { count }) => sum + count, 0)
    return Object.fromEntries(OUTCOMES.map((outcome) => [outcome, counted(outcome)])) as Counts
  }
  const isUnanswered =
    (horizon: Instant) =>
    ({ state, due }: Term) =>
      state === 'said' || (state === 'waiting' && due <= horizon)
  const readClock = async () => clock.get('clock') as Clock

  const store: Store = {
    loadAgenda: async (_, messages, { wallClock }) => {
      const subscriptions = new Set(
        messages.flatMap(({ body }) => ('subscriptionId' in body ? [body.subscriptionId] : [])),
      )
      const users = new Set(messages.flatMap(({ name, key }) => (name === 'CommandFailed' ? [key] : [])))
      const operations = messages.flatMap(({ name, body }) =>
        name === 'AdvanceClock' || name === 'RunBillingTick'
          ? [(body as AdvanceClock | RunBillingTick).operationId]
          : [],
      )
      const locked = terms
        .where(
          ({ subscriptionId, userId, state }) =>
            subscriptions.has(subscriptionId) || (state === 'said' && users.has(userId)),
        )
        .toSorted((a, b) => (a.subscriptionId < b.subscriptionId ? -1 : 1))
      return {
        terms: new Map(locked.map((term) => [term.subscriptionId, term])),
        changed: new Set(),
        known: new Set(operations.filter((id) => advances.get(id) ?? ticks.get(id))),
        requested: [],
        ticks: [],
        counted: new Map(),
        wallClock,
      }
    },
    saveAgenda: async (_, agenda) => {
      terms.upsert([...agenda.changed].map((id) => agenda.terms.get(id) as Term))
      advances.insert(
        agenda.requested.map((advance) => ({ ...advance, answeredAt: null })),
        { orNothing: true },
      )
      for (const { lane, outcome, count } of agenda.counted.values())
        tallies.upsert([{ lane, outcome, count: count + (tallies.get(`${lane}|${outcome}`)?.count ?? 0) }])
      if (agenda.changed.size > 0) generation += 1
      const before = tally()
      ticks.insert(
        agenda.ticks.map((tick) => ({ ...tick, before, answeredAt: null })),
        { orNothing: true },
      )
    },
    takeDue: async (_, lanes, { horizon, wallClock, most }) => {
      const mayBeSaid = ({ state, retryAt }: Term) => state === 'waiting' && (retryAt === null || retryAt <= wallClock)
      const isFirst = (term: Term) =>
        terms.where(
          ({ userId, state, due }) =>
            userId === term.userId && (state === 'said' || (state === 'waiting' && due < term.due)),
        ).length === 0
      const earliest = terms
        .where((term) => term.due <= horizon && lanes.includes(term.lane) && mayBeSaid(term) && isFirst(term))
        .toSorted(inDueOrder)
        .slice(0, most)
      const instants = new Set(earliest.map(({ userId, due }) => `${userId}|${due}`))
      const said = terms
        .where((term) => mayBeSaid(term) && instants.has(`${term.userId}|${term.due}`))
        .map((term): Term => ({ ...term, state: 'said', retryAt: null }))
        .toSorted(inDueOrder)
      terms.update(said)
      if (said.length > 0) generation += 1
      return said
    },
    hasUnanswered: async (_, horizon) => terms.where(isUnanswered(horizon)).length > 0,
    countUnanswered: async (_, horizon) => terms.where(isUnanswered(horizon)).length,
    findFurthestSaid: async () => {
      const said = terms.where(({ state }) => state === 'said').map(({ due }) => due)
      return said.length === 0 ? null : (Math.max(...said) as Instant)
    },
    readGeneration: async () => generation,
    readClock,
    lockClock: readClock,
    writeClock: async (_, next) => clock.update([next]),
    findNextAdvance: async () => advances.where(({ answeredAt }) => answeredAt === null)[0] ?? null,
    answerAdvance: async (_, operationId, wallClock) => advances.update([{ operationId, answeredAt: wallClock }]),
    findAnsweredTicks: async (_, wallClock) => {
      const { target, now: present, operationId: running } = await readClock()
      const isAdvanceAhead = advances.where(
        ({ answeredAt, operationId }) => answeredAt === null && operationId !== running,
      ).length
      const counted = tally()
      return ticks
        .where(({ answeredAt }) => answeredAt === null)
        .flatMap(({ operationId, asOf: asked, before, waitUntil }): AnsweredTick[] => {
          const asOf = asked ?? target ?? present
          const isLeft = terms.where(
            ({ state, due }) => (state === 'waiting' || state === 'said') && due <= asOf,
          ).length
          if (waitUntil > wallClock && (isLeft || (asked === null && isAdvanceAhead))) return []
          const counts = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, counted[outcome] - before[outcome]]))
          return [{ operationId, asOf, counts: counts as Counts }]
        })
    },
    answerTick: async (_, operationId, wallClock) => ticks.update([{ operationId, answeredAt: wallClock }]),
  }
  return { database, tables, store }
}
