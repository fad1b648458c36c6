import { message } from '@coding-plans/runtime/testing'
import { type Bodies, instant, type MessageName, microdollars, userId } from '@coding-plans/schemas'
import { type Check, Facts, findingsOf, fold, passingOf } from './index.ts'

export const T0 = Date.parse('2026-01-31T10:00:00.000Z')
export const MONTH = 28 * 86_400_000
export const ada = userId('ada')
export const money = microdollars

export type Told = { [Name in MessageName]: readonly [name: Name, body: Bodies[Name], source?: string] }[MessageName]

export const told = (...messages: readonly Told[]): Facts => {
  const facts = new Facts()
  for (const [name, body, source] of messages)
    fold(facts, message(name, body as never, source ? { source } : {}) as never)
  return facts
}

/** What is wrong with it in the end, by check. */
export const wrong = (facts: Facts): Partial<Record<Check, string[]>> => {
  const found: Partial<Record<Check, string[]>> = {}
  for (const fact of facts)
    for (const { check, detail } of [...findingsOf(fact), ...passingOf(fact)])
      found[check] = [...(found[check] ?? []), detail]
  return found
}

export const posted = (change: Partial<Bodies['CreditsPosted']> = {}): Told => [
  'CreditsPosted',
  {
    ...{ userId: ada, operationId: 'op_1', entryId: 'ent_1', creditKind: 'grant', description: 'welcome' },
    ...{ amount: money(50), at: instant(T0), balance: money(50), held: money(0), version: 1 },
    ...change,
  },
]
export const granted = posted()
export const held = (change: Partial<Bodies['CreditsHeld']> = {}): Told => [
  'CreditsHeld',
  {
    ...{ userId: ada, holdId: 'hold_1', amount: money(20), balance: money(50), held: money(20), version: 2 },
    ...change,
  },
]
export const captured = (change: Partial<Bodies['HoldCaptured']> = {}): Told => [
  'HoldCaptured',
  {
    ...{ userId: ada, holdId: 'hold_1', entryId: 'ent_2', chargeId: 'chg_1', subscriptionId: 'sub_1' },
    ...{ amount: money(20), at: instant(T0), balance: money(30), held: money(0), description: 'Acme', version: 3 },
    ...change,
  },
]
export const assigned = (change: Partial<Bodies['KeyAssigned']> = {}): Told => [
  'KeyAssigned',
  {
    ...{ userId: ada, assignmentId: 'act_1', subscriptionId: 'sub_1', planId: 'acme', providerId: 'acme' },
    ...{ keyId: 'key_1', maskedKey: '…1234', at: instant(T0), slotVersion: 1, stockVersion: 2 },
    ...change,
  },
]
export const activated = (change: Partial<Bodies['SubscriptionActivated']> = {}): Told => [
  'SubscriptionActivated',
  {
    ...{ userId: ada, operationId: 'op_2', subscriptionId: 'sub_1', planId: 'acme', planVersion: 1, planName: 'Acme' },
    ...{ providerId: 'acme', price: money(20), periodUnit: 'month', periodCount: 1, graceHours: 0 },
    ...{ currentPeriodStart: instant(T0), currentPeriodEnd: instant(T0 + MONTH), previousSubscriptionId: null },
    ...{ createdAt: instant(T0), chargeId: 'chg_1', keyId: 'key_1', version: 1, accountVersion: 3, slotVersion: 1 },
    ...{ stockVersion: 2, wishVersion: null },
    ...change,
  },
]
export const free = { price: money(0), chargeId: null }
export const renewed = (change: Partial<Bodies['SubscriptionRenewed']> = {}): Told => [
  'SubscriptionRenewed',
  {
    ...{
      userId: ada,
      subscriptionId: 'sub_1',
      boundary: instant(T0 + MONTH),
      currentPeriodEnd: instant(T0 + 2 * MONTH),
    },
    ...{ amount: money(0), chargeId: null, cancelAtPeriodEnd: false, version: 2, accountVersion: null },
    ...{ periodStart: null, recovered: false },
    ...change,
  },
]
export const removed = (change: Partial<Bodies['KeyRemoved']> = {}): Told => [
  'KeyRemoved',
  {
    ...{ userId: ada, subscriptionId: 'sub_1', providerId: 'acme', keyId: 'key_1', at: instant(T0), slotVersion: 2 },
    ...{ emptied: true, stockVersion: 3 },
    ...change,
  },
]
export const ended = (change: Partial<Bodies['SubscriptionEnded']> = {}): Told => [
  'SubscriptionEnded',
  {
    ...{ userId: ada, subscriptionId: 'sub_1', operationId: null, boundary: null, endedAt: instant(T0) },
    ...{ reason: 'user_canceled', version: 2, slotVersion: 2, accountVersion: null, refundId: null },
    ...{ refundAmount: null, refundedUntil: null, stockVersion: null },
    ...change,
  },
]
export const own = (version: number): Told => [
  'SlotChanged',
  {
    ...{ userId: ada, operationId: 'op_3', providerId: 'acme', managedBy: 'user', enabled: true, maskedKey: '…5678' },
    ...{ createdAt: instant(T0), updatedAt: instant(T0), version },
  },
]
export const stock = (available: number, keys: readonly string[], version = 1): Told => [
  'StockChanged',
  {
    ...{ planId: 'acme', providerId: 'acme', version, available, quarantined: 0, assigned: 0, revocationPending: 0 },
    ...{ revoked: 0, revocationFailed: 0, retired: 0, sellableUntil: null },
    keys: keys.map((keyId) => ({
      ...{ keyId, state: 'available', upstreamPlanId: null, uploadedAt: instant(T0), assignedAt: null },
      ...{ subscriptionId: null, attempts: 0, lastError: null },
    })),
  },
]
export const uploaded = (accepted: number): Told => [
  'KeysUploaded',
  { planId: 'acme', operationId: 'op_4', accepted, duplicates: 0, invalid: 0, report: [], stockVersion: 1 },
]
/** Bought, renewed once, ended. */
export const life = [
  granted,
  held(),
  assigned(),
  captured(),
  activated(),
  held({ holdId: 'hold_2', balance: money(30), version: 4 }),
  captured({ holdId: 'hold_2', chargeId: 'chg_2', entryId: 'ent_3', balance: money(10), version: 5 }),
  renewed({ amount: money(20), chargeId: 'chg_2', accountVersion: 5 }),
  removed(),
  ended({ version: 3 }),
] as const
