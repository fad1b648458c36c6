import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import type { Tx } from './handler.ts'

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

const toRow = (object: object): Row => {
  const row: Row = {}
  for (const [property, value] of Object.entries(object))
    row[snake(property)] = value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : value
  return row
}

const fromRow = <T>(row: Row): T => {
  const object: Row = {}
  for (const column in row) object[camel(column)] = row[column]
  return object as T
}

const nameOf = memo((sql) => `s_${createHash('sha256').update(sql).digest('hex').slice(0, 24)}`)

/**
 * Prepared once per connection: the texts are few and constant, and planning costs more than most of them. Not what reads
 * all columns: its plan dies when a migration adds one under a running service.
 */
const run = (tx: Tx | Knex, sql: string, bindings: readonly unknown[]) =>
  sql.includes('*')
    ? tx.raw(sql, bindings as Knex.RawBinding[])
    : tx.raw(sql, bindings as Knex.RawBinding[]).options({ name: nameOf(sql) })

/** Rows with camelCase properties. `?` binds; an array binds as a PostgreSQL array. */
export const select = async <T>(tx: Tx | Knex, sql: string, bindings: readonly unknown[] = []): Promise<T[]> => {
  const { rows } = (await run(tx, sql, bindings)) as { rows: Row[] }
  return rows.map((row) => fromRow<T>(row))
}

// One parameter whatever the number of rows: the table's own row type says what each property is.
const recordset = (table: string, columns: string[]) =>
  `select ${columns.map((column) => `r.${column}`).join(', ')} from json_populate_recordset(null::${table}, ?::json) r`

const columnsOf = (rows: readonly object[]) => Object.keys(rows[0] ?? {}).map(snake)
const json = (rows: readonly object[]) => JSON.stringify(rows.map(toRow))

/** One insert whatever the number of rows. All rows have the properties of the first; columns that none names take their default. */
export const insertRows = async (tx: Tx | Knex, table: string, rows: readonly object[], onConflict = '') => {
  if (rows.length === 0) return
  const columns = columnsOf(rows)
  await run(tx, `insert into ${table} (${columns.join(', ')}) ${recordset(table, columns)} ${onConflict}`, [json(rows)])
}

/** One update whatever the number of rows: sets every property that is not among the keys (camelCase). */
export const updateRows = async (tx: Tx | Knex, table: string, keys: readonly string[], rows: readonly object[]) => {
  if (rows.length === 0) return
  const keyColumns = keys.map(snake)
  const set = columnsOf(rows).filter((column) => !keyColumns.includes(column))
  await run(
    tx,
    `update ${table} t set ${set.map((column) => `${column} = r.${column}`).join(', ')}
     from json_populate_recordset(null::${table}, ?::json) r
     where ${keyColumns.map((column) => `t.${column} = r.${column}`).join(' and ')}`,
    [json(rows)],
  )
}

/** One insert that overwrites what is there under the same keys (camelCase). */
export const upsertRows = (tx: Tx | Knex, table: string, keys: readonly string[], rows: readonly object[]) => {
  const keyColumns = keys.map(snake)
  const set = columnsOf(rows).filter((column) => !keyColumns.includes(column))
  const action = set.length > 0 ? `update set ${set.map((c) => `${c} = excluded.${c}`).join(', ')}` : 'nothing'
  return insertRows(tx, table, rows, `on conflict (${keyColumns.join(', ')}) do ${action}`)
}
