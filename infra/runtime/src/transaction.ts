import type { Knex } from 'knex'

/** A connection as the driver gives it, pipelined (database.ts). */
interface Connection {
  query(question: Question): Promise<Answer>
  /** What knex's pool goes by: it is not given out again. */
  __knex__disposed?: unknown
}

export interface Question {
  readonly text: string
  /** Under which it is prepared. */
  readonly name?: string
  readonly values?: readonly unknown[]
}

export interface Answer {
  readonly rows: Record<string, unknown>[]
  readonly rowCount: number | null
}

/**
 * An open transaction. Statements go out as they are asked, behind one another, and take effect in that order; what is not
 * to wait for an answer is asked together.
 */
export class Tx {
  readonly #connection: Connection
  readonly #pool: Pool
  /** What failed first: statements that were sent behind it fail for nothing else. */
  failure: unknown
  #isOver = false

  constructor(connection: Connection, pool: Pool) {
    this.#connection = connection
    this.#pool = pool
  }

  /** Tells databases apart. */
  get database(): object {
    return this.#pool.config
  }

  async ask(question: Question): Promise<Answer> {
    if (this.#isOver) throw new Error('The transaction is over.')
    return ask(this.#pool, this.#connection, question)
  }

  /**
   * Nothing is asked of it any more. Of what is asked together one may fail while another still has a question to come: that
   * one would be answered outside, and stay.
   */
  end() {
    this.#isOver = true
  }

  /** What fails within is undone, and nothing before it. */
  async savepoint<T>(act: (tx: Tx) => Promise<T>): Promise<T> {
    const inner = new Tx(this.#connection, this.#pool)
    await this.ask({ text: 'savepoint within_transaction' })
    try {
      const result = await act(inner)
      inner.end()
      await this.ask({ text: 'release savepoint within_transaction' })
      return result
    } catch (error) {
      inner.end()
      await this.ask({ text: 'rollback to savepoint within_transaction' })
      // Gone as well, so that an outer one of this name is the next to be met.
      await this.ask({ text: 'release savepoint within_transaction' })
      throw error
    }
  }
}

/** What knex calls its client. */
interface Pool {
  readonly config: object
  acquireConnection(): Promise<Connection>
  releaseConnection(connection: Connection): Promise<void>
  emit(event: 'query', what: { sql: string }): void
}
const poolOf = (knex: Knex) => knex.client as Pool

/** Whoever listens to knex's questions hears these too. */
const ask = (pool: Pool, connection: Connection, question: Question) => {
  pool.emit('query', { sql: question.text })
  return connection.query(question)
}

/** @returns whether the connection is as it was before. */
const rolledBack = (connection: Connection) =>
  connection.query({ text: 'rollback' }).then(
    () => true,
    () => false,
  )

/**
 * One transaction on a connection of knex's pool. Not knex's own: that makes a whole knex for each, and asks every question
 * by way of it, which costs as much as the questions.
 */
export const inTransaction = async <T>(knex: Knex, act: (tx: Tx) => Promise<T>, begin = 'begin'): Promise<T> => {
  const pool = poolOf(knex)
  const connection = await pool.acquireConnection()
  const tx = new Tx(connection, pool)
  try {
    // Not waited for: it goes out with the first statement.
    const begun = ask(pool, connection, { text: begin })
    begun.catch(() => {})
    const result = await act(tx)
    await begun
    tx.end()
    await ask(pool, connection, { text: 'commit' })
    return result
  } catch (error) {
    tx.end()
    if (!(await rolledBack(connection))) connection.__knex__disposed = error
    throw error
  } finally {
    await pool.releaseConnection(connection)
  }
}

/** One statement in a transaction of its own. */
export const askOnce = async (knex: Knex, question: Question): Promise<Answer> => {
  const pool = poolOf(knex)
  const connection = await pool.acquireConnection()
  try {
    return await ask(pool, connection, question)
  } finally {
    await pool.releaseConnection(connection)
  }
}

export const databaseOf = (on: Tx | Knex): object => (on instanceof Tx ? on.database : poolOf(on).config)
