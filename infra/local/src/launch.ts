import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lastWord } from './last-word.ts'
import { markOf } from './process-mark.ts'
import { alive } from './run.ts'

export interface Launchable {
  readonly name: string
  readonly command: string
  readonly arguments: readonly string[]
  /** The whole environment of the process; nothing is inherited. */
  readonly environment: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly account?: { uid: number; gid: number } | undefined
  readonly stopSignal?: NodeJS.Signals
}

/** One life of a process. */
export interface Launched {
  readonly pid: number | undefined
  readonly kill: (signal: NodeJS.Signals) => void
  /** Settles when the process is gone, or could not be started at all. */
  readonly ended: Promise<void>
  /** Of what it died. */
  readonly how: () => string
  readonly output: string
  readonly lastWord: () => string
}

const MOST_LOG_BYTES = 16 * 1024 * 1024

const sizeOf = (path: string) => {
  try {
    return statSync(path).size
  } catch {
    return 0
  }
}

/** Start a process. Its output goes to `logs/<name>.log`, its mark to `run/<name>.json` for as long as it lives. */
export const launchProcess = (directory: string, program: Launchable): Launched => {
  const { name, stopSignal = 'SIGTERM' } = program
  const output = join(directory, 'logs', `${name}.log`)
  const record = join(directory, 'run', `${name}.json`)
  for (const part of ['logs', 'run']) mkdirSync(join(directory, part), { recursive: true })
  if (sizeOf(output) > MOST_LOG_BYTES) renameSync(output, `${output}.old`)
  const wordsFrom = sizeOf(output)
  const file = openSync(output, 'a')
  const child = spawn(program.command, program.arguments, {
    env: program.environment,
    stdio: ['ignore', file, file],
    ...(program.cwd ? { cwd: program.cwd } : {}),
    ...program.account,
  })
  closeSync(file)
  alive.add(child)
  if (child.pid !== undefined) writeFileSync(record, JSON.stringify({ ...markOf(child.pid), stopSignal }))
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      alive.delete(child)
      rmSync(record, { force: true })
      resolve()
    }
    child.once('exit', end)
    child.once('error', end)
  })
  return {
    pid: child.pid,
    kill: (signal) => {
      child.kill(signal)
    },
    ended,
    how: () => child.signalCode ?? `code ${child.exitCode}`,
    output,
    lastWord: () => lastWord(readFileSync(output).subarray(wordsFrom).toString()),
  }
}
