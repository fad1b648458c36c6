import { instant, microdollars } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { captureHold, holdCredits, postCredits, releaseHold } from '../bodies.testing.ts'
import { Book } from '../book.testing.ts'
import { type Draft, hashOf, post, type Transfer } from './transfer.ts'

/** Four transfers of ada's: granted 50, held 10, charged 10, adjusted by −5; and one open hold. */
const book = () => {
  const one = new Book()
  one.ask('PostCredits', postCredits('ada', 'op_1', 50))
  one.ask('HoldCredits', holdCredits('ada', 'hold_1', 10))
  one.ask('CaptureHold', captureHold('ada', 'hold_1'))
  one.ask('PostCredits', postCredits('ada', 'op_2', -5, { creditKind: 'adjustment' }))
  one.ask('HoldCredits', holdCredits('ada', 'hold_2', 1))
  return one
}
/** Every transfer after `place` chained anew, as somebody would who knows how. */
const rechained = (transfers: readonly Transfer[]) => {
  let previous = '0'.repeat(64)
  return transfers.map((transfer) => {
    const { hash: _, ...fields } = transfer
    previous = hashOf(previous, fields)
    return { ...transfer, hash: previous }
  })
}

test('LED-5: an untouched ledger is found right', () => {
  const one = book()
  one.ask('ReleaseHold', releaseHold('ada', 'hold_2'))
  expect(one.complaint('ada')).toBeNull()
  expect(one.complaint('nobody')).toBeNull()
})

const changes: Partial<Transfer>[] = [
  { id: 'ent_other' },
  { sequence: 9 },
  { kind: 'release' },
  { amount: microdollars(11) },
  { fromAccount: 'available' },
  { toAccount: 'promotion' },
  { availableAfter: microdollars(41) },
  { heldAfter: microdollars(1) },
  { at: instant(1) },
  { holdId: 'hold_9' },
  { operationId: 'op_9' },
  { subscriptionId: 'sub_9' },
  { chargeId: 'chg_9' },
  { boundary: instant(1) },
  { description: 'something cheaper' },
  { actor: 'admin-9' },
  { cause: 'another message' },
  { hash: 'f'.repeat(64) },
]
test.each(changes)('LED-5: one changed field is found, and its entry is named: %o', (change) => {
  const one = book()
  const transfers = one.transfers('ada')
  const changed = transfers.map((transfer, place) => (place === 2 ? { ...transfer, ...change } : transfer))
  expect(one.complaint('ada', changed)).toContain(`entry ${changed[2]?.id} (number ${changed[2]?.sequence})`)
})

test('LED-5: every field is chained', () => {
  const [first] = book().transfers('ada')
  const fields = Object.keys(first as Transfer).filter((field) => field !== 'hash' && field !== 'userId')
  expect(new Set(fields)).toEqual(new Set(changes.flatMap(Object.keys).filter((field) => field !== 'hash')))
})

test('LED-5: an entry taken out, put in twice or moved is found', () => {
  const one = book()
  const [a, b, c, d, e] = one.transfers('ada') as [Transfer, Transfer, Transfer, Transfer, Transfer]
  expect(one.complaint('ada', [a, b, d, e])).toContain(`${d.id} (number 4): number 3 should be here`)
  expect(one.complaint('ada', [a, b, b, c, d, e])).toContain(`${b.id} (number 2): number 3 should be here`)
  expect(one.complaint('ada', [a, c, b, d, e])).toContain(`${c.id} (number 3): number 2 should be here`)
  expect(one.complaint('ada', [a, b, c, d])).toContain(`its entries up to ${d.id} (number 4) make`)
})

test('LED-2: an entry below the floor is found even when all that follows is chained anew', () => {
  const one = book()
  const forged = rechained(
    one
      .transfers('ada')
      .map((transfer, place) =>
        place === 1 ? { ...transfer, amount: microdollars(60), availableAfter: microdollars(-10) } : transfer,
      ),
  )
  expect(one.complaint('ada', forged)).toContain(`${forged[1]?.id} (number 2): -10 would be available`)
})

test('LED-5: what is chained anew does not fit the account', () => {
  const one = book()
  const forged = rechained(
    one.transfers('ada').map((transfer, place) => (place === 2 ? { ...transfer, description: 'nothing' } : transfer)),
  )
  expect(one.complaint('ada', forged)).toContain('the account says hash')
})

test.each(['release', 'charge'] as const)(
  'LED-4: a second end of a hold is found though it fits the chain: %s',
  (kind) => {
    const one = book()
    const toAccount = kind === 'charge' ? 'revenue' : 'available'
    const ends = { amount: microdollars(1), fromAccount: 'held', toAccount, holdId: 'hold_1' } as const
    const again: Draft = { id: 'ent_again', kind, ...ends }
    const { account, transfer } = post(one.account('ada'), again, { at: instant(9_000), messageId: 'forged' })
    const complaint = one.complaint('ada', [...one.transfers('ada'), transfer], account)
    expect(complaint).toBe('entry ent_again (number 6): hold hold_1 is captured here')
  },
)

test('LED-1: an account that is not the sum of its entries is found', () => {
  const one = book()
  const rich = { ...one.account('ada'), available: microdollars(1_000), promotion: microdollars(-1_010) }
  expect(one.complaint('ada', one.transfers('ada'), rich)).toContain('the account says available 1000')
})

test('LED-4: a hold that is not as its entries make it is found', () => {
  const one = book()
  const { holds } = one.ledger
  const [first, second] = [...holds.values()]
  holds.set('hold_2', { ...(second as never as object), state: 'released' } as never)
  expect(one.complaint('ada')).toContain('hold hold_2 is stored as 1 released, its entries make it 1 open')
  holds.delete('hold_2')
  expect(one.complaint('ada')).toBe('hold hold_2 has entries and is not stored')
  holds.set('hold_2', second as never)
  holds.set('hold_3', { ...(first as never as object), holdId: 'hold_3' } as never)
  expect(one.complaint('ada')).toBe('hold hold_3 has no entry')
})

const holdChanges: readonly [string, string, object][] = [
  ['hold_2', 'subscriptionId', { subscriptionId: 'sub_9' }],
  ['hold_2', 'boundary', { boundary: instant(1) }],
  ['hold_2', 'operationId', { operationId: 'op_9' }],
  ['hold_2', 'openedAt', { openedAt: instant(1) }],
  ['hold_1', 'boundary', { boundary: instant(1) }],
  ['hold_1', 'closedAt', { closedAt: instant(1) }],
  ['hold_1', 'chargeId', { chargeId: 'chg_9' }],
  ['hold_1', 'entryId', { entryId: 'ent_9' }],
]
test.each(holdChanges)(
  'LED-4: hold %s, of which %s is not what its entries tell, is found',
  (holdId, field, change) => {
    const one = book()
    const { holds } = one.ledger
    holds.set(holdId, { ...holds.get(holdId), ...change } as never)
    expect(one.complaint('ada')).toMatch(new RegExp(`^hold ${holdId} says ${field} .*, its entries make it`))
  },
)
