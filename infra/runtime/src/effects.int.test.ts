import { createServer } from 'node:http'
import { type Bed, openBed } from '@coding-plans/local/bed'
import { microdollars, type UserId } from '@coding-plans/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Calling, type Running, say } from './index.ts'
import { holdBy } from './probe/hold.ts'
import { CALLS_OUT, migrations, probe } from './probe/probe.ts'
import { insertRows, select } from './sql.ts'
import { eventually, type Speaker } from './testing.ts'

let bed: Bed
let speaker: Speaker

beforeAll(async () => {
  bed = await openBed()
  speaker = await bed.speaker('subscription')
})
afterAll(() => bed?.close())

const hold = (user: string, holdId: string) => holdBy(speaker, user, holdId)
const released = (request: Calling['request'], holdId = request.holdId as string) =>
  say('HoldReleased', {
    ...{ userId: request.userId as UserId, holdId },
    ...{ balance: microdollars(0), held: microdollars(0), version: 1 },
  })
const owed = ({ knex }: Running) =>
  select<{ id: string; attempts: number; state: string; called: boolean }>(
    knex,
    'select id, attempts, state, first_called_at is not null as called from effects order by id',
  )

test('a call to the outside: made after the commit, asked again under the same key until its outcome is known, said once', async () => {
  const keys: string[] = []
  const outside = createServer((request, response) => {
    keys.push(String(request.headers['idempotency-key']))
    response.statusCode = keys.length < 3 ? 500 : 200
    response.end()
  })
  await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve))
  const { port } = outside.address() as { port: number }
  const handler = probe('caller', {
    calls: {
      ask: async ({ request, idempotencyKey, signal }) => {
        const answer = await fetch(`http://127.0.0.1:${port}`, {
          headers: { 'idempotency-key': idempotencyKey },
          signal,
        })
        if (!answer.ok) throw new Error('Who knows.')
        return [released(request)]
      },
    },
  })
  const service = await bed.start({ service: 'caller', handler, migrations })
  const listener = await bed.listener(['credits-ledger.events'])
  await speaker.say([hold('caller-1', CALLS_OUT), hold('caller-1', CALLS_OUT)])
  const [outcome] = await listener.until(({ key, name }) => key === 'caller-1' && name === 'HoldReleased', 1, 30_000)
  expect(outcome?.headers.ce_correlationid).toBe(`saga ${CALLS_OUT}`)
  expect(keys).toHaveLength(3)
  expect(new Set(keys).size).toBe(1)
  await eventually(
    () => owed(service),
    (rows) => rows.length === 0,
  )
  expect(service.worker.callsUnderWay).toBe(0)
  await service.stop()
  outside.close()
})

test('who is killed during a call leaves behind that it was called', async () => {
  const answered = Promise.withResolvers<void>()
  let calls = 0
  const ask = async () => {
    calls += 1
    await answered.promise
    return []
  }
  const service = await bed.start({ service: 'killed', handler: probe('killed', { calls: { ask } }), migrations })
  await speaker.say([hold('killed-1', CALLS_OUT)])
  await eventually(
    () => calls,
    (count) => count === 1,
  )
  expect(await owed(service)).toMatchObject([{ attempts: 0, state: 'open', called: true }])
  answered.resolve()
  await service.stop()
})

test('TOP-1: a call whose key may be forgotten is not made again: it is found out what came of it, or a person must look', async () => {
  const made: string[] = []
  const make = async ({ idempotencyKey }: Calling) => {
    made.push(idempotencyKey)
    return []
  }
  const unanswered = (request: Calling['request']) => [released(request, 'unanswered')]
  const calls = {
    charge: make,
    charge_with_a_clock: { make, unanswered, find: async () => null },
    charge_that_is_found: { make, unanswered, find: async ({ request }: Calling) => [released(request, 'found')] },
  }
  const service = await bed.start({ service: 'late', handler: probe('late', { calls }), migrations })
  const listener = await bed.listener(['credits-ledger.events'])
  // As whoever was killed during the first call left them, and nobody was there for a day.
  const hours = (count: number) => new Date(Date.now() - count * 3_600_000).toISOString()
  const called = (kind: string, firstCalledAt: string, id = kind) => {
    const request = { userId: `late ${id}`, holdId: 'h' }
    return { id, lane: 3, kind, request, key: 'late', correlationId: 'saga', time: 1_000, firstCalledAt }
  }
  await insertRows(service.knex, 'effects', [
    ...Object.keys(calls).map((kind) => called(kind, hours(24))),
    called('charge', hours(22), 'in time'),
  ])
  const rows = await eventually(
    () => owed(service),
    (rows) => rows.every(({ state }) => state === 'listed'),
  )
  expect(rows.map(({ id, attempts }) => [id, attempts])).toEqual([
    ['charge', 1],
    ['charge_with_a_clock', 2],
  ])
  expect(made).toEqual(['in time'])
  const said = await listener.until(({ key }) => key.startsWith('late '), 2)
  // Who waits for its outcome is told that it has none, as after any first try.
  expect(new Set(said.map(({ key, body }) => `${key}: ${body.holdId}`))).toEqual(
    new Set(['late charge_with_a_clock: unanswered', 'late charge_that_is_found: found']),
  )
  await service.stop()
})
