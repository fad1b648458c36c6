import { type Bodies, instant, microdollars } from '@coding-plans/schemas'

export const JANUARY = Date.UTC(2026, 0, 1)
export const DAY = 86_400_000
export const at = (milliseconds: number) => instant(JANUARY + milliseconds)

let published = 0
export const publishBody = (changes: Partial<Bodies['PublishPlan']> = {}): Bodies['PublishPlan'] => ({
  planId: 'acme-coding',
  operationId: `op_publish_${++published}`,
  actor: 'admin-1',
  providerId: 'acme',
  providerName: 'Acme',
  name: 'Acme Coding',
  features: ['fast'],
  models: ['acme-1'],
  price: microdollars(20),
  periodUnit: 'day',
  periodCount: 30,
  ownership: 'user',
  reveal: true,
  upstreamRevocation: 'never',
  repurchase: 'extend',
  graceHours: 0,
  maxPrepaidPeriods: 12,
  lowStockThreshold: 0,
  position: 0,
  saleState: 'open',
  ...changes,
})
