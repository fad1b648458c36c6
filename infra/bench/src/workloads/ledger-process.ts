import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { nodeOptions } from '@coding-plans/local'
import type { Bed } from '@coding-plans/local/bed'
import { pause } from '@coding-plans/runtime'
import { openCounter } from '@coding-plans/runtime/testing'
import type { Disks } from '../usage.ts'

export const EVENTS = 'credits-ledger.events'
export const DATABASE = 'coding_plans_credits_ledger'

const service = join(import.meta.dirname, '..', '..', '..', '..', 'services', 'credits-ledger', 'src')
const POLL_MILLISECONDS = 25
const STOP_MILLISECONDS = 10_000

/** Where the bed's broker writes: it was started with its settings, and its storage lies beside them. */
export const disksOf = ({ servers }: Bed): Disks => {
  const words = readFileSync(`/proc/${servers.broker.pid}/cmdline`, 'utf8').split('\0').filter(Boolean)
  return {
    databaseUrl: servers.databaseUrl('postgres'),
    kafkaDirectory: join(dirname(words.at(-1) as string), 'kafka'),
  }
}

export const isOver = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null

/** Ends a process, by force if it must. */
export const end = async (child: ChildProcess) => {
  if (isOver(child) || child.pid === undefined) return
  const exit = once(child, 'exit')
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS)
  child.kill('SIGTERM')
  await exit
  clearTimeout(force)
}

const environmentFor = (bed: Bed): NodeJS.ProcessEnv => ({
  ...bed.env(DATABASE),
  PATH: process.env.PATH,
  TZ: 'UTC',
  NODE_OPTIONS: process.env.BENCH_NODE_OPTIONS,
  CLOCK: 'system',
  // Nobody tops up here: it is never called.
  FAKE_PAYMENTS_URL: 'http://127.0.0.1:1',
})

/** The service in a process of its own, and how far it has answered. */
export const startLedger = async (bed: Bed) => {
  const counter = await openCounter(bed.servers)
  const child = spawn(process.execPath, [...nodeOptions, join(service, 'main.ts')], {
    env: environmentFor(bed),
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const answers = () => counter.count(EVENTS)
  return {
    pid: child.pid,
    answers,
    /** Resolves when so many messages are in the topic of answers. @throws when the service ends, or after the deadline. */
    reach: async (total: number, deadlineMilliseconds: number) => {
      const until = performance.now() + deadlineMilliseconds
      for (;;) {
        const asked = performance.now()
        const count = await answers()
        if (count >= total) return performance.now()
        if (isOver(child)) throw new Error(`The ledger ended at ${count} of ${total} answers.`)
        if (asked > until) throw new Error(`${count} of ${total} answers within ${deadlineMilliseconds} ms.`)
        await pause(Math.max(1, asked + POLL_MILLISECONDS - performance.now()))
      }
    },
    stop: async () => {
      await end(child)
      await counter.close()
    },
  }
}

export type Ledger = Awaited<ReturnType<typeof startLedger>>

/** The ledger's own check of its chains, balances and holds (LED-5). @throws when it finds anything. */
export const verifyLedger = async ({ servers }: Bed) => {
  const child = spawn(process.execPath, [join(service, 'verify.ts')], {
    env: { PATH: process.env.PATH, DATABASE_URL: servers.databaseUrl(DATABASE) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const said = child.stdout.toArray()
    const [code] = await once(child, 'exit')
    const sentence = Buffer.concat(await said)
      .toString()
      .trim()
    if (code !== 0) throw new Error(`The ledger is not right: ${sentence}`)
    return sentence
  } finally {
    await end(child)
  }
}
