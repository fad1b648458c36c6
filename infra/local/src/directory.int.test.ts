import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openDirectory, settleClock } from './directory.ts'
import { checkPort, isFree, pickPort } from './ports.ts'
import { markOf } from './process-mark.ts'
import { secretNames, settleSecrets } from './secrets.ts'

let path: string
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'coding-plans-'))
})
afterEach(() => rmSync(path, { recursive: true, force: true }))

test('a data directory that is in use is refused in one sentence, and free again after its release', () => {
  const first = openDirectory(path)
  expect(() => openDirectory(path)).toThrow(
    `The data directory ${path} is in use by process ${process.pid}; stop it, or choose another DATA_DIR.`,
  )
  first.release()
  openDirectory(path).release()
})

test('the lock of a process that is gone is taken over, also when its number now belongs to another', () => {
  writeFileSync(join(path, 'lock'), JSON.stringify({ pid: process.pid, startedAt: 'long ago' }))
  openDirectory(path).release()
  writeFileSync(join(path, 'lock'), 'torn')
  openDirectory(path).release()
})

test('a release gives back nobody else’s lock', () => {
  const mine = openDirectory(path)
  const theirs = JSON.stringify({ ...markOf(process.pid), attempt: -1 })
  writeFileSync(join(path, 'lock'), theirs)
  mine.release()
  expect(readFileSync(join(path, 'lock'), 'utf8')).toBe(theirs)
})

test('a data directory keeps the clock mode it began with', () => {
  const directory = openDirectory(path)
  settleClock(directory, 'test')
  settleClock(directory, 'test')
  directory.release()
  const again = openDirectory(path)
  expect(() => settleClock(again, 'system')).toThrow(
    `The data directory ${path} began with CLOCK=test and cannot go on with CLOCK=system; choose another DATA_DIR.`,
  )
  again.release()
})

test('a place that cannot be written, or that the servers cannot take, is refused in one sentence', () => {
  writeFileSync(join(path, 'file'), '')
  expect(() => openDirectory(join(path, 'file', 'below'))).toThrow(/^The data directory .* cannot be written: /)
  expect(() => openDirectory(join(path, 'a,b'))).toThrow(/may not contain a comma/)
})

test('secrets are made once, readable by nobody else, and kept', () => {
  const made = settleSecrets({ env: {}, directory: path, mayMake: true })
  expect(statSync(join(path, 'secrets.json')).mode & 0o777).toBe(0o600)
  expect(new Set(secretNames.map((name) => made[name])).size).toBe(secretNames.length)
  for (const name of secretNames) expect(Buffer.from(made[name], 'base64')).toHaveLength(32)
  expect(settleSecrets({ env: {}, directory: path, mayMake: true })).toEqual(made)
})

test('a data directory from before a secret was needed is given it at its next start, and keeps the others', () => {
  const { REVEAL_SECRET, ...before } = settleSecrets({ env: {}, directory: path, mayMake: true })
  writeFileSync(join(path, 'secrets.json'), JSON.stringify(before))
  const made = settleSecrets({ env: {}, directory: path, mayMake: true })
  expect(made).toEqual({ ...before, REVEAL_SECRET: expect.stringMatching(/^.{43}=$/) })
  expect(settleSecrets({ env: {}, directory: path, mayMake: true })).toEqual(made)
})

test('a name keeps its port while that is free, and gets another when it is taken', async () => {
  const directory = openDirectory(path)
  const port = await directory.port('kafka')
  expect(await directory.port('kafka')).toBe(port)
  const guest = createServer()
  await new Promise<void>((resolve) => guest.listen(port, '127.0.0.1', resolve))
  expect(await directory.port('kafka')).not.toBe(port)
  await expect(checkPort('127.0.0.1', port)).rejects.toThrow(
    `PORT ${port} on 127.0.0.1 is taken by another program; set PORT to a free one.`,
  )
  await new Promise((resolve) => guest.close(resolve))
  expect(await isFree(port)).toBe(true)
  directory.release()
})

test('no port is given twice', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, pickPort))
  expect(new Set(ports).size).toBe(50)
})

test('the port that the gateway was told to take is given to nobody else', async () => {
  const [FIRST, LAST] = [20_000, 32_000]
  let told = FIRST
  while (!(await isFree(told))) told += 1
  await checkPort('127.0.0.1', told)
  const dice = vi.spyOn(Math, 'random').mockReturnValueOnce((told - FIRST + 0.5) / (LAST - FIRST))
  expect(await pickPort()).not.toBe(told)
  expect(dice.mock.calls.length).toBeGreaterThan(1)
  dice.mockRestore()
})
