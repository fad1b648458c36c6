import { instant, type UserId } from '@coding-plans/schemas'
import { describe, expect, test } from 'vitest'
import { ArrivalBuffer } from './buffer.ts'
import { BurstGuard, failureOf } from './dead-letter.ts'
import { nextTraceparent, readEnvelope, writeEnvelope } from './envelope.ts'
import { backOff, isTrouble, isUniqueViolation, Nonsense } from './failures.ts'
import { say } from './handler.ts'
import { isMessageId, messageId } from './ids.ts'
import { dealLanes } from './kafka/assignor.ts'
import { LANES, laneOf } from './kafka/lane-of.ts'
import { type Outgoing, takeSend } from './kafka/publisher.ts'
import type { OwnedLane } from './lanes.ts'

const topics = ['a.commands', 'a.events', 'b.events']
const partitions = Array.from({ length: LANES }, (_, lane) => lane)
const members = (count: number) => partitions.slice(0, count).map((n) => ({ memberId: `m${n}`, topics }))

describe('lanes', () => {
  test.each([1, 2, 3, 5, 7, 8, 12])('a lane belongs to one member whole, with %i members', (count) => {
    const dealt = dealLanes(members(count), () => partitions)
    const owners = partitions.map((lane) =>
      dealt.filter(({ assignment }) => topics.some((t) => assignment[t]?.includes(lane))),
    )
    expect(owners.every((owner) => owner.length === 1)).toBe(true)
    for (const { assignment } of dealt) expect(new Set(topics.map((topic) => String(assignment[topic]))).size).toBe(1)
  })

  test('a member that does not know a topic yet still owns its lanes whole', () => {
    const [old, young] = members(2) as [{ memberId: string; topics: string[] }, { memberId: string; topics: string[] }]
    const dealt = dealLanes([{ ...old, topics: ['a.commands'] }, young], () => partitions)
    expect(dealt[0]?.assignment).toEqual({ 'a.commands': [0, 2, 4, 6, 8, 10] })
    expect(dealt[1]?.assignment['b.events']).toEqual([1, 3, 5, 7, 9, 11])
  })

  test('the lane of a key is the partition that every Java client computes', () => {
    expect(laneOf('user_1')).toBe(3)
    expect(new Set(Array.from({ length: 200 }, (_, n) => laneOf(`user_${n}`))).size).toBe(LANES)
  })
})

describe('sends', () => {
  const row = (lane: number, bytes: number): Outgoing => ({
    topic: 't',
    lane,
    key: 'k',
    value: Buffer.alloc(bytes),
    headers: {},
  })

  test('a send carries at most 512 KiB per partition, in order', () => {
    const rows = Array.from({ length: 10 }, () => row(0, 100_000))
    expect(takeSend(rows)).toBe(5)
    expect(takeSend(Array.from({ length: 10 }, (_, n) => row(n, 100_000)))).toBe(10)
  })

  test('a larger single message goes alone', () => {
    expect(takeSend([row(0, 3_000_000), row(0, 10)])).toBe(1)
    expect(takeSend([row(0, 10), row(0, 3_000_000)])).toBe(1)
  })
})

describe('what has arrived', () => {
  const lane = (n: number): OwnedLane => ({ lane: n, epoch: 4, positions: { t: 10, u: 0 }, expected: { t: 10, u: 0 } })
  const owned = new Map([
    [1, lane(1)],
    [2, lane(2)],
  ])
  const arrival = (n: number, topic: string, nextOffset: number, count: number, urgent = true) => ({
    topic,
    lane: n,
    nextOffset,
    urgent,
    items: Array.from({ length: count }, (_, i) => ({
      topic,
      lane: n,
      offset: i,
      key: '',
      value: null,
      headers: {},
      message: null,
    })),
  })

  test('a round takes all lanes and moves each topic from where the database stands, holes included', () => {
    const buffer = new ArrivalBuffer()
    buffer.add(arrival(1, 't', 15, 3))
    buffer.add(arrival(1, 't', 20, 2))
    buffer.add(arrival(2, 'u', 7, 1))
    const { items, moves } = buffer.take(owned)
    expect(items).toHaveLength(6)
    expect(moves).toEqual([
      { lane: 1, epoch: 4, expected: { t: 10 }, next: { t: 20 } },
      { lane: 2, epoch: 4, expected: { u: 0 }, next: { u: 7 } },
    ])
    expect(buffer.empty).toBe(true)
  })

  test('a round is about a thousand messages; the rest waits in order; a lost lane is dropped', () => {
    const buffer = new ArrivalBuffer()
    buffer.add(arrival(1, 't', 800, 800))
    buffer.add(arrival(2, 't', 800, 800))
    expect(buffer.take(owned).items).toHaveLength(800)
    expect(buffer.count).toBe(800)
    buffer.drop(2)
    expect(buffer.empty).toBe(true)
  })

  test('what nobody waits for waits a little for company, unless it is much or something urgent comes', () => {
    const buffer = new ArrivalBuffer()
    const isDue = () => buffer.dueAt <= performance.now()
    expect(buffer.dueAt).toBe(Number.POSITIVE_INFINITY)
    buffer.add(arrival(1, 't', 15, 3, false))
    expect([isDue(), Number.isFinite(buffer.dueAt)]).toEqual([false, true])
    buffer.add(arrival(2, 't', 15, 1, true))
    expect(isDue()).toBe(true)
    expect(buffer.take(owned).items).toHaveLength(4)
    buffer.add(arrival(1, 't', 300, 200, false))
    expect(isDue()).toBe(true)
  })
})

describe('ids and envelopes', () => {
  test('one cause answered by two services gives two ids; the same again gives the same', () => {
    expect(messageId('a', 'cause', 0)).not.toBe(messageId('b', 'cause', 0))
    expect(messageId('a', 'cause', 0)).not.toBe(messageId('a', 'cause', 1))
    expect(messageId('a', 'cause', 0)).toBe(messageId('a', 'cause', 0))
    expect(isMessageId(messageId('a', 'cause', 0))).toBe(true)
  })

  test('an envelope reads back as it was written; a record without one is nonsense', () => {
    const envelope = {
      id: messageId('a', 'x', 0),
      source: 'a',
      type: 'HoldCredits',
      time: instant(1_767_225_600_123),
      subject: 'u1',
      correlationId: 'op_1',
      causationId: null,
      traceparent: null,
    }
    expect(readEnvelope(writeEnvelope(envelope))).toEqual(envelope)
    expect(() => readEnvelope({})).toThrow(Nonsense)
    expect(() => readEnvelope({ ...writeEnvelope(envelope), ce_time: 'yesterday' })).toThrow(Nonsense)
  })

  test('a trace goes on with the next message, and a repeat is the same span', () => {
    const parent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    expect(nextTraceparent(parent, 'id')).toMatch(new RegExp(`^00-${'a'.repeat(32)}-[0-9a-f]{16}-01$`))
    expect(nextTraceparent(parent, 'id')).toBe(nextTraceparent(parent, 'id'))
    expect(nextTraceparent('garbage', 'id')).toBeNull()
  })

  test('a saying names its body by its schema’s key', () => {
    const saying = say('ReleaseHold', { userId: 'u1' as UserId, holdId: 'h' })
    expect(saying).toEqual({ name: 'ReleaseHold', body: { userId: 'u1', holdId: 'h' } })
  })
})

describe('three failures', () => {
  const withCode = (code: string) => Object.assign(new Error('x'), { code })

  test.each(['08006', '40001', '40P01', '55P03', '57P01', '53300', 'ECONNREFUSED', 'EPIPE'])(
    '%s passes: trouble',
    (code) => {
      expect(isTrouble(withCode(code))).toBe(true)
    },
  )

  test.each(['23514', '22P02', '23503', '42703'])('%s stays with its message', (code) => {
    expect(isTrouble(withCode(code))).toBe(false)
  })

  test('a fault of our own is not trouble, a pool without connections is', () => {
    expect(isTrouble(new TypeError('x is undefined'))).toBe(false)
    expect(isTrouble(new Error('Knex: Timeout acquiring a connection.'))).toBe(true)
    expect(isUniqueViolation(withCode('23505'))).toBe(true)
  })

  test('back-off doubles and ends', () => {
    expect([0, 1, 2, 10, 1_000].map((attempt) => backOff(attempt))).toEqual([50, 100, 200, 2_000, 2_000])
  })

  test('what is said of a dead letter has other ids than what it says when it is sent again', () => {
    const headers = { ce_id: messageId('a', 'cause', 0), ce_time: '2026-01-01T00:00:00.000Z' }
    const place = { topic: 'a.events', lane: 3, offset: 7, key: 'user_1', value: null }
    const failure = failureOf('b', { ...place, headers, message: null }, 'a bug', instant(0))
    expect(failure).toMatchObject({ messageId: headers.ce_id, causationId: headers.ce_id })
    expect(failure?.id).not.toBe(headers.ce_id)
    expect(isMessageId(failure?.id ?? '')).toBe(true)
  })

  test('more than twenty dead letters in a minute are a bad deployment', () => {
    const guard = new BurstGuard()
    guard.note(20, 0)
    expect(() => guard.check(1, 59_999)).toThrow(/More than 20 dead letters/)
    expect(() => guard.check(1, 60_001)).not.toThrow()
  })
})
