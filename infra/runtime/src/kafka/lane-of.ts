import { createPartitioner } from './client.ts'

/** All topics have this many partitions; lane n is partition n of every topic. Never change it on topics that hold keyed records. */
export const LANES = 12

const partitionOf = createPartitioner()
const partitionMetadata = Array.from({ length: LANES }, (_, partitionId) => ({
  partitionId,
  leader: 0,
  partitionErrorCode: 0,
  replicas: [],
  isr: [],
}))

/** The lane of a record key: murmur2, as every Java client computes it. */
export const laneOf = (key: string): number =>
  partitionOf({ topic: '', partitionMetadata, message: { key, value: null } })
