import type pg from 'pg'
import { openPool } from './database.ts'
import { TRANSFER_COLUMNS } from './ledger.ts'
import { type Books, granted, type Key, keyPress, lived } from './lives.ts'
import { SUBSCRIPTION_COLUMNS } from './purchase.ts'
import { boundaryAfter, CHARGE_COLUMNS, type Terms } from './subscription.ts'

/** A plan as the bench names it; what it does not say is as when an operator does not. */
export interface PlanOnSale {
  readonly planId: string
  readonly providerId: string
  readonly price: number
  readonly period: { readonly unit: 'day' | 'month'; readonly count: number }
  readonly graceHours?: number
}

export interface StockOptions {
  readonly users: readonly string[]
  readonly creditsEach: number
  readonly plan: PlanOnSale
  readonly keys: number
}

export interface DueOptions {
  readonly count: number
  readonly plan: PlanOnSale
  /** Epoch milliseconds: when all of them are due. */
  readonly boundary: number
  /** What each user has left for it. */
  readonly creditsEach: number
}

const ROWS_AT_ONCE = 10_000

type Columns = readonly string[]

/** Rows by the thousands in one statement each. */
const insertAll = async (db: pg.Pool, table: string, columns: Columns, rows: readonly object[]) => {
  const names = columns.join(', ')
  const text = `insert into ${table} (${names}) select ${names} from json_populate_recordset(null::${table}, $1)`
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE)
    await db.query(text, [JSON.stringify(rows.slice(from, from + ROWS_AT_ONCE))])
}

/** Fills these tables, and lets the planner know what is in them. Told that a table is empty, it would for long not use an index of it. */
const filling = async <Made>(
  databaseUrl: string,
  tables: readonly string[],
  fill: (db: pg.Pool) => Promise<Made>,
): Promise<Made> => {
  const db = openPool(databaseUrl, 1)
  try {
    const made = await fill(db)
    await db.query(`vacuum analyze ${tables.join(', ')}`)
    return made
  } finally {
    await db.end()
  }
}

const termsOf = ({ planId, providerId, price, period, graceHours = 0 }: PlanOnSale): Terms => ({
  plan_id: planId,
  provider_id: providerId,
  price,
  period_unit: period.unit,
  period_count: period.count,
  grace_hours: graceHours,
  max_prepaid_periods: 12,
  repurchase: 'extend',
  ownership: 'user',
  reveal: true,
  upstream_revocation: 'never',
  low_stock_threshold: 0,
})

const publish = async (db: pg.Pool, terms: Terms) => {
  const { plan_id, provider_id } = terms
  const columns = [...Object.keys(terms), 'version', 'published_by', 'published_at', 'provider_name', 'name']
  const said = { version: 1, published_by: 'operator', published_at: Date.now(), provider_name: provider_id }
  const { rowCount } = await db.query('select from plans where plan_id = $1', [plan_id])
  if (rowCount) return
  await insertAll(db, 'plan_versions', columns, [{ ...terms, ...said, name: plan_id }])
  await db.query('insert into plans (plan_id, version) values ($1, 1)', [plan_id])
  await db.query('insert into stock (plan_id, provider_id) values ($1, $2)', [plan_id, provider_id])
}

const ACCOUNT_COLUMNS = ['user_id', 'available', 'held', 'revenue', 'promotion', 'version', 'last_at', 'hash']

const insertBooks = async (db: pg.Pool, books: readonly Books[]) => {
  await insertAll(
    db,
    'accounts',
    ACCOUNT_COLUMNS,
    books.map(({ account }) => account),
  )
  await insertAll(
    db,
    'transfers',
    TRANSFER_COLUMNS,
    books.flatMap(({ transfers }) => transfers),
  )
}

const KEY_COLUMNS = [
  'id',
  'plan_id',
  'provider_id',
  'state',
  'fingerprint',
  'masked',
  'sequence',
  'uploaded_at',
  'attempts',
  'ciphertext',
  'wrapped_key',
  'wrapping_key_id',
]
const ASSIGNMENT = ['user_id', 'subscription_id', 'assigned_at', 'ownership', 'reveal', 'upstream_revocation']

const makeKeys = async (db: pg.Pool, terms: Terms, count: number): Promise<Key[]> => {
  const upload = 'update stock set uploaded = uploaded + $2 where plan_id = $1 returning uploaded - $2 as before'
  const { rows } = await db.query(upload, [terms.plan_id, count])
  const press = keyPress(terms, Date.now())
  return Array.from({ length: count }, (_, n) => press(rows[0].before + n + 1))
}

const STOCKED = ['accounts', 'transfers', 'plan_versions', 'plans', 'stock', 'keys']

/** Users with credits, a plan and its stock, in seconds for a hundred thousand. */
export const stockBaseline = (databaseUrl: string, { users, creditsEach, plan, keys }: StockOptions): Promise<void> =>
  filling(databaseUrl, STOCKED, async (db) => {
    const terms = termsOf(plan)
    const at = Date.now()
    await publish(db, terms)
    await insertAll(db, 'keys', KEY_COLUMNS, await makeKeys(db, terms, keys))
    await insertBooks(
      db,
      users.map((user) => granted(user, creditsEach, at)),
    )
  })

const SLOT_COLUMNS = [
  'user_id',
  'provider_id',
  'managed_by',
  'subscription_id',
  'key_id',
  'enabled',
  'masked',
  'created_at',
  'updated_at',
  'version',
]

/** As many new users, each with a subscription bought one period before the boundary. @returns the users */
export const dueSubscriptions = (databaseUrl: string, options: DueOptions): Promise<string[]> =>
  filling(databaseUrl, [...STOCKED, 'subscriptions', 'slots', 'charges'], async (db) => {
    const { count, plan, boundary, creditsEach: credits } = options
    const terms = termsOf(plan)
    await publish(db, terms)
    const life = { terms, start: boundaryAfter(boundary, terms, -1), boundary, credits }
    const lives = (await makeKeys(db, terms, count)).map((key) => lived(key, life))
    await insertBooks(db, lives)
    const parts = {
      keys: [[...KEY_COLUMNS, ...ASSIGNMENT], lives.map(({ key }) => key)],
      subscriptions: [SUBSCRIPTION_COLUMNS, lives.map(({ subscription }) => subscription)],
      slots: [SLOT_COLUMNS, lives.map(({ slot }) => slot)],
      charges: [CHARGE_COLUMNS, lives.flatMap(({ charges }) => charges)],
    } satisfies Record<string, [Columns, object[]]>
    for (const [table, [columns, rows]] of Object.entries(parts)) await insertAll(db, table, columns, rows)
    return lives.map(({ account }) => account.user_id)
  })
