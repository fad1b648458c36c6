import { type Caller, type Calling, type Calls, say } from '@coding-plans/runtime'
import { microdollars, userId } from '@coding-plans/schemas'
import { noTerms, type PaymentTerms } from './domain/payment-terms.ts'

/** What is asked of a payment service. Amounts are microdollars. */
export interface Charge {
  readonly topUpId: string
  readonly userId: string
  readonly amount: number
  readonly paymentMethodId: string
  /** To whom the method was attached when it was verified; null: it never was. */
  readonly customerId: string | null
}
export interface Return {
  readonly topUpId: string
  readonly userId: string
  readonly paymentId: string
  readonly amount: number
}
interface Naming {
  readonly userId: string
  readonly operationId: string
  readonly paymentMethodId: string
}
export interface Owner {
  readonly customerId: string
  /** The user that this customer is, if it is one. */
  readonly userId: string | null
}
export type Keyed = Pick<Calling, 'idempotencyKey' | 'signal'>

/** A service that takes payments. What is not certain is thrown: it is asked again under the same key until it is. */
export interface Payments {
  readonly terms: PaymentTerms
  /** Asked only where the terms say so; null: no method, or nobody's. */
  ownerOf(paymentMethodId: string, keyed: Keyed): Promise<Owner | null>
  charge(charge: Charge, keyed: Keyed): Promise<{ paymentId: string } | 'declined'>
  /** What was paid, for when the key of a charge is forgotten; null: nothing is known of it. Absent: nobody can be asked. */
  paidFor?(charge: Charge, keyed: Keyed): Promise<{ paymentId: string } | null>
  giveBack(paid: Return, keyed: Keyed): Promise<void>
}

/** How the ledger calls it; each outcome is a command of the ledger to itself, safe by the id of the top-up or operation. */
export const paymentCalls = (payments: Payments): Calls => ({
  verify: whateverItsKey(async ({ request, ...keyed }) => {
    const { userId: user, operationId, paymentMethodId } = request as unknown as Naming
    const owner = await payments.ownerOf(paymentMethodId, keyed)
    const whose = { userId: userId(user), operationId }
    if (owner?.userId !== user) return [say('SettleAutoTopUp', { ...whose, outcome: 'not_yours', customerId: null })]
    return [say('SettleAutoTopUp', { ...whose, outcome: 'yours', customerId: owner.customerId })]
  }),
  charge: {
    make: async ({ request, ...keyed }) => {
      const charge = request as unknown as Charge
      const outcome = await payments.charge(charge, keyed)
      if (outcome !== 'declined') return [settled(charge, outcome)]
      const { userId: user, topUpId } = charge
      return [say('SettleTopUp', { userId: userId(user), topUpId, outcome, paymentId: null })]
    },
    find: async ({ request, ...keyed }) => {
      const charge = request as unknown as Charge
      const paid = await payments.paidFor?.(charge, keyed)
      return paid ? [settled(charge, paid)] : null
    },
    unanswered: (request) => {
      const { userId: user, topUpId } = request as unknown as Charge
      return [say('TopUpUnanswered', { userId: userId(user), topUpId })]
    },
  },
  return: whateverItsKey(async ({ request, ...keyed }) => {
    const paid = request as unknown as Return
    await payments.giveBack(paid, keyed)
    const body = { userId: userId(paid.userId), topUpId: paid.topUpId, amount: microdollars(paid.amount) }
    return [say('PaymentReturned', body)]
  }),
})

/** A call that may be made twice under two keys: it reads, or is done once by what it names. */
const whateverItsKey = (make: Caller['make']): Caller => ({ make, find: make })

const settled = ({ userId: user, topUpId }: Charge, { paymentId }: { readonly paymentId: string }) =>
  say('SettleTopUp', { userId: userId(user), topUpId, outcome: 'paid', paymentId })

/** The fake service that a local start brings along: a real HTTP server, obeying the payment method's name. */
export const fakePayments = (url: string): Payments => ({
  terms: noTerms,
  ownerOf: async () => null,
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
