import { type Bed, openBed } from '@coding-plans/local/bed'
import { instant, microdollars, type UserId } from '@coding-plans/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Running } from './index.ts'
import { migrations, probe } from './probe/probe.ts'
import { select } from './sql.ts'
import { eventually, type Listener, type Speaker } from './testing.ts'

let bed: Bed
let speaker: Speaker
let listener: Listener

beforeAll(async () => {
  bed = await openBed()
  speaker = await bed.speaker('subscription')
  listener = await bed.listener(['credits-ledger.events'])
})
afterAll(() => bed?.close())

const hold = (user: string, holdId: string) =>
  speaker.record(
    'HoldCredits',
    {
      userId: user as UserId,
      holdId,
      amount: microdollars(1),
      purpose: 'activation',
      operationId: null,
      subscriptionId: 's',
      boundary: null,
    },
    { cause: `${user}/${holdId}`, time: instant(1_000) },
  )
const taken = ({ knex }: Running, like: string) =>
  select<{ userId: string; holdId: string; number: number }>(
    knex,
    'select user_id, hold_id, number from taken where user_id like ? order by place',
    [like],
  )
const users = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name}-${n}`)
const heardFrom = (source: string, name: string) =>
  listener.heard.filter((heard) => heard.headers.ce_source === source && heard.key.startsWith(name))

test('every message delivered twice takes effect once and is answered once, in order', async () => {
  const service = await bed.start({ service: 'twice', handler: probe(), migrations })
  const records = users('twice', 20).flatMap((user) => users('h', 10).map((holdId) => hold(user, holdId)))
  await speaker.say(records.flatMap((record) => [record, record]))
  await speaker.say(records)
  await eventually(
    () => taken(service, 'twice-%'),
    (rows) => rows.length >= 200,
  )
  const [last] = [hold('twice-0', 'last')]
  await speaker.say([last as (typeof records)[0]])
  await eventually(
    () => taken(service, 'twice-0'),
    (rows) => rows.length === 11,
  )
  const rows = await taken(service, 'twice-%')
  expect(rows).toHaveLength(201)
  for (const user of users('twice', 20))
    expect(
      rows.filter(({ userId, holdId }) => userId === user && holdId !== 'last').map(({ holdId }) => holdId),
    ).toEqual(users('h', 10))
  await listener.until(({ headers, key }) => headers.ce_source === 'twice' && key.startsWith('twice'), 201)
  expect(new Set(heardFrom('twice', 'twice').map(({ id }) => id)).size).toBe(201)
  expect(heardFrom('twice', 'twice')).toHaveLength(201)
  await service.stop()
})
