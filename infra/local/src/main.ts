// npm start: starts everything, prints `ready <url>`, and stays until it is told to stop.
import { Complaint, sentenceOf } from './complaint.ts'
import { loadEnvironment } from './environment.ts'
import { readSettings } from './settings.ts'
import { type Stack, startStack } from './stack.ts'

const STOP_WITHIN_MILLISECONDS = 14_000
const began = performance.now()

/** Progress goes to stderr; stdout carries the one line that others wait for. */
const log = (line: string) => {
  console.error(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`)
}
// Whoever read our output has gone; that is no reason to stop.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const giveUp = new AbortController()
let stack: Stack | undefined
let stopping = false

/** Stop all, at the latest in time; what is left then dies with this process. */
const leave = async (code: number) => {
  if (stopping) return
  stopping = true
  setTimeout(() => process.exit(1), STOP_WITHIN_MILLISECONDS)
  giveUp.abort()
  await starting
  await stack?.stop()
  process.exit(code)
}

const complain = (error: unknown) => {
  console.error(error instanceof Complaint ? error.message : ((error as Error)?.stack ?? sentenceOf(error)))
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  process.on(signal, () => {
    log(`${signal}: stopping`)
    void leave(0)
  })
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error: unknown) => {
    complain(error)
    void leave(1)
  })

const start = async () => {
  try {
    const env = loadEnvironment()
    const { dataDir, port } = readSettings(env)
    stack = await startStack({ dataDir, port, env, log, signal: giveUp.signal })
    console.log(`ready ${stack.url}`)
  } catch (error) {
    if (stopping) return
    complain(error)
    process.exit(1)
  }
}

const starting = start()
