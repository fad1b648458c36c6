import { list, readEnvironment, serviceEnvironment } from '@coding-plans/runtime'

/** @throws one Error that names every bad variable. */
export const readConfig = (env: NodeJS.ProcessEnv) =>
  readEnvironment(env, {
    ...serviceEnvironment,
    /** The internal base URL of every process of every service, this one included: who is asked whether all is settled. */
    SERVICE_URLS: list(),
  })

export type Config = ReturnType<typeof readConfig>
