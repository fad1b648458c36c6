/** The body of a refusal: RFC 9457, with a stable code (ERR-1). */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly [field: string]: unknown
}

/** Every code that is not a domain's refusal: status and title. */
const kinds = {
  invalid_request: [400, 'The request is not valid'],
  idempotency_key_required: [400, 'An Idempotency-Key is required'],
  unauthorized: [401, 'Not signed in'],
  forbidden: [403, 'Not allowed'],
  reveal_not_allowed: [403, 'Not shown'],
  account_deleted: [403, 'The account is deleted'],
  not_found: [404, 'Not found'],
  request_timeout: [408, 'Request Timeout'],
  answered_already: [409, 'Answered already'],
  idempotency_key_reused: [409, 'The Idempotency-Key belongs to another request'],
  body_too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'The media type is not supported'],
  rate_limited: [429, 'Too many requests'],
  headers_too_large: [431, 'Request Header Fields Too Large'],
  internal: [500, 'Something went wrong'],
  unavailable: [503, 'Not available at the moment'],
} as const

export type ProblemCode = keyof typeof kinds

/** The status of every code that is not a domain's. */
export const codeStatuses = Object.fromEntries(
  Object.entries(kinds).map(([code, [status]]) => [code, status]),
) as Readonly<Record<ProblemCode, number>>

/** A problem of a code that is no domain's own. `fields` are named in the contract. */
export const problem = (code: ProblemCode, detail: string, fields: Record<string, unknown> = {}): Problem => {
  const [status, title] = kinds[code]
  return { ...fields, type: `urn:coding-plans:problem:${code}`, title, status, detail, code }
}

/** Thrown at the edge only, where an answer is due and nothing else may happen. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly problem: Problem
  readonly retryAfterSeconds: number | null

  constructor(body: Problem, retryAfterSeconds: number | null = null) {
    super(body.detail)
    this.problem = body
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** To anybody who asks for something, or for whom it is asked, after the deletion (PER-1). */
export const accountDeleted = () => problem('account_deleted', 'Nothing can be asked for any more.')

export const notFound = (what: string) => new Refused(problem('not_found', `There is no such ${what}.`))
export const invalid = (detail: string) => new Refused(problem('invalid_request', detail))

const TRY_AGAIN_AFTER_SECONDS = 1

/** Said before anything is accepted: nothing was done. */
export const unavailable = (detail = 'Nothing was accepted; try again.') =>
  new Refused(problem('unavailable', detail), TRY_AGAIN_AFTER_SECONDS)
