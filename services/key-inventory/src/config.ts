import {
  integer,
  readEnvironment,
  refuseSharedSecrets,
  secret,
  secrets,
  serviceEnvironment,
} from '@coding-plans/runtime'

/** Everything this service is told from outside. Encryption, fingerprint and sealing have secrets of their own (VLT-1). */
export const readConfig = (env: NodeJS.ProcessEnv) => {
  const config = readEnvironment(env, {
    ...serviceEnvironment,
    VAULT_KEY: secret(),
    /** Will be the present one soon: opens, and nothing is wrapped by it yet. */
    VAULT_KEY_NEXT: secrets({ most: 1 }),
    /** Were the present one: what lies under them is re-wrapped. */
    VAULT_KEY_PREVIOUS: secrets(),
    FINGERPRINT_SECRET: secret(),
    SEALING_KEY: secret(),
    /** The gateway's, and no other service's: it opens what users may be shown. */
    REVEAL_SECRET: secret(),
    REVEALS_PER_MINUTE: integer({ min: 1, max: 10_000, or: 10 }),
  })
  const { VAULT_KEY, FINGERPRINT_SECRET, SEALING_KEY, INTERNAL_SECRET, REVEAL_SECRET } = config
  refuseSharedSecrets({ VAULT_KEY, FINGERPRINT_SECRET, SEALING_KEY, INTERNAL_SECRET, REVEAL_SECRET })
  return config
}

export type Config = ReturnType<typeof readConfig>
