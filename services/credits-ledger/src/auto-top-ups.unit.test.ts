import { type SetAutoTopUp, userId } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { setAutoTopUp, settleAutoTopUp, settleTopUp, topUpCredits } from './bodies.testing.ts'
import { Book } from './book.testing.ts'
import { stripeTerms } from './domain/payment-terms.ts'

const closing = { userId: userId('ada'), operationId: 'op_close' }
const bodies = (answers: ReturnType<Book['ask']>) => answers.map(({ name, body }) => ({ name, ...body }))
const set = (book: Book, operationId: string, asked: Partial<SetAutoTopUp>) =>
  bodies(book.ask('SetAutoTopUp', setAutoTopUp('ada', null, null, { operationId, ...asked })))
const settle = (book: Book, operationId: string, outcome: 'yours' | 'not_yours' = 'yours') =>
  bodies(book.ask('SettleAutoTopUp', settleAutoTopUp('ada', operationId, outcome)))
const settingsOf = (book: Book) => book.ledger.settings.get(userId('ada'))

const methodX = { paymentMethodId: 'pm_x', amount: 20 as SetAutoTopUp['amount'] }
const methodY = { paymentMethodId: 'pm_y', amount: 30 as SetAutoTopUp['amount'] }
/** Ada's method is asked about, under `op_1`. */
const asked = () => {
  const book = new Book(stripeTerms)
  expect(set(book, 'op_1', methodX)).toEqual([])
  return book
}
/** Ada has a verified method. */
const verified = () => {
  const book = asked()
  settle(book, 'op_1')
  return book
}

test('TOP-1: a method is taken when the payment service has said that it is the user’s', () => {
  const book = asked()
  const request = { userId: 'ada', operationId: 'op_1', paymentMethodId: 'pm_x' }
  expect(book.calls).toEqual([{ call: 'verify', request }])
  expect(settingsOf(book)).toMatchObject({ enabled: false, paymentMethodId: null, version: 0 })
  const says = { name: 'AutoTopUpSet', operationId: 'op_1', enabled: true, amount: 20, paymentMethodId: 'pm_x' }
  expect(settle(book, 'op_1')).toMatchObject([{ ...says, version: 1 }])
  book.ask('TopUpCredits', topUpCredits('ada', 'tup_1', 600_000))
  expect(book.calls.at(-1)?.request).toMatchObject({ paymentMethodId: 'pm_x', customerId: 'cus of ada' })
})

test('TOP-1: another’s method changes nothing', () => {
  const book = verified()
  const before = settingsOf(book)
  set(book, 'op_2', methodY)
  const refused = [{ name: 'AutoTopUpRefused', operationId: 'op_2', reason: 'method_not_yours' }]
  expect(settle(book, 'op_2', 'not_yours')).toMatchObject(refused)
  expect(settingsOf(book)).toEqual({ ...before, turns: 2 })
})

test('IDE-4: a copy asks nobody again, and hears what the first came to, a refusal too', () => {
  const book = asked()
  expect(set(book, 'op_1', methodX)).toEqual([])
  expect(book.calls).toHaveLength(1)
  const first = settle(book, 'op_1')
  expect(settle(book, 'op_1')).toEqual(first)
  expect(set(book, 'op_1', methodX)).toEqual(first)
  set(book, 'op_2', methodY)
  const refused = settle(book, 'op_2', 'not_yours')
  expect(settle(book, 'op_2', 'not_yours')).toEqual(refused)
  expect(set(book, 'op_2', methodY)).toEqual(refused)
  const incomplete = set(new Book(), 'op_3', { amount: methodX.amount })
  expect(incomplete).toMatchObject([{ reason: 'incomplete' }])
  const fresh = new Book()
  set(fresh, 'op_3', { amount: methodX.amount })
  expect(set(fresh, 'op_3', { amount: methodX.amount })).toEqual(incomplete)
})

test('a method that is known to be the user’s is taken without asking', () => {
  const book = verified()
  const more = { ...methodX, amount: 25 as SetAutoTopUp['amount'] }
  expect(set(book, 'op_2', more)).toMatchObject([{ amount: 25, paymentMethodId: 'pm_x', version: 2 }])
  expect(settingsOf(book)).toMatchObject({ customerId: 'cus of ada' })
  expect(book.calls).toHaveLength(1)
})

test('TOP-1: switched off while a method is verified, it stays off; the method is kept', () => {
  const book = asked()
  expect(set(book, 'op_2', { enabled: false })).toMatchObject([{ name: 'AutoTopUpSet', enabled: false }])
  expect(settle(book, 'op_1')).toMatchObject([
    { operationId: 'op_1', enabled: false, amount: 20, paymentMethodId: 'pm_x' },
  ])
})

test('TOP-1: a later method is not undone by the verification of an earlier one', () => {
  const book = verified()
  set(book, 'op_2', methodY)
  set(book, 'op_3', { paymentMethodId: 'pm_z' })
  expect(settle(book, 'op_3')).toMatchObject([{ amount: 20, paymentMethodId: 'pm_z', version: 2 }])
  // The amount is still its own to say.
  expect(settle(book, 'op_2')).toMatchObject([{ operationId: 'op_2', amount: 30, paymentMethodId: 'pm_z', version: 3 }])
  expect(settingsOf(book)).toMatchObject({ customerId: 'cus of ada', methodTurn: 3, amountTurn: 2 })
})

test('TOP-1: overtaken in all it asked for, it changes nothing and says what is', () => {
  const book = asked()
  set(book, 'op_2', methodY)
  settle(book, 'op_2')
  const before = settingsOf(book)
  const says = { operationId: 'op_1', amount: 30, paymentMethodId: 'pm_y', version: 1 }
  expect(settle(book, 'op_1')).toMatchObject([says])
  expect(settingsOf(book)).toBe(before)
})

test('TOP-1: an earlier one that is refused late leaves the later one as it is', () => {
  const book = asked()
  set(book, 'op_2', methodY)
  settle(book, 'op_2')
  expect(settle(book, 'op_1', 'not_yours')).toMatchObject([{ reason: 'method_not_yours' }])
  expect(settingsOf(book)).toMatchObject({ enabled: true, amount: 30, paymentMethodId: 'pm_y' })
})

test('TOP-3: declined while another method is verified, it goes off, and on again with the other', () => {
  const book = verified()
  book.ask('TopUpCredits', topUpCredits('ada', 'tup_1', 600_000))
  set(book, 'op_2', methodY)
  book.ask('SettleTopUp', settleTopUp('ada', 'tup_1', 'declined'))
  expect(settingsOf(book)).toMatchObject({ enabled: false, paymentMethodId: 'pm_x' })
  expect(settle(book, 'op_2')).toMatchObject([{ enabled: true, paymentMethodId: 'pm_y' }])
  // And what comes again of the first does not switch it on once more.
  book.ask('TopUpCredits', topUpCredits('ada', 'tup_2', 600_000))
  book.ask('SettleTopUp', settleTopUp('ada', 'tup_2', 'declined'))
  settle(book, 'op_2')
  expect(settingsOf(book)).toMatchObject({ enabled: false })
})

test('GDP-1: who is deleted while a method is verified sets nothing', () => {
  const book = asked()
  book.ask('CloseAccount', closing)
  expect(settle(book, 'op_1')).toMatchObject([{ name: 'AutoTopUpRefused', reason: 'user_deleted' }])
  expect(settingsOf(book)).toMatchObject({ enabled: false, amount: 0, paymentMethodId: null })
  expect(book.ledger.operations.get('op_1')).toMatchObject({ state: 'user_deleted', paymentMethodId: null })
})

test('what nobody asked for, or nobody answered, is nonsense', () => {
  expect(() => settle(new Book(stripeTerms), 'op_1')).toThrow('set no automatic top-up')
  const another = settleAutoTopUp('bob', 'op_1')
  expect(() => asked().ask('SettleAutoTopUp', another)).toThrow('set no automatic top-up')
  expect(() => asked().ask('SettleAutoTopUp', settleAutoTopUp('ada', 'op_1', 'unknown'))).toThrow('came to unknown')
  expect(() => set(new Book(), 'op_1', { amount: -1 as SetAutoTopUp['amount'] })).toThrow('no amount')
})

const dollars = 1_000_000
test.each([
  ['rounded up to whole cents', 20 * dollars, 20 * dollars + 1, 20 * dollars + 10_000],
  ['at least 50 cents', 1, 1, dollars / 2],
  ['what is whole already stays', 12_340_000, 5, 12_340_000],
  ['never more than can be charged, because of what is configured', 2_000_000 * dollars, 5, 999_999_990_000],
])(
  'TOP-2: with Stripe the amount is %s: in the marker, the charge and the entry alike',
  (_, configured, shortfall, amount) => {
    const book = new Book(stripeTerms)
    set(book, 'op_1', { ...methodX, amount: configured as SetAutoTopUp['amount'] })
    settle(book, 'op_1')
    book.ask('TopUpCredits', topUpCredits('ada', 'tup_1', shortfall))
    expect(book.ledger.topUps.get('tup_1')).toMatchObject({ amount })
    expect(book.calls.at(-1)?.request).toMatchObject({ amount })
    const paid = book.ask('SettleTopUp', settleTopUp('ada', 'tup_1', 'paid'))
    expect(bodies(paid)).toMatchObject([{ name: 'CreditsToppedUp', amount, balance: amount }])
  },
)
