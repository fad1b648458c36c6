import { expect, test } from 'vitest'
import { assignKey, bodies, deleteOwnKey, enableOwnKey, putOwnKey, removeKey, upload, World } from './world.testing.ts'

const stocked = (...keys: Parameters<typeof upload>[1]) => {
  const world = new World()
  if (keys.length > 0) world.round(upload('op_up', keys))
  return world
}
const reasons = (said: ReturnType<World['round']>) => bodies(said, 'KeyDeclined').map(({ reason }) => reason)

test('SUB-7: the oldest upload is sold first, and the slot has the key, enabled', () => {
  const world = stocked('first', 'second')
  world.round(upload('op_up2', ['third']))
  const [assigned] = bodies(world.round(assignKey('ada', 'op_1', { time: 3_000 })), 'KeyAssigned')
  const told = { keyId: 'op_up/1', maskedKey: 'first', at: 3_000, slotVersion: 1, stockVersion: 3 }
  expect(assigned).toMatchObject({ userId: 'ada', assignmentId: 'op_1', subscriptionId: 'sub_op_1', ...told })
  expect(world.slots.get('acme|ada')?.slot).toMatchObject({ managedBy: 'plan', enabled: true, keyId: 'op_up/1' })
  const others = world.round(assignKey('bob', 'op_2'), assignKey('eve', 'op_3'))
  expect(bodies(others, 'KeyAssigned').map(({ maskedKey }) => maskedKey)).toEqual(['second', 'third'])
})

test('INV-5: a round sells what there is and declines the rest', () => {
  const world = stocked('one', 'two')
  const said = world.round(...['a', 'b', 'c', 'd'].map((user) => assignKey(user, `op_${user}`)))
  expect(bodies(said, 'KeyAssigned').map(({ userId }) => userId)).toEqual(['a', 'b'])
  expect(reasons(said)).toEqual(['sold_out', 'sold_out'])
  expect(world.countsOf('gold')).toMatchObject({ available: 0, assigned: 2 })
})

test('keys that came in the same round can be sold in it', () => {
  const said = new World().round(upload('op_up', ['one']), assignKey('ada', 'op_1'))
  expect(bodies(said, 'KeyAssigned')).toMatchObject([{ maskedKey: 'one' }])
})

test('SUB-5: an occupied slot is told before an empty stock, and costs no key', () => {
  const world = stocked('one')
  world.round(putOwnKey('ada', 'op_own', 'mine'), enableOwnKey('ada', 'op_off', false))
  expect(reasons(world.round(assignKey('ada', 'op_1')))).toEqual(['slot_occupied'])
  expect(world.countsOf('gold').available).toBe(1)
  world.round(assignKey('bob', 'op_2'))
  expect(reasons(world.round(assignKey('ada', 'op_3')))).toEqual(['slot_occupied'])
})

test('a declined purchase names the versions it rests on', () => {
  const world = stocked()
  world.round(putOwnKey('ada', 'op_own', 'mine'))
  const [declined] = bodies(world.round(assignKey('ada', 'op_1')), 'KeyDeclined')
  expect(declined).toMatchObject({ slotVersion: 1, stockVersion: 0 })
})

test('IDE-4: an assignment that comes again is answered the same and takes no other key', () => {
  const world = stocked('one', 'two')
  const command = assignKey('ada', 'op_1')
  const first = bodies(world.round(command), 'KeyAssigned')
  expect(bodies(world.round(command, command), 'KeyAssigned')).toEqual([...first, ...first])
  world.round(removeKey('ada', 'sub_op_1'))
  expect(bodies(world.round(command), 'KeyAssigned')).toEqual(first)
  expect(world.countsOf('gold')).toMatchObject({ available: 1, assigned: 1 })
  expect(world.slots.get('acme|ada')?.slot.managedBy).toBe('none')
})

test('IDE-4: a purchase that was declined stays declined, whatever the stock has by then', () => {
  const world = stocked()
  const command = assignKey('ada', 'op_1')
  const first = bodies(world.round(command), 'KeyDeclined')
  world.round(upload('op_up', ['one']))
  expect(bodies(world.round(command), 'KeyDeclined')).toEqual(first)
  expect(world.countsOf('gold').available).toBe(1)
})

test('INV-6: expired stock is never sold; it is retired when it is met', () => {
  const world = stocked({ key: 'short', expiresAt: 5_000 }, { key: 'long', expiresAt: 9_000 })
  const said = world.round(assignKey('ada', 'op_1', { time: 5_000 }), assignKey('bob', 'op_2', { time: 5_000 }))
  expect(bodies(said, 'KeyAssigned')).toMatchObject([{ userId: 'ada', maskedKey: 'long' }])
  expect(reasons(said)).toEqual(['sold_out'])
  expect(world.countsOf('gold')).toMatchObject({ available: 0, assigned: 1, retired: 1 })
  expect(bodies(said, 'StockChanged')[0]?.keys.map(({ state }) => state)).toEqual(['retired', 'assigned'])
})

test('INV-6: a command that waited is judged by the instant at which it is handled', () => {
  const world = stocked({ key: 'short', expiresAt: 5_000 })
  expect(reasons(world.round(assignKey('ada', 'op_1', { time: 4_000, asOf: 5_000 })))).toEqual(['sold_out'])
})

test('SUB-6: a slot that has a plan’s key takes no second one; an assignment may come from the dead letters', () => {
  const world = stocked('one', 'two')
  world.round(assignKey('ada', 'op_1'))
  expect(reasons(world.round(assignKey('ada', 'op_2')))).toEqual(['slot_occupied'])
  expect(world.slots.get('acme|ada')?.slot.subscriptionId).toBe('sub_op_1')
})

test('an assignment that another user has is nonsense', () => {
  const world = stocked('one', 'two')
  world.round(assignKey('ada', 'op_1'))
  expect(() => world.round(assignKey('bob', 'op_1'))).toThrow("another user's")
})

test('a policy that this service has no word for is nonsense', () => {
  expect(() => stocked('one').round(assignKey('ada', 'op_1', { upstreamRevocation: 'unknown' }))).toThrow('policy')
})

test.each([
  ['never', 'assigned'],
  ['manual', 'revocation_pending'],
  ['automatic', 'revocation_pending'],
] as const)('SLT-3: at the end of access, with %s revocation, the slot is empty and the key %s', (policy, state) => {
  const world = stocked('one')
  world.round(assignKey('ada', 'op_1', { ownership: 'operator', reveal: false, upstreamRevocation: policy }))
  const said = world.round(removeKey('ada', 'sub_op_1', 8_000))
  const told = { keyId: 'op_up/1', at: 8_000, slotVersion: 2, emptied: true, stockVersion: 3 }
  expect(bodies(said, 'KeyRemoved')).toEqual([
    { userId: 'ada', subscriptionId: 'sub_op_1', providerId: 'acme', ...told },
  ])
  expect(world.keys.get('op_up/1')).toMatchObject({ state, endedAt: 8_000 })
  expect(world.slots.get('acme|ada')?.slot).toMatchObject({ managedBy: 'none', masked: null, version: 2 })
})

test('SLT-3: a removal is answered also when nothing was there, and changes nothing twice', () => {
  const world = stocked('one')
  const nothing = { keyId: null, slotVersion: 0, emptied: false }
  expect(bodies(world.round(removeKey('ada', 'sub_op_1')), 'KeyRemoved')).toMatchObject([nothing])
  world.round(assignKey('ada', 'op_1', { upstreamRevocation: 'manual' }), removeKey('ada', 'sub_op_1', 8_000))
  const again = world.round(removeKey('ada', 'sub_op_1', 9_000))
  expect(bodies(again, 'KeyRemoved')).toMatchObject([{ keyId: 'op_up/1', slotVersion: 2, emptied: false }])
  expect(bodies(again, 'StockChanged')).toEqual([])
  expect(world.keys.get('op_up/1')?.endedAt).toBe(8_000)
})

test("REA-2: a removal never touches the user's own key", () => {
  const world = stocked('one')
  world.round(assignKey('ada', 'op_1'), removeKey('ada', 'sub_op_1'), putOwnKey('ada', 'op_own', 'mine'))
  const before = world.slots.get('acme|ada')
  const said = world.round(removeKey('ada', 'sub_op_1'), assignKey('ada', 'op_2'), removeKey('ada', 'sub_op_2'))
  expect(bodies(said, 'KeyRemoved').map(({ emptied }) => emptied)).toEqual([false, false])
  expect(world.slots.get('acme|ada')).toBe(before)
})

test("a removal in another user's name finds nothing", () => {
  const world = stocked('one')
  world.round(assignKey('ada', 'op_1'))
  expect(bodies(world.round(removeKey('bob', 'sub_op_1')), 'KeyRemoved')).toMatchObject([{ keyId: null }])
  expect(world.keys.get('op_up/1')?.endedAt).toBeNull()
})

test('REA-1: bought again after the end, the slot gets a fresh key', () => {
  const world = stocked('one', 'two')
  world.round(assignKey('ada', 'op_1'), removeKey('ada', 'sub_op_1'), assignKey('ada', 'op_2'))
  expect(world.slots.get('acme|ada')?.slot).toMatchObject({ keyId: 'op_up/2', version: 3 })
  world.round(deleteOwnKey('ada', 'op_del'))
  expect(world.slots.get('acme|ada')?.slot.keyId).toBe('op_up/2')
})
