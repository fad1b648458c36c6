import { type Calling, type Calls, say } from '@coding-plans/runtime'
import { microdollars, userId } from '@coding-plans/schemas'

/** What is asked of a payment service. Amounts are microdollars. */
export interface Charge {
  readonly topUpId: string
  readonly userId: string
  readonly amount: number
  readonly paymentMethodId: string
}
export interface Return {
  readonly topUpId: string
  readonly userId: string
  readonly paymentId: string
  readonly amount: number
}
type Keyed = Pick<Calling, 'idempotencyKey' | 'signal'>

/** A service that takes payments. What is not certain is thrown: it is asked again under the same key until it is. */
export interface Payments {
  charge(charge: Charge, keyed: Keyed): Promise<{ paymentId: string } | 'declined'>
  giveBack(paid: Return, keyed: Keyed): Promise<void>
}

/** How the ledger calls it; each outcome is a command of the ledger to itself, safe by the top-up's id. */
export const paymentCalls = (payments: Payments): Calls => ({
  charge: {
    make: async ({ request, ...keyed }) => {
      const charge = request as unknown as Charge
      const outcome = await payments.charge(charge, keyed)
      const whose = { userId: userId(charge.userId), topUpId: charge.topUpId }
      if (outcome === 'declined') return [say('SettleTopUp', { ...whose, outcome, paymentId: null })]
      return [say('SettleTopUp', { ...whose, outcome: 'paid', paymentId: outcome.paymentId })]
    },
    unanswered: (request) => {
      const { userId: user, topUpId } = request as unknown as Charge
      return [say('TopUpUnanswered', { userId: userId(user), topUpId })]
    },
  },
  return: async ({ request, ...keyed }) => {
    const paid = request as unknown as Return
    await payments.giveBack(paid, keyed)
    const body = { userId: userId(paid.userId), topUpId: paid.topUpId, amount: microdollars(paid.amount) }
    return [say('PaymentReturned', body)]
  },
})

/** The fake service that a local start brings along: a real HTTP server, obeying the payment method's name. */
export const fakePayments = (url: string): Payments => ({
  charge: async (charge, keyed) => {
    const response = await ask(`${url}/charges`, charge, keyed)
    if (response.status === 402) return 'declined'
    if (!response.ok) throw new Error(`The payment service answers ${response.status}.`)
    return { paymentId: ((await response.json()) as { id: string }).id }
  },
  giveBack: async ({ paymentId }, keyed) => {
    const response = await ask(`${url}/charges/${encodeURIComponent(paymentId)}/return`, {}, keyed)
    if (!response.ok) throw new Error(`The payment service answers ${response.status}.`)
  },
})

const ask = (url: string, body: object, { idempotencyKey, signal }: Keyed) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
    body: JSON.stringify(body),
    signal,
  })
