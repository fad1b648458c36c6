import { type Message, say } from '@coding-plans/runtime'
import { userId } from '@coding-plans/schemas'
import type { Acceptor, Intent } from '../acceptor.ts'
import { event, T0 } from '../events.testing.ts'
import { idempotencyKey } from '../idempotency.ts'
import { problem } from '../problem.ts'
import type { KeyRow, ShownOperation } from '../rows.ts'
import type { Answers } from './answering.ts'

/** A store of the gateway, and what a test does to it. */
export interface Kept {
  /** The causes of the commands that were accepted. */
  readonly appended: string[]
  /** A gateway process, as far as accepting goes; of plans that it refuses no command can be written. */
  instance(refuses?: (planId: string) => boolean): Acceptor
  /** Project these events as one round. */
  learn(...messages: Message[]): Promise<void>
  /** Operations that were accepted, as purchases of ada's. */
  begin(...ids: string[]): Promise<unknown>
  shown(id: string): Promise<ShownOperation | null>
  /** The states of all keys, by their ids, and how many are available. */
  stock(): Promise<{ readonly available: number; readonly keys: Readonly<Record<string, string>> }>
  answers(waiting: readonly string[], expired: readonly string[]): Promise<Answers>
  /** All that an activation under this operation causes. */
  activate(operationId: string): Promise<void>
}

/** What an activation is told by. */
export const activation = (operationId: string) => [
  event('PlanPublished'),
  event('StockChanged'),
  event('KeyAssigned'),
  event('CreditsHeld'),
  event('HoldCaptured'),
  event('SubscriptionActivated', { operationId }),
]

export const statesOf = (keys: readonly KeyRow[]) => Object.fromEntries(keys.map(({ keyId, state }) => [keyId, state]))

/** What is said of one key. */
export const keyLine = (keyId: string, state = 'available') => ({
  keyId,
  state,
  upstreamPlanId: null,
  uploadedAt: T0,
  assignedAt: null,
  subscriptionId: null,
  attempts: 0,
  lastError: null,
})

export const operationRow = (id: string, change: object = {}) => ({
  id,
  caller: 'ada',
  kind: 'purchase',
  subject: 'ada',
  startedAt: T0,
  outcome: null,
  answer: null,
  finishedAt: null,
  ...change,
})

export const keyed = (key: string, path = '/v1/subscriptions', caller = 'ada') =>
  idempotencyKey(Buffer.alloc(32), { caller, operation: 'purchase', key }, { path, body: { planId: 'acme-coding' } })

export const purchase = (key: string, change: Partial<Intent> = {}, planId = 'acme-coding'): Intent => ({
  kind: 'purchase',
  caller: 'ada',
  subject: 'ada',
  key: keyed(key),
  purchase: { userId: 'ada', planId, horizon: 0 },
  command: ({ id, facts }) =>
    say('PurchasePlan', {
      userId: userId('ada'),
      operationId: id,
      planId,
      planVersion: facts?.planVersion ?? 0,
      knownSubscriptionId: facts?.knownSubscriptionId ?? null,
      knownEnd: facts?.knownEnd ?? null,
    }),
  ...change,
})

/** What a purchase whose headers came at this horizon may know (EXT-3). */
export const knownAt = async (db: Pick<Kept, 'instance'>, horizon: number) => {
  let known: unknown
  const command: Intent['command'] = (begun) => {
    known = begun.facts
    return { refused: problem('internal', '') }
  }
  await db
    .instance()
    .accept(purchase(`k${Math.random()}`, { purchase: { userId: 'ada', planId: 'acme-coding', horizon }, command }))
  return known
}
