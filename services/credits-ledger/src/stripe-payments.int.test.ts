import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Charge } from './payments.ts'
import { startStripe } from './stripe.testing.ts'
import { stripePayments } from './stripe-payments.ts'

const secretKey = 'sk_test_51secretsecretsecret'
let stripe: Awaited<ReturnType<typeof startStripe>>
let payments: ReturnType<typeof stripePayments>

beforeAll(async () => {
  stripe = await startStripe(secretKey)
  payments = stripePayments({ secretKey, apiUrl: stripe.url })
})
afterAll(() => stripe?.close())

const keyed = (idempotencyKey: string, milliseconds = 10_000) => ({
  idempotencyKey,
  signal: AbortSignal.timeout(milliseconds),
})
/** A dollar of ada's, by a method of this kind; of each kind one payment. */
const chargeBy = (kind: string, change: Partial<Charge> = {}): Charge => {
  const paymentMethodId = `pm_${kind}_ada`
  stripe.attach(paymentMethodId, 'ada')
  const owner = { userId: 'ada', customerId: 'cus_ada', paymentMethodId }
  return { topUpId: `tup_${kind}`, amount: 1_000_000, ...owner, ...change }
}
const charge = (kind: string, change?: Partial<Charge>) => payments.charge(chargeBy(kind, change), keyed(`key ${kind}`))
const paidFor = (topUpId: string) => stripe.paidBy('ada').filter(({ metadata }) => metadata.topUpId === topUpId)

test('TOP-2: a payment is asked for off session, confirmed, under the key of its call, with what names it', async () => {
  const outcome = await charge('ok')
  expect(outcome).toEqual({ paymentId: paidFor('tup_ok')[0]?.id })
  const { headers, form, key } = stripe.requests.at(-1) ?? expect.fail('No request came.')
  expect(key).toBe('key ok')
  expect(form).toEqual({
    amount: '100',
    currency: 'usd',
    customer: 'cus_ada',
    payment_method: 'pm_ok_ada',
    confirm: 'true',
    off_session: 'true',
    'automatic_payment_methods[enabled]': 'true',
    'automatic_payment_methods[allow_redirects]': 'never',
    'metadata[userId]': 'ada',
    'metadata[topUpId]': 'tup_ok',
  })
  expect(headers).not.toHaveProperty('x-stripe-client-telemetry')
})

test.each(['declined', 'authenticate', 'gone', 'detached', 'action', 'canceled', 'method'])(
  'TOP-3: %s is a decline, now and when it is asked again',
  async (kind) => {
    expect(await charge(kind)).toBe('declined')
    expect(await charge(kind)).toBe('declined')
  },
)

test('a method that was never verified is declined, and nobody is asked', async () => {
  const before = stripe.requests.length
  expect(await charge('unverified', { customerId: null })).toBe('declined')
  expect(stripe.requests).toHaveLength(before)
})

test.each(['trouble', 'busy', 'limited', 'misspelt'])(
  'TOP-2: %s is no outcome; asked again under the same key it is one payment',
  async (kind) => {
    await expect(charge(kind)).rejects.toThrow(/^Stripe answers (500|409|429|400) /)
    expect(await charge(kind)).toHaveProperty('paymentId')
    expect(await charge(kind)).toHaveProperty('paymentId')
    expect(paidFor(`tup_${kind}`)).toHaveLength(1)
    // Its own client tried nothing again by itself.
    expect(stripe.requests.filter(({ key }) => key === `key ${kind}`)).toHaveLength(3)
  },
)

test('TOP-2: what does not answer is given up when the call’s time is over, and heard of when it is asked again', async () => {
  const asked = chargeBy('silent')
  await expect(payments.charge(asked, keyed('key silent', 100))).rejects.toThrow('Stripe does not answer.')
  expect(await payments.charge(asked, keyed('key silent'))).toHaveProperty('paymentId')
  expect(paidFor('tup_silent')).toHaveLength(1)
})

test('TOP-2: a payment that is being processed is no outcome; how it goes on is asked of the payment', async () => {
  await expect(charge('processing')).rejects.toThrow('A payment is processing.')
  expect(await charge('processing')).toEqual({ paymentId: paidFor('tup_processing')[0]?.id })
  expect(paidFor('tup_processing')).toHaveLength(1)
})

test('TOP-2: what was paid is found although Stripe answers 500 for ever under that key', async () => {
  expect(await charge('kept')).toEqual({ paymentId: paidFor('tup_kept')[0]?.id })
  expect(await charge('kept')).toEqual({ paymentId: paidFor('tup_kept')[0]?.id })
  expect(paidFor('tup_kept')).toHaveLength(1)
})

test('TOP-1: what was paid under a key that is forgotten is found, and nothing is asked for', async () => {
  const late = chargeBy('silent', { topUpId: 'tup_late' })
  await expect(payments.charge(late, keyed('key late', 100))).rejects.toThrow('Stripe does not answer.')
  const asked = stripe.requests.filter(({ method }) => method === 'POST').length
  expect(await payments.paidFor?.(late, keyed('forgotten'))).toEqual({ paymentId: paidFor('tup_late')[0]?.id })
  for (const unpaid of [chargeBy('silent', { topUpId: 'tup_never' }), chargeBy('silent', { customerId: null })])
    expect(await payments.paidFor?.(unpaid, keyed('forgotten'))).toBeNull()
  expect(stripe.requests.filter(({ method }) => method === 'POST')).toHaveLength(asked)
})

test('GDP-1: money is given back once, also when it is asked again under another key', async () => {
  const paid = (await charge('returned')) as { paymentId: string }
  const back = { topUpId: 'tup_returned', userId: 'ada', amount: 1_000_000, ...paid }
  await payments.giveBack(back, keyed('key back'))
  await payments.giveBack(back, keyed('key back'))
  await payments.giveBack(back, keyed('another key'))
  expect(stripe.refunds).toEqual([{ id: 're_1', payment_intent: paid.paymentId, status: 'succeeded' }])
})

test('TOP-1: whose a method is, is what its customer’s metadata says', async () => {
  stripe.attach('pm_ok_eve', 'eve')
  stripe.attach('pm_ok_loose', null)
  expect(await payments.ownerOf('pm_ok_eve', keyed('k'))).toEqual({ customerId: 'cus_eve', userId: 'eve' })
  for (const nobodys of ['pm_ok_loose', 'pm_none']) expect(await payments.ownerOf(nobodys, keyed('k'))).toBeNull()
  const before = stripe.requests.length
  for (const odd of ['../customers', 'pm ok', '', `pm_${'x'.repeat(100)}`, '..'])
    expect(await payments.ownerOf(odd, keyed('k'))).toBeNull()
  expect(stripe.requests).toHaveLength(before)
})

test('a Stripe that is away or in trouble has not said whose a method is', async () => {
  stripe.attach('pm_away_eve', 'eve')
  await expect(payments.ownerOf('pm_away_eve', keyed('k'))).rejects.toThrow('Stripe answers 503 (without a code).')
  const nobody = stripePayments({ secretKey, apiUrl: 'http://127.0.0.1:1' })
  await expect(nobody.ownerOf('pm_ok_eve', keyed('k'))).rejects.toThrow('Stripe does not answer.')
})

test('the secret key is in no error, whatever goes wrong', async () => {
  const wrong = 'sk_test_51anotheranother'
  const outcomes = await Promise.allSettled(
    [stripe.url, 'http://127.0.0.1:1'].flatMap((apiUrl) => {
      const payments = stripePayments({ secretKey: wrong, apiUrl })
      const broken = stripePayments({ secretKey: `${wrong}\n`, apiUrl })
      const back = { topUpId: 't', userId: 'ada', amount: 1, paymentId: 'pi_1' }
      return [payments, broken].flatMap((one) => [
        one.charge(chargeBy('ok'), keyed('another')),
        one.ownerOf('pm_ok_ada', keyed('another')),
        one.giveBack(back, keyed('another back')),
      ])
    }),
  )
  expect(outcomes).toHaveLength(12)
  for (const outcome of outcomes) {
    const { reason } = outcome as PromiseRejectedResult
    expect(reason).toBeInstanceOf(Error)
    expect(`${reason.message} ${reason.stack} ${JSON.stringify(reason)} ${reason.cause}`).not.toContain(wrong)
  }
})
