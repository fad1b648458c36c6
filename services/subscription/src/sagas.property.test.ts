import type { Instant, MessageName } from '@coding-plans/schemas'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { action, openStory, perform } from './story.testing.ts'
import type { World } from './world.testing.ts'

// Whatever is asked, in whatever order answers arrive, however often they are copied, whatever fails on the way.

const paidTerms = (world: World) => [...world.books.terms].filter(({ amount }) => amount > 0)

const COMMANDS: ReadonlySet<MessageName> = new Set([
  'PurchasePlan',
  'CancelSubscription',
  'ResumeSubscription',
  'TerminateSubscription',
  'GrantDays',
  'WishRestock',
  'WithdrawRestockWish',
  'DeleteAccount',
])

/** Until nothing is under way and nothing is waited for: what is owed is paid, or its time runs out. */
const comeToRest = (world: World) => {
  for (let turns = 0; turns < 100; turns += 1) {
    world.settle()
    const [waiting] = world.waits.keys()
    if (waiting) world.deadline(waiting)
    else if (!world.settlePayment()) return
  }
  throw new Error('The world waits for ever.')
}

/** At rest, what waits for money renews if it comes (TOP-3, CAN-1), and somebody will say when its time is over. */
const judgeWaiting = ({ books, waits, unanswered }: World) => {
  for (const { kind, state, subscriptionId } of books.sagas) {
    if (kind !== 'renewal' || (state !== 'toppingUp' && state !== 'pastDue')) continue
    expect(books.subscription(subscriptionId).canceledAt, `${state} and flagged`).toBeNull()
    if (state === 'pastDue') expect(waits.has(subscriptionId) || unanswered.has(subscriptionId)).toBe(true)
  }
}

/** Protocol and invariants, once nothing is under way. */
const judge = (world: World) => {
  const asked = world.heard.filter(({ name }) => COMMANDS.has(name))
  for (const id of new Set(asked.map(({ correlationId }) => correlationId)))
    expect(
      world.outcomes(id).map(({ name }) => name),
      `outcomes of ${id}`,
    ).toHaveLength(1)

  for (const [id, { state }] of world.ledger.holds) expect(state, `hold ${id}`).not.toBe('open')
  const charges = paidTerms(world).map(({ chargeId, amount }) => [chargeId, amount])
  expect(new Map(charges as [string, number][])).toEqual(world.ledger.charges)

  const live = [...world.books.subscriptions].filter(({ status }) => status !== 'ended')
  expect(live.filter(({ status }) => status === 'past_due')).toEqual([])
  const places = live.map(({ userId, providerId }) => `${userId}|${providerId}`)
  expect(new Set(places).size).toBe(places.length)
  const keys = [...world.inventory.slots].filter(([, owner]) => owner !== 'own')
  expect(new Map(keys)).toEqual(new Map(live.map(({ id, userId, providerId }) => [`${userId}|${providerId}`, id])))

  expect([...world.books.sagas].filter(({ running }) => running)).toEqual([])
  expect([...world.unanswered.keys()]).toEqual([])
  for (const subscription of world.books.subscriptions) judgeTerms(world, subscription)
  judgeMoney(world)
  judgeErased(world)
  judgeVersions(world)
}

/**
 * Terms follow one another, none over another, up to the end: no lost days, none charged twice (EXT-4, REN-3). There is no
 * gap but what elapsed while we were away (REN-7), and the grace that was given before days were (EXT-6).
 */
const judgeTerms = (world: World, { id, currentPeriodEnd }: { id: string; currentPeriodEnd: Instant }) => {
  const terms = world.books.terms.of(id).toSorted((a, b) => a.boundary - b.boundary)
  for (const [place, { endsAt }] of terms.entries()) {
    const next = terms[place + 1]
    if (!next) expect(endsAt).toBe(currentPeriodEnd)
    else if (next.kind === 'extension') expect(next.boundary).toBe(endsAt)
    else expect(next.boundary).toBeGreaterThanOrEqual(endsAt)
  }
}

/** What every user has is what came, less what was charged (LED-1); a term has one top-up at most (TOP-1, invariant 10). */
const judgeMoney = (world: World) => {
  const paid = [...world.ledger.topUps].filter(([, { outcome }]) => outcome !== 'off')
  const asking = world.topUpsByTerm.values()
  const attempts = new Set(paid.map(([id]) => id))
  for (const ids of asking) expect([...ids].filter((id) => attempts.has(id)).length).toBeLessThanOrEqual(1)
  const refunded = world.all('SubscriptionEnded').filter(({ refundId }) => refundId !== null)
  expect(new Map(refunded.map(({ refundId, refundAmount }) => [refundId, refundAmount]))).toEqual(world.ledger.refunds)
}

/** Who is deleted has nothing that lives, no slot and no wish, for ever (GDP-1). */
const judgeErased = ({ books, inventory, ledger }: World) => {
  for (const { userId } of [...books.buyers].filter(({ erasedAt }) => erasedAt !== null)) {
    expect(books.subscriptions.of(userId).filter(({ status }) => status !== 'ended')).toEqual([])
    expect([...inventory.slots.keys()].filter((slot) => slot.startsWith(`${userId}|`))).toEqual([])
    expect(books.wishesOf(userId)).toEqual([])
    expect(ledger.closed.has(userId)).toBe(true)
  }
}

/** Every event that tells of a subscription is newer than those before it; ended is the last. */
const judgeVersions = (world: World) => {
  const told = [
    'SubscriptionActivated',
    'SubscriptionExtended',
    'SubscriptionRenewed',
    'SubscriptionEnding',
    'SubscriptionPastDue',
    'TopUpAwaited',
    'DaysGranted',
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
      for (const one of actions) {
        perform(world, one)
        if (one.do === 'settle') judgeWaiting(world)
      }
      comeToRest(world)
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
      comeToRest(world)
      const before = rows(world)
      const outcomes = world.said.filter(({ name }) =>
        /Activated|Extended|Renewed|Ended|PastDue|Granted|Deleted|Refused|Scheduled|Published/.test(name),
      ).length
      for (const one of [...world.heard]) world.tell(one)
      comeToRest(world)
      expect(rows(world)).toEqual(before)
      const now = world.said.filter(({ name }) =>
        /Activated|Extended|Renewed|Ended|PastDue|Granted|Deleted|Refused|Scheduled|Published/.test(name),
      ).length
      expect(now).toBe(outcomes)
      judge(world)
    }),
    { numRuns: 800 },
  )
})
