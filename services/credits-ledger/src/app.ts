import type { ServiceOptions } from '@coding-plans/runtime'
import type { Config } from './config.ts'
import { handlerUnder, SERVICE } from './handlers.ts'
import type { Ledger } from './ledger.ts'
import { fakePayments, paymentCalls } from './payments.ts'

// Loaded where it is used: Stripe's client takes 35 MB (tried).
const openStripe = async (secretKey: string, apiUrl: string | null) =>
  (await import('./stripe-payments.ts')).stripePayments({ secretKey, apiUrl })

/** The service, but for its environment. */
export const creditsLedger = async (config: Config): Promise<Omit<ServiceOptions<Ledger>, 'environment'>> => {
  const payments =
    'STRIPE_SECRET_KEY' in config
      ? await openStripe(config.STRIPE_SECRET_KEY, config.STRIPE_API_URL)
      : fakePayments(config.FAKE_PAYMENTS_URL)
  return { service: SERVICE, handler: { ...handlerUnder(payments.terms), calls: paymentCalls(payments) } }
}
