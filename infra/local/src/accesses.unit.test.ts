import { AUDITOR, services } from '@coding-plans/schemas'
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
    'any.commands',
    'auditor.commands',
    'billing-scheduler.commands',
    'credits-ledger.commands',
    'gateway.events',
    'gateway.redriven',
    'key-inventory.commands',
    'key-inventory.uploads',
    'subscription.commands',
  ])
  expect(living(may('subscription', 'write'))).toEqual([
    'credits-ledger.commands',
    'key-inventory.commands',
    'subscription.events',
    'subscription.redriven',
  ])
  expect(living(may('credits-ledger', 'write'))).toEqual([
    'credits-ledger.commands',
    'credits-ledger.events',
    'credits-ledger.redriven',
  ])
  expect(living(may('key-inventory', 'write'))).toEqual([
    'key-inventory.entitlements',
    'key-inventory.events',
    'key-inventory.redriven',
  ])
  expect(living(may('billing-scheduler', 'write'))).toEqual(['billing-scheduler.events', 'billing-scheduler.redriven'])
  expect(living(may(AUDITOR, 'write'))).toEqual(['auditor.events', 'auditor.invariants', 'auditor.redriven'])
})

test('what asks something is read by its owner and the auditor alone, sealed uploads and redriven copies by their owner', () => {
  const asking = (service: string) =>
    may(service, 'read').filter((topic) => /\.(commands|uploads|redriven)$/.test(topic))
  for (const service of services) {
    expect(may(service, 'read').filter((topic) => topic.endsWith('.dlq'))).toEqual([])
    const others = asking(service).filter((topic) => !topic.startsWith(`${service}.`) && topic !== 'any.commands')
    if (service !== AUDITOR) expect(others).toEqual([])
    else expect(others.filter((topic) => !topic.endsWith('.commands'))).toEqual([])
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
