import { expect, test } from 'vitest'
import { captured, granted, T0, told } from '../fold/told.testing.ts'
import { differingFrom, type KeptEntry } from './entries.ts'

const facts = told(granted, captured())
const kept = (change: Partial<KeptEntry> = {}): KeptEntry => ({
  ...{ id: 'ent_2', userId: 'ada', sequence: 3, kind: 'charge', amount: -20, balanceAfter: 30, at: T0 },
  ...{ subscriptionId: 'sub_1', chargeId: 'chg_1', description: 'Acme' },
  ...change,
})

test('an entry that Kafka tells of otherwise is named with what differs, whatever the chain says', () => {
  expect(differingFrom(facts, kept())).toEqual([])
  expect(differingFrom(facts, kept({ amount: -21, balanceAfter: 29 }))).toEqual([
    'ada: entry ent_2: the database has amount -21, Kafka tells -20',
    'ada: entry ent_2: the database has balanceAfter 29, Kafka tells 30',
  ])
  const others = { kind: 'refund', subscriptionId: 'sub_2', chargeId: null, description: 'x', at: 1, userId: 'bob' }
  for (const [field, value] of Object.entries(others))
    expect(differingFrom(facts, kept({ [field]: value })), field).toHaveLength(1)
})

test('one that Kafka does not tell of is told of as a posting that is missing', () => {
  expect(differingFrom(facts, kept({ id: 'ent_9' }))).toEqual([])
})
