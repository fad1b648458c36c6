import { expect, test } from 'vitest'
import { assignKey, bodies, removeKey, upload, World } from './world.testing.ts'

test('one StockChanged for each plan that a round changed, its version raised once', () => {
  const world = new World()
  const said = world.round(
    upload('op_1', ['one', 'two']),
    upload('op_2', ['three'], { planId: 'iron' }),
    assignKey('ada', 'op_3', { time: 2_000 }),
    assignKey('bob', 'op_4'),
  )
  const [gold, iron] = bodies(said, 'StockChanged')
  expect(gold).toMatchObject({ planId: 'gold', version: 1, available: 0, assigned: 2 })
  expect(gold?.keys).toMatchObject([
    { keyId: 'op_1/1', state: 'assigned', assignedAt: 2_000, subscriptionId: 'sub_op_3' },
    { keyId: 'op_1/2', state: 'assigned', subscriptionId: 'sub_op_4' },
  ])
  expect(iron).toMatchObject({ planId: 'iron', version: 1, available: 1 })
  expect(said.filter(({ name }) => name === 'StockChanged').map(({ cause, time }) => [cause, time])).toEqual([
    ['stock|gold|1', 2_000],
    ['stock|iron|1', 1_000],
  ])
})

test('a round that only declines says nothing of the stock', () => {
  const world = new World()
  expect(bodies(world.round(assignKey('ada', 'op_1')), 'StockChanged')).toEqual([])
})

test('INV-6: low stock is said when it falls below the threshold, once', () => {
  const world = new World()
  const low = { lowStockThreshold: 2 }
  const first = world.round(upload('op_1', ['one', 'two', 'three'], low))
  expect(bodies(first, 'StockLow')).toEqual([])
  expect(bodies(world.round(assignKey('a', 'op_a', low)), 'StockLow')).toEqual([])
  const fell = bodies(world.round(assignKey('b', 'op_b', low)), 'StockLow')
  expect(fell).toEqual([{ planId: 'gold', available: 1, threshold: 2 }])
  expect(bodies(world.round(assignKey('c', 'op_c', low)), 'StockLow')).toEqual([])
})

test('INV-6: the stock says until when it can be sold', () => {
  const world = new World()
  const until = (...messages: Parameters<World['round']>) =>
    bodies(world.round(...messages), 'StockChanged').map(({ sellableUntil }) => sellableUntil)
  expect(
    until(
      upload('op_1', [
        { key: 'a', expiresAt: 5_000 },
        { key: 'b', expiresAt: 9_000 },
      ]),
    ),
  ).toEqual([9_000])
  expect(until(upload('op_2', ['forever']))).toEqual([null])
  expect(until(assignKey('a', 'op_a'), assignKey('b', 'op_b'))).toEqual([null])
  expect(until(upload('op_3', [{ key: 'c', expiresAt: 7_000 }]), assignKey('c', 'op_c'))).toEqual([7_000])
  expect(until(removeKey('a', 'sub_op_a'))).toEqual([7_000])
})

test('no stock event carries more of a key than its id and state', () => {
  const said = new World().round(upload('op_1', ['sk-live-1']))
  expect(JSON.stringify(bodies(said, 'StockChanged'))).not.toContain('sk-live')
})
