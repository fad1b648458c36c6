import { expect, test } from 'vitest'
import { assignKey, bodies, deleteOwnKey, enableOwnKey, putOwnKey, testKey, upload, World } from './world.testing.ts'

const slotOf = (world: World) => world.slots.get('acme|ada')
const withPlan = () => {
  const world = new World()
  world.round(upload('op_up', ['plan-key']), assignKey('ada', 'op_1'))
  return world
}

test('SLT-1: a user adds, replaces, disables and deletes their own key', () => {
  const world = new World()
  const said = world.round(
    putOwnKey('ada', 'op_1', 'mine', 10),
    putOwnKey('ada', 'op_2', 'other', 20),
    enableOwnKey('ada', 'op_3', false, 30),
    deleteOwnKey('ada', 'op_4', 40),
  )
  const seen = bodies(said, 'SlotChanged').map(({ managedBy, enabled, maskedKey, createdAt, updatedAt, version }) => {
    return [managedBy, enabled, maskedKey, createdAt, updatedAt, version]
  })
  expect(seen).toEqual([
    ['user', true, 'mine', 10, 10, 1],
    ['user', true, 'other', 10, 20, 2],
    ['user', false, 'other', 10, 30, 3],
    ['none', false, null, 10, 40, 4],
  ])
  expect(slotOf(world)?.envelope).toBeNull()
})

test('SLT-1: switching a key leaves its lock as it was; replacing it does not', () => {
  const world = new World()
  world.round(putOwnKey('ada', 'op_1', 'mine'))
  const locked = slotOf(world)?.envelope
  world.round(enableOwnKey('ada', 'op_2', false))
  expect(slotOf(world)?.envelope).toBe(locked)
  world.round(putOwnKey('ada', 'op_3', 'other'))
  expect(slotOf(world)?.envelope).not.toEqual(locked)
})

test('SLT-1: what a plan manages is refused and stays', () => {
  const world = withPlan()
  const before = slotOf(world)
  const said = world.round(
    putOwnKey('ada', 'op_2', 'mine'),
    enableOwnKey('ada', 'op_3', false),
    deleteOwnKey('ada', 'op_4'),
  )
  expect(bodies(said, 'SlotChangeRefused').map(({ reason }) => reason)).toEqual(Array(3).fill('slot_managed'))
  expect(slotOf(world)).toBe(before)
})

test('SLT-1: an empty slot has nothing to switch, delete or test', () => {
  const world = new World()
  const said = world.round(enableOwnKey('ada', 'op_1', true), deleteOwnKey('ada', 'op_2'), testKey('ada', 'op_3'))
  expect(bodies(said, 'SlotChangeRefused').map(({ reason, version }) => [reason, version])).toEqual(
    Array(3).fill(['not_found', 0]),
  )
  expect(world.slots.size).toBe(0)
})

test('SLT-1: a key that no adapter can try is answered so', () => {
  const world = withPlan()
  expect(bodies(world.round(testKey('ada', 'op_2')), 'KeyTested')).toMatchObject([{ operationId: 'op_2', ok: null }])
})

test('SLT-1: a key that is none is refused', () => {
  const world = new World()
  const said = world.round(putOwnKey('ada', 'op_1', { refused: 'key_invalid' }))
  expect(bodies(said, 'SlotChangeRefused')).toMatchObject([{ reason: 'key_invalid', version: 0 }])
})

test('INV-2: a seal under an unknown key is refused, and the same operation may come anew', () => {
  const world = new World()
  const first = world.round(putOwnKey('ada', 'op_1', { refused: 'sealing_key_unknown' }))
  expect(bodies(first, 'SlotChangeRefused')).toMatchObject([{ reason: 'sealing_key_unknown' }])
  expect(bodies(world.round(putOwnKey('ada', 'op_1', 'mine')), 'SlotChanged')).toHaveLength(1)
})

test('IDE-4: commands that come again are answered the same and change nothing', () => {
  const world = new World()
  const commands = [
    deleteOwnKey('ada', 'op_0'),
    putOwnKey('ada', 'op_1', 'mine'),
    enableOwnKey('ada', 'op_2', false),
    deleteOwnKey('ada', 'op_3'),
    putOwnKey('ada', 'op_4', 'other'),
  ]
  const answers = (said: ReturnType<World['round']>) => said.filter(({ name }) => name !== 'EntitlementChanged')
  const first = commands.flatMap((command) => answers(world.round(command)))
  const slot = slotOf(world)
  expect(world.round(...commands)).toEqual(first)
  expect(slotOf(world)).toBe(slot)
})
