import {
  type Answer,
  buy,
  type Client,
  fresh,
  grant,
  type House,
  openHouse,
  openShop,
  USD,
  uploadKeys,
} from './house.ts'
import { between, measure, processesOf, roundsOf } from './usage.ts'

// Figures, not a test: latency at rest, purchases at a fixed rate, CPU per purchase, each process at rest.

const RATE_PER_SECOND = 50
const SECONDS = 30
const AT_REST = 40
const IDLE_SECONDS = 10
const MOST_KEYS_IN_AN_UPLOAD = 1_000
const GRANTS_AT_ONCE = 50

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

const quantile = (values: readonly number[], q: number) => {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0)
}
const latency = (answers: readonly Answer[]) => {
  const times = answers.map(({ milliseconds }) => milliseconds)
  return `p50 ${quantile(times, 0.5)} ms, p95 ${quantile(times, 0.95)} ms, p99 ${quantile(times, 0.99)} ms`
}

const fundedUsers = async (house: House, count: number): Promise<Client[]> => {
  const clients: Client[] = []
  while (clients.length < count) {
    const users = Array.from({ length: Math.min(GRANTS_AT_ONCE, count - clients.length) }, () => fresh('load'))
    await Promise.all(users.map((user) => grant(house, user, 20 * USD)))
    clients.push(...(await Promise.all(users.map((user) => house.as(user)))))
  }
  return clients
}

const began = performance.now()
const house = await openHouse({ clock: 'system' })
console.log(`ready after ${((performance.now() - began) / 1000).toFixed(1)} s (a new data directory)`)
try {
  const total = RATE_PER_SECOND * SECONDS
  const { planId } = await openShop(house, { keys: 0 })
  for (let left = total + AT_REST; left > 0; left -= MOST_KEYS_IN_AN_UPLOAD)
    await uploadKeys(house, planId, Math.min(left, MOST_KEYS_IN_AN_UPLOAD))
  const clients = await fundedUsers(house, total + AT_REST)

  await pause(3_000)
  const processes = processesOf(house)
  const idle = measure(processes)
  await pause(IDLE_SECONDS * 1_000)
  for (const { name, cpuSeconds, megabytes } of between(idle, measure(processes)))
    console.log(`at rest   ${name.padEnd(18)} ${megabytes} MB, ${((cpuSeconds / IDLE_SECONDS) * 100).toFixed(1)} % CPU`)

  const single: Answer[] = []
  for (const client of clients.splice(0, AT_REST)) single.push(await buy(client, planId))
  console.log(`at rest   one purchase at a time: ${latency(single)}`)

  const before = measure(processes)
  const roundsBefore = await roundsOf(house)
  const start = performance.now()
  const answers = await Promise.all(
    clients.map(async (client, n) => {
      await pause(Math.max(0, start + (n * 1_000) / RATE_PER_SECOND - performance.now()))
      return buy(client, planId)
    }),
  )
  const used = between(before, measure(processes))
  const rounds = await roundsOf(house)
  const failed = answers.filter(({ status }) => status !== 201)
  console.log(
    `${RATE_PER_SECOND}/s for ${SECONDS} s: ${latency(answers)}; ${failed.length} of ${answers.length} not bought`,
  )
  for (const { name, cpuSeconds, megabytes } of used)
    console.log(
      `at ${RATE_PER_SECOND}/s   ${name.padEnd(18)} ${megabytes} MB, ${((cpuSeconds * 1_000) / total).toFixed(2)} ms CPU per purchase`,
    )
  for (const [n, { service, rounds: count }] of rounds.entries())
    console.log(
      `at ${RATE_PER_SECOND}/s   ${service.padEnd(18)} ${((count - (roundsBefore[n]?.rounds ?? 0)) / total).toFixed(2)} rounds per purchase`,
    )
  const services = used.slice(0, -3).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
  console.log(`CPU per purchase: ${((services * 1_000) / total).toFixed(1)} ms in the services`)
  if (failed.length > 0) process.exitCode = 1
} finally {
  await house.close()
}
