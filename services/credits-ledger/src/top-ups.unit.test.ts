import { MOST_MICRODOLLARS, userId } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import {
  holdCredits,
  postCredits,
  refundCredits,
  releaseHold,
  setAutoTopUp,
  settleTopUp,
  topUpCredits,
} from './bodies.testing.ts'
import { Book, granted, held } from './book.testing.ts'

const closing = { userId: userId('ada'), operationId: 'op_close' }
/** Ada tops up by 40 with this method, and was asked for 15. */
const asked = (amount = 40) => {
  const book = new Book()
  book.ask('SetAutoTopUp', setAutoTopUp('ada', 'pm_ok', amount))
  book.ask('TopUpCredits', topUpCredits('ada', 'tup_1', 15))
  return book
}
const bodies = (answers: ReturnType<Book['ask']>) => answers.map(({ name, body }) => ({ name, ...body }))

test('REN-6: whatever makes more available says so, after its entry; what takes, does not', () => {
  const book = held(50)
  book.ask('ReleaseHold', releaseHold('ada', 'hold_1'))
  book.ask('ReleaseHold', releaseHold('ada', 'hold_none'))
  book.ask('PostCredits', postCredits('ada', 'op_2', 5, { creditKind: 'payment' }))
  book.ask('PostCredits', postCredits('ada', 'op_3', -50, { creditKind: 'adjustment' }))
  book.ask('PostCredits', postCredits('ada', 'op_4', 1, { creditKind: 'adjustment' }))
  book.ask('RefundCredits', refundCredits('ada', 'rfd_1', 7))
  expect(book.increases.map(({ cause, available, version }) => [cause, available, version])).toEqual([
    ['grant', 50, 1],
    ['release', 50, 3],
    ['payment', 55, 4],
    ['adjustment', 6, 6],
    ['refund', 13, 7],
  ])
})

test('CAN-2, LED-1: a refund is an entry of its own, once, from the refund account', () => {
  const book = granted(10)
  const first = book.ask('RefundCredits', refundCredits('ada', 'rfd_1', 7))
  expect(bodies(first)).toMatchObject([
    { name: 'CreditsRefunded', refundId: 'rfd_1', amount: 7, balance: 17, version: 2 },
  ])
  expect(book.ask('RefundCredits', refundCredits('ada', 'rfd_1', 7))).toEqual(first)
  expect(book.account('ada')).toMatchObject({ available: 17, refund: -7 })
  expect(() => book.ask('RefundCredits', refundCredits('ada', 'rfd_1', 8))).toThrow('something else')
  expect(book.complaint('ada')).toBeNull()
})

test('TOP-1: to switch it on, amount and method are needed, now or before; what is absent stays', () => {
  const book = new Book()
  const set = (operationId: string, method: string | null, amount: number | null, enabled = true) =>
    bodies(book.ask('SetAutoTopUp', setAutoTopUp('ada', method, amount, { operationId, enabled })))
  expect(set('op_1', 'pm_ok', null)).toMatchObject([{ name: 'AutoTopUpRefused', reason: 'incomplete' }])
  expect(set('op_2', 'pm_ok', null, false)).toMatchObject([{ name: 'AutoTopUpSet', enabled: false, version: 1 }])
  expect(set('op_3', null, 40)).toMatchObject([{ enabled: true, amount: 40, paymentMethodId: 'pm_ok', version: 2 }])
  expect(set('op_4', null, null, false)).toMatchObject([{ enabled: false, amount: 40, paymentMethodId: 'pm_ok' }])
  // A copy of an earlier one changes nothing.
  expect(set('op_3', null, 40)).toMatchObject([{ operationId: 'op_3', enabled: false, version: 3 }])
})

test('TOP-1: switched off it is no attempt; a copy charges nobody when it is on', () => {
  const book = new Book()
  const declined = [{ name: 'TopUpDeclined', topUpId: 'tup_1', reason: 'off' }]
  expect(bodies(book.ask('TopUpCredits', topUpCredits('ada', 'tup_1', 15)))).toMatchObject(declined)
  book.ask('SetAutoTopUp', setAutoTopUp('ada', 'pm_ok', 40))
  expect(bodies(book.ask('TopUpCredits', topUpCredits('ada', 'tup_1', 15)))).toMatchObject(declined)
  expect(book.calls).toEqual([])
})

test('TOP-2: it pays the configured amount, or the shortfall if that is more', () => {
  for (const [configured, amount] of [
    [40, 40],
    [9, 15],
  ] as const)
    expect(asked(configured).calls).toEqual([
      {
        call: 'charge',
        request: { topUpId: 'tup_1', userId: 'ada', amount, paymentMethodId: 'pm_ok', customerId: null },
      },
    ])
})

test('TOP-2: never more is asked of the card than the account can carry; what cannot be credited is not paid', () => {
  const book = new Book()
  book.ask('PostCredits', postCredits('ada', 'op_1', 5))
  book.ask('SetAutoTopUp', setAutoTopUp('ada', 'pm_ok', MOST_MICRODOLLARS))
  book.ask('TopUpCredits', topUpCredits('ada', 'tup_1', 15))
  expect(book.ledger.topUps.get('tup_1')).toMatchObject({ state: 'asked', amount: MOST_MICRODOLLARS - 5 })
  book.ask('SettleTopUp', settleTopUp('ada', 'tup_1', 'paid'))
  expect(book.account('ada')).toMatchObject({ available: MOST_MICRODOLLARS })
  const more = bodies(book.ask('TopUpCredits', topUpCredits('ada', 'tup_2', 1)))
  expect(more).toMatchObject([{ name: 'TopUpDeclined', reason: 'declined' }])
  expect(book.calls).toHaveLength(1)
})

test('TOP-1: the marker is stored before the call is made, and with it a copy makes no other', () => {
  const book = asked()
  const { topUps, written } = book.ledger
  expect(topUps.get('tup_1')).toMatchObject({ state: 'asked', amount: 40, paymentMethodId: 'pm_ok', paymentId: null })
  expect(written.topUps.has('tup_1')).toBe(true)
  expect(book.ask('TopUpCredits', topUpCredits('ada', 'tup_1', 15))).toEqual([])
  expect(book.calls).toHaveLength(1)
})

test('LED-6: a paid top-up is one entry, told once more to whoever asks again', () => {
  const book = asked()
  const first = book.ask('SettleTopUp', settleTopUp('ada', 'tup_1', 'paid'))
  expect(bodies(first)).toMatchObject([{ name: 'CreditsToppedUp', amount: 40, balance: 40, version: 1 }])
  expect(book.ask('SettleTopUp', settleTopUp('ada', 'tup_1', 'paid'))).toEqual(first)
  expect(book.ask('TopUpCredits', topUpCredits('ada', 'tup_1', 15))).toEqual(first)
  expect(book.account('ada')).toMatchObject({ available: 40, funding: -40, version: 1 })
  expect(book.complaint('ada')).toBeNull()
})

test('TOP-3: declined, it goes off, unless it has another method by now', () => {
  const book = asked()
  expect(bodies(book.ask('SettleTopUp', settleTopUp('ada', 'tup_1', 'declined')))).toMatchObject([
    { name: 'TopUpDeclined', reason: 'declined' },
    { name: 'AutoTopUpSet', operationId: null, enabled: false, paymentMethodId: 'pm_ok', version: 2 },
  ])
  const other = asked()
  other.ask('SetAutoTopUp', setAutoTopUp('ada', 'pm_new', null, { operationId: 'op_2' }))
  expect(bodies(other.ask('SettleTopUp', settleTopUp('ada', 'tup_1', 'declined')))).toHaveLength(1)
  expect(other.ledger.settings.get(userId('ada'))?.enabled).toBe(true)
})

test('GDP-1: a closed account takes no more holds, credits and settings; what was on it stays; what ran is finished', () => {
  const book = held(50)
  book.ask('SetAutoTopUp', setAutoTopUp('ada', 'pm_ok', 40))
  expect(bodies(book.ask('CloseAccount', closing))).toMatchObject([{ name: 'AccountClosed', balance: 50, version: 2 }])
  expect(bodies(book.ask('HoldCredits', holdCredits('ada', 'hold_2', 1)))).toMatchObject([{ reason: 'user_deleted' }])
  expect(bodies(book.ask('PostCredits', postCredits('ada', 'op_9', 1)))).toMatchObject([
    { name: 'CreditsRefused', reason: 'user_deleted' },
  ])
  const settings = setAutoTopUp('ada', 'pm_ok', 40, { operationId: 'op_9' })
  expect(bodies(book.ask('SetAutoTopUp', settings))).toMatchObject([
    { name: 'AutoTopUpRefused', reason: 'user_deleted' },
  ])
  expect(bodies(book.ask('TopUpCredits', topUpCredits('ada', 'tup_9', 1)))).toMatchObject([{ reason: 'user_deleted' }])
  expect(book.ledger.settings.get(userId('ada'))).toMatchObject({ enabled: false, amount: 0, paymentMethodId: null })
  expect(bodies(book.ask('ReleaseHold', releaseHold('ada', 'hold_1')))).toMatchObject([{ name: 'HoldReleased' }])
  expect(bodies(book.ask('CloseAccount', closing))).toMatchObject([{ balance: 50 }])
})

test('GDP-1: who never had an account is closed too; a payment that comes later goes back', () => {
  const nobody = new Book()
  expect(bodies(nobody.ask('CloseAccount', closing))).toMatchObject([{ balance: 0, version: 0 }])
  expect(bodies(nobody.ask('PostCredits', postCredits('ada', 'op_1', 5)))).toMatchObject([{ name: 'CreditsRefused' }])
  const book = asked()
  book.ask('CloseAccount', closing)
  expect(book.ask('SettleTopUp', settleTopUp('ada', 'tup_1', 'paid'))).toEqual([])
  expect(book.calls.at(-1)).toMatchObject({ call: 'return', request: { paymentId: 'pay of tup_1', amount: 40 } })
  expect(book.account('ada').available).toBe(0)
})

test('a top-up that nobody asked for is settled by nobody', () => {
  expect(() => new Book().ask('SettleTopUp', settleTopUp('ada', 'tup_1', 'paid'))).toThrow('never asked for')
})
