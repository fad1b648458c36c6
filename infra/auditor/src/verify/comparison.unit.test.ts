import { laneOf } from '@coding-plans/runtime'
import { message } from '@coding-plans/runtime/testing'
import { instant, microdollars, userId } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { Facts, fold } from '../fold/index.ts'
import { Comparison, type Kept, lostFrom, orUnpublished, passingIn } from './comparison.ts'

const ada = userId('ada')

/** The n-th grant of ada's, of ten each. */
const grant = (version: number) =>
  message('CreditsPosted', {
    ...{ userId: ada, operationId: `op_${version}`, entryId: `ent_${version}`, creditKind: 'grant', description: '' },
    ...{ amount: microdollars(10), balance: microdollars(version * 10), held: microdollars(0) },
    ...{ at: instant(version), version },
  })

const compared = (kept: Kept, postings: number) => {
  const facts = new Facts()
  const comparison = new Comparison(new Map([[kept.userId, kept]]))
  for (let version = 1; version <= postings; version += 1) {
    const posting = grant(version)
    fold(facts, posting as never)
    comparison.after(posting, facts)
  }
  return { facts, complaints: comparison.complaints, unfinished: comparison.unfinished(facts) }
}
const kept = (version: number, balance = version * 10): Kept => ({ userId: ada, version, balance, held: 0 })

test('an account that Kafka makes too, at the same posting, is right, whatever came after', () => {
  expect(compared(kept(2), 3)).toMatchObject({ complaints: [], unfinished: [] })
  expect(compared(kept(2, 21), 3).complaints).toEqual([
    'ada: after posting 2 the database has 21, 0 held; Kafka makes it 20, 0 held',
  ])
})

test('postings, accounts and whole tables that the database has lost are told of, since Kafka knows them', () => {
  const { facts } = compared(kept(3), 3)
  expect(lostFrom(facts, new Map([['ada', 3]]))).toEqual([])
  expect(lostFrom(facts, new Map([['ada', 4]]))).toEqual([])
  expect(lostFrom(facts, new Map([['ada', 2]]))).toEqual(['ada: Kafka tells of 3 postings, the database has 2'])
  expect(lostFrom(facts, new Map())).toEqual(['ada: Kafka tells of 3 postings, the database has 0'])
})

test('what the ledger committed and did not publish is unfinished, and its outbox is named if it lies there', () => {
  const [short] = compared(kept(3), 2).unfinished
  const sentence = 'ada: the database has 3 postings, Kafka tells of 2'
  expect(short).toEqual({ name: 'postings ada', userId: ada, sentence })
  if (!short) return
  expect(orUnpublished(short, new Map())).toBe(sentence)
  expect(orUnpublished(short, new Map([[laneOf('ada'), 4]]))).toBe(
    `${sentence}; rows of that lane in the ledger’s outbox, not published yet: 4`,
  )
})

test('a charge whose term is not told yet is unfinished; an open hold is nobody’s business here', () => {
  const { facts } = compared(kept(1), 1)
  const of = { userId: ada, holdId: 'hold_1', amount: microdollars(5), balance: microdollars(10) }
  fold(facts, message('CreditsHeld', { ...of, held: microdollars(5), version: 2 }) as never)
  expect(passingIn(facts)).toEqual([])
  const charge = { entryId: 'ent_3', chargeId: 'chg_1', subscriptionId: 'sub_1', description: '' }
  const captured = { ...of, ...charge, balance: microdollars(5), held: microdollars(0), at: instant(3), version: 3 }
  fold(facts, message('HoldCaptured', captured) as never)
  expect(passingIn(facts).map(({ sentence }) => sentence)).toEqual([
    'charge_has_its_term: charge chg_1 of ada over 5 has no term',
  ])
})
