import { requireInternal, type ServiceOptions } from '@coding-plans/runtime'
import { type Instant, instant } from '@coding-plans/schemas'
import type { Revealed, RevealRequest } from './reveals.ts'
import type { Seals } from './sealing.ts'

type Http = Parameters<NonNullable<ServiceOptions<unknown>['routes']>>[0]

export interface InternalParts {
  readonly revealSecret: Buffer
  readonly seals: Seals
  readonly reveal: (request: RevealRequest) => Promise<Revealed>
  readonly now: () => Instant
}

const revealBody = {
  type: 'object',
  required: ['userId', 'providerId'],
  additionalProperties: false,
  properties: {
    userId: { type: 'string', minLength: 1, maxLength: 1_000 },
    providerId: { type: 'string', minLength: 1, maxLength: 1_000 },
    /** Business time in epoch milliseconds; the wall clock's if absent. */
    at: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
  },
} as const

const statusOf = { not_found: 404, reveal_not_allowed: 403, rate_limited: 429 } as const

/** The two synchronous calls that the gateway makes here (protocol.md 7): the sealing key, and a reveal. */
export const internalRoutes = (http: Http, { revealSecret, seals, reveal, now }: InternalParts) => {
  // Before the body is read: a stranger's is never parsed.
  const onRequest = requireInternal(revealSecret)

  http.get('/internal/sealing-key', { onRequest }, () => ({
    keyId: seals.keyId,
    publicKey: seals.publicKey.toString('base64'),
  }))

  http.post<{ Body: { userId: string; providerId: string; at?: number } }>(
    '/internal/reveal',
    { onRequest, schema: { body: revealBody } },
    async ({ body: { userId, providerId, at } }, reply) => {
      const revealed = await reveal({ userId, providerId, at: at === undefined ? now() : instant(at) })
      reply.header('cache-control', 'no-store')
      if ('key' in revealed) return revealed
      const { refused: code, ...more } = revealed
      return reply.code(statusOf[code]).send({ code, ...more })
    },
  )
}
