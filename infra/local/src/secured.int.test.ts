import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { callRegistry, endOffsets, ensureAcls, ensureTopics, readCluster } from '@coding-plans/runtime'
import { Listener, Speaker } from '@coding-plans/runtime/testing'
import { type Service, userId } from '@coding-plans/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accesses, accessOfProvisioner } from './accesses.ts'
import { openAuthority } from './certificates.testing.ts'
import { secretNames } from './secrets.ts'
import { INSTALLER, PROVISIONER, passwordOf, startSecuredServers } from './secured.testing.ts'
import { type Stack, startStack } from './stack.ts'
import { topics } from './topics.ts'

let root: string
let servers: Awaited<ReturnType<typeof startSecuredServers>>
let env: NodeJS.ProcessEnv
let stack: Stack
const said: string[] = []

const start = (change: NodeJS.ProcessEnv = {}, name = 'house') =>
  startStack({ dataDir: join(root, name), clock: 'test', env: { ...env, ...change }, log: (line) => said.push(line) })

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'coding-plans-secured-'))
  mkdirSync(join(root, 'servers'))
  servers = await startSecuredServers(join(root, 'servers'))
  const secrets = Object.fromEntries(secretNames.map((name) => [name, randomBytes(32).toString('base64')]))
  env = { ...servers.env, ...secrets }
  stack = await start()
}, 300_000)
afterAll(async () => {
  await stack?.stop()
  await servers?.stop()
  rmSync(root, { recursive: true, force: true })
})

const call = async (token: string, method: string, path: string, body: object) => {
  const answer = await fetch(`${stack.url}/v1${path}`, {
    method,
    headers: {
      ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json', prefer: 'wait=30' },
      'idempotency-key': `${path}-${method}`,
    },
    body: JSON.stringify(body),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

test('a purchase goes through: TLS everywhere, every service a user of its own that may do what it needs', async () => {
  const [admin, ada] = [await stack.token('ann', ['admin']), await stack.token('ada')]
  const period = { unit: 'month', count: 1 }
  const plan = { name: 'Gold', providerId: 'acme', priceMicrodollars: 20_000_000, period }
  expect((await call(admin, 'PUT', '/admin/plans/gold', plan)).status).toBe(200)
  expect((await call(admin, 'POST', '/admin/plans/gold/keys', { entries: [{ key: 'sk-1' }] })).status).toBe(200)
  const credits = { amountMicrodollars: 50_000_000, kind: 'grant', reason: 'welcome' }
  expect((await call(admin, 'POST', '/admin/users/ada/credits', credits)).status).toBe(201)
  expect((await call(ada, 'POST', '/subscriptions', { planId: 'gold' })).status).toBe(201)
  expect(await call(ada, 'POST', '/slots/acme/reveal', {})).toMatchObject({ status: 200, body: { key: 'sk-1' } })
  // The overseer sees how far everybody is.
  const moved = await call(admin, 'POST', '/admin/clock/advance', { by: 'P1M' })
  expect([moved.status, moved.body.settled]).toEqual([200, true])
  expect(said.join('\n')).toContain('every service may do on the brokers what it needs, and no more')
})

test('what a service is told of the brokers is its own; no password is in a log', () => {
  const logs = readdirSync(join(root, 'house', 'logs')).map((file) =>
    readFileSync(join(root, 'house', 'logs', file), 'utf8'),
  )
  expect([...logs, ...said].filter((text) => text.includes('password-of-'))).toEqual([])
})

const clusterAs = (user: string, change: NodeJS.ProcessEnv = {}) =>
  readCluster({ ...env, KAFKA_SASL_USERNAME: user, KAFKA_SASL_PASSWORD: passwordOf(user), ...change })

/** How many records there are on a topic, as the provisioner sees it. */
const written = async (topic: string) =>
  [...((await endOffsets(clusterAs(PROVISIONER), [topic])).get(topic)?.values() ?? [])].reduce((sum, n) => sum + n, 0)

const holding = {
  ...{ userId: userId('eve'), holdId: 'h', amount: 1, purpose: 'activation', operationId: null },
  ...{ subscriptionId: 's', boundary: null },
}
const posting = { cause: 'c', correlationId: 'c' }

const COMMANDS = 'credits-ledger.commands'
const serversAs = (user: string) => ({
  ...clusterAs(user),
  registryUrl: env.SCHEMA_REGISTRY_URL as string,
  registryCa: readFileSync(env.KAFKA_TLS_CA as string, 'utf8'),
})

/** Says a command in subscription's name, as this user, for so long at most. @returns its id. */
const trySaying = async (user: Service, milliseconds: number) => {
  const speaker = await new Speaker('subscription', serversAs(user)).open()
  const record = speaker.record('HoldCredits', holding as never, posting as never)
  await speaker.say([record], AbortSignal.timeout(milliseconds))
  await speaker.close()
  return record.headers.ce_id
}

test('a service asks whom it may ask, and nobody else', async () => {
  const before = await written(COMMANDS)
  for (const stranger of ['billing-scheduler', 'key-inventory'] as const) await trySaying(stranger, 5_000)
  expect(await written(COMMANDS)).toBe(before)
  const id = await trySaying('subscription', 20_000)
  const listener = await new Listener(serversAs(PROVISIONER)).open([COMMANDS])
  await listener.until((one) => one.id === id)
  await listener.close()
})

test('a service reads nothing of what another is asked', async () => {
  const ends = (user: Service, topic: string) => endOffsets(clusterAs(user), [topic])
  await expect(ends('gateway', 'key-inventory.commands')).resolves.toBeTruthy()
  await expect(ends('subscription', 'key-inventory.uploads')).rejects.toThrow(/authoriz/i)
  await expect(ends('credits-ledger', 'key-inventory.events')).resolves.toBeTruthy()
})

test('who provisions need not be almighty: the table says what it takes', async () => {
  const installer = clusterAs(INSTALLER)
  await expect(ensureTopics(installer, topics)).rejects.toThrow(/authoriz/i)
  await ensureAcls(clusterAs(PROVISIONER), accessOfProvisioner(INSTALLER))
  await ensureTopics(installer, topics)
  expect(await ensureAcls(installer, [...accesses, ...accessOfProvisioner(INSTALLER)])).toBe(true)
})

test('what a user may beyond the table is named at the next start', async () => {
  const cluster = clusterAs(PROVISIONER)
  expect(await ensureAcls(cluster, accesses)).toBe(true)
  await ensureAcls(cluster, [
    { user: 'gateway', operation: 'write', on: { topic: 'credits-ledger.events' } },
    ...accesses,
  ])
  await expect(ensureAcls(cluster, accesses)).rejects.toThrow(
    'The brokers allow what is not declared: User:gateway * may write topic credits-ledger.events.',
  )
  const toAll = { user: '*', operation: 'read', on: { topic: 'key-inventory.uploads' } } as const
  await ensureAcls(cluster, [
    { user: 'gateway', operation: 'write', on: { topic: 'credits-ledger.events' } },
    toAll,
    ...accesses,
  ])
  await expect(ensureAcls(cluster, accesses)).rejects.toThrow('User:* * may read topic key-inventory.uploads')
})

test.each([
  {
    why: 'a wrong password',
    change: { KAFKA_SASL_PASSWORD: 'wrong-secret' },
    sentence: /KAFKA_BROKERS .*[Aa]uthentication failed/,
  },
  { why: 'brokers of a stranger', change: { KAFKA_TLS_CA: 'stranger' }, sentence: /KAFKA_BROKERS .*certificate/ },
  {
    why: 'a registry of a stranger',
    change: { SCHEMA_REGISTRY_TLS_CA: 'stranger' },
    sentence: /SCHEMA_REGISTRY_URL .*certificate/,
  },
  { why: 'a database of a stranger', change: { DATABASE_URL: 'stranger' }, sentence: /DATABASE_URL .*certificate/ },
  { why: 'a database in the open', change: { DATABASE_URL: 'open' }, sentence: /DATABASE_URL .*no encryption/ },
])('$why: a start is refused in one sentence that shows no secret', async ({ why, change, sentence }) => {
  const stranger = (await openAuthority(root, 'stranger')).ca
  const meant: Record<string, string | undefined> = {
    stranger: 'DATABASE_URL' in change ? `${servers.plainUrl}?sslmode=verify-full&sslrootcert=${stranger}` : stranger,
    open: servers.plainUrl,
  }
  const set = Object.fromEntries(Object.entries(change).map(([name, value]) => [name, meant[value] ?? value]))
  const refused = await start(set, `refused-${why.replaceAll(' ', '-')}`).catch((error: Error) => error.message)
  expect(refused).toMatch(sentence)
  for (const secret of ['wrong-secret', 'password-of-', new URL(servers.plainUrl).password])
    expect(refused).not.toContain(secret)
})

test('the registry behind TLS answers only whom its authority is told', async () => {
  const at = { registryUrl: env.SCHEMA_REGISTRY_URL as string }
  await expect(callRegistry(at, { path: '/subjects' })).rejects.toThrow(/certificate/)
})
