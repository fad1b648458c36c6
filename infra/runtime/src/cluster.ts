import { type Authorities, authorities, list, oneOf, optional, readEnvironment } from './config.ts'

/** Where the brokers are, and how one gets in. */
export interface Cluster {
  readonly brokers: readonly string[]
  /** Absent: nothing is encrypted. */
  readonly tls?: Authorities
  readonly sasl?: {
    readonly mechanism: 'scram-sha-256' | 'scram-sha-512'
    readonly username: string
    readonly password: string
  }
}

export const clusterEnvironment = {
  KAFKA_BROKERS: list(),
  KAFKA_TLS_CA: authorities(),
  KAFKA_SASL_MECHANISM: oneOf(['scram-sha-512', 'scram-sha-256'] as const, 'scram-sha-512'),
  KAFKA_SASL_USERNAME: optional(),
  KAFKA_SASL_PASSWORD: optional(),
}
type ClusterEnvironment = ReturnType<typeof readEnvironment<typeof clusterEnvironment>>

/** @throws Error when a password would be needed, or would go out in the open. */
export const clusterOf = (environment: ClusterEnvironment): Cluster => {
  const { KAFKA_BROKERS: brokers, KAFKA_TLS_CA: tls, KAFKA_SASL_MECHANISM: mechanism } = environment
  const { KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = environment
  if ((username === null) !== (password === null))
    throw new Error('KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are set together or not at all.')
  if (username === null || password === null) return { brokers, ...(tls ? { tls } : {}) }
  if (!tls) throw new Error('KAFKA_SASL_PASSWORD needs KAFKA_TLS_CA: a password does not go out in the open.')
  return { brokers, tls, sasl: { mechanism, username, password } }
}

export const readCluster = (env: NodeJS.ProcessEnv): Cluster => clusterOf(readEnvironment(env, clusterEnvironment))
