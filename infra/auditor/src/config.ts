import { optional, readEnvironment, serviceEnvironment } from '@coding-plans/runtime'

/** @throws one Error that names every bad variable. */
export const readConfig = (env: NodeJS.ProcessEnv) =>
  readEnvironment(env, {
    ...serviceEnvironment,
    /** Whose totals are compared with what was said; a role that may read is enough. Absent: not compared. */
    CREDITS_LEDGER_DATABASE_URL: optional(),
    SUBSCRIPTION_DATABASE_URL: optional(),
    KEY_INVENTORY_DATABASE_URL: optional(),
    GATEWAY_DATABASE_URL: optional(),
  })

export type Config = ReturnType<typeof readConfig>
