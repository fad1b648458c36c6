import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AvroField, type AvroType, avroSchemaOf, type Declaration, declarations } from './declaration.ts'

const brands: Record<string, string> = { microdollars: 'Microdollars', instant: 'Instant', 'user-id': 'UserId' }
const primitives: Record<string, string> = {
  string: 'string',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  bytes: 'Buffer',
  null: 'null',
}

const typeOf = (type: AvroType): string => {
  if (Array.isArray(type))
    return type
      .map(typeOf)
      .sort((a) => (a === 'null' ? 1 : -1))
      .join(' | ')
  if (typeof type === 'string') return primitives[type] ?? fail(`unknown Avro type ${type}`)
  if (type.logicalType) return brands[type.logicalType] ?? fail(`unknown logical type ${type.logicalType}`)
  if (type.type === 'enum') return (type.symbols ?? []).map((symbol) => `'${symbol}'`).join(' | ')
  if (type.type === 'array') return `(${typeOf(type.items ?? fail('an array without items'))})[]`
  if (type.type === 'record') return `{ ${(type.fields ?? []).map(fieldOf).join('; ')} }`
  return typeOf(type.type as AvroType)
}

const fieldOf = ({ name, type }: AvroField) => `${name}: ${typeOf(type)}`

const fail = (sentence: string): never => {
  throw new Error(`The schemas cannot be generated: ${sentence}.`)
}

const bodyOf = ({ name, doc, fields }: Declaration) =>
  `/** ${doc} */\nexport interface ${name} {\n${fields.map((field) => `  ${fieldOf(field)}`).join('\n')}\n}\n`

const routeOf = (owner: string, declaration: Declaration) => {
  const { name, kind, topic, from, key, recordKey, public: isPublic = false } = declaration
  const schema = JSON.stringify(avroSchemaOf(declaration))
  return `  ${name}: ${JSON.stringify({ owner, kind, topic, from, key, recordKey, public: isPublic }).replace(/}$/, '')}, "schema": ${schema} },`
}

/** The whole text of messages.gen.ts. */
export const generate = () => {
  const all = declarations()
  const names = all.map(({ declaration }) => declaration.name)
  if (new Set(names).size !== names.length) fail('two messages have one name')
  const text = [
    '// Generated from schemas/avro by `npm run generate`. Do not edit.',
    "import type { Instant, Microdollars, UserId } from './brands.ts'\n",
    ...all.map(({ declaration }) => bodyOf(declaration)),
    '/** Message name → body. */\nexport interface Bodies {',
    ...names.map((name) => `  ${name}: ${name}`),
    '}\n',
    '/** Message name → who owns it, where it travels, by which field; `recordKey` on a compacted topic. A topic `*.events` is the events topic of whoever says it. */',
    'export const routes = {',
    ...all.map(({ owner, declaration }) => routeOf(owner, declaration)),
    '} as const',
  ].join('\n')
  return execFileSync('biome', ['format', '--stdin-file-path=schemas/src/messages.gen.ts'], {
    input: text,
    encoding: 'utf8',
    cwd: join(import.meta.dirname, '..', '..'),
  })
}

const target = join(import.meta.dirname, 'messages.gen.ts')
if (process.argv[1] === import.meta.filename) {
  const text = generate()
  if (process.argv.includes('--check')) {
    if (text !== readFileSync(target, 'utf8'))
      fail('messages.gen.ts is not what schemas/avro says; run `npm run generate`')
  } else writeFileSync(target, text)
}
