import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import { binaryArray, formOf, isJson } from './binary-array.ts'
import { isInFailedTransaction, isPlanOutdated } from './failures.ts'
import { type Answer, askOnce, databaseOf, Tx } from './transaction.ts'

type Row = Record<string, unknown>

const memo = (convert: (name: string) => string) => {
  const known = new Map<string, string>()
  return (name: string) => {
    const converted = known.get(name) ?? convert(name)
    known.set(name, converted)
    return converted
  }
}
const camel = memo((name) => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()))
const snake = memo((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))

const fromRow = <T>(row: Row): T => {
  const object: Row = {}
  for (const column in row) object[camel(column)] = row[column]
  return object as T
}

/** Raised when a migration has changed what a prepared statement returns: under its new name it is prepared anew. */
let generation = 0
const hashed = memo((sql) => createHash('sha256').update(sql).digest('hex').slice(0, 24))
/** The driver counts its bindings. */
const numbered = memo((sql) => {
  let count = 0
  return sql.replaceAll('?', () => `$${++count}`)
})
const nameOf = (sql: string) => `s${generation}_${hashed(sql)}`

/**
 * Prepared once per connection: the texts are few and constant, and planning costs more than most of them. What reads all
 * columns fails once when a migration adds one under a running service: trouble, over with the next try.
 */
const run = async (on: Tx | Knex, sql: string, bindings: readonly unknown[]): Promise<Answer> => {
  if (bindings.includes(undefined)) throw new TypeError(`A binding is undefined: ${sql}`)
  const question = { name: nameOf(sql), text: numbered(sql), values: bindings }
  try {
    return await (on instanceof Tx ? on.ask(question) : askOnce(on, question))
  } catch (error) {
    if (on instanceof Tx) {
      if (isInFailedTransaction(error)) throw on.failure ?? error
      on.failure ??= error
    }
    if (isPlanOutdated(error)) generation += 1
    throw error
  }
}

/** A statement whose rows nobody reads. @returns how many there are */
export const execute = async (tx: Tx | Knex, sql: string, bindings: readonly unknown[] = []): Promise<number> =>
  (await run(tx, sql, bindings)).rowCount ?? 0

/** Rows with camelCase properties. `?` binds; an array binds as a PostgreSQL array. */
export const select = async <T>(tx: Tx | Knex, sql: string, bindings: readonly unknown[] = []): Promise<T[]> => {
  const { rows } = await run(tx, sql, bindings)
  return rows.map((row) => fromRow<T>(row))
}

interface Column {
  readonly oid: number
  readonly type: string
}

const tables = new WeakMap<object, Map<string, Promise<ReadonlyMap<string, Column>>>>()

/** The columns of a table, asked once per process and database. */
const columnsOf = (tx: Tx | Knex, table: string): Promise<ReadonlyMap<string, Column>> => {
  const database = databaseOf(tx)
  const known = tables.get(database) ?? new Map<string, Promise<ReadonlyMap<string, Column>>>()
  tables.set(database, known)
  const asked = known.get(table) ?? askColumns(tx, table)
  known.set(table, asked)
  asked.catch(() => known.delete(table))
  return asked
}

const askColumns = async (tx: Tx | Knex, table: string) => {
  const columns = await select<Column & { name: string }>(
    tx,
    `select attname as name, atttypid::int as oid, format_type(atttypid, atttypmod) as type
     from pg_attribute where attrelid = ?::regclass and attnum > 0 and not attisdropped`,
    [table],
  )
  return new Map(columns.map((column) => [column.name, column]))
}

/**
 * Rows as a source `r` of a statement: an array for each column, whatever the number of rows. All rows have the properties
 * of the first.
 */
const sourceOf = async (tx: Tx | Knex, table: string, rows: readonly object[]) => {
  const columns = await columnsOf(tx, table)
  const given = Object.keys(rows[0] ?? {}).map((property) => {
    const name = snake(property)
    const column = columns.get(name)
    if (!column) throw new Error(`${table} has no column ${name}.`)
    const form = formOf(column.oid)
    const values = rows.map((row) => (row as Row)[property])
    const written = isJson(column.oid) ? values.map((value) => (value == null ? null : JSON.stringify(value))) : values
    const read = form.type === column.type ? `r.${name}` : `r.${name}::${column.type}`
    return { name, read, parameter: `?::${form.type}[]`, array: binaryArray(form, written) }
  })
  return {
    columns: given,
    source: `unnest(${given.map(({ parameter }) => parameter).join(', ')}) as r(${given.map(({ name }) => name).join(', ')})`,
    bindings: given.map(({ array }) => array),
  }
}

/** One insert whatever the number of rows. All rows have the properties of the first; columns that none names take their default. */
export const insertRows = async (tx: Tx | Knex, table: string, rows: readonly object[], onConflict = '') => {
  if (rows.length === 0) return
  const { columns, source, bindings } = await sourceOf(tx, table, rows)
  await run(
    tx,
    `insert into ${table} (${columns.map(({ name }) => name).join(', ')})
     select ${columns.map(({ read }) => read).join(', ')} from ${source} ${onConflict}`,
    bindings,
  )
}

/** One update whatever the number of rows: sets every property that is not among the keys (camelCase). */
export const updateRows = async (tx: Tx | Knex, table: string, keys: readonly string[], rows: readonly object[]) => {
  if (rows.length === 0) return
  const { columns, source, bindings } = await sourceOf(tx, table, rows)
  const keyColumns = keys.map(snake)
  const set = columns.filter(({ name }) => !keyColumns.includes(name))
  const where = columns.filter(({ name }) => keyColumns.includes(name))
  await run(
    tx,
    `update ${table} t set ${set.map(({ name, read }) => `${name} = ${read}`).join(', ')}
     from ${source} where ${where.map(({ name, read }) => `t.${name} = ${read}`).join(' and ')}`,
    bindings,
  )
}

/** One insert that overwrites what is there under the same keys (camelCase). */
export const upsertRows = (tx: Tx | Knex, table: string, keys: readonly string[], rows: readonly object[]) => {
  const keyColumns = keys.map(snake)
  const set = Object.keys(rows[0] ?? {})
    .map(snake)
    .filter((column) => !keyColumns.includes(column))
  const action = set.length > 0 ? `update set ${set.map((c) => `${c} = excluded.${c}`).join(', ')}` : 'nothing'
  return insertRows(tx, table, rows, `on conflict (${keyColumns.join(', ')}) do ${action}`)
}
