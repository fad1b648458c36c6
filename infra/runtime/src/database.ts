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

/** A pool on one service's own database. */
export const openDatabase = (url: string, { idleInTransactionMilliseconds }: DatabaseTiming, poolSize = 8): Knex =>
  knex({
    client: 'pg',
    // Else an error's message carries every binding, and with it what must never be logged.
    compileSqlOnError: false,
    // What fails is told by whoever meets it; knex would print it beside our log.
    log: { warn() {}, error() {}, deprecate() {}, debug() {} },
    connection: {
      connectionString: url,
      connectionTimeoutMillis: 3_000,
      application_name: 'coding-plans',
      options: `-c lock_timeout=2s -c statement_timeout=20s -c idle_in_transaction_session_timeout=${idleInTransactionMilliseconds}`,
    },
    pool: { min: 0, max: poolSize, idleTimeoutMillis: 30_000 },
    acquireConnectionTimeout: 5_000,
  })
