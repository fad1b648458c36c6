import { randomBytes } from 'node:crypto'
import {
  buy,
  eventually,
  grant,
  type House,
  openShop,
  type PlanOptions,
  USD,
  uploadKeys,
} from '@coding-plans/e2e/house'
import { laneOf, pause } from '@coding-plans/runtime'
import { type Service, services } from '@coding-plans/schemas'
import type pg from 'pg'
import { withDatabases } from './databases.ts'
import { chainOf } from './ledger-chain.ts'
import { checkLanes, cloneOf, cloningOf, type LivedTable, rowsOf, tablesOf } from './lived-rows.ts'

/**
 * Many subscriptions in minutes: one life is lived by HTTP, and its rows are written again in all five databases, under ids
 * of other users. The services may run meanwhile, idle: none keeps a row in memory from one round to the next.
 * A clone can do all that its template can, but reveal its key: that is sealed for the template's.
 */

export interface Template {
  readonly user: string
  readonly subscriptionId: string
  readonly planId: string
  readonly price: number
  /** When its term ends, and that of all its clones. */
  readonly boundary: number
}

export interface TemplateOptions extends PlanOptions {
  /** What the user can pay, the bought term included. */
  readonly terms?: number
  /** Of a plan that is there already; its price is to be given with it. */
  readonly planId?: string
}

/** Somebody with credits who buys a plan by HTTP: one of its own, if none is named. The business clock should stand still. */
export const livedTemplate = async (house: House, options: TemplateOptions = {}): Promise<Template> => {
  const { terms = 2, price = 20 * USD } = options
  const planId = options.planId ?? (await openShop(house, { ...options, price, keys: 0 })).planId
  await uploadKeys(house, planId, 1)
  const user = `usr_${randomBytes(16).toString('hex')}`
  await grant(house, user, price * terms)
  const { status, body } = await buy(await house.as(user), planId)
  if (status !== 201) throw new Error(`The template's purchase answered ${status} ${JSON.stringify(body)}`)
  const { id: subscriptionId, currentPeriodEnd } = body.subscription
  return { user, subscriptionId, planId, price, boundary: Date.parse(currentPeriodEnd) }
}

interface Life {
  /** All that are its own. */
  readonly ids: readonly string[]
  /** By database. */
  readonly lived: readonly (readonly LivedTable[])[]
}

/** All that it has left so far: its user's and subscription's rows, those of the ids in their keys, and so on. */
const readLife = async (clients: readonly pg.Client[], { user, subscriptionId }: Template): Promise<Life> => {
  const tables = await Promise.all(clients.map(tablesOf))
  let ids = [user, subscriptionId]
  for (;;) {
    const parts = await Promise.all(clients.map((client, n) => rowsOf(client, tables[n] ?? [], ids)))
    const known = new Set([...ids, ...parts.flatMap(({ learnt }) => [...learnt])])
    if (known.size === ids.length) return { ids, lived: parts.map(({ lived }) => lived) }
    ids = [...known]
  }
}

const LOOK_AGAIN_AFTER_MILLISECONDS = 500

/** The purchase is answered before the last reader has heard of it: wait until nothing is added any more. */
const readWholeLife = async (clients: readonly pg.Client[], template: Template): Promise<Life> => {
  let before = ''
  const whole = await eventually(
    async () => {
      await pause(LOOK_AGAIN_AFTER_MILLISECONDS)
      return readLife(clients, template)
    },
    (life) => {
      const now = JSON.stringify(life)
      const isWhole = life.lived.every((tables) => tables.length > 0) && now === before
      before = now
      return isWhole
    },
  )
  checkLanes(whole.lived.flat(), template.user)
  return whole
}

const CLONES_AT_ONCE = 20_000
const CODE_BYTES = 8

/** Clones that are written at once. */
interface Portion {
  /** How many were before. */
  readonly after: number
  readonly codes: readonly string[]
  readonly lanes: readonly number[]
}

/**
 * A code leads every id of its clone. Sorted, so that they are appended to every index; random, so that they lie in between
 * what others call theirs, as real ids do.
 */
const recruit = ({ template, count }: Part, portions: number) => {
  const codes = Array.from({ length: count }, () => randomBytes(CODE_BYTES).toString('hex')).sort()
  const users = codes.map((code) => cloneOf(template.user, code))
  const lanes = users.map(laneOf)
  const startOf = (n: number) => Math.floor((n * count) / portions)
  return {
    users,
    portions: Array.from({ length: portions }, (_, n): Portion => {
      const [after, end] = [startOf(n), startOf(n + 1)]
      return { after, codes: codes.slice(after, end), lanes: lanes.slice(after, end) }
    }),
  }
}

/** Plans count their keys: so many more of them are assigned. */
const COUNTINGS: Partial<Record<Service, string>> = {
  'key-inventory': 'update stock set assigned = assigned + $2, uploaded = uploaded + $2 where plan_id = $1',
  gateway: 'update stock set assigned = assigned + $2 where plan_id = $1',
}

const write = async (client: pg.Client, statements: readonly string[], { after, codes, lanes }: Portion) => {
  await client.query('begin')
  await client.query('truncate clones')
  await client.query(
    `insert into clones
     select $1 + place, code, left(code, 8) || '-' || substr(code, 9, 4) || '-' || substr(code, 13), lane
     from unnest($2::text[], $3::smallint[]) with ordinality as u(code, lane, place)`,
    [after, codes, lanes],
  )
  for (const statement of statements) await client.query(statement)
  await client.query('commit')
}

interface Cloning {
  readonly template: Template
  readonly ids: readonly string[]
  readonly lived: readonly LivedTable[]
  readonly portions: readonly Portion[]
}

/** All clones in one database, portion by portion, so that those of several lives lie among one another. */
const cloneIn = async (client: pg.Client, service: Service, clonings: readonly Cloning[]) => {
  // Nothing here is worth a flush of its own; foreign keys hold as they do in the life itself.
  await client.query('set synchronous_commit = off; set session_replication_role = replica')
  await client.query('create temporary table clones (n bigint, code text, dashed text, lane smallint)')
  const statements: string[][] = []
  for (const { ids, lived } of clonings) {
    const own = { ids, known: chainOf(lived, ids) }
    const made: string[] = []
    for (const table of lived) made.push(await cloningOf(client, table, own))
    statements.push(made)
  }
  const portions = Math.max(...clonings.map((cloning) => cloning.portions.length))
  for (let n = 0; n < portions; n += 1)
    for (const [which, cloning] of clonings.entries())
      await write(client, statements[which] ?? [], cloning.portions[n] as Portion)
  const counting = COUNTINGS[service]
  for (const { template, portions: all } of counting ? clonings : [])
    await client.query(counting as string, [template.planId, all.reduce((sum, { codes }) => sum + codes.length, 0)])
  // Else autovacuum does it, in the middle of what is measured.
  await client.query('vacuum (analyze)')
}

/** So many more of this life. */
export interface Part {
  readonly template: Template
  readonly count: number
}

/** Clones of several lives, in the tables one among another. @returns the users of each. */
export const cloneLives = (house: House, parts: readonly Part[]): Promise<string[][]> =>
  withDatabases(house, async (clients) => {
    const total = parts.reduce((sum, { count }) => sum + count, 0)
    const recruits = parts.map((part) => recruit(part, Math.ceil(total / CLONES_AT_ONCE)))
    const lives: Life[] = []
    for (const { template } of parts) lives.push(await readWholeLife(clients, template))
    await Promise.all(
      clients.map((client, place) => {
        const clonings = parts.map(({ template }, n): Cloning => {
          const { ids = [], lived = [] } = lives[n] ?? {}
          return { template, ids, lived: lived[place] ?? [], portions: recruits[n]?.portions ?? [] }
        })
        return cloneIn(client, services[place] as Service, clonings)
      }),
    )
    await clients[0]?.query('checkpoint')
    return recruits.map(({ users }) => users)
  })

/** @returns the users: each has what the template's user has, in every database and over HTTP. */
export const cloneLife = async (house: House, template: Template, count: number): Promise<{ users: string[] }> => {
  const [users = []] = await cloneLives(house, [{ template, count }])
  return { users }
}
