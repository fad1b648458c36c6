import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureTopics } from '@coding-plans/runtime'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { isRunning, markOf, type ProcessMark } from './process-mark.ts'
import { registerSchemas } from './register.ts'
import { type Servers, startServers } from './servers.ts'
import { subjects, topics } from './topics.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'coding-plans-'))
const lines: string[] = []
const log = (line: string) => lines.push(line)
let servers: Servers

beforeAll(async () => {
  servers = await startServers({ dataDir, log })
})
afterAll(async () => {
  await servers?.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

const ask = async (url: string, sql: string) => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[]
  } finally {
    await client.end()
  }
}

const readCommandLine = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8')

const marks = () =>
  [servers.broker, servers.registry, servers.postgres].flatMap(({ pid }) => (pid ? [markOf(pid) as ProcessMark] : []))

test('topics are created once and found in order the next time', async () => {
  await ensureTopics(servers, topics)
  await ensureTopics(servers, topics)
})

test('schemas are registered once, for ever compatible in both directions', async () => {
  expect(await registerSchemas(servers, subjects)).toBe(subjects.length)
  expect(await registerSchemas(servers, subjects)).toBe(0)
  const config = await fetch(`${servers.registryUrl}/config/${subjects[0]?.subject}`)
  expect(await config.json()).toEqual({ compatibilityLevel: 'FULL_TRANSITIVE' })
})

test('a schema that does not fit its older version is refused in one sentence', async () => {
  const [first] = subjects
  if (!first) throw new Error('there are no subjects')
  const fields = [...first.schema.fields, { name: 'mustHave', type: 'string' }]
  const changed = [{ ...first, schema: { ...first.schema, fields } }]
  await expect(registerSchemas(servers, changed)).rejects.toThrow(`The registry refused ${first.subject}: `)
})

test('a database is made once; the server asks for a password and keeps fsync on', async () => {
  const url = await servers.createDatabase('coding_plans_test')
  expect(await servers.createDatabase('coding_plans_test')).toBe(url)
  expect(await ask(url, 'show fsync')).toEqual([{ fsync: 'on' }])
  await expect(ask(url.replace(/:[^:@/]+@/, ':wrong@'), 'select 1')).rejects.toThrow(/password authentication failed/)
})

test('OPS-2: broker, registry and database are back at the same address after kill -9, with all they had', async () => {
  const url = await servers.createDatabase('coding_plans_test')
  await ask(url, 'create table kept as select 42 as answer')
  const before = marks()
  for (const child of [servers.broker, servers.registry, servers.postgres]) child.kill('SIGKILL')
  await vi.waitFor(() => {
    for (const name of ['kafka', 'registry', 'postgres']) expect(lines).toContain(`${name} runs again`)
  }, 110_000)
  for (const mark of before) expect(isRunning(mark)).toBe(false)
  expect(await ask(url, 'select answer from kept')).toEqual([{ answer: 42 }])
  expect(await registerSchemas(servers, subjects)).toBe(0)
  await ensureTopics(servers, topics)
}, 180_000)

test('a second launcher on the same data directory is refused, and the first goes on', async () => {
  await expect(startServers({ dataDir, log })).rejects.toThrow(`is in use by process ${process.pid}`)
  expect(marks().filter(isRunning)).toHaveLength(3)
})

test('no secret is on a command line', () => {
  const password = new URL(servers.databaseUrl('x')).password
  for (const { pid } of [servers.broker, servers.registry, servers.postgres]) {
    const line = readCommandLine(pid as number)
    expect(line.length).toBeGreaterThan(10)
    expect(line).not.toContain(decodeURIComponent(password))
  }
})

test('after a kill -9 of the launcher the next start ends its orphans and goes on with its data', async () => {
  const url = servers.databaseUrl('coding_plans_test')
  await servers.stop()
  const launcher = spawn(process.execPath, [join(import.meta.dirname, 'fixtures', 'hold-servers.ts'), dataDir])
  const pids = await new Promise<number[]>((resolve, reject) => {
    launcher.stdout.once('data', (chunk: Buffer) => resolve(JSON.parse(chunk.toString()) as number[]))
    launcher.once('exit', () => reject(new Error('the launcher ended by itself')))
  })
  const orphans = pids.map((pid) => markOf(pid) as ProcessMark)
  launcher.kill('SIGKILL')
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(orphans.filter(isRunning)).toHaveLength(3)

  servers = await startServers({ dataDir, log })
  expect(orphans.filter(isRunning)).toHaveLength(0)
  expect(lines).toContain('ending 3 processes that an earlier start left behind')
  expect(await ask(url, 'select answer from kept')).toEqual([{ answer: 42 }])
})

test('a stop leaves nothing running and takes less than 15 s', async () => {
  const running = marks()
  expect(running).toHaveLength(3)
  const since = Date.now()
  await servers.stop()
  expect(Date.now() - since).toBeLessThan(15_000)
  expect(running.filter(isRunning)).toHaveLength(0)
})
