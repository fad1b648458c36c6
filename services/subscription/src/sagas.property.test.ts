import type { Instant } from '@coding-plans/schemas'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { action, openStory, perform } from './story.testing.ts'
import type { World } from './world.testing.ts'

// Whatever is asked, in whatever order answers arrive, however often they are copied, whatever fails on the way.

const paidTerms = (world: World) => [...world.books.terms].filter(({ amount }) => amount > 0)

/** Protocol and invariants, once nothing is under way. */
const judge = (world: World) => {
  const asked = world.heard.filter(
    ({ name }) => name === 'PurchasePlan' || name === 'CancelSubscription' || name === 'ResumeSubscription',
  )
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
      const world = openStory()
      for (const one of actions) perform(world, one)
      world.settle()
      judge(world)
    }),
    { numRuns: 3_000 },
  )
})

test('IDE-4: everything heard again from the beginning, with the seen ids gone, changes nothing', () => {
  const rows = ({ books }: World) =>
    [books.subscriptions, books.terms, books.operations, books.versions].map((table) => [...table])
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80, size: 'max' }), (actions) => {
      const world = openStory()
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
    { numRuns: 800 },
  )
})
