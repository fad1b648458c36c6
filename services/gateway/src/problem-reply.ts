import { isTrouble } from '@coding-plans/runtime'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { type Problem, type ProblemCode, problem, Refused, unavailable } from './problem.ts'

const RETRY_AFTER_SECONDS = 1

export const sendProblem = (reply: FastifyReply, body: Problem, retryAfterSeconds: number | null = null) => {
  const retryAfter = retryAfterSeconds ?? (body.status === 503 ? RETRY_AFTER_SECONDS : null)
  if (retryAfter !== null) reply.header('retry-after', String(retryAfter))
  return reply.code(body.status).type('application/problem+json').send(JSON.stringify(body))
}

const codeOfStatus: Readonly<Record<number, readonly [ProblemCode, string]>> = {
  400: ['invalid_request', 'The request cannot be read.'],
  413: ['body_too_large', 'The body is larger than this route takes.'],
  // A part of the address longer than any id of ours.
  414: ['not_found', 'There is no such path.'],
  415: ['unsupported_media_type', 'Send application/json, or what the route names.'],
}

// objection wraps what the driver threw.
const beneath = (error: Error & { nativeError?: unknown }) => error.nativeError ?? error

/** Whatever went wrong becomes a problem; what is not the caller's doing says nothing of the inside (ERR-1). */
export const onError = (error: FastifyError | Refused, request: FastifyRequest, reply: FastifyReply) => {
  if (error instanceof Refused) return sendProblem(reply, error.problem, error.retryAfterSeconds)
  if (error.validation) return sendProblem(reply, problem('invalid_request', error.message))
  const known = codeOfStatus[error.statusCode ?? 0]
  if (known) return sendProblem(reply, problem(...known))
  if (isTrouble(beneath(error))) return sendProblem(reply, unavailable('It cannot be read at the moment.').problem)
  request.log.error({ err: error, route: request.routeOptions.url }, 'A request failed')
  return sendProblem(reply, problem('internal', 'Something unexpected happened; it was noted.'))
}

/** What has no route meets no hook either: its headers are given here. */
export const onFrameworkError: typeof onError = (error, request, reply) =>
  onError(error, request, reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }))

export const onUnknownPath = (_: FastifyRequest, reply: FastifyReply) =>
  sendProblem(reply, problem('not_found', 'There is no such path.'))
