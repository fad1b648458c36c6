import { laneOf } from '@coding-plans/runtime'
import pg from 'pg'

/** The rows of one life in one database, and the statement that writes them once more for each of many others. */

/** Delivery's own: what was said and heard is no part of a life. */
const NOT_LIVED = ['lanes', 'seen', 'outbox', 'effects']

/** `kind_` and hexadecimal digits, or a UUID. The first sixteen digits make a clone's own id of it. */
const ID = /^(?:[a-z]+_[0-9a-f]{20,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/
const CODE_DIGITS = 16
const CODE_DIGITS_OF_UUID = 18

interface Column {
  readonly name: string
  readonly type: string
  /** The database counts it. */
  readonly counted: boolean
}

interface Table {
  readonly name: string
  readonly columns: readonly Column[]
  /** The columns of each unique index. */
  readonly unique: readonly (readonly string[])[]
}

/** Every value as text. */
export type Row = Readonly<Record<string, string | null>>

export interface LivedTable {
  readonly table: Table
  readonly rows: readonly Row[]
}

const isText = ({ type }: Column) => type === 'text'

/** Of all tables that services keep, whatever migrations there were. */
export const tablesOf = async (client: pg.Client): Promise<Table[]> => {
  const { rows } = await client.query(
    `select c.relname as name,
       (select json_agg(json_build_object('name', attname, 'type', format_type(atttypid, null),
          'counted', attidentity <> '' or attgenerated <> '') order by attnum)
        from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped) as columns,
       coalesce((select json_agg((select json_agg(a.attname order by k.place)
          from unnest(i.indkey) with ordinality k(attnum, place)
          join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum))
        from pg_index i where i.indrelid = c.oid and i.indisunique), '[]') as "unique"
     from pg_class c
     where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
       and c.relname not like 'knex%' and c.relname <> all($1) order by 1`,
    [NOT_LIVED],
  )
  return rows
}

const quoted = (name: string) => pg.escapeIdentifier(name)

/** The rows in which one of these ids stands alone in a column; by their place. */
const rowsWith = async (client: pg.Client, { name, columns }: Table, ids: readonly string[]) => {
  const texts = columns.filter(isText)
  if (texts.length === 0) return new Map<string, Row>()
  const shown = columns.map((column) => `${quoted(column.name)}::text as ${quoted(column.name)}`)
  const found = texts.map((column) => `${quoted(column.name)} = any($1)`)
  const { rows } = await client.query(
    `select ctid::text as "its place", ${shown.join(', ')} from ${quoted(name)} where ${found.join(' or ')}`,
    [ids],
  )
  return new Map(rows.map(({ 'its place': place, ...row }) => [place as string, row as Row]))
}

const keysIn = ({ columns, unique }: Table, row: Row) =>
  columns
    .filter((column) => isText(column) && unique.some((index) => index.includes(column.name)))
    .map(({ name }) => row[name])
    .filter((value): value is string => value != null && ID.test(value))

/** One database's part of a life, as far as these ids lead; and the ids that were learnt on the way. */
export const rowsOf = async (client: pg.Client, tables: readonly Table[], ids: readonly string[]) => {
  const learnt = new Set<string>()
  const lived: LivedTable[] = []
  for (const table of tables) {
    const rows = [...(await rowsWith(client, table, ids)).values()]
    if (rows.length > 0) lived.push({ table, rows })
    for (const row of rows) for (const key of keysIn(table, row)) learnt.add(key)
  }
  return { lived, learnt }
}

const literal = (text: string) => pg.escapeLiteral(text)

const cloned = (id: string) =>
  id.includes('_')
    ? `${literal(id.slice(0, id.indexOf('_') + 1))} || c.code || ${literal(id.slice(id.indexOf('_') + 1 + CODE_DIGITS))}`
    : `c.dashed || ${literal(id.slice(CODE_DIGITS_OF_UUID))}`

/** The clone's id, as `cloned` makes it in SQL. */
export const cloneOf = (id: string, code: string) => {
  const begins = id.indexOf('_') + 1
  return `${id.slice(0, begins)}${code}${id.slice(begins + CODE_DIGITS)}`
}

/** The text with each of a life's ids replaced by the clone's, as an SQL expression; null: there is none in it. */
export const spliced = (text: string, ids: readonly string[]): string | null => {
  if (!ids.some((id) => text.includes(id))) return null
  const known = new Set(ids)
  return text
    .split(new RegExp(`(${ids.join('|')})`))
    .filter((part) => part !== '')
    .map((part) => (known.has(part) ? cloned(part) : literal(part)))
    .join(' || ')
}

/** What of a unique index is a number that must go on counting, since nothing else in it tells clones apart. */
const countingColumnOf = ({ columns, name: table }: Table, row: Row, index: readonly string[], varies: Set<string>) => {
  if (index.some((name) => varies.has(name) || row[name] === null)) return null
  const number = columns.findLast(({ name, type }) => index.includes(name) && /^(bigint|integer)$/.test(type))
  if (!number) throw new Error(`Nothing tells clones in ${table} apart by (${index.join(', ')}).`)
  return number.name
}

const highestOf = async (client: pg.Client, table: Table, row: Row, column: string, index: readonly string[]) => {
  const others = index.filter((name) => name !== column)
  const same = others.map((name, n) => `${quoted(name)}::text = $${n + 1}`)
  const { rows } = await client.query(
    `select max(${quoted(column)}) as highest from ${quoted(table.name)} where ${['true', ...same].join(' and ')}`,
    others.map((name) => row[name]),
  )
  return Number(rows[0].highest)
}

/** Of one life: the ids that are its own, and values for which an expression is known. */
export interface Own {
  readonly ids: readonly string[]
  readonly known: ReadonlyMap<string, string>
}

const expressionsOf = async (client: pg.Client, table: Table, row: Row, { ids, known }: Own) => {
  const { columns, unique } = table
  const varying = new Map<string, string>()
  for (const { name, type } of columns) {
    const value = row[name]
    if (value == null) continue
    const isKey = unique.some((index) => index.includes(name))
    if (name === 'lane') varying.set(name, 'c.lane')
    else if (type === 'bytea' && isKey) varying.set(name, `sha256(${literal(value)}::bytea || decode(c.code, 'hex'))`)
    else {
      const text = type === 'bytea' ? null : (known.get(value) ?? spliced(value, ids))
      if (text) varying.set(name, `(${text})::${type}`)
    }
  }
  const varies = new Set([...varying.keys(), ...columns.filter(({ counted }) => counted).map(({ name }) => name)])
  varies.delete('lane')
  for (const index of unique) {
    const column = countingColumnOf(table, row, index, varies)
    if (column) varying.set(column, `${await highestOf(client, table, row, column, index)} + c.n`)
  }
  return varying
}

/** `insert` for each of the clones in the temporary table `clones (n, code, dashed, lane)`. */
export const cloningOf = async (client: pg.Client, { table, rows }: LivedTable, own: Own) => {
  const columns = table.columns.filter(({ counted }) => !counted)
  const values: string[] = []
  for (const row of rows) {
    const varying = await expressionsOf(client, table, row, own)
    const cells = columns.map(({ name, type }) => {
      const value = row[name]
      return `${varying.get(name) ?? (value == null ? 'null' : literal(value))}::${type}`
    })
    values.push(`(${cells.join(', ')})`)
  }
  // One user's rows lie beside each other, as if written in one transaction.
  const names = columns.map(({ name }) => quoted(name)).join(', ')
  return `insert into ${quoted(table.name)} (${names})
    select v.* from clones c cross join lateral (values ${values.join(', ')}) v`
}

/** @throws if the lane that a row has is not its user's: then `lane` means another thing. */
export const checkLanes = (lived: readonly LivedTable[], user: string) => {
  const lane = String(laneOf(user))
  for (const { table, rows } of lived)
    if (rows.some((row) => 'lane' in row && row.lane !== lane))
      throw new Error(`In ${table.name} a row of ${user} is on another lane than ${lane}.`)
}
