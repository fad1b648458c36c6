import { type Bed, openBed } from '@coding-plans/local/bed'
import { instant, userId } from '@coding-plans/schemas'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Speaker } from '../testing.ts'
import { LANES, laneOf } from './lane-of.ts'
import { readTopics, type StoredRecord } from './reader.ts'
import { ensureTopics, withAdmin } from './topics.ts'

const TOPIC = 'key-inventory.events'
const USER = userId('ada')
const LANE = laneOf(USER)

let bed: Bed
let speaker: Speaker

beforeAll(async () => {
  bed = await openBed()
  speaker = await bed.speaker('key-inventory')
})
afterAll(() => bed?.close())

const say = (cause: string) => {
  const body = { userId: USER, operationId: cause, keys: 0, slots: 0, at: instant(1) }
  return speaker.say([speaker.record('KeysUnlinked', body, { cause, time: instant(1) })])
}
const read = async () => {
  const records: StoredRecord[] = []
  const connection = { ...bed.servers, clientId: 'test-reader', log: pino({ level: 'silent' }) }
  await readTopics(connection, [TOPIC], (record) => void records.push(record))
  return records.filter(({ lane }) => lane === LANE)
}

test('what retention has removed is no hole: a lane begins where the broker says', async () => {
  for (const cause of ['a', 'b', 'c', 'd', 'e']) await say(cause)
  expect((await read()).map(({ offset, intact, nonsense }) => [offset, intact, nonsense])).toEqual(
    [0, 1, 2, 3, 4].map((offset) => [offset, true, undefined]),
  )
  await withAdmin(bed.servers, async (admin) => {
    // Before it has heard of a topic, kafkajs deletes nothing of it.
    await admin.fetchTopicOffsets(TOPIC)
    await admin.deleteTopicRecords({ topic: TOPIC, partitions: [{ partition: LANE, offset: '2' }] })
  })
  const left = await read()
  expect(left.map(({ offset }) => offset)).toEqual([2, 3, 4])
  expect(left.filter(({ intact, nonsense }) => !intact || nonsense)).toEqual([])
})

test('a topic that kept its segments for a week is brought to half a day; what was set by hand stays', async () => {
  const name = 'of-before.commands'
  const retention = { name: 'retention.ms', value: '604800000' }
  await withAdmin(bed.servers, (admin) =>
    admin.createTopics({
      topics: [
        { topic: name, numPartitions: LANES, configEntries: [retention, { name: 'segment.jitter.ms', value: '7' }] },
      ],
    }),
  )
  const topics = [{ name, retentionMilliseconds: 604_800_000 }]
  await ensureTopics(bed.servers, topics)
  const { resources } = await withAdmin(bed.servers, (admin) =>
    admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name }] }),
  )
  const values = new Map(resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]))
  expect(['retention.ms', 'segment.ms', 'segment.jitter.ms'].map((one) => values.get(one))).toEqual([
    '604800000',
    '43200000',
    '7',
  ])
  await expect(ensureTopics(bed.servers, [{ name, retentionMilliseconds: 1 }])).rejects.toThrow(
    `Topic ${name} has retention.ms=604800000 instead of 1.`,
  )
})
