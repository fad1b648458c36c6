import { oneOf, readEnvironment, serviceEnvironment, text } from '@coding-plans/runtime'

/** @throws one Error that names every bad variable. */
export const readConfig = (env: NodeJS.ProcessEnv) =>
  readEnvironment(env, {
    ...serviceEnvironment,
    /** Which payment service tops up; the fake one comes with a local start. */
    PAYMENTS: oneOf(['fake'] as const, 'fake'),
    FAKE_PAYMENTS_URL: text(),
  })
