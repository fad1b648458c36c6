import { integer, readEnvironment, secret, serviceEnvironment } from '@coding-plans/runtime'

/** Everything this service is told from outside. Encryption, fingerprint and sealing have secrets of their own (VLT-1). */
export const readConfig = (env: NodeJS.ProcessEnv) =>
  readEnvironment(env, {
    ...serviceEnvironment,
    VAULT_KEY: secret(),
    FINGERPRINT_SECRET: secret(),
    SEALING_KEY: secret(),
    REVEALS_PER_MINUTE: integer({ min: 1, max: 10_000, or: 10 }),
  })

export type Config = ReturnType<typeof readConfig>
