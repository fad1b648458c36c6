import { createRequire } from 'node:module'
import { checksums, type Spoilt } from './checksums.ts'
import { decodeRecord, encodeRecord, type OutgoingRecord } from './records.ts'

/**
 * kafkajs, with three of its modules replaced by faster ones before it is loaded. It has no newer version, and its mends
 * (here and in client.ts) were tried with this one only. Nobody else loads it.
 */

const require = createRequire(import.meta.url)
const TRIED_VERSION = '2.2.4'

const { version } = require('kafkajs/package.json') as { version: string }
if (version !== TRIED_VERSION)
  throw new Error(`kafkajs is ${version}; its mends were tried with ${TRIED_VERSION} only.`)

const replace = (path: string, exports: unknown) => {
  const id = require.resolve(path)
  require.cache[id] = {
    id,
    filename: id,
    path,
    loaded: true,
    children: [],
    paths: [],
    exports,
  } as unknown as NodeModule
}

interface Encoder {
  buf: Buffer
  offset: number
}
const Encoder = require('kafkajs/src/protocol/encoder') as new (size: number) => Encoder

replace('kafkajs/src/protocol/recordBatch/record/v0', (record: OutgoingRecord): Encoder => {
  const encoder = new Encoder(0)
  encoder.buf = encodeRecord(record)
  encoder.offset = encoder.buf.length
  return encoder
})

interface BatchContext {
  readonly firstOffset: string
  readonly firstTimestamp: string
  readonly maxTimestamp: string
  readonly timestampType: number
  readonly magicByte: number
  readonly isControlBatch?: boolean
}
const LOG_APPEND_TIME = 1

replace(
  'kafkajs/src/protocol/recordBatch/record/v0/decoder',
  ({ buffer }: { buffer: Buffer }, batchContext: BatchContext) => {
    const { firstOffset, firstTimestamp, maxTimestamp, timestampType, magicByte, isControlBatch = false } = batchContext
    const { offsetDelta, timestampDelta, key, value, headers } = decodeRecord(buffer)
    return {
      magicByte,
      attributes: 0,
      timestamp: timestampType === LOG_APPEND_TIME ? maxTimestamp : String(Number(firstTimestamp) + timestampDelta),
      offset: String(Number(firstOffset) + offsetDelta),
      key,
      value,
      headers,
      isControlRecord: isControlBatch,
      batchContext,
    }
  },
)

const BATCH_HEADER = { length: 8, checksum: 17, checked: 21, afterLength: 12 }
const crc32C = require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number
const BATCH_DECODER = 'kafkajs/src/protocol/recordBatch/v0/decoder'
const decodeBatch = require(BATCH_DECODER) as (decoder: { buffer: Buffer; offset: number }) => Promise<{
  records: Spoilt[]
}>

/** CRC-32C over what follows it, as its writer made it. Neither the broker nor kafkajs looks at it when it is read. */
const isAsWritten = ({ buffer, offset }: { buffer: Buffer; offset: number }) => {
  const end = offset + BATCH_HEADER.afterLength + buffer.readInt32BE(offset + BATCH_HEADER.length)
  if (end > buffer.length) return true // cut off by the fetch; it is read whole with the next one
  const checked = buffer.subarray(offset + BATCH_HEADER.checked, end)
  return buffer.readUInt32BE(offset + BATCH_HEADER.checksum) === crc32C(checked)
}

replace(BATCH_DECODER, async (decoder: { buffer: Buffer; offset: number }) => {
  if (!checksums.compared || isAsWritten(decoder)) return decodeBatch(decoder)
  const batch = await decodeBatch(decoder)
  for (const record of batch.records) record.spoilt = true
  return batch
})

interface Grouped {
  readonly topic: string
  readonly partitionMetadata: readonly unknown[]
  readonly messages: readonly object[]
  readonly partitioner: (message: object) => number
}

// Its own copies all messages of a partition for each next one.
replace('kafkajs/src/producer/groupMessagesPerPartition', (given: Grouped) => {
  const { topic, partitionMetadata, messages, partitioner } = given
  const grouped: Record<number, object[]> = {}
  if (partitionMetadata.length === 0) return grouped
  for (const message of messages) {
    const partition = partitioner({ topic, partitionMetadata, message })
    const group = grouped[partition]
    if (group) group.push(message)
    else grouped[partition] = [message]
  }
  return grouped
})

const library = require('kafkajs') as typeof import('kafkajs')

export const { AssignerProtocol, Kafka, logLevel, Partitioners } = library
