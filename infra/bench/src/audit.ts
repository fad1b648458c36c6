import pg from 'pg'
import type { Shop } from './shop.ts'
import { signToken } from './tokens.ts'

/** What has been sold until now. */
export interface Sales {
  readonly price: number
  /** Of each plan, to how many users. */
  readonly sold: ReadonlyMap<string, number>
  /** Terms that were paid beyond the first ones. */
  readonly renewed?: number
  /** What all users together were given. */
  readonly funded: number
}

/** Each plan was bought by the first of these users. */
export interface Buyers {
  readonly price: number
  readonly sold: ReadonlyMap<string, number>
  readonly users: readonly string[]
  readonly fundedEach: number
}

const SAMPLE = 50

const sumOf = (numbers: Iterable<number>) => [...numbers].reduce((sum, number) => sum + number, 0)

const ask = async (databaseUrl: string, sql: string): Promise<Record<string, string>[]> => {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

const expect = (what: string, found: unknown, expected: unknown) => {
  if (found !== expected) throw new Error(`${what}: ${found} instead of ${expected}.`)
}

/** As many subscriptions as answers, and their price taken: no more, no less, nothing held. @throws when it is not so */
export const auditBooks = async ({ databases }: Shop, { price, sold, renewed = 0, funded }: Sales): Promise<void> => {
  const rows = await ask(
    databases.subscriptions,
    `select plan_id, count(*) as number, count(distinct user_id) as users from subscriptions
     where status = 'active' group by plan_id`,
  )
  expect('Plans sold', rows.length, sold.size)
  for (const { plan_id: planId = '', number, users: buyers } of rows) {
    expect(`Subscriptions to ${planId}`, Number(number), sold.get(planId))
    expect(`Buyers of ${planId}`, Number(buyers), sold.get(planId))
  }
  const [money = {}] = await ask(
    databases.ledger,
    'select sum(revenue) as revenue, sum(available) as available, sum(held) as held from accounts',
  )
  const taken = price * (renewed + sumOf(sold.values()))
  expect('Revenue', Number(money.revenue), taken)
  expect('Credits left', Number(money.available), funded - taken)
  expect('Credits held', Number(money.held), 0)
}

/** What some users see of it themselves. @throws when it is wrong */
export const auditSample = async (
  { url, authSecret }: Pick<Shop, 'url' | 'authSecret'>,
  { price, sold, users, fundedEach }: Buyers,
): Promise<void> => {
  const everyNth = Math.max(1, Math.floor(Math.max(...sold.values()) / SAMPLE))
  for (let n = 0; n < SAMPLE * everyNth && n < users.length; n += everyNth) {
    const user = users[n] as string
    const get = async (path: string) => {
      const headers = { authorization: `Bearer ${signToken(authSecret, user)}` }
      const answer = await fetch(`${url}/v1${path}`, { headers })
      expect(`GET ${path} as ${user}`, answer.status, 200)
      // biome-ignore lint/suspicious/noExplicitAny: the contract's shapes are what is looked at
      return answer.json() as Promise<any>
    }
    const bought = [...sold].filter(([, buyers]) => n < buyers).map(([planId]) => planId)
    const { availableMicrodollars, heldMicrodollars } = await get('/credits')
    expect(`Credits of ${user}`, availableMicrodollars, fundedEach - price * bought.length)
    expect(`Credits held of ${user}`, heldMicrodollars, 0)
    const { data } = await get('/subscriptions')
    const active = data.filter(({ status }: { status: string }) => status === 'active')
    const plans = active.map(({ planId }: { planId: string }) => planId).sort()
    expect(`Plans of ${user}`, plans.join(), bought.toSorted().join())
  }
}
