import { longestKeptMilliseconds, SEEN_IS_KEPT_FOR_DAYS } from '@coding-plans/runtime'
import { messageNames, services, topicOf } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { subjects, topics } from './topics.ts'

const isDead = (name: string) => name.endsWith('.dlq')
const find = (name: string) => topics.find((topic) => topic.name === name)
const DAY = 86_400_000

test('every topic that any message travels on is declared, once', () => {
  const declared = topics.map(({ name }) => name)
  expect(new Set(declared).size).toBe(declared.length)
  for (const name of messageNames) for (const service of services) expect(declared).toContain(topicOf(name, service))
})

test('facts are kept for ever, commands and uploads for 7 days', () => {
  for (const service of services) expect(find(`${service}.events`)?.retentionMilliseconds).toBeNull()
  expect(find('credits-ledger.commands')?.retentionMilliseconds).toBe(7 * DAY)
  expect(find('key-inventory.uploads')?.retentionMilliseconds).toBe(7 * DAY)
})

test('what is carried out once by its id is gone before its id is forgotten', () => {
  // Of dead letters nobody reads anything.
  const finite = topics.filter(({ name, retentionMilliseconds }) => retentionMilliseconds !== null && !isDead(name))
  expect(finite.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['any.commands', 'credits-ledger.commands', 'key-inventory.uploads', 'gateway.redriven']),
  )
  const kept = Object.fromEntries(finite.map((topic) => [topic.name, longestKeptMilliseconds(topic)]))
  for (const [name, milliseconds] of Object.entries(kept))
    expect(milliseconds, name).toBeLessThan(SEEN_IS_KEPT_FOR_DAYS * DAY)
})

test('SLT-4: of entitlements the last record per user and provider stays, for ever', () => {
  expect(find('key-inventory.entitlements')).toEqual({
    name: 'key-inventory.entitlements',
    retentionMilliseconds: null,
    compacted: true,
  })
  expect(topics.filter(({ compacted }) => compacted).map(({ name }) => name)).toEqual([
    'auditor.invariants',
    'key-inventory.entitlements',
  ])
})

test('every topic has a dead-letter topic for each who may listen to it', () => {
  for (const service of services) expect(find(`subscription.events.${service}.dlq`)).toBeDefined()
  expect(find('credits-ledger.commands.credits-ledger.dlq')).toBeDefined()
  expect(find('credits-ledger.commands.gateway.dlq')).toBeUndefined()
})

test('what anybody may be asked for is listened to by all, once declared', () => {
  expect(topics.filter(({ name }) => name === 'any.commands')).toEqual([
    { name: 'any.commands', retentionMilliseconds: 7 * DAY },
  ])
  for (const service of services) expect(find(`any.commands.${service}.dlq`)).toBeDefined()
  expect(subjects.filter(({ subject }) => subject.startsWith('any.commands-')).map(({ subject }) => subject)).toEqual([
    'any.commands-codingplans.any.RedriveDeadLetter',
    'any.commands-codingplans.any.RehearseDeadLetter',
  ])
})

test('a dead letter fits wherever its message did, with its reasons on top', () => {
  const uploads = find('key-inventory.uploads')?.mostMessageBytes ?? 0
  expect(uploads).toBeGreaterThan(4 * 1024 * 1024)
  expect(find('key-inventory.uploads.key-inventory.dlq')?.mostMessageBytes).toBeGreaterThan(uploads)
})

test('what belongs to any is a subject of every service’s events', () => {
  const names = subjects.map(({ subject }) => subject)
  expect(new Set(names).size).toBe(names.length)
  for (const service of services) expect(names).toContain(`${service}.events-codingplans.any.CommandFailed`)
  expect(names).toContain('credits-ledger.commands-codingplans.credits_ledger.HoldCredits')
})

test('where keys travel sealed, dead letters go after 7 days; elsewhere after 90', () => {
  const days = (name: string) => (find(name)?.retentionMilliseconds ?? 0) / DAY
  expect(days('key-inventory.uploads.key-inventory.dlq')).toBe(7)
  expect(days('key-inventory.commands.key-inventory.dlq')).toBe(7)
  expect(days('credits-ledger.commands.credits-ledger.dlq')).toBe(90)
})

test('what was put by hand where redriven copies travel, and is none, can be buried too', () => {
  for (const service of services)
    expect(topics.filter(({ name }) => name.startsWith(`${service}.redriven.`)).map(({ name }) => name)).toEqual([
      `${service}.redriven.${service}.dlq`,
    ])
})
