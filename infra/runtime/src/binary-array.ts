/** What PostgreSQL calls its types. */
const [BOOL, BYTEA, INT8, INT2, INT4, TEXT, JSON_TEXT, UUID, JSONB] = [16, 17, 20, 21, 23, 25, 114, 2950, 3802]

interface Form {
  readonly oid: number
  /** What the elements of the array are said to be; the column's own type is cast from it. */
  readonly type: string
  readonly lengthOf: (value: unknown) => number
  readonly write: (buffer: Buffer, value: unknown, at: number) => void
}

const TWO_TO_32 = 2 ** 32

const writeInt8 = (buffer: Buffer, value: unknown, at: number) => {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new RangeError(`${String(value)} is no safe integer.`)
  buffer.writeInt32BE(Math.floor(number / TWO_TO_32), at)
  buffer.writeUInt32BE(number >>> 0, at + 4)
}
const textOf = (value: unknown) => (Array.isArray(value) ? literalOf(value) : String(value))
const literalOf = (texts: readonly unknown[]) =>
  `{${texts.map((text) => `"${String(text).replace(/["\\]/g, '\\$&')}"`).join(',')}}`
const hexOf = (value: unknown) => String(value).replaceAll('-', '')

const text: Form = {
  oid: TEXT,
  type: 'text',
  lengthOf: (value) => Buffer.byteLength(textOf(value)),
  write: (buffer, value, at) => buffer.write(textOf(value), at),
}
const fixed = (oid: number, type: string, length: number, write: Form['write']): [number, Form] => [
  oid,
  { oid, type, lengthOf: () => length, write },
]

const forms = new Map<number, Form>([
  fixed(BOOL, 'boolean', 1, (buffer, value, at) => buffer.writeUInt8(value ? 1 : 0, at)),
  fixed(INT2, 'smallint', 2, (buffer, value, at) => buffer.writeInt16BE(Number(value), at)),
  fixed(INT4, 'integer', 4, (buffer, value, at) => buffer.writeInt32BE(Number(value), at)),
  fixed(INT8, 'bigint', 8, writeInt8),
  fixed(UUID, 'uuid', 16, (buffer, value, at) => buffer.write(hexOf(value), at, 'hex')),
  [
    BYTEA,
    {
      oid: BYTEA,
      type: 'bytea',
      lengthOf: (value) => (value as Uint8Array).length,
      write: (buffer, value, at) => buffer.set(value as Uint8Array, at),
    },
  ],
])

/** The type that an array for columns of this type is sent as; everything else goes as text, and the column's type reads it. */
export const formOf = (oid: number): Form => forms.get(oid) ?? text

/** Whether values of this type are written as JSON. */
export const isJson = (oid: number) => oid === JSONB || oid === JSON_TEXT

const HEAD_BYTES = 20
const NULL_LENGTH = -1

/**
 * A one-dimensional array in PostgreSQL's binary form (src/backend/utils/adt/arrayfuncs.c, array_recv): the driver sends a
 * Buffer as binary, and neither side parses text. `undefined` is null.
 */
export const binaryArray = ({ oid, lengthOf, write }: Form, values: readonly unknown[]): Buffer => {
  const lengths = values.map((value) => (value === null || value === undefined ? NULL_LENGTH : lengthOf(value)))
  const total = lengths.reduce((sum, length) => sum + 4 + Math.max(length, 0), HEAD_BYTES)
  const buffer = Buffer.allocUnsafe(total)
  buffer.writeInt32BE(1, 0)
  buffer.writeInt32BE(lengths.includes(NULL_LENGTH) ? 1 : 0, 4)
  buffer.writeInt32BE(oid, 8)
  buffer.writeInt32BE(values.length, 12)
  buffer.writeInt32BE(1, 16)
  let at = HEAD_BYTES
  for (const [place, value] of values.entries()) {
    const length = lengths[place] as number
    buffer.writeInt32BE(length, at)
    at += 4
    if (length === NULL_LENGTH) continue
    write(buffer, value, at)
    at += length
  }
  return buffer
}
