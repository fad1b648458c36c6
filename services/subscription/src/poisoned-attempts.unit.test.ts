import { userId } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { openLiveWorld, type World } from './world.testing.ts'

// That the credits of an unpaid term are held cannot be handled: the attempt fails, gives back, and is not tried again for that.

/** Ada's subscription is due and she has nothing left; where a top-up is tried, its outcome is not known. */
const openDue = (graceHours: number, tops = false) => {
  const { world, subscription } = openLiveWorld({ graceHours }, 20)
  if (tops) world.topUpBy('ada', { amount: 1, paying: 'unknown' })
  world.settle()
  world.due(subscription)
  world.settle()
  return world
}

/** In grace with two plans, of 20 and of 8. */
const openTwoDue = () => {
  const world = openDue(48)
  world.addPlan('bolt', 8, 48)
  world.due(world.live('ada', 'bolt')!)
  world.settle()
  return world
}

const attempts = (world: World) => world.all('HoldCredits').length
const renewals = (world: World) => world.all('SubscriptionRenewed').length

/** Everything settles; as long as `poisoned`, this service cannot handle that its credits are held. */
const settleWith = (world: World, poisoned: () => boolean) => {
  for (let steps = 0; steps < 200; steps += 1) {
    const queue = (['subscription', 'ledger'] as const).find((name) => world.queues[name].length > 0)
    if (!queue && !world.retry()) return
    if (queue)
      world.step(queue, queue === 'subscription' && world.queues[queue][0]?.name === 'CreditsHeld' && poisoned())
  }
  throw new Error('The world does not come to rest.')
}

test.each([
  ['in grace', 48, 'pastDue'],
  ['while a top-up is awaited', 0, 'toppingUp'],
] as const)(
  'REN-4, REN-6: %s, what its own failed attempt gives back is not tried again at once',
  (_, grace, state) => {
    const world = openDue(grace, grace === 0)
    const before = attempts(world)
    world.credit('ada', 30)
    settleWith(world, () => true)
    expect(attempts(world)).toBe(before + 1)
    expect(world.books.moneySagaOf(world.live()!)?.state).toBe(state)
    expect(world.ledger.available.get('ada')).toBe(30)
    world.credit('ada', 1)
    world.settle()
    expect(attempts(world)).toBe(before + 2)
    expect(renewals(world)).toBe(1)
  },
)

test('REN-4: two terms whose attempts fail do not try again by what the other gives back', () => {
  const world = openTwoDue()
  const before = attempts(world)
  world.credit('ada', 30)
  settleWith(world, () => true)
  expect(attempts(world)).toBe(before + 2)
  world.credit('ada', 1)
  world.settle()
  expect(renewals(world)).toBe(2)
})

test('REN-6: what was declined is tried again by what another attempt gives back', () => {
  const world = openTwoDue()
  world.credit('ada', 20)
  const [first] = world.books.unpaidOf(userId('ada'))
  let failed = 0
  settleWith(world, () => failed++ === 0)
  expect([failed > 0, first?.providerId, renewals(world)]).toEqual([true, 'acme', 1])
  expect(world.last('SubscriptionRenewed').subscriptionId).toBe(world.live('ada', 'bolt')?.id)
})

test('REN-6: once the cause is mended, what the ledger said is redriven, and the term is paid', () => {
  const world = openDue(48)
  world.credit('ada', 30)
  settleWith(world, () => true)
  world.redrive()
  world.settle()
  expect(renewals(world)).toBe(1)
  expect(world.ledger.available.get('ada')).toBe(10)
})
