import type { Message } from '@coding-plans/runtime'
import type { Bodies } from '@coding-plans/schemas'
import type { Finding } from './checks.ts'
import type { Facts } from './facts.ts'
import type { Extension, FactKey, Plan, Sale, Subscription } from './kinds.ts'
import { ASKED } from './passing.ts'
import { remember } from './remember.ts'

/** Of one user, told on one topic and not yet on the other. */
const MOST_VERSIONS = 20

/** A plan's version by its name. */
export const planKeyOf = ({ planId, version }: { planId: string; version: number }) => `${planId} ${version}`

export const planPublished = (facts: Facts, { body }: Message<'PlanPublished'>) => {
  const { periodCount, periodUnit, price } = body
  Object.assign(facts.of('plan', planKeyOf(body)), { period: `${periodCount} ${periodUnit}`, price })
}

/** Whether a purchase that names what its buyer knew can be nothing but an extension (EXT-3). */
export const isExtension = ({ body }: Message<'PurchasePlan'>) => body.knownSubscriptionId !== null

export const purchaseAsked = (facts: Facts, message: Message<'PurchasePlan'>) => {
  const { userId, operationId, planId, planVersion } = message.body
  if (isExtension(message)) Object.assign(facts.of('extension', operationId), { planId, planVersion })
  const { operations, versions } = facts.of('subject', userId)
  // One that was refused before it was heard of will not be bought.
  const isRefused = operations[operationId] === ASKED && versions[operationId] === undefined
  if (!isRefused) matchVersion(facts, userId, operationId, planKeyOf({ planId, version: planVersion }))
}

/** What is bought is the version that the gateway showed when it accepted (CAT-4), whichever of the two is heard first. */
const matchVersion = (facts: Facts, userId: string, operationId: string, planKey: string) => {
  const subject = facts.of('subject', userId)
  const { [operationId]: other } = subject.versions
  if (other === undefined) {
    subject.versions = remember(subject.versions, operationId, planKey, MOST_VERSIONS)
    return
  }
  delete subject.versions[operationId]
  if (other !== planKey)
    subject.findings.push({
      check: 'charge_has_its_term',
      detail: `purchase ${operationId} of ${userId} is of ${planKey} where it is told, and of ${other} elsewhere`,
    })
}

type Sold = Bodies['SubscriptionActivated'] | Bodies['SubscriptionExtended']

/** null: an extension does not tell its version. */
const saleOf = (body: Sold): Sale | null => {
  const { subscriptionId, planId, planVersion } = body
  if (planId === null || planVersion === null) return null
  const amount = 'price' in body ? body.price : body.amount
  return { planKey: planKeyOf({ planId, version: planVersion }), amount, subscriptionId }
}

const idOf = ({ planKey, amount }: Sale) => `${planKey} ${amount}`

export const salesOf = (body: Sold): FactKey[] => {
  const sale = saleOf(body)
  return sale ? [{ kind: 'sale', id: idOf(sale) }] : []
}

/** The version may be heard of later, on another lane: what it was sold for is compared when both are known. */
export const sold = (facts: Facts, body: Sold) => {
  const sale = saleOf(body)
  if (!sale) return
  matchVersion(facts, body.userId, body.operationId, sale.planKey)
  const known = facts.of('sale', idOf(sale))
  if (!('planKey' in known)) Object.assign(known, sale)
}

/** A version is sold for what it was published with. @returns null: it is, or it is not known yet */
export const mispriced = ({ planKey, amount, subscriptionId }: Sale, plan: Plan | undefined): Finding | null =>
  plan?.price === undefined || plan.price === null || plan.price === amount
    ? null
    : {
        check: 'charge_has_its_term',
        detail: `${subscriptionId} is sold ${planKey} for ${amount}, which was published at ${plan.price}`,
      }

export interface Price {
  readonly planId: string | null
  readonly planVersion: number | null
  /** Microdollars. */
  readonly price: number | null
  readonly period: string | null
}

/** What is known of an entry beside itself. */
export interface Background {
  readonly subscription?: Subscription | null | undefined
  /** Of the operation that it was charged for. */
  readonly extension?: Extension | null | undefined
  /** The version that was extended by. */
  readonly plan?: Plan | null | undefined
}

/**
 * The plan's version, and what it cost: an extension takes today's, all else what was copied at the purchase (CAT-5).
 * null: its version has not been heard of.
 */
export const priceOf = ({ subscription, extension, plan }: Background): Price | null => {
  if (extension?.planId) {
    const { planId, planVersion } = extension
    return plan?.period ? { planId, planVersion, price: plan.price, period: plan.period } : null
  }
  const { planId = null, planVersion = null, price = null, period = null } = subscription ?? {}
  return { planId, planVersion, price, period }
}
