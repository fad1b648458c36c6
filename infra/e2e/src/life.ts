import { type Client, eventually, fresh, grant, type House, USD } from './house.ts'

/** What the tests of a subscription's life share: somebody with credits, and a clock to move. */

export const DAY = 86_400_000
export const HOUR = 3_600_000

export type Someone = Client & { readonly user: string }

/** A new user with these credits. */
export const someone = async (house: House, credits = 0): Promise<Someone> => {
  const user = fresh('user')
  if (credits !== 0) await grant(house, user, credits, credits < 0 ? 'adjustment' : 'grant')
  return Object.assign(await house.as(user), { user })
}

export const iso = (at: number) => new Date(at).toISOString()

/** The business time, as an operator reads it. */
export const nowOf = async ({ admin }: House) => Date.parse((await admin('GET /admin/clock')).body.now)

interface Clock {
  readonly now: string
  readonly settled: boolean
}
const LONGEST_ADVANCE_MILLISECONDS = 240_000

/** Move the clock and wait until all that it caused is done, however long that takes. */
export const advance = async ({ admin }: House, body: { to?: string; by?: string; outage?: boolean }) => {
  const asked = await admin('POST /admin/clock/advance', { body, headers: { prefer: 'wait=30' } })
  if (asked.status !== 200 && asked.status !== 202)
    throw new Error(`The advance answered ${asked.status} ${JSON.stringify(asked.body)}`)
  if (asked.status === 200) return asked.body as Clock
  const operation = await eventually(
    async () => (await admin(`GET /operations/${asked.body.id}`)).body,
    ({ status }) => status !== 'pending',
    LONGEST_ADVANCE_MILLISECONDS,
  )
  if (operation.status !== 'succeeded') throw new Error(`The advance was ${JSON.stringify(operation)}`)
  return operation.result as Clock
}

export const advanceTo = (house: House, at: number) => advance(house, { to: iso(at) })

export const subscriptionOf = async (client: Client, id: string) => (await client(`GET /subscriptions/${id}`)).body

export const chargesOf = async (client: Client, id: string) =>
  (await client(`GET /subscriptions/${id}/charges?limit=100`)).body.data as {
    kind: string
    amountMicrodollars: number
    periodStart: string
    periodEnd: string
    description: string
  }[]

/** Oldest first: what this user was told, with the data. */
export const toldTo = async (client: Client) =>
  ((await client('GET /notifications?limit=100')).body.data as { kind: string; at: string; data: never }[]).toReversed()
export const kindsTold = async (client: Client) => (await toldTo(client)).map(({ kind }) => kind)

/** Credits in whole dollars, for what a test counts in. */
export const availableOf = async (client: Client) => (await client('GET /credits')).body.availableMicrodollars / USD
