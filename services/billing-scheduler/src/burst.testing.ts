import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bed, openBed } from '@coding-plans/local/bed'
import { endOffsets, migrate, openDatabase, pause, select } from '@coding-plans/runtime'
import { eventually } from '@coding-plans/runtime/testing'
import { type Instant, instant, microdollars, userId } from '@coding-plans/schemas'
import { activatedBody } from './bodies.testing.ts'
import { migrations } from './migrations/index.ts'

// Figures, not a test: so many live terms of as many users are due at one instant. The scheduler's own process on real
// servers, and somebody who answers each due message at once; measured from that instant to the last `PeriodEnded` in
// Kafka. node src/burst.testing.ts [terms]

const LIMIT_SECONDS = 30
const [terms = 100_000] = process.argv.slice(2).map(Number)
/** The instant comes when all terms are known: so long after the first is told, and so much for each. */
const AHEAD_MILLISECONDS = 15_000
const AHEAD_FOR_EACH_MILLISECONDS = 0.6
const DEADLINE_MILLISECONDS = 300_000
const EVENTS = 'billing-scheduler.events'
const DATABASE = 'scheduler'
const TICKS_PER_SECOND = 100

const fieldsOf = (pid: number) => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}
const familyOf = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
/** Of a process, its children, and those that it has buried. */
const cpuSecondsOf = (pid = 0) =>
  [pid, ...familyOf(pid)]
    .flatMap((one) => fieldsOf(one).slice(11, one === pid ? 15 : 13))
    .reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND

const startScheduler = async ({ env, servers }: Bed) => {
  const url = await servers.createDatabase(DATABASE)
  await migrate(url, migrations)
  const environment = { ...env(DATABASE), CLOCK: 'system', SERVICE_URLS: 'http://127.0.0.1:1' }
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { PATH: process.env.PATH, NODE_OPTIONS: process.env.BURST_NODE_OPTIONS, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return { child, url }
}

const feed = async (bed: Bed, due: Instant) => {
  const speaker = await bed.speaker('subscription')
  const start = instant(due - 30 * 86_400_000)
  const records = Array.from({ length: terms }, (_, n) => {
    const whose = { userId: userId(`user-${n}`), subscriptionId: `sub_${n}` }
    // Of what is free nothing is said three days before (REN-9): the terms wait for their end, as all do at last.
    const term = { price: microdollars(0), currentPeriodStart: start, currentPeriodEnd: due, createdAt: start }
    return speaker.record('SubscriptionActivated', activatedBody({ ...whose, ...term }), { cause: `activated ${n}` })
  })
  await speaker.say(records)
}

const countSaid = async ({ servers }: Bed) => {
  const ends = await endOffsets(servers, [EVENTS])
  return [...(ends.get(EVENTS)?.values() ?? [])].reduce((sum, end) => sum + end, 0)
}

/** Somebody for whom nothing follows from a due term, and who says so as soon as it is heard. */
const answerAll = async (bed: Bed) => {
  const [speaker, heard] = [await bed.speaker('subscription'), await bed.listener([EVENTS])]
  let [answered, over] = [0, false]
  const answering = (async () => {
    while (!over) {
      const due = heard.heard.slice(answered)
      answered += due.length
      const records = due.flatMap(({ name, body, id }) => {
        if (name !== 'PeriodEnded') return []
        const { userId, subscriptionId, boundary } = body
        const ignored = { userId, subscriptionId, boundary, what: 'period_ended' } as const
        return [speaker.record('DueIgnored', ignored, { cause: `ignored ${id}` })]
      })
      if (records.length > 0) await speaker.say(records)
      else await pause(5)
    }
  })()
  return {
    heard: heard.heard,
    stop: async () => {
      over = true
      await answering
    },
  }
}

/** Waits for the last, from the instant on. @returns seconds, and CPU seconds of each process. */
const measure = async (bed: Bed, scheduler: ChildProcess, due: Instant) => {
  const { broker, postgres } = bed.servers
  const processes = { 'billing-scheduler': scheduler.pid, postgres: postgres.pid, kafka: broker.pid }
  const used = () => Object.entries(processes).map(([name, pid]) => ({ name, cpuSeconds: cpuSecondsOf(pid) }))
  await pause(Math.max(0, due - Date.now()))
  const before = used()
  await eventually(
    async () => {
      await pause(100)
      return countSaid(bed)
    },
    (said) => said >= terms,
    DEADLINE_MILLISECONDS,
  )
  const seconds = (Date.now() - due) / 1_000
  const cpu = used().map(({ name, cpuSeconds }, n) => ({
    name,
    cpuSeconds: cpuSeconds - (before[n]?.cpuSeconds ?? 0),
  }))
  return { seconds, cpu }
}

/** Everyone is said once, at that instant, and nothing else is. */
const complaints = async (heard: Awaited<ReturnType<Bed['listener']>>['heard'], due: Instant) => {
  await eventually(
    () => heard.length,
    (count) => count >= terms,
    DEADLINE_MILLISECONDS,
  )
  await pause(1_000)
  const right = heard.filter(({ name, body }) => name === 'PeriodEnded' && body.boundary === due)
  const distinct = new Set(right.map(({ body }) => body.subscriptionId)).size
  const isRight = distinct === terms && heard.length === terms
  return isRight ? [] : [`${heard.length} messages, of which ${distinct} different PeriodEnded are right.`]
}

const run = async (bed: Bed) => {
  const { child, url } = await startScheduler(bed)
  const knex = openDatabase(url, { idleInTransactionMilliseconds: 60_000 })
  try {
    const began = Date.now()
    const due = instant(Math.ceil(began + AHEAD_MILLISECONDS + terms * AHEAD_FOR_EACH_MILLISECONDS))
    await feed(bed, due)
    const known = async () => (await select<{ count: number }>(knex, 'select count(*) from terms'))[0]?.count ?? 0
    await eventually(known, (count) => count >= terms, due - Date.now())
    console.log(`${terms} terms are known after ${((Date.now() - began) / 1_000).toFixed(1)} s`)
    const answerer = await answerAll(bed)
    const { seconds, cpu } = await measure(bed, child, due)
    await answerer.stop()
    console.log(
      `${terms} due at one instant are said in ${seconds.toFixed(1)} s (limit for 100,000: ${LIMIT_SECONDS} s)`,
    )
    for (const { name, cpuSeconds } of cpu)
      console.log(`  ${name.padEnd(18)} ${cpuSeconds.toFixed(1).padStart(6)} CPU-s`)
    for (const complaint of await complaints(answerer.heard, due)) {
      console.log(complaint)
      process.exitCode = 1
    }
  } finally {
    await knex.destroy()
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
  }
}

const bed = await openBed()
try {
  await run(bed)
} finally {
  await bed.close()
}
