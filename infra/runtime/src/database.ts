import knex, { type Knex } from 'knex'
import pg from 'pg'

const INT8 = 20
const NUMERIC = 1700
const INT8_ARRAY: number = 1016
const TEXT_ARRAY: number = 1009

const safeInteger = (text: string) => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`The database holds ${text}, which is no safe integer.`)
  return value
}
// Money and instants are int8; a number that JavaScript cannot hold must not pass silently.
pg.types.setTypeParser(INT8, safeInteger)
pg.types.setTypeParser(NUMERIC, safeInteger)
const parseArray = pg.types.getTypeParser(TEXT_ARRAY)
pg.types.setTypeParser(INT8_ARRAY, (text) => (parseArray(text) as string[]).map(safeInteger))

export interface DatabaseTiming {
  /** Shorter than the group's session timeout, so that a paused owner's open round dies before its lane moves on. */
  idleInTransactionMilliseconds: number
}

/**
 * Every statement is prepared and goes by keys. Left to itself PostgreSQL plans it anew each time, since a plan for the very
 * arrays of a round seems cheaper than one for any: that took half of its CPU. One plan for all, then, by indexes also
 * while the tables are still small.
 */
const ONE_PLAN = { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off', jit: 'off' }

const settings = (values: Readonly<Record<string, string | number>>) =>
  Object.entries(values)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ')

/** What the driver's client has, and its types do not tell. */
interface PipelinedClient {
  query(...given: unknown[]): unknown
  readonly connection: { readonly stream: { cork(): void; uncork(): void } }
}

/** What is asked in one breath goes out in one write: each write of its own wakes the other side, which costs more than most questions. */
const corked = (client: PipelinedClient) => {
  const { stream } = client.connection
  const query = client.query.bind(client)
  client.query = (...given) => {
    stream.cork()
    setImmediate(() => stream.uncork())
    return query(...given)
  }
}

/** A pool on one service's own database. Questions that do not wait for one another's answers are pipelined, in their order. */
export const openDatabase = (url: string, { idleInTransactionMilliseconds }: DatabaseTiming, poolSize = 8): Knex =>
  knex({
    client: 'pg',
    // Else an error's message carries every binding, and with it what must never be logged.
    compileSqlOnError: false,
    // What fails is told by whoever meets it; knex would print it beside our log.
    log: { warn() {}, error() {}, deprecate() {}, debug() {} },
    connection: {
      connectionString: url,
      // The driver's; unknown to knex's types.
      ...({ pipeline: true } as object),
      connectionTimeoutMillis: 3_000,
      application_name: 'coding-plans',
      options: settings({
        lock_timeout: '2s',
        statement_timeout: '20s',
        idle_in_transaction_session_timeout: idleInTransactionMilliseconds,
        ...ONE_PLAN,
      }),
    },
    pool: {
      min: 0,
      max: poolSize,
      idleTimeoutMillis: 30_000,
      afterCreate: (client: PipelinedClient, done: (error: unknown, client: PipelinedClient) => void) => {
        corked(client)
        done(null, client)
      },
    },
    acquireConnectionTimeout: 5_000,
  })
