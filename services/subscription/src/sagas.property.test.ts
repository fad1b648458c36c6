import { type Instant, instant, microdollars } from '@coding-plans/schemas'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { World } from './world.testing.ts'

// Whatever is asked, in whatever order answers arrive, however often they are copied, whatever fails on the way.

const USERS = ['ada', 'bob']
const PLANS = [
  { planId: 'acme-coding', providerId: 'acme', price: microdollars(20), periodCount: 3, maxPrepaidPeriods: 3 },
  { planId: 'acme-free', providerId: 'acme', price: microdollars(0), periodCount: 2 },
  { planId: 'bolt-coding', providerId: 'bolt', price: microdollars(5), periodCount: 2, upstreamRevocation: 'manual' },
] as const

const user = fc.constantFrom(...USERS)
const action = fc.oneof(
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
  { weight: 3, arbitrary: fc.record({ do: fc.constant('due' as const), nth: fc.nat(9) }) },
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
  { weight: 1, arbitrary: fc.record({ do: fc.constant('redrive' as const), nth: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('credits' as const), user, amount: fc.integer({ min: -10, max: 30 }) }),
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
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never

const planOf = (nth: number) => PLANS[nth] ?? PLANS[0]
const open = () => {
  const world = new World()
  for (const plan of PLANS) {
    world.publish(plan)
    world.inventory.stock(plan.planId, 2)
  }
  for (const name of USERS) world.ledger.post(name, 60)
  return world
}

const perform = (world: World, one: Action) => {
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
    case 'due': {
      const live = [...world.books.subscriptions].filter(
        ({ status, id }) => status === 'active' && !world.unanswered.has(id),
      )
      const subscription = live[one.nth % Math.max(1, live.length)]
      if (subscription && !isMoving(world, subscription.id)) world.due(subscription)
      return
    }
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
    case 'retry':
      return void world.retry()
    case 'redrive':
      return world.redrive(one.nth)
    case 'credits':
      return world.ledger.post(one.user, one.amount)
    case 'stock':
      return world.inventory.stock(planOf(one.plan).planId, one.keys)
    case 'own': {
      const slot = `${one.user}|${planOf(one.plan).providerId}`
      if (!world.inventory.slots.has(slot)) world.inventory.slots.set(slot, 'own')
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

const paidTerms = (world: World) => [...world.books.terms].filter(({ amount }) => amount > 0)

/** Protocol and invariants, once nothing is under way. */
const judge = (world: World) => {
  const asked = world.heard.filter(({ name }) => name === 'PurchasePlan' || name === 'CancelSubscription')
  for (const id of new Set(asked.map(({ correlationId }) => correlationId)))
    expect(
      world.outcomes(id).map(({ name }) => name),
      `outcomes of ${id}`,
    ).toHaveLength(1)

  for (const [id, { state }] of world.ledger.holds) expect(state, `hold ${id}`).not.toBe('open')
  const charges = paidTerms(world).map(({ chargeId, amount }) => [chargeId, amount])
  expect(new Map(charges as [string, number][])).toEqual(world.ledger.charges)

  const live = [...world.books.subscriptions].filter(({ status }) => status === 'active')
  const places = live.map(({ userId, providerId }) => `${userId}|${providerId}`)
  expect(new Set(places).size).toBe(places.length)
  const keys = [...world.inventory.slots].filter(([, owner]) => owner !== 'own')
  expect(new Map(keys)).toEqual(new Map(live.map(({ id, userId, providerId }) => [`${userId}|${providerId}`, id])))

  expect([...world.books.sagas].filter(({ running }) => running)).toEqual([])
  expect([...world.unanswered.keys()]).toEqual([])
  for (const subscription of world.books.subscriptions) judgeTerms(world, subscription)
  judgeVersions(world)
}

/** Terms follow one another without a gap, from the start to the end: no lost days, none charged twice (EXT-4, REN-3). */
const judgeTerms = (world: World, { id, currentPeriodEnd }: { id: string; currentPeriodEnd: Instant }) => {
  const terms = world.books.terms.of(id).toSorted((a, b) => a.boundary - b.boundary)
  for (const [place, { endsAt }] of terms.entries()) expect(terms[place + 1]?.boundary ?? currentPeriodEnd).toBe(endsAt)
}

/** Every event that tells of a subscription is newer than those before it; ended is the last. */
const judgeVersions = (world: World) => {
  const told = [
    'SubscriptionActivated',
    'SubscriptionExtended',
    'SubscriptionRenewed',
    'SubscriptionEnding',
    'SubscriptionEnded',
  ]
  const versions = new Map<string, number>()
  const dead = new Set<string>()
  for (const { name, body } of world.said) {
    const { subscriptionId, version } = body as { subscriptionId: string; version: number }
    if (!told.includes(name)) continue
    expect(dead.has(subscriptionId)).toBe(false)
    expect(version).toBeGreaterThan(versions.get(subscriptionId) ?? 0)
    versions.set(subscriptionId, version)
    if (name === 'SubscriptionEnded') dead.add(subscriptionId)
  }
}

test('SUB-2, EXT-3, EXT-4, REN-3: one outcome each, every hold ended, a key for who lives and for nobody else', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 120, size: 'max' }), (actions) => {
      const world = open()
      for (const one of actions) perform(world, one)
      world.settle()
      judge(world)
    }),
    { numRuns: 2_500 },
  )
})

test('IDE-4: everything heard again from the beginning, with the seen ids gone, changes nothing', () => {
  const rows = ({ books }: World) =>
    [books.subscriptions, books.terms, books.operations, books.versions].map((table) => [...table])
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80, size: 'max' }), (actions) => {
      const world = open()
      for (const one of actions) perform(world, one)
      world.settle()
      const before = rows(world)
      const outcomes = world.said.filter(({ name }) =>
        /Activated|Extended|Renewed|Ended|Refused|Scheduled|Published/.test(name),
      ).length
      for (const one of [...world.heard]) world.tell(one)
      world.settle()
      expect(rows(world)).toEqual(before)
      const now = world.said.filter(({ name }) =>
        /Activated|Extended|Renewed|Ended|Refused|Scheduled|Published/.test(name),
      ).length
      expect(now).toBe(outcomes)
      judge(world)
    }),
    { numRuns: 400 },
  )
})
