import { type Cohort, inPortions, MONTH_BEGINS, openCohort } from '@coding-plans/e2e/cohort'
import { type House, openHouse } from '@coding-plans/e2e/house'
import { complaintsOf, digestOf, monthsAfter, readStatement } from '@coding-plans/e2e/statement'
import { advance } from '../due.ts'
import type { Figure } from '../figure.ts'
import { roundsBetween, roundsOf } from '../rounds.ts'
import { houseDisks } from '../shop.ts'
import { between, look, processesOf } from '../usage.ts'
import type { Size, Workload } from '../workload.ts'

// Years of many users by one advance, lived twice: the same instants give the same ledgers.

interface Scale {
  readonly users: number
  readonly months: number
}

const SCALES: Record<Size, Scale> = { quick: { users: 60, months: 3 }, full: { users: 1_000, months: 36 } }
const LIVES = 2

/** One advance, in which everybody is renewed every month. */
const measureYears = async (house: House, { users, months }: Scale, life: number): Promise<Figure> => {
  // The purchases' month is past for all, and the last of them has its last renewal at that very instant.
  const to = monthsAfter(MONTH_BEGINS, months + 1)
  const [processes, disks, units] = [processesOf(house.stack), houseDisks(house), users * months]
  const rounds = await roundsOf(house.stack)
  const before = await look(processes, disks)
  const seconds = await advance(house, Date.parse(to))
  const after = await look(processes, disks)
  const notes = [roundsBetween(rounds, await roundsOf(house.stack))]
  const { body: clock } = await house.admin('GET /admin/clock')
  if (!clock.settled || clock.now !== to) throw new Error(`The clock says ${JSON.stringify(clock)}.`)
  const variant = `${months} months of ${users} users, life ${life}`
  const use = between(processes, before, after, units)
  return { workload: 'clock', variant, unit: 'renewals', units, seconds, perSecond: units / seconds, ...use, notes }
}

/** @returns the digest of each user's ledger. @throws when one is not as its instants say */
const readLedgers = async ({ clients, boughtAt, price }: Cohort, terms: number): Promise<string[]> => {
  const statements = await inPortions(clients, readStatement)
  const [complaint] = statements.flatMap((statement, n) =>
    complaintsOf(statement, { boughtAt: boughtAt[n] as number, terms, price }).map((what) => `user-${n}: ${what}.`),
  )
  if (complaint) throw new Error(complaint)
  return statements.map(digestOf)
}

const live = async (scale: Scale, life: number, say: (line: string) => void) => {
  const house = await openHouse({ clock: 'test' })
  try {
    const terms = scale.months + 1
    const began = performance.now()
    const cohort = await openCohort(house, scale.users, terms)
    say(`${scale.users} bought at as many instants in ${((performance.now() - began) / 1_000).toFixed(0)} s`)
    const figure = await measureYears(house, scale, life)
    say(`${figure.units} renewed in ${figure.seconds.toFixed(1)} s`)
    return { figure, ledgers: await readLedgers(cohort, terms) }
  } finally {
    await house.close()
  }
}

export const clock: Workload = {
  name: 'clock',
  run: async (size, say) => {
    const lives: Awaited<ReturnType<typeof live>>[] = []
    for (let life = 1; life <= LIVES; life += 1) lives.push(await live(SCALES[size], life, say))
    const [first, ...others] = lives
    const different = first?.ledgers.filter((digest, n) => others.some(({ ledgers }) => ledgers[n] !== digest)) ?? []
    if (different.length > 0) throw new Error(`The ledgers of ${different.length} users differ from life to life.`)
    return lives.map(({ figure }) => figure)
  },
}
