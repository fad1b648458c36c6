import { buy, type Client, grant, type House, openShop, USD, uploadKeys } from './house.ts'

/** Users with one monthly plan each, bought at as many different instants of one month. */

export interface Cohort {
  readonly clients: readonly Client[]
  readonly boughtAt: readonly number[]
  readonly price: number
}

/** The month has 31 days, so that terms are clamped; no wall clock is there yet. */
export const MONTH_BEGINS = Date.parse('2032-01-01T00:00:00.000Z')
const MONTH_ENDS = Date.parse('2032-02-01T00:00:00.000Z')
const PRICE = 20 * USD
const MOST_KEYS_IN_AN_UPLOAD = 1_000
const AT_ONCE = 25
const SHOWN_EVERY = 100

/** Of `users` purchases the nth: spread over the month, to the millisecond, the same in every run. */
export const instantOf = (n: number, users: number) =>
  MONTH_BEGINS + Math.floor(((n + 1) * (MONTH_ENDS - MONTH_BEGINS)) / (users + 1))

/** @throws unless it is answered when all has settled. */
export const advanceTo = async ({ admin }: House, to: number) => {
  const body = { to: new Date(to).toISOString() }
  const answer = await admin('POST /admin/clock/advance', { body, headers: { prefer: 'wait=30' } })
  if (answer.status !== 200) throw new Error(`The advance answered ${answer.status} ${JSON.stringify(answer.body)}`)
}

/** In portions, so that nothing waits longer than a request may. */
export const inPortions = async <T, R>(all: readonly T[], act: (one: T) => Promise<R>, atOnce = AT_ONCE) => {
  const done: R[] = []
  for (let from = 0; from < all.length; from += atOnce)
    done.push(...(await Promise.all(all.slice(from, from + atOnce).map(act))))
  return done
}

/**
 * A shop, users with credits for exactly `terms` terms, and a purchase of each at an instant of its own: a step of the
 * clock, a purchase, and so on; each step waits until all before it has settled.
 */
export const openCohort = async (house: House, users: number, terms: number): Promise<Cohort> => {
  await advanceTo(house, MONTH_BEGINS)
  // Entries name the plan: the same in every run.
  const { planId } = await openShop(house, { price: PRICE, keys: 0, more: { name: 'A monthly plan' } })
  for (let left = users; left > 0; left -= MOST_KEYS_IN_AN_UPLOAD)
    await uploadKeys(house, planId, Math.min(left, MOST_KEYS_IN_AN_UPLOAD))
  const names = Array.from({ length: users }, (_, n) => `user-${n}`)
  await inPortions(names, (user) => grant(house, user, PRICE * terms))
  const clients = await inPortions(names, (user) => house.as(user))
  const boughtAt = names.map((_, n) => instantOf(n, users))
  for (const [n, client] of clients.entries()) {
    await advanceTo(house, boughtAt[n] as number)
    const { status, body } = await buy(client, planId)
    if (status !== 201) throw new Error(`A purchase answered ${status} ${JSON.stringify(body)}`)
    if ((n + 1) % SHOWN_EVERY === 0) process.stdout.write(`  ${n + 1} bought\n`)
  }
  return { clients, boughtAt, price: PRICE }
}
