import { instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { chargeIdOf, grantIdOf, holdIdOf, renewalIdOf, subscriptionIdOf } from './ids.ts'

const at = (iso: string) => instant(Date.parse(iso))

test('IDE-3: a term’s charge is known by its subscription and boundary as an instant, never by the month', () => {
  const charge = (iso: string, id = 'sub_1') => chargeIdOf(id, at(iso))
  expect(charge('2026-03-01T10:00:00+02:00')).toBe(charge('2026-03-01T08:00:00.000Z'))
  const boundaries = ['2026-03-01T08:00:00.000Z', '2026-03-01T08:00:00.001Z', '2026-03-31T08:00:00.000Z']
  expect(new Set(boundaries.map((iso) => charge(iso))).size).toBe(3)
  expect(charge('2026-03-01T08:00:00.000Z', 'sub_2')).not.toBe(charge('2026-03-01T08:00:00.000Z'))
})

test('IDE-3: an activation by its operation, days by theirs: the same however often, others for another', () => {
  for (const idOf of [subscriptionIdOf, grantIdOf]) {
    expect(idOf('op_1')).toBe(idOf('op_1'))
    expect(idOf('op_1')).not.toBe(idOf('op_2'))
  }
})

test('protocol 4: a hold is of one attempt; what was declined leaves nothing under the next', () => {
  const holds = [0, 1, 2].map((attempt) => holdIdOf(renewalIdOf('msg_1', attempt), 0))
  expect(new Set([...holds, holdIdOf(renewalIdOf('msg_1'), 1)]).size).toBe(4)
  expect(holdIdOf('op_1', 0)).toBe('op_1')
})
