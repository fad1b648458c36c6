import { say } from '@coding-plans/runtime'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { keyOf, perform, performSealed, type Sender } from '../command.ts'
import { pageAsked, pageOf } from '../cursor.ts'
import { entriesFromLines, entriesFromList, MOST_ENTRIES, type UploadEntry } from '../entries-upload.ts'
import { showKey, showStock } from '../presentation.ts'
import { problem } from '../problem.ts'
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
/** What the parser of NDJSON makes. */
class Lines {
  readonly entries: UploadEntry[]
  readonly text: string
  constructor(text: string) {
    this.text = text
    this.entries = entriesFromLines(text)
  }
  /** By their JSON meaning; what has none is compared as it was written. */
  get sent() {
    const written = this.text.split('\n')
    return this.entries.map((entry) => ('malformed' in entry ? written[entry.line - 1] : entry))
  }
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
    uploads.addContentTypeParser<string>(
      'application/x-ndjson',
      { parseAs: 'string' },
      async (_request: unknown, body: string) => new Lines(body),
    )
    uploads.post(
      '/admin/plans/:id/keys',
      {
        config: inventory,
        bodyLimit: MOST_UPLOAD_BYTES,
        schema: {
          summary: 'Add keys to a plan’s stock: JSON or NDJSON (needs an Idempotency-Key)',
          headers: idempotent,
          consumes: ['application/json', 'application/x-ndjson'],
          params: byId,
          querystring: Shape({ allOrNothing: Type.Optional(Type.Boolean()) }),
          body: Type.Union([UploadBody, Type.Unsafe<Lines>(Type.Object({ text: Type.String() }))]),
          response: answers({ 200: Upload, 202: Operation }),
        },
      },
      (request, reply) => {
        const { params, body, query } = request
        const lines = body instanceof Lines
        const allOrNothing = (lines ? query.allOrNothing : (body.allOrNothing ?? query.allOrNothing)) ?? false
        const entries = lines ? body.entries : entriesFromList(body.entries)
        const sent = lines ? body.sent : body.entries
        return upload(request, reply, params.id, { entries, sent, allOrNothing })
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
