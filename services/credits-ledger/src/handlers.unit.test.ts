import { type Bodies, MOST_MICRODOLLARS, microdollars } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { BOUNDARY, captureHold, holdCredits, postCredits, releaseHold } from './bodies.testing.ts'
import { type Answer, Book, granted, held } from './book.testing.ts'
import { ACCOUNT_NAMES } from './domain/account.ts'

const namesOf = (answers: readonly Answer[]) => answers.map(({ name }) => name)
const bodyOf = (answers: readonly Answer[]) => answers[0]?.body
const sumOf = (book: Book) => ACCOUNT_NAMES.reduce((sum, name) => sum + book.account('ada')[name], 0)

test('LED-1: a grant comes from promotion, a payment from funding, a charge goes to revenue; all sums to zero', () => {
  const book = held(50)
  book.ask('PostCredits', postCredits('ada', 'op_pay', 30, { creditKind: 'payment' }))
  book.ask('CaptureHold', captureHold('ada', 'hold_1'))
  expect(book.account('ada')).toMatchObject({
    available: 70,
    held: 0,
    revenue: 10,
    funding: -30,
    promotion: -50,
    refund: 0,
    version: 4,
  })
  expect(sumOf(book)).toBe(0)
})

test('LED-1: a correction is a new entry, either way', () => {
  const book = granted(50)
  book.ask('PostCredits', postCredits('ada', 'op_2', -20, { creditKind: 'adjustment' }))
  book.ask('PostCredits', postCredits('ada', 'op_3', 5, { creditKind: 'adjustment' }))
  expect(book.transfers().map(({ kind, amount, fromAccount }) => [kind, amount, fromAccount])).toEqual([
    ['grant', 50, 'promotion'],
    ['adjustment', 20, 'available'],
    ['adjustment', 5, 'promotion'],
  ])
  expect(book.account('ada')).toMatchObject({ available: 35, promotion: -35 })
})

test('SUB-3: equal is enough, and what is held is no longer available', () => {
  const book = granted(10)
  expect(book.ask('HoldCredits', holdCredits('ada', 'hold_1', 10))).toEqual([
    { name: 'CreditsHeld', body: { userId: 'ada', holdId: 'hold_1', amount: 10, balance: 10, held: 10, version: 2 } },
  ])
})

test('LED-2: one microdollar short is declined with both amounts, and nothing is changed', () => {
  const book = granted(9)
  const before = book.account('ada')
  expect(book.ask('HoldCredits', holdCredits('ada', 'hold_1', 10))).toEqual([
    {
      name: 'HoldDeclined',
      body: { userId: 'ada', holdId: 'hold_1', reason: 'insufficient_credits', required: 10, available: 9, version: 1 },
    },
  ])
  expect(book.account('ada')).toBe(before)
  expect(book.ledger.holds.size).toBe(0)
})

test('LED-2: who never had a credit is declined, and gets no account by it', () => {
  const book = new Book()
  const answers = book.ask('HoldCredits', holdCredits('ada', 'hold_1', 10))
  expect(bodyOf(answers)).toMatchObject({ required: 10, available: 0, version: 0 })
  expect(book.ledger.accounts.size).toBe(0)
})

test('LED-3: holds that come together are judged one after the other, each on what is left', () => {
  const book = granted(25)
  const answers = ['hold_1', 'hold_2', 'hold_3', 'hold_4'].map((id, place) =>
    book.ask('HoldCredits', holdCredits('ada', id, place === 3 ? 5 : 10)),
  )
  expect(answers.flatMap(namesOf)).toEqual(['CreditsHeld', 'CreditsHeld', 'HoldDeclined', 'CreditsHeld'])
  expect(book.account('ada')).toMatchObject({ available: 0, held: 25 })
})

test('LED-2: a capture leaves available as it was, and the entry says what it paid for', () => {
  const book = held(50)
  const answers = book.ask('CaptureHold', captureHold('ada', 'hold_1'), { time: 2_000 })
  expect(book.account('ada')).toMatchObject({ available: 40, held: 0, revenue: 10 })
  const [, , charge] = book.transfers()
  expect(charge).toMatchObject({
    ...{ kind: 'charge', holdId: 'hold_1', chargeId: 'chg of hold_1', subscriptionId: 'sub of hold_1' },
    ...{ boundary: BOUNDARY, operationId: 'op of hold_1', description: 'Acme Coding, 1 month', at: 2_000 },
  })
  expect(answers).toEqual([
    {
      name: 'HoldCaptured',
      body: {
        userId: 'ada',
        holdId: 'hold_1',
        entryId: charge?.id,
        chargeId: 'chg of hold_1',
        subscriptionId: 'sub of hold_1',
        amount: 10,
        at: 2_000,
        balance: 40,
        held: 0,
        description: 'Acme Coding, 1 month',
        version: 3,
      },
    },
  ])
})

test('LED-2: only an adjustment makes a balance negative, also while a hold is open, and the capture still succeeds', () => {
  const book = held(10)
  const adjusted = book.ask('PostCredits', postCredits('ada', 'op_2', -30, { creditKind: 'adjustment' }))
  expect(bodyOf(adjusted)).toMatchObject({ amount: -30, balance: -20, held: 10 })
  expect(book.account('ada').available).toBe(-30)
  expect(namesOf(book.ask('CaptureHold', captureHold('ada', 'hold_1')))).toEqual(['HoldCaptured'])
  expect(book.account('ada')).toMatchObject({ available: -30, held: 0 })
  expect(bodyOf(book.ask('HoldCredits', holdCredits('ada', 'hold_2', 1)))).toMatchObject({ available: -30 })
  expect(sumOf(book)).toBe(0)
})

test('LED-4: a released hold is available again, and the next attempt for the same term is free', () => {
  const term = { subscriptionId: 'sub_1', boundary: BOUNDARY }
  const book = granted(10)
  book.ask('HoldCredits', holdCredits('ada', 'hold_1', 10, term))
  expect(book.ask('ReleaseHold', releaseHold('ada', 'hold_1'))).toEqual([
    { name: 'HoldReleased', body: { userId: 'ada', holdId: 'hold_1', balance: 10, held: 0, version: 3 } },
  ])
  book.ask('HoldCredits', holdCredits('ada', 'hold_2', 10, term))
  expect(namesOf(book.ask('CaptureHold', captureHold('ada', 'hold_2', term)))).toEqual(['HoldCaptured'])
})

test('a release is answered also when nothing was there', () => {
  const book = new Book()
  expect(book.ask('ReleaseHold', releaseHold('ada', 'hold_1'))).toEqual([
    { name: 'HoldReleased', body: { userId: 'ada', holdId: 'hold_1', balance: 0, held: 0, version: 0 } },
  ])
  expect(book.ledger.accounts.size).toBe(0)
  const other = held(50)
  expect(bodyOf(other.ask('ReleaseHold', releaseHold('ada', 'hold_2')))).toMatchObject({ held: 10, version: 2 })
})

test('LED-6: credits that arrive are told with their entry, and the operator is audited with the same step', () => {
  const book = granted(5)
  const answers = book.ask('PostCredits', postCredits('ada', 'op_2', 7, { creditKind: 'payment', reason: 'invoice 4' }))
  const entryId = book.transfers()[1]?.id
  expect(answers).toEqual([
    {
      name: 'CreditsPosted',
      body: {
        ...{ userId: 'ada', operationId: 'op_2', entryId, creditKind: 'payment', amount: 7, at: 1_001 },
        ...{ balance: 12, held: 0, description: 'invoice 4', version: 2 },
      },
    },
    {
      name: 'ActionAudited',
      body: {
        ...{ subject: 'ada', actor: 'admin-1', action: 'credits.post', target: 'ada', reason: 'invoice 4', at: 1_001 },
        before: '{"balanceMicrodollars":5}',
        after: JSON.stringify({ balanceMicrodollars: 12, entryId, kind: 'payment', amountMicrodollars: 7 }),
      },
    },
  ])
})

test('time on an account never runs backwards', () => {
  const book = new Book()
  book.ask('PostCredits', postCredits('ada', 'op_1', 5), { time: 9_000 })
  const late = book.ask('PostCredits', postCredits('ada', 'op_2', 5), { time: 4_000 })
  expect(bodyOf(late)).toMatchObject({ at: 9_000 })
  book.ask('PostCredits', postCredits('bob', 'op_3', 5), { time: 4_000 })
  expect(book.transfers('bob')[0]?.at).toBe(4_000)
})

test('LED-6: more than the accounts could carry is refused, not a failure, and changes nothing', () => {
  const book = granted(MOST_MICRODOLLARS)
  const account = book.account('ada')
  for (const [amount, how] of [
    [1, {}],
    [MOST_MICRODOLLARS, { creditKind: 'payment' }],
    [1, { creditKind: 'adjustment' }],
  ] as const)
    expect(bodyOf(book.ask('PostCredits', postCredits('ada', `op_${amount}`, amount, how)))).toMatchObject({
      reason: 'too_much',
    })
  expect(book.account('ada')).toBe(account)
  const taken = book.ask('PostCredits', postCredits('ada', 'op_back', -MOST_MICRODOLLARS, { creditKind: 'adjustment' }))
  expect(bodyOf(taken)).toMatchObject({ balance: 0, amount: -MOST_MICRODOLLARS })
})

test('LED-2: what was spent counts: what comes in must fit where it may be spent, since a capture cannot fail', () => {
  const book = granted(MOST_MICRODOLLARS)
  book.ask('HoldCredits', holdCredits('ada', 'hold_1', MOST_MICRODOLLARS))
  book.ask('CaptureHold', captureHold('ada', 'hold_1'))
  expect(bodyOf(book.ask('PostCredits', postCredits('ada', 'op_2', 1)))).toMatchObject({ reason: 'too_much' })
})

test('LED-6: amounts up to the most that can be carried are counted exactly', () => {
  const book = granted(MOST_MICRODOLLARS)
  book.ask('HoldCredits', holdCredits('ada', 'hold_1', MOST_MICRODOLLARS))
  const captured = bodyOf(book.ask('CaptureHold', captureHold('ada', 'hold_1'))) as Bodies['HoldCaptured']
  expect(captured.amount).toBe(microdollars(MOST_MICRODOLLARS))
  expect(book.account('ada')).toMatchObject({ available: 0, revenue: MOST_MICRODOLLARS })
})
