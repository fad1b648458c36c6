import { timingSafeEqual } from 'node:crypto'
import helmet from '@fastify/helmet'
import swagger from '@fastify/swagger'
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  LogController,
  type RouteOptions,
} from 'fastify'
import { MOST_CONNECTIONS, MOST_HEADERS, serverLimits, tooManyHeaders } from './http-limits.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'

export interface HttpOptions {
  readonly service: string
  readonly log: Logger
  readonly metrics: Metrics
  readonly internalSecret: Buffer
  /** Whether everything answers. */
  readonly ready: () => Promise<{ ready: boolean; reasons: string[] }>
  /** What is still open in this service (protocol.md 8, Settled). */
  readonly open: () => Promise<OpenWork>
  readonly server?: FastifyServerOptions
  /** What the service's OpenAPI description says besides its routes. */
  readonly openapi?: object
  /** For a test that wants to know every route, also those of every service. */
  readonly onRoute?: (route: RouteOptions) => void
}

export interface OpenWork {
  readonly unpublished: number
  readonly calls: number
  readonly due: number
}

/** Answers are for programs: a browser that is shown one runs nothing of it, and frames it nowhere. */
const policy = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"] },
  },
  frameguard: { action: 'deny' as const },
  // Told over TLS alone; whether other names of the domain have TLS is not ours to say.
  hsts: { maxAge: 31_536_000, includeSubDomains: false },
}

/** What every service answers to machines; a service adds its own routes. Builds without listening. */
export const createHttp = async (options: HttpOptions): Promise<FastifyInstance> => {
  const { service, log, metrics, internalSecret, ready, open } = options
  const http = fastify({
    loggerInstance: log as never,
    logController: new LogController({ disableRequestLogging: true }),
    ...serverLimits,
    ...options.server,
  }) as unknown as FastifyInstance
  http.server.maxConnections = MOST_CONNECTIONS
  // None is dropped unseen: what is too many is counted, and refused.
  http.server.maxHeadersCount = 0
  if (options.onRoute) http.addHook('onRoute', options.onRoute)
  await http.register(helmet, policy)
  http.addHook('onRequest', async ({ raw }, reply) => {
    // Whoever knows better says so; nothing is kept on the way by default.
    reply.header('cache-control', 'no-store')
    if (raw.rawHeaders.length > 2 * MOST_HEADERS)
      return reply.code(431).type('application/problem+json').send(tooManyHeaders())
  })
  await http.register(swagger, {
    openapi: { ...options.openapi, openapi: '3.1.0', info: { title: `Coding Plans: ${service}`, version: '1' } },
    refResolver: { buildLocalReference: ({ $id }, _base, _fragment, place) => String($id ?? `def-${place}`) },
  })
  const hidden = { schema: { hide: true } }
  http.get('/healthz', hidden, async () => ({ status: 'alive' }))
  http.get('/readyz', hidden, async (_, reply) => {
    const verdict = await ready()
    return reply.code(verdict.ready ? 200 : 503).send(verdict)
  })
  http.get('/metrics', hidden, async (_, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  )
  http.get('/openapi.json', hidden, async () => http.swagger())
  http.get('/internal/open', { ...hidden, preHandler: requireInternal(internalSecret) }, () => open())
  return http
}

/** Lets only those pass who know this secret; compares in constant time. */
export const requireInternal = (secret: Buffer) => {
  const expected = Buffer.from(`Bearer ${secret.toString('base64')}`)
  return async ({ headers }: FastifyRequest, reply: FastifyReply) => {
    const given = Buffer.from(headers.authorization ?? '')
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      return reply.code(401).send({ code: 'unauthorized' })
  }
}
