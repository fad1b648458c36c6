import { expect, test } from 'vitest'
import { assignKey, bodies, enableOwnKey, putOwnKey, removeKey, unlinkKeys, upload, World } from './world.testing.ts'

/** Ada had a key of the stock, and has one of her own. */
const settled = () => {
  const world = new World()
  world.round(upload('op_up', ['one', 'two']), assignKey('ada', 'op_1'), removeKey('ada', 'sub_op_1'))
  world.round(putOwnKey('ada', 'op_2', 'mine'))
  return world
}

test('GDP-1: every key ever assigned loses its user, every slot goes; it stays assigned as evidence', () => {
  const world = settled()
  const said = world.round(unlinkKeys('ada'))
  expect(bodies(said, 'KeysUnlinked')).toEqual([
    { userId: 'ada', operationId: 'op_delete_ada', keys: 1, slots: 1, at: 3_000 },
  ])
  expect(bodies(said, 'StockChanged')).toMatchObject([{ keys: [{ keyId: 'op_up/1', subscriptionId: null }] }])
  expect(world.keys.get('op_up/1')).toMatchObject({
    state: 'assigned',
    assignment: { userId: null, subscriptionId: null },
  })
  expect(world.slots.size).toBe(0)
})

test('GDP-1: asked again it hears the same, and changes nothing', () => {
  const world = settled()
  const [first] = bodies(world.round(unlinkKeys('ada')), 'KeysUnlinked')
  expect(bodies(world.round(unlinkKeys('ada')), 'KeysUnlinked')).toEqual([first])
})

test('GDP-1: nothing is taken for who is deleted; a removal is answered still', () => {
  const world = settled()
  world.round(unlinkKeys('ada'))
  expect(bodies(world.round(assignKey('ada', 'op_9')), 'KeyDeclined')).toMatchObject([{ reason: 'user_deleted' }])
  for (const command of [putOwnKey('ada', 'op_8', 'again'), enableOwnKey('ada', 'op_7', true)])
    expect(bodies(world.round(command), 'SlotChangeRefused')).toMatchObject([{ reason: 'user_deleted' }])
  expect(bodies(world.round(removeKey('ada', 'sub_op_1')), 'KeyRemoved')).toMatchObject([
    { emptied: false, keyId: null },
  ])
  expect(world.slots.size).toBe(0)
  expect(world.countsOf('gold')).toMatchObject({ available: 1, assigned: 1 })
})

test('GDP-1: who never had anything is deleted too', () => {
  const said = new World().round(unlinkKeys('bob'))
  expect(bodies(said, 'KeysUnlinked')).toMatchObject([{ keys: 0, slots: 0 }])
})
