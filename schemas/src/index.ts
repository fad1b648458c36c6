export * from './brands.ts'
export type * from './messages.gen.ts'
export { routes } from './messages.gen.ts'

import type { Bodies } from './messages.gen.ts'
import { routes } from './messages.gen.ts'

export type MessageName = keyof Bodies
export interface Route {
  owner: string
  kind: 'command' | 'event'
  topic: string
  /** Of a command: who may ask. */
  from?: readonly string[]
  key: string
  recordKey?: readonly string[]
  public: boolean
  schema: { type: 'record'; namespace: string; name: string; fields: readonly { name: string; type: unknown }[] }
}

export const messageNames = Object.keys(routes) as MessageName[]
export const routeOf = (name: MessageName): Route => routes[name]
/** Looks on: hears everything that is said, and nothing that is sold depends on it. */
export const AUDITOR = 'auditor'
/** Everybody who owns messages; each has `<service>.events`. */
export const services = [
  AUDITOR,
  'billing-scheduler',
  'credits-ledger',
  'gateway',
  'key-inventory',
  'subscription',
] as const
export type Service = (typeof services)[number]
/** The topic a message travels on when `speaker` says it. */
export const topicOf = (name: MessageName, speaker: string) => routes[name].topic.replace('*', speaker)
/** On which something travels that is sealed to a key of the inventory. */
export const sealedTopics: ReadonlySet<string> = new Set(
  messageNames
    .map(routeOf)
    .flatMap(({ topic, schema }) => (schema.fields.some(({ type }) => type === 'bytes') ? [topic] : [])),
)
