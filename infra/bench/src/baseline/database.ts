import pg from 'pg'

const INT8 = 20

const safeInteger = (text: string) => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`The database holds ${text}, which is no safe integer.`)
  return value
}

const types = {
  getTypeParser: ((oid: number, format: 'text') =>
    oid === INT8 ? safeInteger : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
}

const LONGEST_STATEMENT_MILLISECONDS = 20_000

/** Every connection is READ COMMITTED and durable: nothing of PostgreSQL's is changed. */
export const openPool = (databaseUrl: string, connections: number): pg.Pool => {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: connections,
    types,
    statement_timeout: LONGEST_STATEMENT_MILLISECONDS,
    idle_in_transaction_session_timeout: LONGEST_STATEMENT_MILLISECONDS,
  })
  // An idle connection that breaks is replaced by the pool; unheard, its error would end the process.
  pool.on('error', () => {})
  return pool
}

export type Db = Pick<pg.ClientBase, 'query'>

/** A statement that each connection prepares once. @returns what runs it and gives its rows. */
export const statement =
  <Row extends object = never>(name: string, text: string) =>
  async (db: Db, ...values: readonly unknown[]): Promise<Row[]> =>
    (await db.query({ name, text, values: values as unknown[] })).rows as Row[]

/** One row into a table. */
export const insertInto = <Row extends object>(table: string, columns: readonly (keyof Row & string)[]) => {
  const places = columns.map((_, n) => `$${n + 1}`)
  const text = `insert into ${table} (${columns.join(', ')}) values (${places.join(', ')})`
  const insert = statement(`insert_${table}`, text)
  return (db: Db, row: Row) => insert(db, ...columns.map((column) => row[column]))
}

/** A "no" that leaves nothing behind. */
export interface Refusal {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly amounts?: { readonly requiredMicrodollars: number; readonly availableMicrodollars: number }
}

/** One transaction: committed, unless it answers with a refusal or throws. */
export const inTransaction = async <Answer>(pool: pg.Pool, act: (tx: Db) => Promise<Answer>): Promise<Answer> => {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const answer = await act(client)
    const refused = typeof answer === 'object' && answer !== null && 'refusal' in answer
    await client.query(refused ? 'rollback' : 'commit')
    client.release()
    return answer
  } catch (error) {
    const broken = await client.query('rollback').then(
      () => false,
      () => true,
    )
    client.release(broken)
    throw error
  }
}
