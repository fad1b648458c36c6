import { instant, microdollars } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { at, DAY } from './bodies.testing.ts'
import { openWorld } from './world.testing.ts'

const soldOut = () => {
  const world = openWorld()
  world.stocked(0, 2)
  return world
}
const reasonOf = (world: ReturnType<typeof openWorld>, operation: string) => world.outcomes(operation)[0]?.body

test('RST-1: a wish is for what is sold out and open', () => {
  const world = soldOut()
  expect(world.outcomes(world.wish())).toMatchObject([{ name: 'RestockWished', body: { version: 1, at: world.now } }])
  expect(reasonOf(world, world.wish('bob', 'nothing'))).toMatchObject({ reason: 'not_found' })
  world.stocked(2, 3)
  expect(reasonOf(world, world.wish('bob'))).toMatchObject({ reason: 'plan_available', stockVersion: 3 })
  world.publish({ saleState: 'closed' })
  expect(reasonOf(world, world.wish('bob'))).toMatchObject({ reason: 'plan_closed' })
})

test('RST-1: wished twice is wished once; withdrawn and wished again is a new wish', () => {
  const world = soldOut()
  world.wish()
  expect(reasonOf(world, world.wish())).toMatchObject({ version: 1 })
  expect(reasonOf(world, world.wish('ada', 'acme-coding', 'WithdrawRestockWish'))).toMatchObject({ version: 2 })
  expect(reasonOf(world, world.wish('ada', 'acme-coding', 'WithdrawRestockWish'))).toMatchObject({ version: 2 })
  expect(reasonOf(world, world.wish())).toMatchObject({ version: 3 })
})

test('RST-1: when stock goes from none to some, whoever wishes it is to be told, once, and keeps the wish', () => {
  const world = soldOut()
  world.wish('ada')
  world.wish('bob')
  world.wish('bob', 'acme-coding', 'WithdrawRestockWish')
  world.stocked(3, 3)
  expect(world.books.restocks).toEqual([{ planId: 'acme-coding', notice: 1, at: world.now }])
  const marks = [...world.books.wishes].map(({ userId, notice, wished }) => [userId, notice, wished])
  expect(marks).toEqual([
    ['ada', 1, true],
    ['bob', null, false],
  ])
  world.stocked(2, 4)
  world.stocked(2, 3)
  expect(world.books.restocks).toHaveLength(1)
})

test('RST-1: stock that has expired is none; reopening with stock is a restock', () => {
  const world = soldOut()
  world.publish({ saleState: 'closed' })
  world.stocked(3, 3)
  expect(world.books.restocks).toEqual([])
  world.publish({ saleState: 'open' })
  expect(world.books.restocks).toMatchObject([{ notice: 1 }])
})

test('RST-1: reopened with the same stock, the waiting are told again: it is another restock', () => {
  const world = soldOut()
  world.wish()
  world.stocked(3, 3)
  world.publish({ saleState: 'closed' })
  world.publish({ saleState: 'open' })
  expect(world.books.restocks).toMatchObject([{ notice: 1 }, { notice: 2 }])
  expect([...world.books.wishes]).toMatchObject([{ notice: 2 }])
})

test('RST-1: an own activation clears the wish', () => {
  const world = soldOut()
  world.wish()
  world.purchase()
  world.settle()
  expect(world.last('RestockWishWithdrawn')).toEqual({
    planId: 'acme-coding',
    userId: 'ada',
    operationId: null,
    version: 2,
  })
  expect(world.last('SubscriptionActivated')).toMatchObject({ wishVersion: 2 })
  expect(world.names().indexOf('RestockWishWithdrawn')).toBeGreaterThan(world.names().indexOf('SubscriptionActivated'))
})

test('RST-1: an activation that clears no wish names none, also where one was withdrawn before', () => {
  const world = soldOut()
  world.wish()
  world.wish('ada', 'acme-coding', 'WithdrawRestockWish')
  world.purchase()
  world.settle()
  expect(world.last('SubscriptionActivated')).toMatchObject({ wishVersion: null })
})

test('RST-1: a free plan’s activation clears it too', () => {
  const world = openWorld({ price: microdollars(0) })
  world.stocked(0, 1)
  world.wish()
  world.now = instant(at(DAY))
  world.purchase()
  world.settle()
  expect(world.books.wishesOf(world.live()!.userId)).toEqual([])
  expect(world.last('SubscriptionActivated')).toMatchObject({ wishVersion: 2 })
})
