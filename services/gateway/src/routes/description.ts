import type { RouteOptions } from 'fastify'
import { type TProperties, type TSchema, Type } from 'typebox'
import { codeStatuses, type ProblemCode } from '../problem.ts'
import { type RefusalEvent, statusesOf } from '../refusals.ts'
import { Problem } from '../shapes.ts'

/** What a route may answer, for the readers of /openapi.json and for whoever fuzzes it: nothing else may ever be answered. */

interface Described {
  readonly description: string
  readonly content: Readonly<Record<string, { readonly schema: TSchema }>>
  readonly headers?: Readonly<Record<string, TSchema>>
}
type Answers = Record<string, TSchema | Described>
export type Refusal = RefusalEvent | ProblemCode

const statusesOfOne = (refusal: Refusal): readonly (readonly [status: number, code: string])[] =>
  refusal in codeStatuses ? [[codeStatuses[refusal as ProblemCode], refusal]] : statusesOf(refusal as RefusalEvent)

const retryAfter = { 'retry-after': Type.String({ description: 'seconds' }) }
const carriesRetryAfter = new Set(['429', '503'])

/** Adds these refusals to what is described already; each status names its codes. */
const withRefusals = (answers: Answers, refusals: readonly Refusal[]): Answers => {
  const described = { ...answers }
  for (const [number, code] of refusals.flatMap(statusesOfOne)) {
    const status = String(number)
    const codes = new Set((described[status] as Described | undefined)?.description.split(', ') ?? [])
    described[status] = {
      description: [...codes.add(code)].join(', '),
      content: { 'application/problem+json': { schema: Type.Unsafe({ $ref: `${Problem.$id}#` }) } },
      ...(carriesRetryAfter.has(status) ? { headers: retryAfter } : {}),
    }
  }
  return described
}

/** Bodies by status, and the refusals that are this route's own; what any route may answer is added at the door. */
export const answers = (bodies: Readonly<Record<number, TSchema | Described>>, ...refusals: Refusal[]): unknown =>
  withRefusals(bodies as Answers, refusals)

/** An answer of another media type than JSON, or of several. */
export const inKinds = (description: string, kinds: Readonly<Record<string, TSchema>>): Described => ({
  description,
  content: Object.fromEntries(Object.entries(kinds).map(([kind, schema]) => [kind, { schema }])),
})

// Node's parser and the limits of the server answer before there is a route.
const anywhere: readonly ProblemCode[] = [
  'invalid_request',
  'unauthorized',
  'request_timeout',
  'headers_too_large',
  'internal',
  'unavailable',
]

const headersOf = (schema: RouteOptions['schema']) =>
  (schema?.headers as { properties?: TProperties } | undefined)?.properties ?? {}

const ofAnybody = ({ method, config, schema }: RouteOptions, own: Answers): Refusal[] => {
  const reads = method === 'GET' || method === 'HEAD'
  const asks = !reads || '202' in own
  const keyed = 'idempotency-key' in headersOf(schema)
  return [
    ...anywhere,
    ...((config?.roles?.length ?? 0) > 0 ? (['forbidden'] as const) : []),
    ...(schema?.params ? (['not_found'] as const) : []),
    ...(config?.limit ? (['rate_limited'] as const) : []),
    ...(reads ? [] : (['body_too_large', 'unsupported_media_type'] as const)),
    ...(asks && !config?.machine ? (['account_deleted'] as const) : []),
    ...(keyed ? (['idempotency_key_required', 'idempotency_key_reused'] as const) : []),
  ]
}

const commandHeaders = {
  'operation-id': Type.String({ description: 'where to look again: /v1/operations/{id}' }),
  'idempotency-replayed': Type.String({ enum: ['true'], description: 'only when it is the first outcome again' }),
}
const prefer = Type.Optional(
  Type.String({ description: '`wait=SECONDS`: how long to wait for the outcome; 10 if absent, 30 at most' }),
)

const asJson = (answer: TSchema | Described): Described =>
  'content' in answer
    ? (answer as Described)
    : { description: 'As asked for', content: { 'application/json': { schema: answer as TSchema } } }

/** An operation that can be waited for: its headers in and out. */
const describeCommand = (route: RouteOptions, described: Answers) => {
  for (const status of ['200', '201', '202'] as const) {
    const answer = described[status]
    if (!answer) continue
    const location = Type.String({ description: 'the operation that is still running' })
    const headers = status === '202' ? { ...commandHeaders, location } : commandHeaders
    described[status] = { ...asJson(answer), headers }
  }
  route.schema = { ...route.schema, headers: Type.Object({ ...headersOf(route.schema), prefer }) }
}

/** Completes what a route says of itself. To be called while it is registered. */
export const describeRoute = (route: RouteOptions) => {
  const own = (route.schema?.response ?? {}) as Answers
  const described = withRefusals(own, ofAnybody(route, own))
  if ('202' in described) describeCommand(route, described)
  route.schema = { ...route.schema, response: described }
}
