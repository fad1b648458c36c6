import { join } from 'node:path'
import { kafkaPasswordOf } from '@coding-plans/runtime'
import { AUDITOR, type Service, services } from '@coding-plans/schemas'
import { cacheDirectory } from './cache.ts'
import type { ClockMode } from './directory.ts'
import type { Secrets } from './secrets.ts'
import type { VaultKeys } from './vault-keys.ts'

/** One process of one service. */
export interface Seat {
  readonly service: Service
  /** Counted from 1. */
  readonly instance: number
  readonly name: string
  readonly host: string
  readonly port: number
  readonly url: string
}

type Variable = string | RegExp

/** Which variables a service is given besides those that all have; nobody sees another's secrets. */
const needs: Record<Service, readonly Variable[]> = {
  auditor: [/_DATABASE_URL$/],
  gateway: [
    'AUTH_JWT_SECRET',
    'AUTH_JWKS_URL',
    'AUTH_ISSUER',
    'AUTH_AUDIENCE',
    'CRON_SECRET',
    'REVEAL_SECRET',
    'KEY_INVENTORY_URL',
    /_PER_MINUTE$/,
  ],
  subscription: [/^CODING_PLAN_PRICE_/],
  'credits-ledger': ['PAYMENTS', 'FAKE_PAYMENTS_URL', 'STRIPE_SECRET_KEY', 'STRIPE_API_URL'],
  'key-inventory': [
    /^VAULT_KEY(_NEXT|_PREVIOUS)?$/,
    'FINGERPRINT_SECRET',
    'SEALING_KEY',
    'REVEAL_SECRET',
    /_PER_MINUTE$/,
  ],
  'billing-scheduler': ['SERVICE_URLS'],
}

const everybody: readonly Variable[] = [
  'INTERNAL_SECRET',
  'KAFKA_TLS_CA',
  /^KAFKA_SASL_(MECHANISM|USERNAME|PASSWORD)$/,
  'SCHEMA_REGISTRY_TLS_CA',
  'LOG_LEVEL',
  'GROUP_SESSION_MILLISECONDS',
  'NODE_ENV',
  'NODE_OPTIONS',
  /^OTEL_/,
]

const isNeeded = (service: Service, name: string) =>
  [...everybody, ...needs[service]].some((needed) => (needed instanceof RegExp ? needed.test(name) : needed === name))

export const databaseOf = (service: Service) => `coding_plans_${service.replaceAll('-', '_')}`

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv
  readonly secrets: Secrets
  /** Asked at every launch: a rotation changes them under a running stack. */
  readonly vaultKeys: () => VaultKeys
  readonly clock: ClockMode
  readonly brokers: readonly string[]
  readonly registryUrl: string
  readonly databaseUrl: (name: string) => string
  readonly seats: readonly Seat[]
  /** The fake payment service's; null: Stripe takes the payments. */
  readonly paymentsUrl: string | null
}

/** Whose totals the auditor compares with what was said. */
const auditedDatabases = ({ databaseUrl }: Surroundings): NodeJS.ProcessEnv =>
  Object.fromEntries(
    services
      .filter((service) => service !== AUDITOR)
      .map((service) => [
        `${service.replaceAll('-', '_').toUpperCase()}_DATABASE_URL`,
        databaseUrl(databaseOf(service)),
      ]),
  )

const urlsOf = (seats: readonly Seat[]) => seats.map(({ url }) => url).join(',')

/** A service comes to Kafka as itself where it has a password of its own, else as the launcher. */
const kafkaUserOf = (service: Service, env: NodeJS.ProcessEnv) => {
  const password = env[kafkaPasswordOf(service)]
  return password ? { KAFKA_SASL_USERNAME: service, KAFKA_SASL_PASSWORD: password } : {}
}

/** The whole environment of one process. */
export const environmentOf = (seat: Seat, around: Surroundings): NodeJS.ProcessEnv => {
  const { env, secrets, seats } = around
  const offered: NodeJS.ProcessEnv = {
    ...env,
    ...secrets,
    ...around.vaultKeys(),
    ...kafkaUserOf(seat.service, env),
    FAKE_PAYMENTS_URL: around.paymentsUrl ?? undefined,
    KEY_INVENTORY_URL: urlsOf(seats.filter(({ service }) => service === 'key-inventory')),
    SERVICE_URLS: urlsOf(seats.filter(({ service }) => service !== AUDITOR)),
    ...(seat.service === AUDITOR ? auditedDatabases(around) : {}),
  }
  const given = Object.entries(offered).filter(([name, value]) => value !== undefined && isNeeded(seat.service, name))
  return {
    ...Object.fromEntries(given),
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    TZ: 'UTC',
    // Compiled code is kept between starts: half the CPU of a service's start (tried).
    NODE_COMPILE_CACHE: join(cacheDirectory(), 'node'),
    HOST: seat.host,
    PORT: String(seat.port),
    CLOCK: around.clock,
    KAFKA_BROKERS: around.brokers.join(','),
    SCHEMA_REGISTRY_URL: around.registryUrl,
    DATABASE_URL: around.databaseUrl(databaseOf(seat.service)),
  }
}

interface Seating {
  readonly instances: number
  readonly gateway: { host: string; port: number; url: string }
  readonly port: (name: string) => Promise<number>
}

/** Under which a process runs, and its log and its mark are found. */
export const nameOf = (service: Service, instance: number, instances: number) =>
  instances === 1 ? service : `${service}-${instance}`

/** A seat for every process. The first gateway sits where the world knocks, all others on free ports of this machine. */
export const seatAll = async ({ instances, gateway, port }: Seating): Promise<Seat[]> => {
  const seats: Seat[] = []
  for (const service of services)
    for (let instance = 1; instance <= instances; instance += 1) {
      const name = nameOf(service, instance, instances)
      if (service === 'gateway' && instance === 1) {
        seats.push({ service, instance, name, ...gateway })
        continue
      }
      const host = '127.0.0.1'
      const own = await port(`${service}-${instance}`)
      seats.push({ service, instance, name, host, port: own, url: `http://${host}:${own}` })
    }
  return seats
}
