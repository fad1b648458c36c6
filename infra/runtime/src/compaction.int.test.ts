import { type Bed, openBed } from '@coding-plans/local/bed'
import { type Bodies, instant, userId } from '@coding-plans/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Handler, laneOf, type Migration, type Running } from './index.ts'
import { withAdmin } from './kafka/topics.ts'
import { insertRows, select } from './sql.ts'
import { eventually, type Speaker } from './testing.ts'
import { inTransaction } from './transaction.ts'

const TOPIC = 'key-inventory.entitlements'
const USER = 'compacted'
const LANE = laneOf(USER)

let bed: Bed
let speaker: Speaker

beforeAll(async () => {
  bed = await openBed()
  speaker = await bed.speaker('key-inventory')
})
afterAll(() => bed?.close())

const migrations: readonly Migration[] = [
  {
    name: '001_heard',
    up: 'create table heard (place bigint generated always as identity, provider_id text, version bigint)',
  },
]
type Heard = Pick<Bodies['EntitlementChanged'], 'providerId' | 'version'>[]

/** Writes down what it hears. */
const handler: Handler<Heard> = {
  load: async () => [],
  decide: {
    EntitlementChanged: (heard, { body: { providerId, version } }) => {
      heard.push({ providerId, version })
      return []
    },
  },
  save: (tx, heard) => insertRows(tx, 'heard', heard),
}
const start = (service: string) => bed.start({ service, handler, migrations, database: service })
const heardBy = ({ knex }: Running) =>
  select<{ providerId: string; version: number }>(knex, 'select provider_id, version from heard order by place')
const positionOf = async ({ knex }: Running) =>
  (await knex.raw('select (positions->>?)::int as at from lanes where lane = ?', [TOPIC, LANE])).rows[0]?.at

const record = (providerId: string, version: number, bytes = 10) => {
  const whose = { userId: userId(USER), providerId, managedBy: 'user', subscriptionId: null } as const
  const body = { ...whose, keyReference: 'k'.repeat(bytes), enabled: true, validUntil: null, version }
  return speaker.record('EntitlementChanged', body, { cause: `${providerId}|${version}`, time: instant(1) })
}

/** A segment is closed 200 ms after its first record, and cleaned as soon as the broker looks (every 15 s). */
const compactEagerly = () =>
  withAdmin(bed.servers, (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: 2,
          name: TOPIC,
          configEntries: Object.entries({
            'cleanup.policy': 'compact',
            'retention.ms': '-1',
            'segment.ms': '200',
            'min.cleanable.dirty.ratio': '0.001',
            'max.compaction.lag.ms': '1',
          }).map(([name, value]) => ({ name, value })),
        },
      ],
    }),
  )
const segmentEnds = () => new Promise((resolve) => setTimeout(resolve, 400))

/** All that a stranger who begins now still finds. */
const left = async () => {
  const listener = await bed.listener([TOPIC])
  const found = await listener.until(({ body: { providerId } }) => providerId === 'last')
  const read = listener.heard.map(({ offset }) => offset)
  await listener.close()
  return found.length > 0 ? read : []
}

test('a compacted topic: holes at the end of a batch, and batches that are gone, stop nobody and are skipped by nobody', async () => {
  await compactEagerly()
  const early = await start('early')
  // More than one fetch takes, so that it comes alone: of this batch the end will be removed, and the middle.
  await speaker.say([record('a', 1, 150_000), record('b', 1), record('c', 1, 150_000), record('d', 1), record('e', 1)])
  await segmentEnds()
  // Of these nothing will be left.
  await speaker.say([record('b', 2), record('d', 2), record('e', 2)])
  await segmentEnds()
  await speaker.say([record('b', 3), record('d', 3), record('e', 3)])
  await segmentEnds()
  await speaker.say([record('closing', 1)])
  await segmentEnds()
  await speaker.say([record('last', 1)])
  await eventually(
    () => positionOf(early),
    (at) => at === 13,
  )
  expect(await heardBy(early)).toHaveLength(13)
  // The cleaner may take more than one turn.
  expect(await eventually(left, ({ length }) => length <= 7, 60_000)).toEqual([0, 2, 8, 9, 10, 11, 12])

  const late = await start('late')
  await eventually(
    () => positionOf(late),
    (at) => at === 13,
  )
  const rest = [
    ['a', 1],
    ['c', 1],
    ['b', 3],
    ['d', 3],
    ['e', 3],
    ['closing', 1],
    ['last', 1],
  ].map(([providerId, version]) => ({ providerId, version }))
  expect(await heardBy(late)).toEqual(rest)

  // Where there is nothing any more a reader goes on, from whatever offset: none is outside what the broker has.
  for (const hole of [1, 3, 4, 5, 7]) {
    await late.knex.raw('truncate heard')
    await late.knex.raw(
      'update lanes set epoch = epoch + 1, positions = jsonb_build_object(?::text, ?::int) where lane = ?',
      [TOPIC, hole, LANE],
    )
    await speaker.say([record('more', hole)])
    const again = await eventually(
      () => heardBy(late),
      (heard) => heard.some(({ providerId, version }) => providerId === 'more' && version === hole),
    )
    expect(again.slice(0, hole < 2 ? 6 : 5)).toEqual(rest.slice(hole < 2 ? 1 : 2))
    expect(late.worker.ready().reasons).toEqual([])
  }
}, 120_000)

test('what comes twice on a compacted topic is judged twice: the second copy is the last word', async () => {
  const service = await start('twice')
  const copy = record('copied', 1)
  await speaker.say([copy, record('copied', 2), copy])
  await speaker.say([copy])
  const copied = async () => (await heardBy(service)).filter(({ providerId }) => providerId === 'copied')
  const heard = await eventually(copied, ({ length }) => length === 4)
  expect(heard.map(({ version }) => version)).toEqual([1, 2, 1, 1])
})

test('a crash before the publish: what is owed goes to the lane of the user, not of the longer key', async () => {
  const service = await start('owing')
  const stranger = await bed.listener([TOPIC])
  const body = { userId: userId('owed'), providerId: 'acme', managedBy: 'none', enabled: false } as const
  const nothing = { keyReference: null, subscriptionId: null, validUntil: null, version: 1 }
  expect(laneOf('owed')).not.toBe(laneOf('owed|acme'))
  await inTransaction(service.knex, async (tx) => {
    // Nobody calls what append returns: the lane's owner finds the row.
    await service.worker.append(
      tx,
      [{ name: 'EntitlementChanged', body: { ...body, ...nothing }, cause: 'owed' }],
      instant(1),
    )
  })
  const [heard] = await stranger.until(({ key }) => key === 'owed|acme')
  expect(heard).toMatchObject({ name: 'EntitlementChanged', lane: laneOf('owed') })
})
