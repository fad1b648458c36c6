import { say } from '@coding-plans/runtime'
import type { FastifyReply } from 'fastify'
import { type Static, Type } from 'typebox'
import { keyOf, perform, performSealed, type Sender } from '../command.ts'
import { pageAsked, pageOf } from '../cursor.ts'
import { entriesFromLines, entriesFromList, MOST_ENTRIES, type UploadEntry } from '../entries-upload.ts'
import { textOf } from '../json-body.ts'
import { showKey, showStock } from '../presentation.ts'
import { invalid, problem } from '../problem.ts'
import { uploadBinding } from '../sealing.ts'
import { At, Nullable, OneOf, Operation, page, Shape, Upload } from '../shapes.ts'
import { type Api, answers, byId, Id, idempotent, inventory, pageQuery, type Routes } from './route.ts'
import { requireSealed } from './slots.ts'

/** A sealed message has at most 4 MiB; what sealing and the line numbers add stays below the difference. */
const MOST_UPLOAD_BYTES = 4 * 1024 * 1024 - 64 * 1024

const Line = Type.String({ maxLength: 10_000 })
const UploadBody = Shape({
  entries: Type.Array(
    Shape({
      key: Type.Optional(Line),
      upstreamPlanId: Type.Optional(Line),
      expiresAt: Type.Optional(Line),
    }),
    { minItems: 1, maxItems: MOST_ENTRIES },
  ),
  allOrNothing: Type.Optional(Type.Boolean()),
})
type UploadBody = Static<typeof UploadBody>

/** NDJSON. Requests are told apart by the JSON meaning of a line; one that has none, by how it was written. */
const readLines = (text: string) => {
  const written = text.split('\n')
  const entries = entriesFromLines(text)
  return { entries, sent: entries.map((entry) => ('malformed' in entry ? written[entry.line - 1] : entry)) }
}

/** @throws Refused 400 for no body at all, for which no schema is looked up. */
const read = (body: UploadBody | string | undefined): Omit<Asked, 'allOrNothing'> & { allOrNothing?: boolean } => {
  if (body === undefined) throw invalid('body must be a list of entries, or one entry a line')
  if (typeof body === 'string') return readLines(body)
  const { entries, ...more } = body
  return { entries: entriesFromList(entries), sent: entries, ...more }
}

const KEY_STATES = [
  'available',
  'quarantined',
  'assigned',
  'revocation_pending',
  'revoked',
  'revocation_failed',
  'retired',
] as const

const Counts = Shape(Object.fromEntries(KEY_STATES.map((state) => [state, Type.Integer()])))
const Stock = Shape({ planId: Type.String(), providerId: Type.String(), counts: Counts, waiting: Type.Integer() })
const Key = Shape({
  id: Type.String(),
  planId: Type.String(),
  state: OneOf(...KEY_STATES),
  upstreamPlanId: Nullable(Type.String()),
  uploadedAt: At,
  assignedAt: Nullable(At),
  subscriptionId: Nullable(Type.String()),
  attempts: Type.Integer(),
  lastError: Nullable(Type.String()),
})

export const adminKeyRoutes: Routes = (api, desk) => {
  const { reading } = desk

  /** Seal the lines and send them; a plan that nobody knows is refused here, since the inventory knows none. */
  const upload = async (request: Sender, reply: FastifyReply, planId: string, asked: Asked) => {
    const { id: actor } = request.caller
    const key = keyOf(desk, request, 'upload_keys', { sent: asked.sent, allOrNothing: asked.allOrNothing })
    const plan = await reading.plan(planId)
    const intent = { kind: 'upload_keys', caller: actor, subject: planId, key } as const
    const parts = { desk, request, reply }
    if (!plan) {
      const refused = problem('not_found', 'There is no such plan.')
      return perform(parts, { ...intent, command: () => ({ refused }) })
    }
    return performSealed(parts, {
      plaintext: JSON.stringify(asked.entries),
      binding: (operationId) => uploadBinding(planId, operationId),
      intent: (sealed) => ({
        ...intent,
        command: ({ id: operationId }) =>
          say('UploadKeys', {
            planId,
            operationId,
            providerId: plan.providerId,
            allOrNothing: asked.allOrNothing,
            lowStockThreshold: plan.lowStockThreshold,
            actor,
            ...requireSealed(sealed),
          }),
      }),
    })
  }

  api.register((scope, _options, done) => {
    const uploads = scope as unknown as Api
    uploads.addContentTypeParser<Buffer>(
      'application/x-ndjson',
      { parseAs: 'buffer' },
      async (_request: unknown, body: Buffer) => textOf(body),
    )
    uploads.post(
      '/admin/plans/:id/keys',
      {
        config: inventory,
        bodyLimit: MOST_UPLOAD_BYTES,
        schema: {
          summary: 'Add keys to a plan’s stock: JSON or NDJSON (needs an Idempotency-Key)',
          headers: idempotent,
          params: byId,
          querystring: Shape({ allOrNothing: Type.Optional(Type.Boolean()) }),
          body: {
            content: {
              'application/json': { schema: UploadBody },
              'application/x-ndjson': { schema: Type.String({ description: 'one entry a line' }) },
            },
          },
          response: answers({ 200: Upload, 202: Operation }, 'UploadRefused'),
        },
      },
      (request, reply) => {
        const { params, query } = request
        const { allOrNothing = query.allOrNothing ?? false, ...asked } = read(
          request.body as UploadBody | string | undefined,
        )
        return upload(request, reply, params.id, { ...asked, allOrNothing })
      },
    )
    done()
  })

  api.get(
    '/admin/inventory',
    {
      config: { roles: ['inventory', 'support'] },
      schema: {
        summary: 'Keys by plan and state',
        querystring: Shape({ planId: Type.Optional(Id) }),
        response: answers({ 200: page(Stock) }),
      },
    },
    async ({ query }) => ({ data: (await reading.stock(query.planId)).map(showStock), nextCursor: null }),
  )

  api.get(
    '/admin/inventory/keys',
    {
      config: inventory,
      schema: {
        summary: 'Single keys, newest first; never a secret',
        querystring: Shape({
          ...pageQuery,
          planId: Type.Optional(Id),
          state: Type.Optional(OneOf(...KEY_STATES)),
        }),
        response: answers({ 200: page(Key) }),
      },
    },
    async ({ query }) => {
      const asked = pageAsked(query, 2)
      const { planId, state } = query
      const rows = await reading.keys({ ...(planId ? { planId } : {}), ...(state ? { state } : {}) }, asked)
      return pageOf(rows, asked, ({ uploadedAt, sequence }) => [uploadedAt, sequence], showKey)
    },
  )
}

interface Asked {
  readonly entries: readonly UploadEntry[]
  /** What was sent, for the hash that tells requests apart. */
  readonly sent: unknown
  readonly allOrNothing: boolean
}
