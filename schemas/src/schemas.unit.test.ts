import avsc, { type Schema } from 'avsc'
import { describe, expect, test } from 'vitest'
import { breaks, releasedVersions } from './compatibility.ts'
import { avroSchemaOf, type Declaration, declarations } from './declaration.ts'
import { generate } from './generate.ts'
import { MOST_MICRODOLLARS, microdollars, routes, services } from './index.ts'

const all = declarations()

/** Avro's bytes are written as a string in JSON. */
const exampleOf = ({ fields, example }: Declaration) =>
  Object.fromEntries(
    fields.map(({ name, type, default: otherwise }) => {
      const value = name in example ? example[name] : otherwise
      return [name, type === 'bytes' ? Buffer.from(String(value), 'latin1') : value]
    }),
  )

describe.each(all.map(({ owner, declaration }) => ({ owner, name: declaration.name, declaration })))(
  '$owner/$name',
  ({ owner, declaration }) => {
    const type = avsc.Type.forSchema(avroSchemaOf(declaration) as unknown as Schema)

    test('its example encodes and decodes to itself', () => {
      const example = exampleOf(declaration)
      expect(type.isValid(example, { noUndeclaredFields: true })).toBe(true)
      expect({ ...type.fromBuffer(type.toBuffer(example)) }).toEqual(example)
    })

    test('a command says who may ask, an event is said by its owner', () => {
      const { kind, from = [] } = declaration
      expect(from.length > 0).toBe(kind === 'command')
      for (const service of from) expect(services).toContain(service)
    })

    test('it has a key field, a topic of its owner, and every enum a default', () => {
      const names = declaration.fields.map(({ name }) => name)
      for (const field of [declaration.key, ...(declaration.recordKey ?? [])]) expect(names).toContain(field)
      expect(declaration.topic).toMatch(
        owner === 'any'
          ? /^(\*\.events|any\.commands)$/
          : new RegExp(`^${owner}\\.(commands|events|uploads|entitlements|invariants)$`),
      )
      for (const text of JSON.stringify(declaration.fields).match(/"type":"enum"[^}]*/g) ?? [])
        expect(text).toContain('"default":"unknown"')
    })

    test('it is compatible with all that was released, both ways (FULL_TRANSITIVE)', () => {
      const released = releasedVersions().filter((r) => r.owner === owner && r.name === declaration.name)
      expect(released.length).toBeGreaterThan(0)
      expect(breaks(declaration, released)).toEqual([])
    })
  },
)

test('the gate refuses a field without a default, and a removed enum symbol', () => {
  const { declaration } = all.find(({ declaration: { name } }) => name === 'HoldDeclined') as (typeof all)[number]
  const released = [
    {
      owner: 'credits-ledger',
      name: 'HoldDeclined',
      version: 1,
      schema: avroSchemaOf(declaration) as unknown as Schema,
    },
  ]
  const added = { ...declaration, fields: [...declaration.fields, { name: 'more', type: 'string' }] }
  expect(breaks(added, released)).toHaveLength(1)
  const retyped = {
    ...declaration,
    fields: declaration.fields.map((f) => (f.name === 'version' ? { ...f, type: 'string' } : f)),
  }
  expect(breaks(retyped, released).length).toBeGreaterThan(0)
})

test('the generated types are what the schemas say', async () => {
  const { readFileSync } = await import('node:fs')
  expect(generate()).toBe(readFileSync(new URL('./messages.gen.ts', import.meta.url), 'utf8'))
})

test('no message that was released has disappeared', () => {
  for (const { name } of releasedVersions()) expect(Object.keys(routes)).toContain(name)
})

test('whatever money there may be, a message carries it exactly, on both sides of nothing', () => {
  const long = avsc.Type.forSchema('long')
  const amounts = [0, 1, 63, 64, 2 ** 31, 2 ** 32 + 1, 2 ** 51 - 1, MOST_MICRODOLLARS - 1, MOST_MICRODOLLARS]
  for (const amount of amounts.flatMap((one) => [one, -one]))
    expect(long.fromBuffer(long.toBuffer(microdollars(amount)))).toBe(amount === 0 ? 0 : amount)
  expect(() => microdollars(MOST_MICRODOLLARS + 1)).toThrow(RangeError)
  expect(() => microdollars(-MOST_MICRODOLLARS - 1)).toThrow(RangeError)
})

test('money is whole and safe', () => {
  expect(() => microdollars(0.5)).toThrow(RangeError)
  expect(() => microdollars(2 ** 53)).toThrow(RangeError)
  expect(microdollars(1_000_000)).toBe(1_000_000)
})
