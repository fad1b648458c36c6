import { type Bed, openBed } from '@coding-plans/local/bed'
import { instant, userId } from '@coding-plans/schemas'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Speaker } from '../testing.ts'
import { laneOf } from './lane-of.ts'
import { readTopics, type StoredRecord } from './reader.ts'
import { withAdmin } from './topics.ts'

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
