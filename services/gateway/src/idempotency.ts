import { createHash, createHmac, randomUUID } from 'node:crypto'
import { problem, Refused } from './problem.ts'

/** Caller, operation and key as one hash; and the request that used it, hashed under a secret: it may hold one itself. */
export interface IdempotencyKey {
  readonly scope: Buffer
  readonly request: Buffer
}

/** JSON by its meaning: the order of members does not count. */
const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  const sorted = members.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`
}

const REQUEST_LABEL = 'coding-plans/v1 idempotent request'

/** @param secret keys the hash of the request, so that a key in its body cannot be guessed from the database */
export const idempotencyKey = (
  secret: Buffer,
  { caller, operation, key }: { caller: string; operation: string; key: string },
  request: { path: string; body: unknown },
): IdempotencyKey => ({
  scope: createHash('sha256')
    .update(JSON.stringify([caller, operation, key]))
    .digest(),
  request: createHmac('sha256', secret)
    .update(`${REQUEST_LABEL}\n${canonical([request.path, request.body])}`)
    .digest(),
})

const ID_CHARACTERS = 32

export const FIRST_ATTEMPT = 1

/** The id of the n-th attempt under a key: the same on every instance. */
export const operationIdOf = (scope: Buffer, attempt: number) =>
  `op_${createHash('sha256').update(scope).update(String(attempt)).digest('hex').slice(0, ID_CHARACTERS)}`

export const newOperationId = () => `op_${randomUUID().replaceAll('-', '')}`

const LONGEST_KEY = 200

/** The header of a request that needs one. @throws Refused 400 */
export const keyFrom = (header: string | string[] | undefined): string => {
  const key = typeof header === 'string' ? header : ''
  if (key.length < 1 || key.length > LONGEST_KEY)
    throw new Refused(problem('idempotency_key_required', `Send an Idempotency-Key of 1 to ${LONGEST_KEY} characters.`))
  return key
}
