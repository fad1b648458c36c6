import { createHash, timingSafeEqual } from 'node:crypto'
import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { problem, Refused, unavailable } from './problem.ts'
import { type FindKey, publishedKeys } from './published-keys.ts'

export const roles = ['support', 'inventory', 'billing', 'admin'] as const
export type Role = (typeof roles)[number]

/** Who asks. Every signed-in caller is a user; roles are what they are besides. */
export interface Caller {
  readonly id: string
  readonly roles: ReadonlySet<string>
}

/** @throws Refused 401; 503 while the published keys cannot be read. */
export type Authenticate = (authorization: string | undefined) => Promise<Caller>

const unauthorized = () => new Refused(problem('unauthorized', 'Send a valid bearer token.'))

const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const LONGEST_USER_ID = 200

/** Whose tokens are good. */
export interface Issuer {
  readonly secret: string | null
  readonly jwksUrl: string | null
  /** What `iss` and `aud` must say; null: anything. */
  readonly issuer?: string | null
  readonly audience?: string | null
}

/** One of the two is given; published keys win. */
const keysFrom = ({ secret, jwksUrl }: Issuer, now: () => number): { algorithms: string[]; find: FindKey } => {
  if (jwksUrl) return { algorithms: ASYMMETRIC, find: publishedKeys(jwksUrl, now) }
  const key = new TextEncoder().encode(secret ?? '')
  return { algorithms: ['HS256'], find: async () => ({ key, until: Number.POSITIVE_INFINITY }) }
}

const callerFrom = (claims: Record<string, unknown>): Caller => {
  const { sub, roles: given = [] } = claims
  if (typeof sub !== 'string' || sub === '' || sub.length > LONGEST_USER_ID) throw unauthorized()
  if (sub.includes('\0') || !sub.isWellFormed()) throw unauthorized()
  if (!Array.isArray(given) || !given.every((role) => typeof role === 'string')) throw unauthorized()
  return { id: sub, roles: new Set(given) }
}

/** Whether the token is to blame, and not the keys. */
const isTheirs = (error: unknown) =>
  error instanceof Refused || (error instanceof errors.JOSEError && !(error instanceof errors.JWKSInvalid))

// Far below what all headers may have; a good one has half a kilobyte.
const LONGEST_TOKEN = 8 * 1024
const MOST_REMEMBERED = 5_000

/**
 * Checks bearer tokens: signature, `exp` in real time, `sub`, `roles`. A token that was good is remembered until it ends, but no
 * longer than the keys by which it was, for they are then read anew.
 */
export const authenticator = (config: Issuer, now: () => number): Authenticate => {
  const { algorithms, find } = keysFrom(config, now)
  const { issuer, audience } = config
  const expected = { ...(issuer ? { issuer } : {}), ...(audience ? { audience } : {}) }
  const remembered = new Map<string, { caller: Caller; until: number }>()
  const verify = async (token: string) => {
    const options = { algorithms, requiredClaims: ['sub', 'exp'], currentDate: new Date(now()), ...expected }
    let trustedUntil = 0
    const keyOf: JWTVerifyGetKey = async (header, signed) => {
      const { key, until } = await find(header, signed)
      trustedUntil = until
      return key
    }
    const { payload } = await jwtVerify(token, keyOf, options)
    const caller = callerFrom(payload)
    if (remembered.size >= MOST_REMEMBERED) remembered.clear()
    remembered.set(token, { caller, until: Math.min((payload.exp as number) * 1000, trustedUntil) })
    return caller
  }
  return async (authorization) => {
    const token = /^Bearer ([\w.-]+)$/i.exec(authorization ?? '')?.[1]
    if (!token || token.length > LONGEST_TOKEN) throw unauthorized()
    const known = remembered.get(token)
    if (known && known.until > now()) return known.caller
    try {
      return await verify(token)
    } catch (error) {
      throw isTheirs(error) ? unauthorized() : unavailable('Tokens cannot be checked at the moment.')
    }
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Whether somebody bears this secret; told in the same time however much of it is right. @throws Refused 401 */
export const bearerOf = (secret: string) => {
  const expected = digest(secret)
  return (authorization: string | undefined) => {
    const given = /^Bearer (.*)$/i.exec(authorization ?? '')?.[1] ?? ''
    if (!timingSafeEqual(digest(given), expected)) throw unauthorized()
  }
}

/** Who ticks: nobody's id, since those are never empty. */
export const aMachine: Caller = { id: '', roles: new Set() }

/** Whether this caller may do what is open to `allowed`; an admin may do all. */
export const mayAct = (caller: Caller, allowed: readonly Role[]) =>
  caller.roles.has('admin') || allowed.some((role) => caller.roles.has(role))
