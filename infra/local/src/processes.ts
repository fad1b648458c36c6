import { Complaint, sentenceOf } from './complaint.ts'
import { type Launchable, type Launched, launchProcess } from './launch.ts'

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

export interface Program extends Launchable {
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
/** Generous: tests of several rooms may share two cores. */
const READY_MILLISECONDS = 120_000
const STOP_MILLISECONDS = 6_000

export const pause = (milliseconds: number, signal?: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })

/** Prepare a supervised child. Its output goes to `logs/<name>.log`, its mark to `run/<name>.json`, both under `directory`. */
export const supervise = (directory: string, program: Program, log: Log): Child => {
  const { name, stopSignal = 'SIGTERM', attempts = 1 } = program
  const { readyWithinMilliseconds = READY_MILLISECONDS, stopWithinMilliseconds = STOP_MILLISECONDS } = program
  let running: Launched | null = null
  let leave = new AbortController()
  let wanted = false

  const launch = () => {
    const launched = launchProcess(directory, { ...program, stopSignal })
    running = launched
    void launched.ended.then(() => {
      running = null
    })
    return launched
  }

  const untilReady = async (launched: Launched) => {
    const deadline = Date.now() + readyWithinMilliseconds
    for (;;) {
      const trouble = await program.ready().then(
        () => null,
        (error: unknown) => sentenceOf(error),
      )
      if (running !== launched) {
        const word = launched.lastWord()
        throw new Complaint(`${name} ended before it was ready${word ? `: ${word}` : ''} (see ${launched.output})`)
      }
      if (trouble === null) return
      if (Date.now() > deadline) {
        const seconds = readyWithinMilliseconds / 1000
        throw new Complaint(`${name} was not ready after ${seconds} s: ${trouble} (see ${launched.output})`)
      }
      await Promise.race([pause(50), launched.ended])
    }
  }

  /** Starts it again whenever it dies, waiting longer each time. */
  const keep = async (first: Launched, { signal }: AbortController) => {
    let patience = FIRST_PAUSE_MILLISECONDS
    let since = Date.now()
    let current = first
    for (;;) {
      await current.ended
      if (signal.aborted) return
      if (Date.now() - since > STEADY_MILLISECONDS) patience = FIRST_PAUSE_MILLISECONDS
      log(`${name} died (${current.how()}); starting it again in ${patience / 1000} s`)
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
          const mayTryAgain = left > 0 && running === null
          if (mayTryAgain) await pause(FIRST_PAUSE_MILLISECONDS, mine.signal)
          if (mayTryAgain && !mine.signal.aborted) continue
          await child.stop()
          throw error
        }
      }
    },
    stop: async () => {
      wanted = false
      leave.abort()
      const last = running
      if (!last) return
      last.kill(stopSignal)
      const force = setTimeout(() => last.kill('SIGKILL'), stopWithinMilliseconds)
      await last.ended
      clearTimeout(force)
    },
    restart: async () => {
      await child.stop()
      await child.start()
    },
  }
  return child
}
