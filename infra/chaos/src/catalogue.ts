import { USD } from '@coding-plans/e2e/house'

export interface PlanOnSale {
  readonly id: string
  readonly providerId: string
  readonly price: number
  readonly period: { readonly unit: 'day' | 'month'; readonly count: number }
  readonly graceHours: number
  /** How many keys there are at first. */
  readonly keys: number
  /** Whose the keys are: an operator's are never shown, and go to revocation in the end. */
  readonly ownership: 'user' | 'operator'
}

const days = (count: number) => ({ unit: 'day', count }) as const
const month = { unit: 'month', count: 1 } as const

const SHORT = { period: days(1), ownership: 'user' } as const

/** Several providers, prices and periods; two with too few keys for all, and one with none, where users keep their own. */
export const catalogue: readonly PlanOnSale[] = [
  { ...SHORT, id: 'acme-day', providerId: 'acme', price: 3 * USD, graceHours: 12, keys: 60 },
  { ...SHORT, id: 'acme-month', providerId: 'acme', price: 20 * USD, period: month, graceHours: 0, keys: 60 },
  { ...SHORT, id: 'bolt-days', providerId: 'bolt', price: 7 * USD + 1, period: days(2), graceHours: 0, keys: 60 },
  { ...SHORT, id: 'cove-scarce', providerId: 'cove', price: 999_999, period: days(3), graceHours: 48, keys: 3 },
  { ...SHORT, id: 'dune-scarce', providerId: 'dune', price: 11 * USD, graceHours: 6, keys: 4 },
  { ...SHORT, id: 'echo-none', providerId: 'echo', price: 5 * USD, graceHours: 0, keys: 0 },
  { ...SHORT, id: 'fern-secret', providerId: 'fern', price: 2 * USD, graceHours: 24, keys: 40, ownership: 'operator' },
]

export const providers = [...new Set(catalogue.map(({ providerId }) => providerId))]

export const planOf = (planId: string) => catalogue.find(({ id }) => id === planId)
export const isOfProvider = (providerId: string) => (planId: string) => planOf(planId)?.providerId === providerId
