import { expect, test } from 'vitest'
import { at, DAY } from './bodies.testing.ts'
import { openLiveWorld, type World } from './world.testing.ts'

// Two things at once on one subscription: what wins, and that nobody pays for nothing.

const END = at(30 * DAY)
const held = (world: World) => [...world.ledger.holds.values()].filter(({ state }) => state === 'open').length

test('EXT-2: an extension clears a cancellation that was asked for before it, though the clock stands still', () => {
  const { world, subscription } = openLiveWorld()
  world.cancel(subscription.id, 'period_end', { by: 'operator' })
  world.purchase()
  world.settle()
  expect(world.last('SubscriptionExtended')).toMatchObject({ cancelAtPeriodEnd: false, version: 3 })
})

test('EXT-2: a cancellation that came after the purchase stays, also where one was cleared', () => {
  for (const before of [false, true])
    for (const steps of [0, 2]) {
      const { world, subscription } = openLiveWorld()
      if (before) world.cancel(subscription.id)
      world.purchase()
      for (let n = 0; n < steps; n += 1) world.step(n % 2 === 0 ? 'ledger' : 'subscription')
      world.cancel(subscription.id)
      world.settle()
      expect(world.last('SubscriptionExtended').cancelAtPeriodEnd, `${before} ${steps}`).toBe(true)
      expect(world.live()).toMatchObject({ currentPeriodEnd: at(60 * DAY) })
    }
})

test('EXT-4: canceled now while the hold of an extension is on its way: given back, refused, ended', () => {
  const { world, subscription } = openLiveWorld()
  const extension = world.purchase()
  const cancellation = world.cancel(subscription.id, 'now')
  world.settle()
  expect(world.outcomes(extension)).toMatchObject([{ body: { reason: 'purchase_in_progress' } }])
  expect(world.outcomes(cancellation)).toMatchObject([{ name: 'SubscriptionEnded' }])
  expect([held(world), world.ledger.charges.size]).toEqual([0, 1])
})

test('EXT-4: canceled now while an extension is being captured: it is done first, then the end begins', () => {
  const { world, subscription } = openLiveWorld()
  const extension = world.purchase()
  world.step('ledger')
  world.step('subscription')
  const cancellation = world.cancel(subscription.id, 'now')
  const second = world.cancel(subscription.id, 'period_end')
  expect(world.outcomes(second)).toMatchObject([{ body: { reason: 'not_cancelable' } }])
  expect(world.names()).not.toContain('SubscriptionEnding')
  world.settle()
  expect(world.names(extension)).toEqual(['HoldCredits', 'CaptureHold', 'SubscriptionExtended'])
  expect(world.names(cancellation)).toEqual(['SubscriptionEnding', 'RemoveKey', 'SubscriptionEnded'])
})

test('protocol 5: a due message that meets an extension’s hold is ignored when the extension succeeds', () => {
  const { world, subscription } = openLiveWorld()
  world.now = at(30 * DAY - 1)
  world.purchase()
  world.due(subscription)
  expect(world.unanswered.size).toBe(1)
  world.settle()
  expect(world.names().filter((name) => /Extended|Renewed|Ignored/.test(name))).toEqual([
    'SubscriptionExtended',
    'DueIgnored',
  ])
})

test('protocol 5: and when it is refused, the renewal or the end starts then', () => {
  for (const canceled of [false, true]) {
    const { world, subscription } = openLiveWorld()
    if (canceled) world.cancel(subscription.id)
    world.now = at(30 * DAY - 1)
    world.ledger.post('ada', -970)
    world.publish({ price: 21 as never })
    const extension = world.purchase()
    world.ledger.post('ada', 10)
    world.due(world.live()!)
    world.settle()
    expect(world.outcomes(extension)).toMatchObject([{ body: { reason: 'insufficient_credits', available: 20 } }])
    expect(world.names()).toContain(canceled ? 'SubscriptionEnded' : 'SubscriptionRenewed')
    expect(world.names()).not.toContain('DueIgnored')
  }
})

test('EXT-1: an extension while the renewal runs is in progress', () => {
  const { world, subscription } = openLiveWorld()
  world.due(subscription)
  const waiting = world.purchase()
  world.step('ledger')
  world.step('subscription')
  const deciding = world.purchase()
  world.settle()
  for (const id of [waiting, deciding])
    expect(world.outcomes(id)).toMatchObject([{ body: { reason: 'purchase_in_progress' } }])
})

test('protocol 4: canceled now while the renewal’s hold is on its way: no charge on a dead subscription', () => {
  for (const credits of [1_000, 20]) {
    const { world, subscription } = openLiveWorld({}, credits)
    world.due(subscription)
    const id = world.cancel(subscription.id, 'now')
    world.settle()
    expect(world.outcomes(id)).toMatchObject([{ name: 'SubscriptionEnded', body: { reason: 'user_canceled' } }])
    expect([held(world), world.ledger.charges.size, world.unanswered.size]).toEqual([0, 1, 0])
  }
})

test('protocol 4: canceled now while the renewal is being captured: renewed, then ended', () => {
  const { world, subscription } = openLiveWorld()
  world.due(subscription)
  world.step('ledger')
  world.step('subscription')
  const id = world.cancel(subscription.id, 'now')
  world.settle()
  expect(world.names().filter((name) => /Renewed|Ending|Ended|Ignored/.test(name))).toEqual([
    'SubscriptionRenewed',
    'SubscriptionEnding',
    'SubscriptionEnded',
  ])
  expect(world.outcomes(id)).toMatchObject([{ body: { endedAt: END } }])
})

test('protocol 4: a cancellation stamped before the boundary stops the renewal that is on its way', () => {
  for (const credits of [1_000, 20]) {
    const { world, subscription } = openLiveWorld({}, credits)
    world.due(subscription)
    world.cancel(subscription.id, 'period_end', { time: at(30 * DAY - 1) })
    world.settle()
    expect(world.last('SubscriptionEnded')).toMatchObject({ reason: 'user_canceled', boundary: END, endedAt: END })
    expect([held(world), world.ledger.charges.size, world.unanswered.size]).toEqual([0, 1, 0])
  }
})

test('protocol 4: a cancellation stamped at the boundary is for the next term', () => {
  for (const early of [true, false]) {
    const { world, subscription } = openLiveWorld()
    if (early) world.cancel(subscription.id, 'period_end', { time: END })
    world.due(world.live()!)
    if (!early) world.cancel(subscription.id, 'period_end', { time: END })
    world.settle()
    expect(world.last('SubscriptionRenewed')).toMatchObject({ cancelAtPeriodEnd: true, currentPeriodEnd: at(60 * DAY) })
    world.due(world.live()!)
    world.settle()
    expect(world.last('SubscriptionEnded')).toMatchObject({ endedAt: at(60 * DAY), reason: 'user_canceled' })
  }
})

test('the version that an event names is never older than what was said before it', () => {
  const { world, subscription } = openLiveWorld()
  world.purchase()
  world.step('ledger')
  world.step('subscription')
  world.cancel(subscription.id)
  world.settle()
  expect(world.last('CancellationScheduled').version).toBe(2)
  expect(world.last('SubscriptionExtended').version).toBe(3)
})

test('a failed extension gives back and leaves the subscription as it was, its due message answered', () => {
  const { world, subscription } = openLiveWorld()
  world.now = at(30 * DAY - 1)
  const id = world.purchase()
  world.due(subscription)
  world.step('ledger', true)
  world.settle()
  expect(world.outcomes(id)).toMatchObject([{ name: 'CommandFailed', body: { messageName: 'PurchasePlan' } }])
  expect(world.last('SubscriptionRenewed')).toMatchObject({ boundary: END })
  expect(held(world)).toBe(0)
})

test('two plans of different providers never wait for one another', () => {
  const { world, subscription } = openLiveWorld()
  world.publish({ planId: 'bolt-coding', providerId: 'bolt' })
  world.inventory.stock('bolt-coding', 1)
  world.due(subscription)
  const id = world.purchase({ plan: 'bolt-coding' })
  world.settle()
  expect(world.outcomes(id)).toMatchObject([{ name: 'SubscriptionActivated' }])
})
