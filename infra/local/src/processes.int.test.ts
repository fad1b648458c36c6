import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { endOrphans } from './orphans.ts'
import { isRunning, markOf, type ProcessMark } from './process-mark.ts'
import { type Child, type Program, supervise } from './processes.ts'

let directory: string
let lines: string[]
let child: Child | undefined
const log = (line: string) => lines.push(line)

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'coding-plans-'))
  lines = []
})
afterEach(async () => {
  await child?.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** Says it is ready by writing a file named for its pid. */
const READY = `require('fs').writeFileSync('ready-' + process.pid, ''); setInterval(() => {}, 1000);`

const script = (source: string, more: Partial<Program> = {}): Child => {
  child = supervise(
    directory,
    {
      name: 'sleeper',
      command: process.execPath,
      arguments: ['-e', source],
      environment: { PATH: process.env.PATH },
      cwd: directory,
      ready: async () => {
        if (!existsSync(join(directory, `ready-${child?.pid}`))) throw new Error('no file yet')
      },
      ...more,
    },
    log,
  )
  return child
}

const marked = () => JSON.parse(readFileSync(join(directory, 'run', 'sleeper.json'), 'utf8')) as ProcessMark

test('a child that is killed is started again, and it is said so', async () => {
  const sleeper = script(READY)
  await sleeper.start()
  const first = sleeper.pid
  sleeper.kill('SIGKILL')
  await vi.waitFor(() => expect(lines).toContain('sleeper runs again'), { timeout: 10_000 })
  expect(lines[0]).toBe('sleeper died (SIGKILL); starting it again in 0.25 s')
  expect(sleeper.pid).not.toBe(first)
  expect(marked().pid).toBe(sleeper.pid)
})

test('a child that keeps dying is started again more and more slowly', async () => {
  const source = `if (require('fs').existsSync('broken')) process.exit(3); ${READY}`
  const sleeper = script(source)
  await sleeper.start()
  writeFileSync(join(directory, 'broken'), '')
  sleeper.kill('SIGKILL')
  await vi.waitFor(() => expect(lines.join('\n')).toContain('again in 1 s'), { timeout: 10_000 })
  const pauses = lines.flatMap(
    (line) => /died \((.+)\); starting it again in (.+) s/.exec(line)?.slice(1, 3).join(' ') ?? [],
  )
  expect(pauses.slice(0, 3)).toEqual(['SIGKILL 0.25', 'code 3 0.5', 'code 3 1'])
})

test('a child that is told to stop stays stopped, and leaves no mark', async () => {
  const sleeper = script(READY)
  await sleeper.start()
  const mark = marked()
  await sleeper.stop()
  expect(isRunning(mark)).toBe(false)
  expect(existsSync(join(directory, 'run', 'sleeper.json'))).toBe(false)
  await new Promise((resolve) => setTimeout(resolve, 600))
  expect(sleeper.pid).toBeUndefined()
  expect(lines).toEqual([])
})

test('a child that will not go is killed', async () => {
  const sleeper = script(`process.on('SIGTERM', () => {}); ${READY}`)
  await sleeper.start()
  const mark = marked()
  const since = Date.now()
  await sleeper.stop()
  expect(isRunning(mark)).toBe(false)
  expect(Date.now() - since).toBeLessThan(8_000)
})

test('a child can be stopped while it waits to be started again', async () => {
  const sleeper = script(READY)
  await sleeper.start()
  sleeper.kill('SIGKILL')
  await vi.waitFor(() => expect(lines[0]).toMatch(/died/), { timeout: 10_000 })
  await sleeper.stop()
  await sleeper.start()
  expect(sleeper.pid).toBeDefined()
})

test('a child that ends before it is ready fails the start with its last word', async () => {
  const sleeper = script(`console.error('Error: the price must be digits only'); process.exit(1)`)
  await expect(sleeper.start()).rejects.toThrow(
    /^sleeper ended before it was ready: Error: the price must be digits only/,
  )
  expect(sleeper.pid).toBeUndefined()
})

test('a child that does not get ready in time fails the start, and does not stay', async () => {
  const sleeper = script('setInterval(() => {}, 1000)', { readyWithinMilliseconds: 300 })
  await expect(sleeper.start()).rejects.toThrow('sleeper was not ready after 0.3 s: no file yet')
  expect(sleeper.pid).toBeUndefined()
})

test('a program that does not exist fails the start', async () => {
  await expect(script('', { command: '/does/not/exist' }).start()).rejects.toThrow(/^sleeper ended before it was ready/)
})

test('a child sees nothing of the launcher’s environment', async () => {
  process.env.LAUNCHER_SECRET = 'x'
  const sleeper = script(`require('fs').writeFileSync('seen', Object.keys(process.env).join()); ${READY}`)
  await sleeper.start()
  delete process.env.LAUNCHER_SECRET
  expect(readFileSync(join(directory, 'seen'), 'utf8')).toBe('PATH')
})

test('what an earlier launcher left behind is ended, and a stranger with an old number is left alone', async () => {
  const leftover = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const left = markOf(leftover.pid as number)
  const strange = markOf(stranger.pid as number)
  mkdirSync(join(directory, 'run'))
  writeFileSync(join(directory, 'run', 'a.json'), JSON.stringify({ ...left, stopSignal: 'SIGTERM' }))
  writeFileSync(
    join(directory, 'run', 'b.json'),
    JSON.stringify({ ...strange, startedAt: 'before', stopSignal: 'SIGTERM' }),
  )
  await endOrphans(directory, log)
  expect(left && isRunning(left)).toBe(false)
  expect(strange && isRunning(strange)).toBe(true)
  expect(lines).toEqual(['ending 1 processes that an earlier start left behind'])
  stranger.kill('SIGKILL')
})
