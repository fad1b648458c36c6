import type { House } from '@coding-plans/e2e/house'
import { pause } from '@coding-plans/runtime'
import type { Template } from './clones.ts'
import { queryOf } from './databases.ts'
import type { Figure } from './figure.ts'
import { roundsBetween, roundsOf } from './rounds.ts'
import { houseDisks } from './shop.ts'
import { between, look, processesOf } from './usage.ts'

/** Many terms that are due at one instant: from an advance of the test clock to there, until all is renewed and visible. */

const GIVE_UP_AFTER_SECONDS = 3_600
const LOOK_EVERY_MILLISECONDS = 50
const JUST_BEFORE_MILLISECONDS = 60_000
const SAMPLE = 20

/** One advance, to the answer that is given when everything has settled. @returns the seconds until then */
export const advance = async ({ admin }: House, to: number): Promise<number> => {
  const began = performance.now()
  const body = { to: new Date(to).toISOString() }
  const asked = await admin('POST /admin/clock/advance', { body, headers: { prefer: 'wait=30' } })
  const seconds = () => (performance.now() - began) / 1_000
  if (asked.status === 200) return seconds()
  if (asked.status !== 202) throw new Error(`The advance answered ${asked.status} ${JSON.stringify(asked.body)}`)
  for (;;) {
    const { body: operation } = await admin(`GET ${asked.headers.get('location')}`)
    if (operation.status === 'succeeded') return seconds()
    if (operation.status !== 'pending') throw new Error(`The advance: ${JSON.stringify(operation)}`)
    if (seconds() > GIVE_UP_AFTER_SECONDS) throw new Error('The advance does not settle.')
    await pause(LOOK_EVERY_MILLISECONDS)
  }
}

export interface Due {
  readonly template: Template
  /** How many there are of it, with itself. */
  readonly count: number
  /** Some of its users. */
  readonly users: readonly string[]
  /** What each has left when the term is paid. */
  readonly left: number
}

const expect = (what: string, found: unknown, wanted: unknown) => {
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}.`)
}

/** Each term charged once, everybody's credits right, and shown so. @throws when anything is not */
export const checkRenewed = async (house: House, { template, count, users, left }: Due): Promise<void> => {
  const { boundary, price } = template
  const wanted = { number: count, users: count, least: left, most: left, held: 0 }
  const [charged] = await queryOf(
    house,
    'credits-ledger',
    `select count(*)::int as number, count(distinct user_id)::int as users, min(a.available)::float8 as least,
       max(a.available)::float8 as most, max(a.held)::float8 as held
     from transfers t join accounts a using (user_id)
     where t.kind = 'charge' and t.boundary = $1 and t.amount = $2 and a.available + a.revenue = -a.promotion`,
    [boundary, price],
  )
  expect('Charged in the ledger', charged, wanted)
  const [shown] = await queryOf(
    house,
    'gateway',
    `select count(*)::int as number, count(distinct s.user_id)::int as users, min(a.balance)::float8 as least,
       max(a.balance)::float8 as most, max(a.held)::float8 as held
     from charges c join shown_subscriptions s on s.id = c.subscription_id join accounts a using (user_id)
     where c.kind = 'renewal' and c.period_start = $1 and c.amount = $2
       and s.status = 'active' and s.current_period_start = c.period_start and s.current_period_end = c.period_end`,
    [boundary, price],
  )
  expect('Shown by the gateway', shown, wanted)
  const [waiting] = await queryOf(
    house,
    'billing-scheduler',
    `select count(*)::int as number from terms where state <> 'ended' and (state <> 'waiting' or boundary <= $1)`,
    [boundary],
  )
  expect('Due and not answered', waiting, { number: 0 })
  for (let n = 0; n < users.length; n += Math.ceil(users.length / SAMPLE)) {
    const client = await house.as(users[n] as string)
    const { body } = await client('GET /subscriptions')
    const [{ status, currentPeriodStart } = { status: 'none', currentPeriodStart: '' }] = body.data
    expect(`The term of ${users[n]}`, [status, Date.parse(currentPeriodStart)], ['active', boundary])
    expect(`Credits of ${users[n]}`, (await client('GET /credits')).body.availableMicrodollars, left)
  }
}

/** Up to shortly before the boundary, where everybody has been told; then, measured, to it. */
export const measureDue = async (
  house: House,
  due: Due,
  { workload, variant }: Pick<Figure, 'workload' | 'variant'>,
): Promise<Figure> => {
  const { template, count: units } = due
  await advance(house, template.boundary - JUST_BEFORE_MILLISECONDS)
  const [processes, disks] = [processesOf(house.stack), houseDisks(house)]
  const rounds = await roundsOf(house.stack)
  const before = await look(processes, disks)
  const seconds = await advance(house, template.boundary)
  const after = await look(processes, disks)
  const notes = [roundsBetween(rounds, await roundsOf(house.stack))]
  await checkRenewed(house, due)
  const use = between(processes, before, after, units)
  return { workload, variant, unit: 'renewals', units, seconds, perSecond: units / seconds, ...use, notes }
}

/** Of the nth of several measurements in one house, in days: whoever was renewed in one is not due again in another. */
export const daysOf = (n: number, measurements: number): number => SHORTEST_DAYS * 2 ** (measurements - 1 - n)
/** Well over the three days before which a renewal is announced. */
const SHORTEST_DAYS = 10
