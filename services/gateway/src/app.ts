import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { aMachine, mayAct } from './authentication.ts'
import type { Desk } from './desk.ts'
import { requireOneMeaning, textOf } from './json-body.ts'
import { problem, Refused } from './problem.ts'
import { onError, onFrameworkError, onUnknownPath } from './problem-reply.ts'
import { accountRoutes } from './routes/account.ts'
import { adminCreditsRoutes } from './routes/admin-credits.ts'
import { adminDeadLetterRoutes } from './routes/admin-dead-letters.ts'
import { adminKeyRoutes } from './routes/admin-keys.ts'
import { adminPlanRoutes } from './routes/admin-plans.ts'
import { adminRevocationRoutes } from './routes/admin-revocations.ts'
import { adminSubscriptionRoutes } from './routes/admin-subscriptions.ts'
import { adminSystemRoutes } from './routes/admin-system.ts'
import { creditRoutes } from './routes/credits.ts'
import { cronRoutes } from './routes/cron.ts'
import { describeRoute } from './routes/description.ts'
import { notificationRoutes } from './routes/notifications.ts'
import { operationRoutes } from './routes/operations.ts'
import { planRoutes } from './routes/plans.ts'
import type { Api, Routes } from './routes/route.ts'
import { slotRoutes } from './routes/slots.ts'
import { subscriptionRoutes } from './routes/subscriptions.ts'
import { Problem } from './shapes.ts'
import { compileSchema } from './validation.ts'

const MOST_BODY_BYTES = 64 * 1024

const everyRoute: readonly Routes[] = [
  planRoutes,
  subscriptionRoutes,
  slotRoutes,
  creditRoutes,
  notificationRoutes,
  operationRoutes,
  accountRoutes,
  cronRoutes,
  adminPlanRoutes,
  adminKeyRoutes,
  adminRevocationRoutes,
  adminCreditsRoutes,
  adminSubscriptionRoutes,
  adminDeadLetterRoutes,
  adminSystemRoutes,
]

/** What the server must be told before its first route; see `serverOptions` in main. */
export const serverOptions = {
  bodyLimit: MOST_BODY_BYTES,
  routerOptions: { maxParamLength: 300 },
  // What waits is answered at the end, and streams end by themselves: nobody is cut off.
  forceCloseConnections: 'idle',
  frameworkErrors: onFrameworkError,
} as const

/** Who may call, for the readers of /openapi.json. */
export const openapi = {
  components: {
    securitySchemes: {
      user: { type: 'http' as const, scheme: 'bearer', bearerFormat: 'JWT' },
      machine: { type: 'http' as const, scheme: 'bearer', description: 'CRON_SECRET' },
    },
  },
  security: [{ user: [] as string[] }],
}

/** The one page for people: its own scripts and styles, and asking this server. */
const policyOfDocs = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
}

/** Put the contract on a server. Builds without listening. */
export const buildApp = async (http: FastifyInstance, desk: Desk): Promise<void> => {
  await http.register(swaggerUi, { routePrefix: '/docs', staticCSP: policyOfDocs })
  http.addSchema(Problem)
  http.setNotFoundHandler(onUnknownPath)
  await http.register(
    (scope, _options, done) => {
      readBodies(scope)
      scope.setValidatorCompiler(compileSchema)
      // Answers are kept bodies, sent as they are kept; the schemas of answers are for readers and for tests.
      scope.setSerializerCompiler(() => (body) => JSON.stringify(body))
      scope.setErrorHandler(onError)
      scope.setNotFoundHandler(onUnknownPath)
      admit(scope, desk)
      for (const routes of everyRoute) routes(scope as unknown as Api, desk)
      done()
    },
    { prefix: '/v1' },
  )
}

/** JSON alone; no body at all is none. */
const readBodies = (scope: FastifyInstance) => {
  const parse = scope.getDefaultJsonParser('error', 'error')
  scope.removeAllContentTypeParsers()
  const read = (request: FastifyRequest, text: string) =>
    new Promise<unknown>((resolve, reject) => {
      const done = (error: Error | null, value?: unknown) => (error ? reject(error) : resolve(value))
      void parse(request, text, done)
    })
  scope.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      const text = textOf(body)
      return text === '' ? undefined : requireOneMeaning(text, await read(request, text))
    },
  )
}

/** The first refusals, in their order: 401, 403, 429. */
const admit = (scope: FastifyInstance, { authenticate, admitCron, limits, waiting }: Desk) => {
  scope.addHook('onRoute', (route) => {
    if (!route.config?.roles) throw new Error(`${route.url} does not say who may call it.`)
    describeRoute(route)
  })
  scope.addHook('onSend', async (_, reply) => {
    // A connection that is kept for the next request would keep the server from ending.
    if (waiting.closed) reply.header('connection', 'close')
  })
  scope.addHook('onRequest', async (request) => {
    // Before anything is awaited: what is answered from here on, the sender could not know (EXT-3).
    request.horizon = waiting.horizon
    if (request.is404) return
    const { roles = [], limit, machine } = request.routeOptions.config
    const { authorization } = request.headers
    if (machine) admitCron(authorization)
    const caller = machine ? aMachine : await authenticate(authorization)
    request.caller = caller
    if (roles.length > 0 && !mayAct(caller, roles))
      throw new Refused(problem('forbidden', `This is open to ${roles.join(', ')}.`))
    if (limit) limits[limit](caller.id)
    if (request.url.includes('%00')) throw new Refused(problem('invalid_request', 'The address holds U+0000.'))
  })
  scope.addHook('preValidation', async ({ body, routeOptions }) => {
    if (routeOptions.schema?.body || body === undefined || body === null) return
    if (typeof body !== 'object' || Array.isArray(body) || Object.keys(body).length > 0)
      throw new Refused(problem('invalid_request', 'This takes no body.'))
  })
}
