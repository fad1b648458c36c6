import type { Message } from '@coding-plans/runtime'
import type { Entry, Extension, Facts, Plan, Subscription } from './facts.ts'

/** A plan's version by its name. */
export const planKeyOf = ({ planId, version }: { planId: string; version: number }) => `${planId} ${version}`

export const planPublished = (facts: Facts, { body }: Message<'PlanPublished'>) => {
  facts.of('plan', planKeyOf(body)).period = `${body.periodCount} ${body.periodUnit}`
}

/** Whether a purchase that names what its buyer knew can be nothing but an extension (EXT-3). */
export const isExtension = ({ body }: Message<'PurchasePlan'>) => body.knownSubscriptionId !== null

export const extensionAsked = (facts: Facts, message: Message<'PurchasePlan'>) => {
  const { operationId, planId, planVersion } = message.body
  if (isExtension(message)) Object.assign(facts.of('extension', operationId), { planId, planVersion })
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
export const priceOf = ({ amount }: Entry, { subscription, extension, plan }: Background): Price | null => {
  if (extension?.planId) {
    const { planId, planVersion } = extension
    return plan?.period ? { planId, planVersion, price: -amount, period: plan.period } : null
  }
  const { planId = null, planVersion = null, price = null, period = null } = subscription ?? {}
  return { planId, planVersion, price, period }
}
