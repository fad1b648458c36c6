import fc from 'fast-check'
import { Partitioners } from 'kafkajs'
import { expect, test } from 'vitest'
import { LANES, laneOf } from './lane-of.ts'

const theirs = Partitioners.DefaultPartitioner()
const partitionMetadata = Array.from({ length: LANES }, (_, partitionId) => ({
  partitionId,
  leader: 0,
  partitionErrorCode: 0,
  replicas: [],
  isr: [],
}))

test('a key lies in the partition in which every Kafka client looks for it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), (key) => {
      expect(laneOf(key)).toBe(theirs({ topic: '', partitionMetadata, message: { key, value: null } }))
    }),
    { numRuns: 2_000 },
  )
})
