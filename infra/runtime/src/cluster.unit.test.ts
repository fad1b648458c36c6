import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readCluster } from './cluster.ts'
import { databaseUrl, readEnvironment } from './config.ts'

let directory: string
let ca: string
const PEM = ['-----BEGIN', 'CERTIFICATE-----\nx\n-----END', 'CERTIFICATE-----\n'].join(' ')
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'coding-plans-cluster-'))
  ca = join(directory, 'ca.pem')
  writeFileSync(ca, PEM)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const KAFKA_BROKERS = 'a:9092,b:9092'
const user = { KAFKA_SASL_USERNAME: 'ada', KAFKA_SASL_PASSWORD: 'hunter2' }

test('brokers are met in the open, over TLS, or over TLS as a user', () => {
  const brokers = ['a:9092', 'b:9092']
  expect(readCluster({ KAFKA_BROKERS })).toEqual({ brokers })
  expect(readCluster({ KAFKA_BROKERS, KAFKA_TLS_CA: 'system' })).toEqual({ brokers, tls: {} })
  expect(readCluster({ KAFKA_BROKERS, KAFKA_TLS_CA: ca, ...user })).toEqual({
    brokers,
    tls: { ca: PEM },
    sasl: { mechanism: 'scram-sha-512', username: 'ada', password: 'hunter2' },
  })
})

test.each([
  { env: user, sentence: 'KAFKA_SASL_PASSWORD needs KAFKA_TLS_CA: a password does not go out in the open.' },
  { env: { KAFKA_SASL_PASSWORD: 'hunter2' }, sentence: 'are set together or not at all.' },
  { env: { KAFKA_TLS_CA: '/nowhere' }, sentence: 'KAFKA_TLS_CA names a file that cannot be read (ENOENT).' },
  { env: { KAFKA_TLS_CA: import.meta.filename }, sentence: 'KAFKA_TLS_CA names a file without a certificate.' },
  { env: { KAFKA_SASL_MECHANISM: 'plain' }, sentence: 'KAFKA_SASL_MECHANISM must be one of' },
])('what does not fit is said, and no secret: $sentence', ({ env, sentence }) => {
  const read = () => readCluster({ KAFKA_BROKERS, ...env })
  expect(read).toThrow(sentence)
  expect(read).not.toThrow(/hunter2/)
})

test('a database is never met over TLS that nobody checks', () => {
  const read = (url: string) => readEnvironment({ DATABASE_URL: url }, { DATABASE_URL: databaseUrl() }).DATABASE_URL
  const checked = 'postgres://a:hunter2@h/d?sslmode=verify-full&sslrootcert=/ca.pem'
  expect(read(checked)).toBe(checked)
  for (const rest of ['sslmode=no-verify', 'sslmode=require&uselibpqcompat=true']) {
    const refused = () => read(`postgres://a:hunter2@h/d?${rest}`)
    expect(refused).toThrow('DATABASE_URL must not leave certificates unchecked (sslmode=verify-full).')
    expect(refused).not.toThrow(/hunter2/)
  }
})
