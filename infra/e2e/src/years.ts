import { type Cohort, inPortions, MONTH_BEGINS, openCohort } from './cohort.ts'
import { type House, openHouse } from './house.ts'
import { complaintsOf, digestOf, monthsAfter, readStatement } from './statement.ts'
import { between, measure, processesOf, roundsOf } from './usage.ts'

// Figures, not a test: years of many users by one advance, lived twice; the same instants give the same ledger.
// node src/years.ts [users] [months] [runs]

const LIMIT_SECONDS = 60
const GIVE_UP_AFTER_SECONDS = 1_800
const [users = 1_000, months = 36, runs = 2] = process.argv.slice(2).map(Number)
const terms = months + 1

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const seconds = (since: number) => (performance.now() - since) / 1000

/** One advance, answered when it has settled. @returns how long that took, in seconds. */
const advance = async ({ admin }: House, to: string): Promise<number> => {
  const began = performance.now()
  const asked = await admin('POST /admin/clock/advance', { body: { to }, headers: { prefer: 'wait=30' } })
  if (asked.status === 200) return seconds(began)
  for (;;) {
    const { body } = await admin(`GET ${asked.headers.get('location')}`)
    if (body.status === 'succeeded') return seconds(began)
    if (body.status !== 'pending') throw new Error(`The advance: ${JSON.stringify(body)}`)
    if (seconds(began) > GIVE_UP_AFTER_SECONDS) throw new Error('The advance does not settle.')
    await pause(100)
  }
}

/** Prints what the advance took, in all and of each process. */
const live = async (house: House) => {
  // The purchases' month is past for all, and the last of them has its last renewal at that very instant.
  const to = monthsAfter(MONTH_BEGINS, months + 1)
  const processes = processesOf(house)
  const [before, rounds] = [measure(processes), await roundsOf(house)]
  const took = await advance(house, to)
  const [used, roundsAfter] = [between(before, measure(processes)), await roundsOf(house)]
  const renewals = users * months
  const cpu = used.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
  console.log(
    `${renewals} renewals in ${took.toFixed(1)} s (limit for 36,000: ${LIMIT_SECONDS} s), ${(renewals / took).toFixed(0)}/s, ${cpu.toFixed(1)} CPU-s`,
  )
  for (const { name, cpuSeconds, megabytes } of used) {
    const place = rounds.findIndex(({ service }) => service === name)
    const [was, is] = [rounds[place], roundsAfter[place]]
    const taken = was && is ? `, ${is.rounds - was.rounds} rounds of ${is.messages - was.messages} messages` : ''
    console.log(`  ${name.padEnd(18)} ${cpuSeconds.toFixed(1).padStart(6)} CPU-s, ${megabytes} MB${taken}`)
  }
  const { body: clock } = await house.admin('GET /admin/clock')
  return clock.settled && clock.now === to ? [] : [`The clock says ${JSON.stringify(clock)}.`]
}

/** @returns the digest of each user's ledger, and what is wrong, in sentences. */
const read = async ({ clients, boughtAt, price }: Cohort) => {
  const statements = await inPortions(clients, readStatement)
  const complaints = statements.flatMap((statement, n) =>
    complaintsOf(statement, { boughtAt: boughtAt[n] as number, terms, price }).map((what) => `user-${n}: ${what}.`),
  )
  return { digests: statements.map(digestOf), complaints }
}

const run = async () => {
  const house = await openHouse()
  try {
    const began = performance.now()
    const cohort = await openCohort(house, users, terms)
    console.log(`${users} purchases at ${new Set(cohort.boughtAt).size} instants in ${seconds(began).toFixed(1)} s`)
    const clockComplaints = await live(house)
    const { digests, complaints } = await read(cohort)
    return { digests, complaints: [...clockComplaints, ...complaints] }
  } finally {
    await house.close()
  }
}

const lives: Awaited<ReturnType<typeof run>>[] = []
for (let n = 0; n < runs; n += 1) lives.push(await run())
const different = lives[0]?.digests.filter((digest, n) => lives.some(({ digests }) => digests[n] !== digest)) ?? []
const complaints = lives.flatMap((life) => life.complaints)
for (const complaint of complaints.slice(0, 10)) console.log(complaint)
console.log(
  `${runs} runs: the ledgers of ${users - different.length} of ${users} users are the same entry for entry; ${complaints.length} complaints`,
)
if (different.length + complaints.length > 0) process.exitCode = 1
