import { instant, microdollars } from '@coding-plans/schemas'
import fc from 'fast-check'
import { DAY } from './bodies.testing.ts'
import { World } from './world.testing.ts'

// Anything that may be asked or may happen on the way, by name, for properties over whole stories.

const USERS = ['ada', 'bob']
const PLANS = [
  {
    planId: 'acme-coding',
    providerId: 'acme',
    price: microdollars(20),
    periodCount: 3,
    maxPrepaidPeriods: 3,
    graceHours: 24,
  },
  { planId: 'acme-free', providerId: 'acme', price: microdollars(0), periodCount: 2 },
  { planId: 'bolt-coding', providerId: 'bolt', price: microdollars(5), periodCount: 2, upstreamRevocation: 'manual' },
] as const

const user = fc.constantFrom(...USERS)
export const action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('purchase' as const),
      user,
      plan: fc.nat(2),
      known: fc.constantFrom('truth' as const, 'nothing' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('cancel' as const),
      user,
      plan: fc.nat(2),
      when: fc.constantFrom('now' as const, 'period_end' as const),
      ago: fc.constantFrom(0, 1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('resume' as const), user, plan: fc.nat(2), ago: fc.constantFrom(0, 1) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('due' as const), nth: fc.nat(9), late: fc.constantFrom(0, 0, 0, 20) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('deadline' as const), nth: fc.nat(9) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('grant' as const),
      user,
      plan: fc.nat(2),
      days: fc.integer({ min: 1, max: 9 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('terminate' as const),
      user,
      plan: fc.nat(2),
      refund: fc.constantFrom('none' as const, 'prorated' as const, 'full' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('topUpBy' as const),
      user,
      amount: fc.integer({ min: 1, max: 40 }),
      paying: fc.constantFrom('paid' as const, 'declined' as const, 'unknown' as const, 'off' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pay' as const), nth: fc.nat(3), paid: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('erase' as const), user, really: fc.nat(19) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('wish' as const),
      user,
      plan: fc.nat(2),
      how: fc.constantFrom('WishRestock' as const, 'WithdrawRestockWish' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stocked' as const), plan: fc.nat(2), available: fc.nat(1) }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('step' as const),
      queue: fc.constantFrom('ledger' as const, 'inventory' as const, 'subscription' as const),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      queue: fc.constantFrom('ledger' as const, 'inventory' as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('copy' as const), nth: fc.nat(200) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('retry' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('redrive' as const), nth: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('credits' as const), user, amount: fc.integer({ min: -15, max: 25 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stock' as const), plan: fc.nat(2), keys: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('own' as const), user, plan: fc.nat(2) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('reprice' as const),
      plan: fc.nat(2),
      price: fc.nat(25),
      periodCount: fc.integer({ min: 1, max: 3 }),
    }),
  },
)
export type Action = typeof action extends fc.Arbitrary<infer T> ? T : never

const planOf = (nth: number) => PLANS[nth] ?? PLANS[0]
/** Three plans of two providers, two users, little of everything. */
export const openStory = () => {
  const world = new World()
  for (const plan of PLANS) {
    world.publish(plan)
    world.inventory.stock(plan.planId, 2)
  }
  for (const name of USERS) world.ledger.post(name, 30)
  return world
}

export const perform = (world: World, one: Action) => {
  switch (one.do) {
    case 'purchase': {
      const { planId: plan, providerId } = planOf(one.plan)
      return void world.purchase({
        user: one.user,
        plan,
        known: one.known === 'truth' ? (world.live(one.user, providerId) ?? null) : null,
      })
    }
    case 'cancel': {
      const live = world.live(one.user, planOf(one.plan).providerId)
      if (live) world.cancel(live.id, one.when, { user: one.user, time: instant(world.now - one.ago) })
      return
    }
    case 'resume': {
      const live = world.live(one.user, planOf(one.plan).providerId)
      if (live) world.resume(live.id, { user: one.user, time: instant(world.now - one.ago) })
      return
    }
    case 'due': {
      const live = [...world.books.subscriptions].filter(
        ({ status, id }) => status === 'active' && !world.unanswered.has(id) && !world.waits.has(id),
      )
      const subscription = live[one.nth % Math.max(1, live.length)]
      if (subscription && !isMoving(world, subscription.id))
        world.due(subscription, instant(subscription.currentPeriodEnd + one.late * DAY))
      return
    }
    case 'deadline': {
      const waiting = [...world.waits.keys()]
      const id = waiting[one.nth % Math.max(1, waiting.length)]
      if (id && !isMoving(world, id)) world.deadline(id)
      return
    }
    case 'grant': {
      const live = world.live(one.user, planOf(one.plan).providerId)
      if (live) world.grant(live.id, one.days, one.user)
      return
    }
    case 'terminate': {
      const live = world.live(one.user, planOf(one.plan).providerId)
      if (live) world.terminate(live.id, one.refund, one.user)
      return
    }
    case 'topUpBy':
      return world.topUpBy(one.user, one.paying === 'off' ? null : { amount: one.amount, paying: one.paying })
    case 'pay':
      return void world.settlePayment(one.nth, one.paid)
    case 'erase':
      // Seldom: what is deleted does nothing more.
      return one.really === 0 ? void world.erase(one.user) : undefined
    case 'wish':
      return void world.wish(one.user, planOf(one.plan).planId, one.how)
    case 'stocked':
      return world.stocked(one.available, world.heard.length, planOf(one.plan).planId)
    case 'step':
      for (let n = 0; n < one.times; n += 1) world.step(one.queue)
      return
    case 'fail':
      return world.step(one.queue, true)
    case 'copy': {
      // A second copy of anything heard before, with the seen ids gone.
      const copy = world.heard[one.nth % Math.max(1, world.heard.length)]
      if (copy) world.tell(copy)
      return
    }
    case 'settle':
      return world.settle()
    case 'retry':
      return void world.retry()
    case 'redrive':
      return world.redrive(one.nth)
    case 'credits':
      return world.credit(one.user, one.amount)
    case 'stock':
      return world.inventory.stock(planOf(one.plan).planId, one.keys)
    case 'own': {
      const slot = `${one.user}|${planOf(one.plan).providerId}`
      if (!world.inventory.slots.has(slot) && !world.inventory.unlinked.has(one.user))
        world.inventory.slots.set(slot, 'own')
      return
    }
    case 'reprice': {
      const { planId, providerId } = planOf(one.plan)
      const price = planId === 'acme-free' ? microdollars(0) : microdollars(1 + one.price)
      world.publish({ planId, providerId, price, periodCount: one.periodCount })
    }
  }
}

/** While the dates are moved and not told, the scheduler does not know of the new end. */
const isMoving = (world: World, id: string) =>
  [...world.books.sagas].some(({ subscriptionId, state }) => subscriptionId === id && state === 'capturing')
