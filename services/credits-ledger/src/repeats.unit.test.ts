import { instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { BOUNDARY, captureHold, holdCredits, postCredits, releaseHold } from './bodies.testing.ts'
import { type Answer, Book, granted, held } from './book.testing.ts'

const namesOf = (answers: readonly Answer[]) => answers.map(({ name }) => name)
const bodyOf = (answers: readonly Answer[]) => answers[0]?.body

type Asked = (book: Book) => Answer[]
const repeats: [string, Asked, Asked][] = [
  [
    'a hold, open, captured or released since,',
    (book) => book.ask('HoldCredits', holdCredits('ada', 'hold_1', 10)),
    (book) => book.ask('CaptureHold', captureHold('ada', 'hold_1')),
  ],
  [
    'a hold that was given back',
    (book) => book.ask('HoldCredits', holdCredits('ada', 'hold_1', 10)),
    (book) => book.ask('ReleaseHold', releaseHold('ada', 'hold_1')),
  ],
  [
    'a declined hold, affordable since,',
    (book) => book.ask('HoldCredits', holdCredits('ada', 'hold_2', 100)),
    (book) => book.ask('PostCredits', postCredits('ada', 'op_more', 500)),
  ],
  [
    'a capture',
    (book) => {
      book.ask('HoldCredits', holdCredits('ada', 'hold_1', 10))
      return book.ask('CaptureHold', captureHold('ada', 'hold_1'))
    },
    (book) => book.ask('PostCredits', postCredits('ada', 'op_more', 500)),
  ],
  [
    'a release',
    (book) => {
      book.ask('HoldCredits', holdCredits('ada', 'hold_1', 10))
      return book.ask('ReleaseHold', releaseHold('ada', 'hold_1'))
    },
    (book) => book.ask('PostCredits', postCredits('ada', 'op_more', 500)),
  ],
]
test.each(repeats)('IDE-4: %s changes nothing when it comes again, and hears the same answer', (_, ask, meanwhile) => {
  const book = granted(50)
  const first = ask(book)
  meanwhile(book)
  book.newRound()
  const before = book.account('ada')
  expect(ask(book)).toEqual(first)
  expect(book.account('ada')).toBe(before)
  expect(book.ledger.written).toEqual(new Book().ledger.written)
})

test('IDE-4: a posting that comes again hears the same answer, and is audited once', () => {
  const book = granted(5)
  const again = book.ask('PostCredits', postCredits('ada', 'op_grant', 5))
  expect(namesOf(again)).toEqual(['CreditsPosted'])
  expect(bodyOf(again)).toMatchObject({ at: 1_000, balance: 5, version: 1 })
  expect(book.account('ada')).toMatchObject({ available: 5, version: 1 })
})

test('REN-3: a term that is charged is not charged by another hold', () => {
  const term = { subscriptionId: 'sub_1', boundary: BOUNDARY }
  const book = granted(50)
  for (const id of ['hold_1', 'hold_2']) book.ask('HoldCredits', holdCredits('ada', id, 10, term))
  book.ask('CaptureHold', captureHold('ada', 'hold_1', term))
  expect(() => book.ask('CaptureHold', captureHold('ada', 'hold_2', term))).toThrow('is charged by hold hold_1')
  book.ask('CaptureHold', captureHold('ada', 'hold_2', { ...term, boundary: instant(BOUNDARY + 1) }))
  expect(book.account('ada').revenue).toBe(20)
})

const nonsense: [string, string, Asked, Asked?][] = [
  ['a hold of nothing', 'holds nothing', (book) => book.ask('HoldCredits', holdCredits('ada', 'hold_2', 0))],
  ['a negative hold', 'holds nothing', (book) => book.ask('HoldCredits', holdCredits('ada', 'hold_2', -5))],
  ['another amount, known id', 'another hold', (book) => book.ask('HoldCredits', holdCredits('ada', 'hold_1', 11))],
  ['another user, known id', 'another hold', (book) => book.ask('HoldCredits', holdCredits('bob', 'hold_1', 10))],
  ['a capture of nothing', 'no hold', (book) => book.ask('CaptureHold', captureHold('ada', 'hold_2'))],
  [
    "a capture of another's hold",
    'no hold',
    (book) => book.ask('CaptureHold', captureHold('bob', 'hold_1')),
    (book) => book.ask('PostCredits', postCredits('bob', 'op_bob', 50)),
  ],
  [
    'a capture for another subscription',
    'not for',
    (book) => book.ask('CaptureHold', captureHold('ada', 'hold_1', { subscriptionId: 'sub_9' })),
  ],
  [
    'a capture after the release',
    'given back',
    (book) => book.ask('CaptureHold', captureHold('ada', 'hold_1')),
    (book) => book.ask('ReleaseHold', releaseHold('ada', 'hold_1')),
  ],
  [
    'a second charge of one hold',
    'another charge',
    (book) => book.ask('CaptureHold', captureHold('ada', 'hold_1', { chargeId: 'chg_9' })),
    (book) => book.ask('CaptureHold', captureHold('ada', 'hold_1')),
  ],
  [
    'a release after the capture',
    'already',
    (book) => book.ask('ReleaseHold', releaseHold('ada', 'hold_1')),
    (book) => book.ask('CaptureHold', captureHold('ada', 'hold_1')),
  ],
  [
    "a release of another's hold",
    'no hold',
    (book) => book.ask('ReleaseHold', releaseHold('bob', 'hold_1')),
    (book) => book.ask('PostCredits', postCredits('bob', 'op_bob', 50)),
  ],
  ['a posting of nothing', 'moves nothing', (book) => book.ask('PostCredits', postCredits('ada', 'op_2', 0))],
  ['a negative grant', 'moves nothing', (book) => book.ask('PostCredits', postCredits('ada', 'op_2', -5))],
  [
    'a negative payment',
    'moves nothing',
    (book) => book.ask('PostCredits', postCredits('ada', 'op_2', -5, { creditKind: 'payment' })),
  ],
  [
    'an unknown kind of credits',
    'unknown kind',
    (book) => book.ask('PostCredits', postCredits('ada', 'op_2', 5, { creditKind: 'unknown' })),
  ],
  [
    'another posting under a known operation',
    'something else',
    (book) => book.ask('PostCredits', postCredits('ada', 'op_grant', 51)),
  ],
]
test.each(nonsense)('%s is nonsense and changes nothing', (_, sentence, ask, before) => {
  const book = held(50)
  before?.(book)
  book.newRound()
  const account = book.account('ada')
  expect(() => ask(book)).toThrow(sentence)
  expect(book.account('ada')).toBe(account)
  expect(book.ledger.written).toEqual(new Book().ledger.written)
})
