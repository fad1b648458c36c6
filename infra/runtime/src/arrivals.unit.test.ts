import { pino } from 'pino'
import { expect, test } from 'vitest'
import { Arrivals } from './arrivals.ts'
import { WORTH_A_ROUND_AT_ONCE } from './buffer.ts'
import type { Batch } from './kafka/subscription.ts'
import type { OwnedLane } from './lanes.ts'

/** Lane 3, claimed at offset 40; what is asked of the group member and of the ownership is noted. */
const desk = () => {
  const owned = new Map<number, OwnedLane>([[3, { lane: 3, epoch: 1, positions: { t: 40 }, expected: { t: 40 } }]])
  const seeks: unknown[] = []
  const reclaimed: number[] = []
  const arrivals = new Arrivals({
    codec: { prepare: async () => {}, nameOf: () => null } as never,
    hearer: { service: 's', decide: {} },
    patient: undefined,
    topics: ['t'],
    ownership: { owned, reclaim: (lane: number) => reclaimed.push(lane) } as never,
    membership: () => ({ seek: (positions: unknown) => seeks.push(positions), hold: () => {} }) as never,
    metrics: { lag: () => {} } as never,
    log: pino({ level: 'silent' }),
    wake: () => {},
  })
  const record = { offset: 40, key: 'u', value: Buffer.alloc(8), headers: {} }
  const batch = (fetchedOffset: number, lane = 3): Batch => ({
    topic: 't',
    lane,
    fetchedOffset,
    nextOffset: fetchedOffset + 2,
    highWatermark: 99,
    records: [record, { ...record, offset: 41 }],
  })
  return { arrivals, batch, owned, seeks, reclaimed }
}
const beat = async () => {}

test('a first fetch that precedes the seek is refused, and the lane sought again where it stands', async () => {
  const { arrivals, batch, seeks } = desk()
  expect(await arrivals.takeIn(batch(0), beat)).toBe(false)
  expect(arrivals.waiting).toBe(0)
  expect(seeks).toEqual([[{ topic: 't', lane: 3, offset: 40 }]])
})

test('a lane that is not claimed takes nothing', async () => {
  const { arrivals, batch, seeks } = desk()
  expect(await arrivals.takeIn(batch(40, 5), beat)).toBe(false)
  expect(arrivals.waiting).toBe(0)
  expect(seeks).toEqual([])
})

test('a batch of which compaction left nothing moves the lane like any other', async () => {
  const { arrivals, batch, owned } = desk()
  const taking = arrivals.takeIn({ ...batch(40), nextOffset: 57, records: [] }, beat)
  while (arrivals.dueAt === Number.POSITIVE_INFINITY) await new Promise((resolve) => setImmediate(resolve))
  const { items, moves } = arrivals.take()
  expect([items, moves]).toEqual([[], [{ lane: 3, epoch: 1, expected: { t: 40 }, next: { t: 57 } }]])
  expect(await taking).toBe(true)
  expect(owned.get(3)?.expected).toEqual({ t: 57 })
  // What follows must begin there, and nowhere behind it.
  expect(await arrivals.takeIn(batch(58), beat)).toBe(false)
})

test('a client that keeps jumping makes the lane be claimed anew, where its range is looked at', async () => {
  const { arrivals, batch, reclaimed } = desk()
  for (const offset of [90, 90, 90]) await arrivals.takeIn(batch(offset), beat)
  expect(reclaimed).toEqual([3])
})

test('what fits is taken in, and the fetch goes on when a round has taken it', async () => {
  const { arrivals, batch, owned } = desk()
  const taking = arrivals.takeIn(batch(40), beat)
  await Promise.resolve()
  while (arrivals.dueAt === Number.POSITIVE_INFINITY) await new Promise((resolve) => setImmediate(resolve))
  expect(owned.get(3)?.expected).toEqual({ t: 42 })
  const { items, moves } = arrivals.take()
  expect(items).toHaveLength(2)
  expect(moves).toEqual([{ lane: 3, epoch: 1, expected: { t: 40 }, next: { t: 42 } }])
  expect(await taking).toBe(true)
})

test('what may wait for others holds up nobody: the fetch goes on before a round has taken it, and then waits', async () => {
  const { arrivals, batch } = desk()
  // Records that are not for this service: nobody waits for them.
  const much = { ...batch(42), nextOffset: 300, records: Array(WORTH_A_ROUND_AT_ONCE).fill(batch(42).records[0]) }
  expect(await arrivals.takeIn(batch(40), beat)).toBe(true)
  expect(arrivals.dueAt).toBeGreaterThan(performance.now())
  const taking = arrivals.takeIn(much, beat)
  while (arrivals.dueAt > performance.now()) await new Promise((resolve) => setImmediate(resolve))
  expect(arrivals.take().moves).toEqual([{ lane: 3, epoch: 1, expected: { t: 40 }, next: { t: 300 } }])
  expect(await taking).toBe(true)
})
