import { services } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { accesses } from './accesses.ts'
import { topics } from './topics.ts'

const may = (user: string, operation: string) =>
  accesses
    .filter((access) => access.user === user && access.operation === operation && access.on !== 'cluster')
    .flatMap(({ on }) => (typeof on === 'object' && 'topic' in on ? [on.topic] : []))
const living = (names: readonly string[]) => names.filter((name) => !name.endsWith('.dlq')).sort()

test('a service says what the messages say it says', () => {
  expect(living(may('gateway', 'write'))).toEqual([
    'billing-scheduler.commands',
    'credits-ledger.commands',
    'gateway.events',
    'key-inventory.commands',
    'key-inventory.uploads',
    'subscription.commands',
  ])
  expect(living(may('subscription', 'write'))).toEqual([
    'credits-ledger.commands',
    'key-inventory.commands',
    'subscription.events',
  ])
  expect(living(may('credits-ledger', 'write'))).toEqual(['credits-ledger.commands', 'credits-ledger.events'])
  expect(living(may('key-inventory', 'write'))).toEqual(['key-inventory.entitlements', 'key-inventory.events'])
  expect(living(may('billing-scheduler', 'write'))).toEqual(['billing-scheduler.events'])
})

test('what asks something is read by its owner alone, and dead letters are read by no service', () => {
  for (const service of services) {
    expect(may(service, 'read').filter((topic) => topic.endsWith('.dlq'))).toEqual([])
    const asked = may(service, 'read').filter((topic) => !topic.endsWith('.events'))
    expect(asked.filter((topic) => !topic.startsWith(`${service}.`))).toEqual([])
  }
})

test('every topic has somebody who writes to it, and every living one somebody who reads it', () => {
  const names = topics.map(({ name }) => name)
  const written = new Set(services.flatMap((service) => may(service, 'write')))
  const read = new Set(services.flatMap((service) => may(service, 'read')))
  // The gateway is asked nothing: it asks.
  expect(names.filter((name) => !written.has(name))).toEqual([])
  expect(living(names).filter((name) => !read.has(name))).toEqual([])
})
