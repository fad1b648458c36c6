import { expect, test } from 'vitest'
import { at, DAY } from '../bodies.testing.ts'
import { openLiveWorld } from '../world.testing.ts'
import { judgePurchase, type PurchaseCase } from './purchase.ts'

const { world, subscription: live } = openLiveWorld({ maxPrepaidPeriods: 2 })
const current = world.books.currentVersion('acme-coding')
const known = { knownSubscriptionId: live.id, knownEnd: live.currentPeriodEnd }

const extension: PurchaseCase = {
  command: { planId: 'acme-coding', ...known },
  current,
  offered: current,
  live,
  busy: false,
  unpaid: false,
  erased: false,
  unendedTerms: 1,
  at: at(DAY),
}

test('SUB-5: with nothing against it, it is the extension of what was known, or an activation', () => {
  expect(judgePurchase(extension)).toBe('extension')
  const command = { planId: 'acme-coding', knownSubscriptionId: null, knownEnd: null }
  expect(judgePurchase({ ...extension, live: undefined, unendedTerms: 0, command })).toBe('activation')
})

test('SUB-5: of several reasons the first is said: not found, closed, in progress, already live, prepaid limit', () => {
  const reasons: [string, Partial<PurchaseCase>][] = [
    ['user_deleted', { erased: true }],
    ['not_found', { offered: undefined }],
    ['plan_closed', { current: { ...current!, saleState: 'closed' } }],
    ['purchase_in_progress', { busy: true }],
    ['already_subscribed', { live: { ...live, repurchase: 'reject' } }],
    ['insufficient_credits', { unpaid: true }],
    ['prepaid_limit', { unendedTerms: 2 }],
  ]
  for (const first of reasons.keys()) {
    const against = Object.assign({}, extension, ...reasons.slice(first).map(([, facts]) => facts))
    expect(judgePurchase(against)).toEqual({ refused: reasons[first]?.[0] })
  }
})
