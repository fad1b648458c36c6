import { message } from '@coding-plans/runtime/testing'
import { microdollars } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { at, publishBody } from './bodies.testing.ts'
import { readConfig } from './config.ts'
import { World } from './world.testing.ts'

test('CAT-2: each publish is a new version, with its price and who published it', () => {
  const world = new World()
  world.publish()
  world.publish({ price: microdollars(30), actor: 'admin-2', saleState: 'closed' })
  expect(world.all('PlanPublished').map(({ version, price, publishedBy }) => [version, price, publishedBy])).toEqual([
    [1, 20, 'admin-1'],
    [2, 30, 'admin-2'],
  ])
  expect(world.last('PlanPublished')).toMatchObject({ publishedAt: at(0), saleState: 'closed', features: ['fast'] })
})

test('AUD-1: a publish is audited with what was and what is', () => {
  const world = new World()
  world.publish()
  world.publish({ price: microdollars(30) })
  const [first, second] = world.all('ActionAudited')
  expect(first).toMatchObject({ subject: 'acme-coding', actor: 'admin-1', action: 'plan.publish', before: null })
  expect([second?.before, second?.after].map((json) => JSON.parse(json ?? '').price)).toEqual([20, 30])
})

test('CAT-2: the provider of a published plan stays', () => {
  const world = new World()
  world.publish()
  world.publish({ providerId: 'bolt' })
  expect(world.last('PlanRefused')).toMatchObject({ reason: 'provider_fixed', variable: null })
  expect(world.books.currentVersion('acme-coding')?.version).toBe(1)
})

test('CAT-3: while the environment fixes a price, a publish with another is refused and names the variable', () => {
  const world = new World(new Map([['CODING_PLAN_PRICE_ACME_CODING', microdollars(20)]]))
  world.publish({ price: microdollars(21) })
  expect(world.last('PlanRefused')).toMatchObject({ reason: 'price_fixed', variable: 'CODING_PLAN_PRICE_ACME_CODING' })
  world.publish()
  world.publish({ planId: 'acme', price: microdollars(5) })
  expect(world.all('PlanPublished').map(({ planId }) => planId)).toEqual(['acme-coding', 'acme'])
})

test('IDE-4: a copy of a publish is no new version', () => {
  const world = new World()
  const body = publishBody()
  world.tell(message('PublishPlan', body))
  expect(world.tell(message('PublishPlan', body))).toEqual([])
})

test('a plan that says what nobody understands is a dead letter', () => {
  const world = new World()
  expect(() => world.publish({ repurchase: 'unknown' })).toThrow('unknown repurchase')
  expect(() => world.publish({ name: 'unknown', providerName: 'unknown' })).not.toThrow()
})

const env = {
  KAFKA_BROKERS: 'localhost:9092',
  SCHEMA_REGISTRY_URL: 'http://localhost:8080',
  DATABASE_URL: 'postgres://localhost/x',
  INTERNAL_SECRET: Buffer.alloc(32).toString('base64'),
}

test('CAT-3: prices are read by the variable’s name; 0 is free', () => {
  const { prices } = readConfig({ ...env, CODING_PLAN_PRICE_A_B: '0', CODING_PLAN_PRICE_C1: '20000000' })
  expect([...prices]).toEqual([
    ['CODING_PLAN_PRICE_A_B', 0],
    ['CODING_PLAN_PRICE_C1', 20_000_000],
  ])
})

test.each(['4.99', 'abc', '-1', '', ' 1', '1e3', '0x10', '9007199254740991', '9007199254740993'])(
  'CAT-3: a price of %j stops the start with a sentence that names the variable',
  (price) => {
    expect(() => readConfig({ ...env, CODING_PLAN_PRICE_ACME: price })).toThrow(
      /^CODING_PLAN_PRICE_ACME must be a price/,
    )
  },
)

test('all complaints are made at once', () => {
  const { DATABASE_URL: _, ...rest } = env
  const faulty = { ...rest, CODING_PLAN_PRICE_A: 'x', CODING_PLAN_PRICE_B: 'y' }
  expect(() => readConfig(faulty)).toThrow(/PRICE_A .*PRICE_B .*DATABASE_URL/)
})
