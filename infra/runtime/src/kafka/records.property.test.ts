import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeRecord, encodeRecord } from './records.ts'

// kafkajs' own, unmended: nothing here loads library.ts.
const require = createRequire(import.meta.url)
const theirEncoder = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => { buffer: Buffer }

const text = fc.string({ unit: 'binary', maxLength: 300 })
const record = fc.record({
  offsetDelta: fc.nat(2 ** 30),
  timestampDelta: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  key: fc.option(text),
  value: fc.option(fc.uint8Array({ maxLength: 100_000 }).map((bytes) => Buffer.from(bytes))),
  headers: fc.dictionary(
    // No object of ours can have it.
    text.filter((name) => name !== '__proto__'),
    text,
    { maxKeys: 15 },
  ),
})

test('a record is written as kafkajs writes it, byte for byte, and read back', () => {
  fc.assert(
    fc.property(record, (given) => {
      const bytes = encodeRecord(given)
      expect(bytes.equals(theirEncoder(given).buffer)).toBe(true)
      let start = 0
      while ((bytes[start] as number) >= 0x80) start += 1
      const read = decodeRecord(bytes.subarray(start + 1))
      expect({ ...read, key: read.key?.toString() ?? null }).toEqual({
        ...given,
        key: given.key === null ? null : Buffer.from(given.key).toString(),
        headers: Object.fromEntries(
          Object.entries(given.headers).map(([name, value]) => [
            Buffer.from(name).toString(),
            Buffer.from(value).toString(),
          ]),
        ),
      })
    }),
    { numRuns: 300 },
  )
})
