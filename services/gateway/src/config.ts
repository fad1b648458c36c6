import { integer, list, optional, readEnvironment, secret, serviceEnvironment, text } from '@coding-plans/runtime'

const DEFAULT_PORT = 8080
const perMinute = (or: number) => integer({ min: 1, max: 1_000_000, or })

/** Whoever answers there says who may enter: beyond this machine over TLS alone. */
const jwksUrl = (given: string | undefined) => {
  if (!given) return { value: null }
  const { protocol, hostname } = URL.canParse(given) ? new URL(given) : { protocol: '', hostname: '' }
  const isNear = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
  if (protocol === 'https:' || (protocol === 'http:' && isNear)) return { value: given }
  return { complaint: 'must begin with https:// (http:// on this machine alone)' }
}

const gatewayEnvironment = {
  ...serviceEnvironment,
  PORT: integer({ min: 0, max: 65_535, or: DEFAULT_PORT }),
  /** One for each instance, or one that stands for all. */
  KEY_INVENTORY_URL: list(),
  /** What the inventory asks whoever asks it for keys. */
  REVEAL_SECRET: secret(),
  AUTH_JWT_SECRET: optional(),
  AUTH_JWKS_URL: jwksUrl,
  AUTH_ISSUER: optional(),
  AUTH_AUDIENCE: optional(),
  CRON_SECRET: text(),
  PURCHASES_PER_MINUTE: perMinute(300),
  KEY_TESTS_PER_MINUTE: perMinute(10),
  EXPLANATIONS_PER_MINUTE: perMinute(300),
}

/** What the gateway is told. @throws one Error that names every bad variable. */
export const readConfig = (env: NodeJS.ProcessEnv) =>
  readEnvironment(env, {
    ...gatewayEnvironment,
    // One of the two says whose tokens are good.
    AUTH_JWT_SECRET: (given: string | undefined) =>
      given || env.AUTH_JWKS_URL ? { value: given || null } : { complaint: 'is missing, and so is AUTH_JWKS_URL' },
  })

export type Config = ReturnType<typeof readConfig>
