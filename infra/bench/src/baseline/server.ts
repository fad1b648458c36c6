import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify'
import { jwtVerify } from 'jose'
import type pg from 'pg'
import { type Refusal, statement } from './database.ts'
import type { Account } from './ledger.ts'
import { purchase } from './purchase.ts'
import { tick } from './renewal.ts'
import { type Subscription, showSubscription } from './subscription.ts'

const MOST_BODY_BYTES = 64 * 1024
const LONGEST_KEY = 200
const MOST_LISTED = 100

interface Caller {
  readonly userId: string
  readonly roles: readonly string[]
}

declare module 'fastify' {
  interface FastifyRequest {
    signedIn: Caller
  }
}

class Refused extends Error {
  readonly refusal: Refusal
  constructor(status: number, code: string, title: string) {
    super(title)
    this.refusal = { status, code, title }
  }
}

const authenticator = async (secret: string) => {
  const encoded = new TextEncoder().encode(secret)
  const key = await crypto.subtle.importKey('raw', encoded, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
  return async (authorization: string | undefined): Promise<Caller> => {
    const unauthorized = new Refused(401, 'unauthorized', 'Not signed in')
    const token = /^Bearer ([\w.-]+)$/i.exec(authorization ?? '')?.[1]
    if (!token) throw unauthorized
    const options = { algorithms: ['HS256'], requiredClaims: ['sub', 'exp'] }
    const { payload } = await jwtVerify(token, key, options).catch(() => {
      throw unauthorized
    })
    const { sub: userId, roles = [] } = payload
    if (!userId || !Array.isArray(roles)) throw unauthorized
    return { userId, roles }
  }
}

const sendRefusal = (reply: FastifyReply, { status, code, title, amounts }: Refusal) => {
  const problem = { type: `urn:coding-plans:problem:${code}`, title, status, detail: title, code, ...amounts }
  return reply.code(status).type('application/problem+json').send(JSON.stringify(problem))
}

const onError = (error: FastifyError | Refused, _: unknown, reply: FastifyReply) => {
  if ('refusal' in error) return sendRefusal(reply, error.refusal)
  const status = error.statusCode ?? 500
  if (status < 500) return sendRefusal(reply, { status, code: 'invalid_request', title: 'The request is not valid' })
  return sendRefusal(reply, { status: 500, code: 'internal', title: 'Something went wrong' })
}

const bodyOf = (properties: Record<string, object>) => ({
  body: { type: 'object', properties, required: Object.keys(properties), additionalProperties: false },
})

const readAccount = statement<Account>('read_account', 'select * from accounts where user_id = $1')

const readSubscriptions = statement<Subscription>(
  'read_subscriptions',
  `select * from subscriptions where user_id = $1 order by created_at desc, id desc limit ${MOST_LISTED}`,
)

export interface ServerOptions {
  readonly pool: pg.Pool
  readonly authSecret: string
  /** How many terms a tick renews at once. */
  readonly renewalsAtOnce: number
}

/** Builds without listening. */
export const buildServer = async ({ pool, authSecret, renewalsAtOnce }: ServerOptions): Promise<FastifyInstance> => {
  const authenticate = await authenticator(authSecret)
  const server = fastify({
    bodyLimit: MOST_BODY_BYTES,
    forceCloseConnections: 'idle',
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  })
  server.setErrorHandler(onError)
  server.decorateRequest('signedIn')
  server.addHook('onRequest', async (request) => {
    if (request.url.startsWith('/v1/')) request.signedIn = await authenticate(request.headers.authorization)
  })

  server.get('/healthz', async () => {
    await pool.query('select 1')
    return { ok: true }
  })

  const aPurchase = bodyOf({ planId: { type: 'string', minLength: 1, maxLength: 200 } })
  server.post<{ Body: { planId: string } }>('/v1/subscriptions', { schema: aPurchase }, async (request, reply) => {
    const { userId } = request.signedIn
    const idempotencyKey = request.headers['idempotency-key']
    if (typeof idempotencyKey !== 'string' || idempotencyKey === '' || idempotencyKey.length > LONGEST_KEY)
      throw new Refused(400, 'idempotency_key_required', 'An Idempotency-Key is required')
    const { planId } = request.body
    const answer = await purchase(pool, { userId, planId, idempotencyKey, now: Date.now() })
    if ('refusal' in answer) return sendRefusal(reply, answer.refusal)
    if (answer.replayed) reply.header('idempotency-replayed', 'true')
    reply.header('operation-id', answer.operationId).type('application/json; charset=utf-8')
    return reply.code(201).send(answer.body)
  })

  const aTick = bodyOf({ now: { type: 'string', format: 'date-time' } })
  server.post<{ Body: { now: string } }>('/v1/admin/billing/tick', { schema: aTick }, async (request) => {
    const { roles } = request.signedIn
    if (!roles.includes('admin')) throw new Refused(403, 'forbidden', 'Not allowed')
    return tick(pool, Date.parse(request.body.now), renewalsAtOnce)
  })

  server.get('/v1/credits', async (request) => {
    const { userId } = request.signedIn
    const [{ available, held } = { available: 0, held: 0 }] = await readAccount(pool, userId)
    return {
      balanceMicrodollars: available + held,
      heldMicrodollars: held,
      availableMicrodollars: available,
      autoTopUp: { enabled: false, amountMicrodollars: 0, paymentMethodId: null },
    }
  })

  server.get('/v1/subscriptions', async (request) => {
    const { userId } = request.signedIn
    return { data: (await readSubscriptions(pool, userId)).map(showSubscription), nextCursor: null }
  })
  return server
}
