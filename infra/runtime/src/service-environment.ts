import { clusterEnvironment } from './cluster.ts'
import { authorities, databaseUrl, integer, oneOf, type readEnvironment, secret, text } from './config.ts'

/** The variables that every service has. */
export const serviceEnvironment = {
  HOST: text({ or: '127.0.0.1' }),
  PORT: integer({ min: 0, max: 65_535, or: 0 }),
  ...clusterEnvironment,
  SCHEMA_REGISTRY_URL: text(),
  SCHEMA_REGISTRY_TLS_CA: authorities(),
  DATABASE_URL: databaseUrl(),
  CLOCK: oneOf(['system', 'test'] as const, 'system'),
  LOG_LEVEL: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const, 'info'),
  INTERNAL_SECRET: secret(),
  /** How long a member may be silent before its lanes go to others. */
  GROUP_SESSION_MILLISECONDS: integer({ min: 3_000, max: 300_000, or: 6_000 }),
}
export type ServiceEnvironment = ReturnType<typeof readEnvironment<typeof serviceEnvironment>>
