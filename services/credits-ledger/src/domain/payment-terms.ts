import { type Microdollars, MOST_MICRODOLLARS, microdollars } from '@coding-plans/schemas'

/** What a payment service demands, as values, so that the stored marker, the charge and the credit are of one amount. */
export interface PaymentTerms {
  /** Amounts are multiples of this, and at least `least`. Microdollars. */
  readonly step: number
  readonly least: number
  /** More than this is never asked for because of what a user has configured. Microdollars. */
  readonly most: number
  /** A payment method is taken only after the service has said whose it is. */
  readonly verifiesMethods: boolean
}

/** The fake service takes any amount and any method. */
export const noTerms: PaymentTerms = { step: 1, least: 1, most: MOST_MICRODOLLARS, verifiesMethods: false }

/** Stripe counts in cents, and in dollars takes from 50 of them to eight digits of them. */
export const stripeTerms: PaymentTerms = {
  step: 10_000,
  least: 500_000,
  most: 999_999_990_000,
  verifiesMethods: true,
}

/**
 * The configured amount or the shortfall, whichever is more (TOP-2), rounded up to what can be charged. A shortfall beyond
 * `most` is asked for as it is: less would not pay it, so it is the service that declines.
 */
export const chargeable = ({ step, least, most }: PaymentTerms, configured: number, shortfall: number): Microdollars =>
  microdollars(Math.ceil(Math.max(Math.min(configured, most), shortfall, least) / step) * step)
