import { type LaneWork, laneOf, type Saying, say, type Tx } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import {
  type Advance,
  arrive,
  begin,
  type Clock,
  isRunning,
  type Running,
  stopOnTheWay,
  targetOf,
} from './domain/clock.ts'
import type { Settlement } from './settlement.ts'
import type { Store } from './store.ts'

/** The record key of all that is said of the clock; its lane's owner moves it. */
export const CLOCK = 'clock'

/** How soon an advance is begun, and judged again after a judgement that found something open. */
const EVERY_MILLISECONDS = 100

/** Moves the test clock, one advance at a time, when everything it caused has settled. */
export const clockWork = (settlement: Settlement, store: Store): LaneWork => ({
  name: 'clock',
  everyMilliseconds: EVERY_MILLISECONDS,
  run: async (tx, lanes, wallClock) => {
    if (!lanes.includes(laneOf(CLOCK))) return []
    const clock = await store.lockClock(tx)
    const work = { store, tx, wallClock }
    if (clock.version === 0) return introduce(work, clock)
    return isRunning(clock) ? goOn(work, clock, settlement) : startNext(work, clock)
  },
})

interface Work {
  readonly store: Store
  readonly tx: Tx
  readonly wallClock: Instant
}

const introduce = async ({ store, tx }: Work, clock: Clock) => {
  const made = { ...clock, version: 1 }
  await store.writeClock(tx, made)
  return [clockMoved(made)]
}

const startNext = async ({ store, tx, wallClock }: Work, clock: Clock): Promise<Saying[]> => {
  const advance = await store.findNextAdvance(tx)
  if (!advance) return []
  const { operationId } = advance
  const target = targetOf(clock.now, advance)
  if (typeof target === 'string') {
    await store.answerAdvance(tx, operationId, wallClock)
    return [say('ClockRefused', { clock: CLOCK, operationId, reason: target }, from(clock, operationId, 'refused'))]
  }
  const running = begin(clock, { ...advance, target }, wallClock)
  await store.writeClock(tx, running)
  return [advanceAudited(running, advance), clockMoved(running)]
}

const goOn = async ({ store, tx, wallClock }: Work, clock: Running, settlement: Settlement): Promise<Saying[]> => {
  if (await store.hasUnanswered(tx, clock.horizon)) {
    const stopping = stopOnTheWay(clock, await store.findFurthestSaid(tx), wallClock)
    if (stopping !== clock) await store.writeClock(tx, stopping)
    return []
  }
  const { operationId, horizon } = clock
  const generation = await store.readGeneration(tx)
  if (!settlement.confirms({ operationId, horizon, generation })) return []
  const there = arrive(clock, wallClock)
  await store.writeClock(tx, there)
  if (isRunning(there)) return [clockMoved(there)]
  await store.answerAdvance(tx, operationId, wallClock)
  const { now, version } = there
  return [
    say('ClockAdvanced', { clock: CLOCK, operationId, now, version }, from(there, operationId, 'advanced')),
    clockMoved(there),
  ]
}

const from = ({ now }: Clock, operationId: string, what: string) => ({
  time: now,
  correlationId: operationId,
  cause: `advance|${operationId}|${what}`,
})

const clockMoved = (clock: Clock): Saying => {
  const { mode, now, version } = clock
  const body = { clock: CLOCK, mode, now, settled: !isRunning(clock), version }
  return say('ClockMoved', body, { time: now, cause: `clock|${version}` })
}

const advanceAudited = (clock: Running, { operationId, actor, outage }: Advance): Saying => {
  const body = {
    subject: CLOCK,
    actor,
    action: 'clock.advance',
    target: CLOCK,
    before: JSON.stringify({ now: isoOf(clock.now) }),
    after: JSON.stringify({ now: isoOf(clock.target), ...(outage ? { outage } : {}) }),
    reason: null,
    at: clock.now,
  }
  return say('ActionAudited', body, from(clock, operationId, 'begun'))
}

const isoOf = (at: Instant) => new Date(at).toISOString()
