import { oneOf, optional, readEnvironment, serviceEnvironment, text } from '@coding-plans/runtime'

/** @throws one Error that names every bad variable. */
export const readConfig = (env: NodeJS.ProcessEnv) =>
  env.PAYMENTS === 'stripe'
    ? readEnvironment(env, {
        ...serviceEnvironment,
        PAYMENTS: oneOf(['stripe'] as const, 'stripe'),
        STRIPE_SECRET_KEY: secretKey,
        STRIPE_API_URL: apiUrl,
      })
    : readEnvironment(env, {
        ...serviceEnvironment,
        /** Which payment service tops up; the fake one comes with a local start. */
        PAYMENTS: oneOf(['fake', 'stripe'] as const, 'fake'),
        FAKE_PAYMENTS_URL: text(),
      })

export type Config = ReturnType<typeof readConfig>

/** No complaint repeats a value. */
const secretKey = (given: string | undefined) => {
  if (!given) return { complaint: 'is missing (PAYMENTS=stripe needs it)' }
  return /^[sr]k_\w+$/.test(given) ? { value: given } : { complaint: 'must begin with sk_ or rk_' }
}

/** The secret key goes there: beyond this machine over TLS alone. */
const apiUrl = (given: string | undefined) => {
  const { value } = optional()(given) as { value: string | null }
  if (value === null) return { value }
  const { protocol, hostname } = URL.canParse(value) ? new URL(value) : { protocol: '', hostname: '' }
  const isNear = hostname === '127.0.0.1' || hostname === 'localhost'
  if (protocol === 'https:' || (protocol === 'http:' && isNear)) return { value }
  return { complaint: 'must begin with https:// (http:// on this machine alone)' }
}
