import { message } from '@coding-plans/runtime/testing'
import { type Bodies, microdollars } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { at } from './bodies.testing.ts'
import { failureOf, openLiveWorld, openWorld, World } from './world.testing.ts'

test('IDE-4: a copy of a purchase that was refused buys nothing later on', () => {
  const { world, subscription } = openLiveWorld()
  world.purchase({ known: null, operationId: 'op_refused' })
  world.cancel(subscription.id, 'now')
  world.settle()
  const said = world.said.length
  world.purchase({ known: null, operationId: 'op_refused' })
  world.settle()
  expect(world.said).toHaveLength(said)
  expect(world.live()).toBeUndefined()
})

test('a command that fails at the ledger or the inventory fails the operation, and all is given back', () => {
  for (const failing of ['ledger', 'inventory'] as const) {
    const world = openWorld()
    const id = world.purchase()
    if (failing === 'inventory') {
      world.step('ledger')
      world.step('subscription')
    }
    world.step(failing, true)
    world.settle()
    const [purchase] = world.heard.filter(({ name }) => name === 'PurchasePlan')
    expect(world.outcomes(id)).toMatchObject([
      { name: 'CommandFailed', body: { subject: 'ada', messageName: 'PurchasePlan', messageId: purchase?.id } },
    ])
    expect(world.ledger.available.get('ada')).toBe(1_000)
    expect(world.inventory.slots.size).toBe(0)
    world.purchase()
    world.settle()
    expect(world.live()?.status).toBe('active')
  }
})

test('IDE-2: a command that only the auditor cannot read fails nothing', () => {
  const world = openWorld()
  const id = world.purchase()
  const [hold] = world.queues.ledger
  const how = { source: 'auditor', correlationId: id }
  expect(world.tell(message('CommandFailed', failureOf(hold!).body as Bodies['CommandFailed'], how))).toEqual([])
  world.settle()
  expect(world.outcomes(id)).toMatchObject([{ name: 'SubscriptionActivated' }])
})

test('protocol 5: a hold or a key that comes when the purchase has failed is given back', () => {
  for (const steps of [[], ['ledger', 'subscription']] as const) {
    const world = openWorld()
    const id = world.purchase()
    for (const queue of steps) world.step(queue)
    world.step(steps.length === 0 ? 'ledger' : 'inventory', true)
    world.settle()
    world.redrive()
    world.settle()
    expect(world.ledger.available.get('ada')).toBe(1_000)
    expect(world.inventory.slots.size).toBe(0)
    expect(world.outcomes(id)).toMatchObject([{ name: 'CommandFailed' }])
  }
})

test('what is decided is said again until it is done, each time a little later', () => {
  const world = openWorld()
  const id = world.purchase()
  for (const queue of ['ledger', 'subscription', 'inventory', 'subscription'] as const) world.step(queue)
  const waits: number[] = []
  for (let n = 0; n < 8; n += 1) {
    world.step('ledger', true)
    world.step('subscription')
    waits.push(world.books.sagas.get(id)?.retryAt ?? 0)
    world.retry()
  }
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
  world.settle()
  expect(world.outcomes(id)).toMatchObject([{ name: 'SubscriptionActivated' }])
  expect(world.books.sagas.get(id)).toMatchObject({ failures: 0, retryAt: null })
})

test('what is impossible in a state is a dead letter', () => {
  const world = openWorld()
  const id = world.purchase()
  const captured = message(
    'HoldCaptured',
    {
      ...world.last('HoldCredits'),
      entryId: 'e',
      chargeId: 'c',
      at: at(0),
      balance: microdollars(0),
      held: microdollars(0),
      description: '',
      version: 1,
    },
    { correlationId: id },
  )
  expect(() => world.tell(captured)).toThrow('HoldCaptured is impossible')
  expect(() => world.tell({ ...captured, correlationId: 'nobody' })).toThrow('answers no saga')
})

test('a failure that no saga waits for is nobody’s here', () => {
  const failure = { subject: 'bob', messageId: 'm', messageName: 'PostCredits', reason: 'a bug' }
  expect(new World().tell(message('CommandFailed', failure))).toEqual([])
})
