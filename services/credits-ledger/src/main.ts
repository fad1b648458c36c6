import { runService } from '@coding-plans/runtime'
import { readConfig } from './config.ts'
import { handlerUnder, SERVICE } from './handlers.ts'
import { fakePayments, paymentCalls } from './payments.ts'

const environment = readConfig(process.env)

// Loaded where it is used: Stripe's client takes 35 MB (tried).
const openStripe = async (secretKey: string, apiUrl: string | null) =>
  (await import('./stripe-payments.ts')).stripePayments({ secretKey, apiUrl })

const payments =
  'STRIPE_SECRET_KEY' in environment
    ? await openStripe(environment.STRIPE_SECRET_KEY, environment.STRIPE_API_URL)
    : fakePayments(environment.FAKE_PAYMENTS_URL)
const handler = { ...handlerUnder(payments.terms), calls: paymentCalls(payments) }
await runService({ service: SERVICE, handler, environment })
