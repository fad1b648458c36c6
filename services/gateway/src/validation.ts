import type { FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

const WHOLE = /^-?\d{1,15}$/

/** Text of a query becomes the number or the truth that its schema asks for; anything else stays text, and is refused. */
const fromText = (schema: TSchema, value: unknown): unknown => {
  const properties = (schema as { properties?: Record<string, { type?: string }> }).properties
  if (!properties || value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([name, text]) => {
      const type = properties[name]?.type
      if (type === 'integer' && typeof text === 'string' && WHOLE.test(text)) return [name, Number(text)]
      if (type === 'boolean' && (text === 'true' || text === 'false')) return [name, text === 'true']
      return [name, text]
    }),
  )
}

/** What a caller is told: where, and what is wrong with it; never the value. */
const describe = ({
  keyword,
  instancePath,
  schemaPath,
  message,
  params,
}: FastifySchemaValidationError): FastifySchemaValidationError => {
  const names = (params as { additionalProperties?: string[] } | undefined)?.additionalProperties
  return keyword === 'additionalProperties' && names
    ? { keyword, instancePath, schemaPath, params, message: `has no field ${names.slice(0, 3).join(', ')}` }
    : { keyword, instancePath, schemaPath, params, ...(message === undefined ? {} : { message }) }
}

// A union names each of its failed branches, an unknown field the schema that forbids it: the sentence above them is enough.
const NOISE = new Set(['const', 'boolean'])
const MOST_COMPLAINTS = 3

// Left to the inventory, which reports line by line.
const UPLOADED = 'entries'
// Sealed before anything keeps it: any character may be inside.
const SEALED = 'key'

/** Where a text is that no database of ours can keep: U+0000, or half a surrogate pair. null: nowhere. */
const unkept = (value: unknown, name = '', path = ''): string | null => {
  if (typeof value === 'string') return value.isWellFormed() && (name === SEALED || !value.includes('\0')) ? null : path
  if (value === null || typeof value !== 'object' || name === UPLOADED) return null
  for (const [inner, part] of Object.entries(value)) {
    const found = unkept(part, inner, `${path}/${inner}`)
    if (found !== null) return found
  }
  return null
}

/** Strict: nothing is removed, filled in or converted, but for the text of a query. */
export const compileSchema: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  // Described for readers; judged by who reads them, and who knows the code of the refusal.
  if (httpPart === 'headers') return (value: unknown) => ({ value })
  const compiled = Compile(schema)
  return (given: unknown) => {
    const value = httpPart === 'querystring' ? fromText(schema, given) : given
    if (compiled.Check(value)) {
      // A body that is a text is an upload, too.
      const instancePath = typeof value === 'string' ? null : unkept(value)
      if (instancePath === null) return { value }
      const message = 'holds a character that cannot be kept'
      return { error: [{ keyword: 'text', instancePath, schemaPath: '', params: {}, message }] }
    }
    const errors = compiled.Errors(value) as FastifySchemaValidationError[]
    const telling = errors.filter(({ keyword }) => !NOISE.has(keyword))
    return { error: (telling.length > 0 ? telling : errors).slice(0, MOST_COMPLAINTS).map(describe) }
  }
}
