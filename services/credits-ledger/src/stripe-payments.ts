import Stripe from 'stripe'
import { stripeTerms } from './domain/payment-terms.ts'
import type { Charge, Keyed, Payments } from './payments.ts'

export interface StripeAccess {
  readonly secretKey: string
  /** Another server that speaks as Stripe does; null: Stripe. */
  readonly apiUrl: string | null
}

const MICRODOLLARS_PER_CENT = stripeTerms.step

/** Stripe, by its official client. Nothing that is thrown here repeats what Stripe said in words, or the secret key. */
export const stripePayments = (access: StripeAccess): Payments => ({
  terms: stripeTerms,

  ownerOf: async (paymentMethodId, { signal }) => {
    // It becomes part of an address.
    if (!/^\w{1,100}$/.test(paymentMethodId)) return null
    const asking = clientOf(access, signal).paymentMethods.retrieve(paymentMethodId, { expand: ['customer'] })
    const method = await asking.catch(refusedOrThrow)
    const customer = method === 'refused' ? null : method.customer
    if (customer === null || typeof customer === 'string' || customer.deleted) return null
    return { customerId: customer.id, userId: customer.metadata.userId ?? null }
  },

  charge: async (charge, keyed) => {
    // Set when methods were not verified: nobody knows whose it is.
    if (charge.customerId === null) return 'declined'
    const stripe = clientOf(access, keyed.signal)
    const made = await confirmIntent(stripe, charge, keyed).catch(async (error) => {
      const paid = isKept(error) ? await findPaid(stripe, charge).catch(() => null) : null
      return paid ?? refusedOrThrow(error)
    })
    if (made === 'refused') return 'declined'
    // Under its key Stripe says for ever what it said first; how it goes on is asked of the payment itself.
    const intent = made.status === 'processing' ? await retrieveIntent(stripe, made.id) : made
    return outcomeOf(intent, charge)
  },

  paidFor: async (charge, { signal }) => {
    if (charge.customerId === null) return null
    const paid = await findPaid(clientOf(access, signal), charge).catch((error) => {
      throw troubleOf(error)
    })
    const outcome = paid ? outcomeOf(paid, charge) : 'declined'
    return outcome === 'declined' ? null : outcome
  },

  giveBack: async ({ paymentId }, { signal, idempotencyKey }) => {
    const giving = clientOf(access, signal).refunds.create({ payment_intent: paymentId }, { idempotencyKey })
    const refund = await giving.catch((error) => {
      if (codeOf(error) === 'charge_already_refunded') return { status: 'succeeded' }
      throw troubleOf(error)
    })
    if (refund.status !== 'succeeded' && refund.status !== 'pending') throw new Error(`A refund is ${refund.status}.`)
  },
})

/** A client for one call, which ends with the call's signal. Whether to try again is for the runtime to say, so it does not. */
const clientOf = ({ secretKey, apiUrl }: StripeAccess, signal: AbortSignal) => {
  const address = apiUrl === null ? null : new URL(apiUrl)
  const protocol = address?.protocol === 'http:' ? ('http' as const) : ('https' as const)
  const ask: typeof fetch = (url, how) =>
    fetch(url, { ...how, signal: how?.signal ? AbortSignal.any([signal, how.signal]) : signal })
  return new Stripe(secretKey, {
    maxNetworkRetries: 0,
    telemetry: false,
    httpClient: Stripe.createFetchHttpClient(ask),
    ...(address && { protocol, host: address.hostname, port: address.port || (protocol === 'http' ? 80 : 443) }),
  })
}

/** Nobody is there to be led to the page of a bank. */
const confirmIntent = (stripe: Stripe, { userId, topUpId, ...charge }: Charge, { idempotencyKey }: Keyed) =>
  stripe.paymentIntents.create(
    {
      amount: charge.amount / MICRODOLLARS_PER_CENT,
      currency: 'usd',
      customer: charge.customerId as string,
      payment_method: charge.paymentMethodId,
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      confirm: true,
      off_session: true,
      metadata: { userId, topUpId },
    },
    { idempotencyKey },
  )

const retrieveIntent = (stripe: Stripe, id: string) =>
  stripe.paymentIntents.retrieve(id).catch((error) => {
    throw troubleOf(error)
  })

/**
 * What was paid although Stripe answered with an error of its own. It keeps such an answer under its key as it keeps any,
 * so asking again would never hear of the payment. The list is exact; Stripe's search lags behind.
 */
const findPaid = async (stripe: Stripe, { customerId, topUpId }: Charge) => {
  const { data } = await stripe.paymentIntents.list({ customer: customerId as string, limit: 100 })
  return data.find(({ status, metadata }) => status === 'succeeded' && metadata.topUpId === topUpId)
}

const DECLINED: readonly Stripe.PaymentIntent.Status[] = ['requires_action', 'requires_payment_method', 'canceled']

const outcomeOf = ({ id, status, amount_received: cents }: Stripe.PaymentIntent, { amount }: Charge) => {
  if (DECLINED.includes(status)) return 'declined'
  if (status !== 'succeeded') throw new Error(`A payment is ${status}.`)
  if (cents * MICRODOLLARS_PER_CENT !== amount) throw new Error(`${cents} cents were paid for ${amount} microdollars.`)
  return { paymentId: id }
}

const codeOf = (error: unknown) => (error instanceof Stripe.errors.StripeError ? error.code : undefined)
const isKept = (error: unknown) => error instanceof Stripe.errors.StripeError && (error.statusCode ?? 0) >= 500

// What is wrong with us, not with the user's method: an operator can mend it before the wait is over.
const OUR_FAULT = /^(parameter_|testmode_|livemode_|account_|platform_|secret_key_)/

/** A no that is certain: nothing was paid, and nothing will be. @throws whatever is not. */
const refusedOrThrow = (error: unknown): 'refused' => {
  const { StripeCardError, StripeInvalidRequestError } = Stripe.errors
  if (error instanceof StripeCardError) return 'refused'
  if (error instanceof StripeInvalidRequestError && !OUR_FAULT.test(error.code ?? '')) return 'refused'
  throw troubleOf(error)
}

const troubleOf = (error: unknown) => {
  const status = error instanceof Stripe.errors.StripeError ? error.statusCode : undefined
  if (!status) return new Error('Stripe does not answer.')
  return new Error(`Stripe answers ${status} (${codeOf(error) ?? 'without a code'}).`)
}
