/**
 * Records of Kafka's message format v2 (kafka.apache.org/documentation/#record), written and read in one pass. kafkajs makes
 * a buffer of its own for every header and copies the headers met so far for each next one: with the ten headers of an
 * envelope that cost more than everything else that is done to a message.
 */

export interface OutgoingRecord {
  readonly offsetDelta: number
  readonly timestampDelta: number
  readonly key: string | Buffer | null
  readonly value: string | Buffer | null
  readonly headers?: Readonly<Record<string, string>>
}

const MORE = 0x80
const SEVEN_BITS = 0x7f
const LONGEST_VARINT = 5

/** Where the next record is written before its length is known; grows to the largest. */
let draft = Buffer.allocUnsafe(64 * 1024)

const makeRoom = (bytes: number, written: number) => {
  if (written + bytes <= draft.length) return
  const larger = Buffer.allocUnsafe(2 * (written + bytes))
  draft.copy(larger, 0, 0, written)
  draft = larger
}

/** Zigzag: small numbers of either sign take few bytes. */
const writeVarint = (value: number, at: number) => {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1
  let to = at
  while (rest > SEVEN_BITS) {
    draft[to++] = (rest & SEVEN_BITS) | MORE
    rest = Math.floor(rest / 128)
  }
  draft[to++] = rest
  return to
}

const writeBytes = (bytes: string | Buffer | null | undefined, at: number) => {
  const length = bytes === null || bytes === undefined ? -1 : Buffer.byteLength(bytes)
  makeRoom(LONGEST_VARINT + length, at)
  const to = writeVarint(length, at)
  if (bytes === null || bytes === undefined) return to
  if (typeof bytes === 'string') draft.write(bytes, to)
  else bytes.copy(draft, to)
  return to + length
}

/** A record with its length before it. */
export const encodeRecord = ({ offsetDelta, timestampDelta, key, value, headers = {} }: OutgoingRecord): Buffer => {
  draft[LONGEST_VARINT] = 0 // attributes: none are defined
  let at = writeVarint(timestampDelta, LONGEST_VARINT + 1)
  at = writeVarint(offsetDelta, at)
  at = writeBytes(key, at)
  at = writeBytes(value, at)
  const names = Object.keys(headers)
  makeRoom(LONGEST_VARINT, at)
  at = writeVarint(names.length, at)
  for (const name of names) {
    at = writeBytes(name, at)
    at = writeBytes(headers[name], at)
  }
  const length = at - LONGEST_VARINT
  makeRoom(LONGEST_VARINT, at)
  const end = writeVarint(length, at)
  const record = Buffer.allocUnsafe(end - at + length)
  draft.copy(record, 0, at, end)
  draft.copy(record, end - at, LONGEST_VARINT, at)
  return record
}

export interface ReadRecord {
  readonly timestampDelta: number
  readonly offsetDelta: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** As text; of a name that comes twice, the first. */
  readonly headers: Readonly<Record<string, string>>
}

/** A record without the length before it. */
export const decodeRecord = (buffer: Buffer): ReadRecord => {
  let at = 1 // after the attributes
  const readVarint = () => {
    let result = 0
    let scale = 1
    for (;;) {
      const byte = buffer[at++] as number
      result += (byte & SEVEN_BITS) * scale
      if (byte < MORE) break
      scale *= 128
    }
    return result % 2 === 0 ? result / 2 : -(result + 1) / 2
  }
  const readBytes = () => {
    const length = readVarint()
    if (length < 0) return null
    at += length
    return buffer.subarray(at - length, at)
  }
  const readText = () => {
    const length = readVarint()
    if (length < 0) return ''
    at += length
    return buffer.toString('utf8', at - length, at)
  }
  const timestampDelta = readVarint()
  const offsetDelta = readVarint()
  const key = readBytes()
  const value = readBytes()
  const headers: Record<string, string> = {}
  for (let left = readVarint(); left > 0; left -= 1) {
    const name = readText()
    const text = readText()
    if (!Object.hasOwn(headers, name)) headers[name] = text
  }
  return { timestampDelta, offsetDelta, key, value, headers }
}
