import type { Random } from './random.ts'

/** What is sold, by two providers, and what it is like most of the time. */
export const PLANS = [
  { planId: 'acme-coding', providerId: 'acme', price: 20, periodUnit: 'day', periodCount: 3 },
  { planId: 'acme-pro', providerId: 'acme', price: 45, periodUnit: 'month', periodCount: 1 },
  { planId: 'bolt-coding', providerId: 'bolt', price: 7, periodUnit: 'day', periodCount: 2 },
  { planId: 'bolt-free', providerId: 'bolt', price: 0, periodUnit: 'day', periodCount: 1 },
] as const
export type Plan = (typeof PLANS)[number]

/** Short ones more often, so that terms come due. */
const PERIODS = [
  { periodUnit: 'day', periodCount: 1 },
  { periodUnit: 'day', periodCount: 1 },
  { periodUnit: 'day', periodCount: 4 },
  { periodUnit: 'day', periodCount: 6 },
  { periodUnit: 'month', periodCount: 1 },
  { periodUnit: 'month', periodCount: 2 },
] as const
/** Every policy that the gateway takes. */
const POLICIES = [
  { ownership: 'user', reveal: true, upstreamRevocation: 'never' },
  { ownership: 'user', reveal: false, upstreamRevocation: 'never' },
  { ownership: 'operator', reveal: false, upstreamRevocation: 'never' },
  { ownership: 'operator', reveal: false, upstreamRevocation: 'manual' },
  { ownership: 'operator', reveal: false, upstreamRevocation: 'automatic' },
] as const

const priceOf = ({ price }: Plan, random: Random) => {
  if (random.chance(0.1)) return random.pick([0, 3, 60])
  return price === 0 ? 0 : price + random.below(9) - 4
}

/** A version of a plan: as it is most of the time, or not. */
export const versionOf = (plan: Plan, random: Random) => {
  const { planId, providerId, periodUnit, periodCount } = plan
  return {
    ...{ planId, providerId, providerName: providerId, name: planId, features: [], models: [] },
    price: priceOf(plan, random),
    ...(random.chance(0.7) ? { periodUnit, periodCount } : random.pick(PERIODS)),
    ...random.pick(POLICIES),
    repurchase: random.chance(0.85) ? ('extend' as const) : ('reject' as const),
    graceHours: random.pick([0, 0, 1, 24, 24, 48, 200]),
    maxPrepaidPeriods: random.pick([1, 2, 3, 12]),
    lowStockThreshold: random.below(3),
    position: random.below(3) - 1,
  }
}
