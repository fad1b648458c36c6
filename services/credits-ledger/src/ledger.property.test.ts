import { instant } from '@coding-plans/schemas'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  captureHold,
  holdCredits,
  postCredits,
  refundCredits,
  releaseHold,
  setAutoTopUp,
  settleTopUp,
  topUpCredits,
} from './bodies.testing.ts'
import { type Answer, Book } from './book.testing.ts'
import { ACCOUNT_NAMES } from './domain/account.ts'
import type { Transfer } from './domain/transfer.ts'

const USERS = ['ada', 'bob', 'eve']
const user = fc.constantFrom(...USERS)
const number = fc.nat(6)
// An amount belongs to its hold or operation, so that the same number asked twice is a copy of the same command.
const amountOf = (place: number) => 5 + place * 3

const wish = fc.oneof(
  fc.record({
    kind: fc.constantFrom('hold' as const, 'hold' as const, 'capture' as const, 'release' as const),
    user,
    number,
  }),
  fc.record({
    kind: fc.constantFrom('grant' as const, 'payment' as const, 'take' as const, 'refund' as const),
    user,
    number,
  }),
)
type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never
const wishes = fc.array(wish, { maxLength: 60 })

const holdIdOf = ({ user, number }: Wish) => `hold ${user} ${number}`

/** @returns the answers, or null for what is nonsense there. */
const ask = (book: Book, one: Wish): Answer[] | null => {
  const { kind, number } = one
  try {
    if (kind === 'grant' || kind === 'payment')
      return book.ask(
        'PostCredits',
        postCredits(one.user, `${kind} ${one.user} ${number}`, amountOf(number), { creditKind: kind }),
      )
    if (kind === 'refund')
      return book.ask('RefundCredits', refundCredits(one.user, `refund ${one.user} ${number}`, amountOf(number)))
    if (kind === 'take')
      return book.ask(
        'PostCredits',
        postCredits(one.user, `take ${one.user} ${number}`, -amountOf(number), { creditKind: 'adjustment' }),
      )
    const holdId = holdIdOf(one)
    // A few terms for many holds: several attempts at one term, of which one may be charged.
    const term = { subscriptionId: `sub ${one.user}`, boundary: instant(number % 3) }
    if (kind === 'hold') return book.ask('HoldCredits', holdCredits(one.user, holdId, amountOf(number), term))
    if (kind === 'capture') return book.ask('CaptureHold', captureHold(one.user, holdId, term))
    return book.ask('ReleaseHold', releaseHold(one.user, holdId))
  } catch (error) {
    expect(String(error)).toMatch(/has no hold|was given back|is charged by|already/)
    return null
  }
}

test('LED-1, LED-2, LED-4, LED-5: whatever is asked in whatever order, sums, floors, ends and chains hold', () => {
  fc.assert(
    fc.property(wishes, (all) => {
      const book = new Book()
      for (const one of all) {
        const before = book.account(one.user)
        ask(book, one)
        const after = book.account(one.user)
        expect(ACCOUNT_NAMES.reduce((sum, name) => sum + after[name], 0)).toBe(0)
        expect(after.held).toBeGreaterThanOrEqual(0)
        const [last] = book.transfers(one.user).slice(-1)
        const fell = after.available < before.available
        if (fell) expect(after.available >= 0 || last?.kind === 'adjustment').toBe(true)
        expect(after.version - before.version).toBeLessThanOrEqual(1)
        expect(after.lastAt).toBeGreaterThanOrEqual(before.lastAt)
      }
      const ends = book.transfers().filter(({ kind }) => kind === 'charge' || kind === 'release')
      expect(new Set(ends.map(({ holdId }) => holdId)).size).toBe(ends.length)
      const terms = ends.filter(({ kind }) => kind === 'charge').map((t) => `${t.subscriptionId} ${t.boundary}`)
      expect(new Set(terms).size).toBe(terms.length)
      for (const name of USERS) expect(book.complaint(name)).toBeNull()
    }),
    { numRuns: 300 },
  )
})

test('IDE-4: everything asked a second time hears the same answers and changes nothing', () => {
  fc.assert(
    fc.property(wishes, (all) => {
      const book = new Book()
      const first = new Map<string, Answer[]>()
      for (const one of all) {
        const known = JSON.stringify(one)
        // Its second look would be a first one, if the hold came after it; no saga asks that.
        const foundNothing = one.kind === 'release' && !book.ledger.holds.has(holdIdOf(one))
        const answers = ask(book, one)
        if (answers && !foundNothing && !first.has(known)) first.set(known, answers)
      }
      book.newRound()
      const before = USERS.map((name) => book.account(name))
      for (const [known, answers] of first)
        expect(ask(book, JSON.parse(known))).toEqual(answers.filter(({ name }) => name !== 'ActionAudited'))
      expect(USERS.map((name) => book.account(name))).toEqual(before)
      expect(book.ledger.written).toEqual(new Book().ledger.written)
    }),
    { numRuns: 300 },
  )
})

test('LED-5: any one field of any one transfer changed is found, and its entry is named', () => {
  fc.assert(
    fc.property(wishes, fc.nat(), fc.nat(), (all, place, which) => {
      const book = new Book()
      for (const one of all) ask(book, one)
      const transfers = book.transfers('ada')
      fc.pre(transfers.length > 0)
      const at = place % transfers.length
      const chosen = transfers[at] as Transfer
      const fields = Object.keys(chosen).filter((field) => field !== 'userId') as (keyof Transfer)[]
      const field = fields[which % fields.length] as keyof Transfer
      const value = chosen[field]
      const changed = { ...chosen, [field]: typeof value === 'number' ? value + 1 : `${value}x` } as Transfer
      const complaint = book.complaint('ada', transfers.with(at, changed))
      expect(complaint).toContain(`entry ${changed.id} (number ${changed.sequence})`)
    }),
    { numRuns: 500 },
  )
})

const paying = fc.record({
  kind: fc.constantFrom('set' as const, 'off' as const, 'top up' as const, 'paid' as const, 'declined' as const),
  user,
  number,
})

test('TOP-1, LED-1: however top-ups are asked, copied and settled, each is charged once at most and every chain holds', () => {
  fc.assert(
    fc.property(fc.array(paying, { maxLength: 60 }), (all) => {
      const book = new Book()
      for (const [place, { kind, user: name, number: n }] of all.entries()) {
        const id = `tup ${name} ${n}`
        const known = book.ledger.topUps.has(id)
        if (kind === 'set' || kind === 'off')
          book.ask('SetAutoTopUp', setAutoTopUp(name, 'pm', 9, { operationId: `op ${place}`, enabled: kind === 'set' }))
        else if (kind === 'top up') book.ask('TopUpCredits', topUpCredits(name, id, amountOf(n)))
        else if (known) book.ask('SettleTopUp', settleTopUp(name, id, kind))
      }
      const paid = [...book.ledger.topUps.values()].filter(({ state }) => state === 'paid')
      expect(
        book
          .transfers()
          .map(({ operationId }) => operationId)
          .sort(),
      ).toEqual(paid.map(({ topUpId }) => topUpId).sort())
      const called = book.calls.map(({ request }) => (request as { topUpId: string }).topUpId)
      expect(new Set(called).size).toBe(called.length)
      for (const name of USERS) expect(book.complaint(name)).toBeNull()
    }),
    { numRuns: 300 },
  )
})
