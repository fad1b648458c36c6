import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { pickPort } from './ports.ts'
import { isRunning, type ProcessMark } from './process-mark.ts'

let dataDir: string
let launcher: ChildProcess
let said: string
let ended: Promise<number | null>

beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'coding-plans-')), 'data')
})
afterEach(async () => {
  launcher.kill('SIGTERM')
  await ended
  rmSync(join(dataDir, '..'), { recursive: true, force: true })
})

/** `npm start` with this environment and nothing else. */
const start = async (env: Record<string, string>) => {
  const { PATH, HOME, JAVA_HOME } = process.env
  const java = JAVA_HOME ? { JAVA_HOME } : {}
  said = ''
  launcher = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { PATH, HOME, ...java, PORT: String(await pickPort()), DATA_DIR: dataDir, ...env },
    cwd: join(dataDir, '..'),
  })
  for (const stream of [launcher.stdout, launcher.stderr])
    stream?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
  ended = new Promise((resolve) => launcher.once('close', resolve))
}

const refusal = async (env: Record<string, string>) => {
  await start(env)
  expect(await ended).toBe(1)
  // The sentence comes alone: no stack, no ready line.
  expect(said.trim().split('\n')).toHaveLength(1)
  return said.trim()
}

test('PORT=0 is refused: the gateway needs a known address', async () => {
  expect(await refusal({ PORT: '0' })).toMatch(/^PORT must be a whole number from 1 to 65535, not "0"/)
  expect(existsSync(dataDir)).toBe(false)
})

test('a PORT that is taken is refused', async () => {
  const port = await pickPort()
  const guest = createServer()
  await new Promise<void>((resolve) => guest.listen(port, '127.0.0.1', resolve))
  expect(await refusal({ PORT: String(port) })).toBe(
    `PORT ${port} on 127.0.0.1 is taken by another program; set PORT to a free one.`,
  )
  await new Promise((resolve) => guest.close(resolve))
})

test.each([{ KAFKA_BROKERS: '127.0.0.1:9092' }, { NODE_ENV: 'production' }])(
  'secrets that are missing with %o are named, and none is made',
  async (env) => {
    expect(await refusal(env)).toMatch(/^AUTH_JWT_SECRET is missing .*; VAULT_KEY is missing .*\.$/)
    expect(existsSync(join(dataDir, 'secrets.json'))).toBe(false)
  },
)

test('a Java that is not there is named', async () => {
  expect(await refusal({ JAVA_HOME: '/nowhere' })).toMatch(
    /Java 17 or newer is needed, and \/nowhere\/bin\/java was not found/,
  )
})

test('a refused start leaves the clock mode open', async () => {
  await refusal({ CLOCK: 'test', VAULT_KEY: 'short' })
  expect(existsSync(join(dataDir, 'state.json'))).toBe(false)
})

const marks = () =>
  readdirSync(join(dataDir, 'run')).map(
    (file) => JSON.parse(readFileSync(join(dataDir, 'run', file), 'utf8')) as ProcessMark,
  )

test('npm start says ready when the gateway is, brings back what dies, and leaves nothing when told to stop', async () => {
  await start({ CLOCK: 'test' })
  await vi.waitFor(() => expect(said).toMatch(/^ready http:/m), 110_000)
  const url = /^ready (\S+)$/m.exec(said)?.[1]
  await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200), 20_000)
  const running = marks()
  // Kafka, the registry, PostgreSQL, the fake payment service, five services, the auditor.
  expect(running).toHaveLength(10)

  const ledger = JSON.parse(readFileSync(join(dataDir, 'run', 'credits-ledger.json'), 'utf8')) as ProcessMark
  process.kill(ledger.pid, 'SIGKILL')
  await vi.waitFor(() => expect(said).toContain('credits-ledger runs again'), 60_000)
  expect(said).toContain('credits-ledger died (SIGKILL); starting it again in 0.25 s')

  const since = Date.now()
  const last = marks()
  launcher.kill('SIGTERM')
  expect(await ended).toBe(0)
  expect(Date.now() - since).toBeLessThan(15_000)
  expect([...running, ...last].filter(isRunning)).toHaveLength(0)
}, 240_000)

test('SIGTERM half-way through a start stops what was started and leaves nothing running', async () => {
  await start({})
  await vi.waitFor(() => expect(marks().length).toBeGreaterThanOrEqual(2), 60_000)
  const begun = marks()
  const since = Date.now()
  launcher.kill('SIGTERM')
  expect(await ended).toBe(0)
  expect(Date.now() - since).toBeLessThan(15_000)
  expect(begun.filter(isRunning)).toHaveLength(0)
  expect(existsSync(join(dataDir, 'lock'))).toBe(false)
})
