import type { Message } from '@coding-plans/runtime'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  assignKey,
  bodies,
  deleteOwnKey,
  enableOwnKey,
  putOwnKey,
  removeKey,
  settleRevocation,
  testKey,
  unlinkKeys,
  upload,
  World,
} from './world.testing.ts'

const PLANS = ['gold', 'iron']
const user = fc.constantFrom('ada', 'bob', 'eve')
const plan = fc.constantFrom(...PLANS)
const number = fc.nat(8)
const keys = fc.array(
  fc.oneof(
    fc.constantFrom('k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8', 'k9'),
    fc.record({ key: fc.constantFrom('x1', 'x2', 'x3', 'x4'), expiresAt: fc.integer({ min: 1_001, max: 1_040 }) }),
  ),
  { minLength: 1, maxLength: 4 },
)
const policy = fc.constantFrom('never' as const, 'manual' as const, 'automatic' as const)

/** One wish of one party; the same number is the same operation, so that many come more than once. */
const wish = fc.oneof(
  fc.record({ kind: fc.constant('upload' as const), plan, keys, number }),
  fc.record({ kind: fc.constantFrom('assign' as const), user, plan, policy, number }),
  fc.record({ kind: fc.constantFrom('assign' as const, 'remove' as const), user, plan, policy, number }),
  fc.record({
    kind: fc.constantFrom('put' as const, 'enable' as const, 'delete' as const, 'test' as const),
    user,
    number,
  }),
  fc.record({
    kind: fc.constant('settle' as const),
    plan,
    number,
    line: fc.integer({ min: 1, max: 4 }),
    outcome: fc.constantFrom('done' as const, 'failed' as const, 'requeue' as const),
    attempt: fc.nat(3),
  }),
  fc.record({ kind: fc.constant('unlink' as const), user, seldom: fc.nat(5) }),
)
type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never

const said = (one: Wish, place: number): Message => {
  const time = 1_000 + place
  if (one.kind === 'upload') return upload(`up_${one.plan}_${one.number}`, one.keys, { planId: one.plan, time })
  if (one.kind === 'settle') {
    const { plan: planId, number: n, line, outcome, attempt } = one
    const reason = outcome === 'failed' ? 'the vendor refused k1' : null
    return settleRevocation(`up_${planId}_${n}/${line}`, `settle_${n}_${attempt}`, outcome, { planId, reason })
  }
  // Seldom: a deleted user does nothing more.
  if (one.kind === 'unlink') return one.seldom === 0 ? unlinkKeys(one.user) : testKey(one.user, 'op_test', time)
  const operationId = `op_${one.user}_${one.number}`
  switch (one.kind) {
    case 'assign': {
      const assignmentId = `${operationId}_${one.plan}`
      return assignKey(one.user, assignmentId, { planId: one.plan, upstreamRevocation: one.policy, time })
    }
    case 'remove':
      return removeKey(one.user, `sub_${operationId}_${one.plan}`, time)
    case 'put':
      return putOwnKey(one.user, `${operationId}_put`, `own-${one.number}`, time)
    case 'enable':
      return enableOwnKey(one.user, `${operationId}_enable`, one.number % 2 === 0, time)
    case 'delete':
      return deleteOwnKey(one.user, `${operationId}_delete`, time)
    case 'test':
      return testKey(one.user, operationId, time)
  }
}

const byPlans = new Set(['UploadKeys', 'AssignKey', 'RemoveKey'])

/** Does what is asked, message by message. @returns what took effect: nonsense is redone by hand, not by replay. */
const play = (
  wishes: readonly Wish[],
  look: (world: World, message: Message, before: Pick<World, 'slots'>) => void = () => {},
) => {
  const world = new World()
  const taken = wishes.map(said).filter((message) => {
    const before = { slots: new Map(world.slots) }
    try {
      world.round(message)
    } catch (error) {
      // The only nonsense among these wishes: a second plan for an occupied slot.
      expect(String(error)).toContain('no way to install')
      return false
    }
    look(world, message, before)
    return true
  })
  return { world, taken }
}
const wishes = fc.array(wish, { minLength: 1, maxLength: 60 })

/** A subscription ends after it was given a key: nobody asks for the removal of what was never asked for. */
const withoutEarlyEnds = (given: readonly Wish[]) => {
  const asked = new Set<string>()
  return given.filter((one) => {
    if (one.kind !== 'assign' && one.kind !== 'remove') return true
    const subscription = `${one.user} ${one.plan} ${one.number}`
    if (one.kind === 'assign') asked.add(subscription)
    return asked.has(subscription)
  })
}

test("invariant 8: plan commands never change a user's own key", () => {
  fc.assert(
    fc.property(wishes, (given) => {
      play(given, (world, { name }, before) => {
        if (!byPlans.has(name)) return
        for (const [id, record] of before.slots)
          if (record.slot.managedBy === 'user') expect(world.slots.get(id)).toBe(record)
      })
    }),
    { numRuns: 300 },
  )
})

test('INV-5: for its life a key has one user, and is in one slot at most', () => {
  fc.assert(
    fc.property(wishes, (given) => {
      const owners = new Map<string, string>()
      play(given, (world) => {
        for (const { id, assignment } of world.keys.values()) {
          if (owners.has(id)) expect(assignment?.assignmentId).toBe(owners.get(id))
          if (assignment) owners.set(id, assignment.assignmentId)
        }
        const installed = [...world.slots.values()].flatMap(({ slot }) => slot.keyId ?? [])
        expect(new Set(installed).size).toBe(installed.length)
      })
    }),
    { numRuns: 300 },
  )
})

test('invariant 11: the counts of a stock are the states of its keys, and add up to what was uploaded', () => {
  fc.assert(
    fc.property(wishes, (given) => {
      play(given, (world) => {
        for (const [planId, { counts, uploaded }] of world.stocks) {
          expect(counts).toEqual(world.countsOf(planId))
          expect(Object.values(counts).reduce((sum, one) => sum + one, 0)).toBe(uploaded)
        }
      })
    }),
    { numRuns: 300 },
  )
})

test("invariant 7: a slot that a plan manages has that plan's assigned key, and an ended key is in none", () => {
  fc.assert(
    fc.property(wishes, (given) => {
      play(given, (world) => {
        for (const { slot } of world.slots.values()) {
          if (slot.managedBy !== 'plan') continue
          const key = world.keys.get(slot.keyId ?? '')
          expect(key).toMatchObject({ state: 'assigned', endedAt: null, providerId: slot.providerId })
          expect(key?.assignment).toMatchObject({ userId: slot.userId, subscriptionId: slot.subscriptionId })
        }
      })
    }),
    { numRuns: 300 },
  )
})

test('IDE-4: everything said again, in order, changes nothing', () => {
  fc.assert(
    fc.property(wishes, (given) => {
      const { world, taken } = play(withoutEarlyEnds(given))
      const all = () =>
        [world.keys, world.slots, world.stocks, world.entitlements].map((one) => new Map<string, unknown>(one))
      const before = all()
      for (const message of taken) world.round(message)
      expect(all()).toEqual(before)
    }),
    { numRuns: 300 },
  )
})

test('INV-5: whatever the division into rounds, as many are sold as there are keys, oldest first', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 40, maxLength: 40 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 12 }), cuts, (stock, rounds) => {
      const world = new World()
      if (stock > 0)
        world.round(
          upload(
            'op_up',
            Array.from({ length: stock }, (_, n) => `key ${n}`),
          ),
        )
      const buyers = Array.from({ length: 20 }, (_, n) => assignKey(`user ${n}`, `op_${n}`))
      const told = rounds.flatMap((size) => (buyers.length > 0 ? world.round(...buyers.splice(0, size)) : []))
      const sold = bodies(told, 'KeyAssigned').map(({ maskedKey }) => maskedKey)
      expect(sold).toEqual(Array.from({ length: stock }, (_, n) => `key ${n}`))
      expect(bodies(told, 'KeyDeclined')).toHaveLength(20 - stock)
    }),
  )
})

test('SLT-4: the entitlement is what the slot holds, under a version that only rises', () => {
  fc.assert(
    fc.property(wishes, (given) => {
      const versions = new Map<string, number>()
      play(given, (world) => {
        for (const [place, { slot }] of world.slots) {
          const { managedBy, enabled, term, version = 0 } = world.entitlements.get(place) ?? {}
          expect([managedBy, enabled, term?.subscriptionId ?? null]).toEqual([
            slot.managedBy,
            slot.enabled,
            slot.subscriptionId,
          ])
          expect(version).toBeGreaterThanOrEqual(versions.get(place) ?? 0)
          versions.set(place, version)
        }
        for (const { userId, managedBy } of world.entitlements.values())
          if (world.deleted.has(userId)) expect(managedBy).toBe('none')
      })
    }),
    { numRuns: 300 },
  )
})

test('GDP-1, INV-9: nothing names who is deleted; a revoked key stays so; no reason tells a key', () => {
  fc.assert(
    fc.property(wishes, (given) => {
      const revoked = new Set<string>()
      play(given, (world) => {
        for (const user of world.deleted.keys()) {
          expect([...world.keys.values()].some(({ assignment }) => assignment?.userId === user)).toBe(false)
          expect([...world.slots.values()].some(({ slot }) => slot.userId === user)).toBe(false)
          expect([...world.answers.values()].some(({ userId }) => userId === user)).toBe(false)
        }
        for (const { id, state, lastError, masked } of world.keys.values()) {
          if (revoked.has(id)) expect(state).toBe('revoked')
          if (state === 'revoked') revoked.add(id)
          expect(lastError ?? '').not.toContain(masked)
        }
      })
    }),
    { numRuns: 300 },
  )
})
