import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Complaint, sentenceOf } from './complaint.ts'
import { lastWord } from './last-word.ts'
import { markOf } from './process-mark.ts'
import { alive } from './run.ts'

export type Log = (line: string) => void

/** A child of the launcher. It is started again when it dies, until it is told to stop. */
export interface Child {
  readonly name: string
  readonly pid: number | undefined
  /** Send a signal and nothing else: what dies of it is started again. */
  kill(signal: NodeJS.Signals): void
  /** Resolves when it is ready. @throws Complaint when it ends or does not get ready. */
  start(): Promise<void>
  /** Ends it, by force after a while, and keeps it ended. */
  stop(): Promise<void>
  restart(): Promise<void>
}

export interface Program {
  readonly name: string
  readonly command: string
  readonly arguments: readonly string[]
  /** The whole environment of the process; nothing is inherited. */
  readonly environment: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly account?: { uid: number; gid: number } | undefined
  readonly stopSignal?: NodeJS.Signals
  /** Throws while the program is not ready. */
  readonly ready: () => Promise<void>
  readonly readyWithinMilliseconds?: number
  /** Who has not ended by then is killed. */
  readonly stopWithinMilliseconds?: number
  /** How often a first start may end at once. A server may find traces of its predecessor's last moments. */
  readonly attempts?: number
}

const FIRST_PAUSE_MILLISECONDS = 250
const LONGEST_PAUSE_MILLISECONDS = 10_000
/** Who has run this long begins again with the shortest pause. */
const STEADY_MILLISECONDS = 30_000
const READY_MILLISECONDS = 60_000
const STOP_MILLISECONDS = 6_000
const MOST_LOG_BYTES = 16 * 1024 * 1024

const pause = (milliseconds: number, signal?: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })

const sizeOf = (path: string) => {
  try {
    return statSync(path).size
  } catch {
    return 0
  }
}

/** Prepare a supervised child. Its output goes to `logs/<name>.log`, its mark to `run/<name>.json`, both under `directory`. */
export const supervise = (directory: string, program: Program, log: Log): Child => {
  const { name, stopSignal = 'SIGTERM', attempts = 1 } = program
  const { readyWithinMilliseconds = READY_MILLISECONDS, stopWithinMilliseconds = STOP_MILLISECONDS } = program
  const output = join(directory, 'logs', `${name}.log`)
  const record = join(directory, 'run', `${name}.json`)
  let running: ChildProcess | null = null
  let ended: Promise<void> = Promise.resolve()
  let leave = new AbortController()
  let wanted = false
  let wordsFrom = 0

  /** Starts the process. `ended` settles when it is gone. */
  const launch = () => {
    mkdirSync(join(directory, 'logs'), { recursive: true })
    mkdirSync(join(directory, 'run'), { recursive: true })
    if (sizeOf(output) > MOST_LOG_BYTES) renameSync(output, `${output}.old`)
    wordsFrom = sizeOf(output)
    const file = openSync(output, 'a')
    const child = spawn(program.command, program.arguments, {
      env: program.environment,
      stdio: ['ignore', file, file],
      ...(program.cwd ? { cwd: program.cwd } : {}),
      ...program.account,
    })
    closeSync(file)
    running = child
    if (child.pid === undefined) {
      ended = new Promise((resolve) => child.once('error', () => resolve()))
    } else {
      writeFileSync(record, JSON.stringify({ ...markOf(child.pid), stopSignal }))
      alive.add(child)
      ended = new Promise((resolve) => child.once('exit', () => resolve()))
    }
    ended = ended.then(() => {
      alive.delete(child)
      running = null
      rmSync(record, { force: true })
    })
    return child
  }

  const untilReady = async (child: ChildProcess) => {
    const deadline = Date.now() + readyWithinMilliseconds
    for (;;) {
      const trouble = await program.ready().then(
        () => null,
        (error: unknown) => sentenceOf(error),
      )
      if (running !== child) {
        const word = lastWord(readFileSync(output).subarray(wordsFrom).toString())
        throw new Complaint(`${name} ended before it was ready${word ? `: ${word}` : ''} (see ${output})`)
      }
      if (trouble === null) return
      if (Date.now() > deadline)
        throw new Complaint(
          `${name} was not ready after ${readyWithinMilliseconds / 1000} s: ${trouble} (see ${output})`,
        )
      await Promise.race([pause(50), ended])
    }
  }

  /** Starts it again whenever it dies, waiting longer each time. */
  const keep = async (child: ChildProcess, { signal }: AbortController) => {
    let patience = FIRST_PAUSE_MILLISECONDS
    let since = Date.now()
    let current = child
    for (;;) {
      await ended
      if (signal.aborted) return
      if (Date.now() - since > STEADY_MILLISECONDS) patience = FIRST_PAUSE_MILLISECONDS
      const how = current.signalCode ?? `code ${current.exitCode}`
      log(`${name} died (${how}); starting it again in ${patience / 1000} s`)
      await pause(patience, signal)
      if (signal.aborted) return
      patience = Math.min(patience * 2, LONGEST_PAUSE_MILLISECONDS)
      since = Date.now()
      current = launch()
      await untilReady(current).then(
        () => log(`${name} runs again`),
        (error: unknown) => {
          if (signal.aborted) return
          log(sentenceOf(error))
          // What hangs without getting ready is no better than dead.
          current.kill('SIGKILL')
        },
      )
    }
  }

  const child: Child = {
    name,
    get pid() {
      return running?.pid
    },
    kill: (signal) => {
      running?.kill(signal)
    },
    start: async () => {
      if (wanted) return
      wanted = true
      leave = new AbortController()
      const mine = leave
      for (let left = attempts - 1; ; left -= 1) {
        const first = launch()
        try {
          await untilReady(first)
          void keep(first, mine)
          return
        } catch (error) {
          if (left === 0 || running || mine.signal.aborted) {
            await child.stop()
            throw error
          }
          await pause(FIRST_PAUSE_MILLISECONDS, mine.signal)
        }
      }
    },
    stop: async () => {
      wanted = false
      leave.abort()
      const last = running
      if (last) {
        last.kill(stopSignal)
        const force = setTimeout(() => last.kill('SIGKILL'), stopWithinMilliseconds)
        await ended
        clearTimeout(force)
      }
      await ended
    },
    restart: async () => {
      await child.stop()
      await child.start()
    },
  }
  return child
}
