import type { Bodies, Instant } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import type { Codec } from './codec.ts'
import { isRehearsal } from './dead-letter.ts'
import { type DecidingParts, decideAll } from './deciding.ts'
import { isTrouble, Trouble } from './failures.ts'
import { prepareItems, readBatch } from './intake.ts'
import type { Item } from './item.ts'
import { findLetter, type Letter } from './letters.ts'
import type { Owed } from './outbox.ts'
import { isLastWord } from './record-key.ts'
import { execute, select } from './sql.ts'
import type { Tx } from './transaction.ts'

/** A dead letter, read and prepared as if it had just arrived. */
export interface Recalled {
  readonly letter: Letter
  readonly item: Item
}

export type Report = Pick<Bodies['DeadLetterRehearsed'], 'succeeds' | 'reason' | 'says' | 'calls' | 'changes'>

/** Before the round's transaction: what needs the network or CPU of those items that ask for a rehearsal. @throws trouble */
export const recallRehearsed = async <State>(
  parts: Pick<DecidingParts<State>, 'service' | 'handler'> & { readonly knex: Knex; readonly codec: Codec },
  items: readonly Item[],
): Promise<readonly Item[]> => {
  if (!items.some(({ message }) => message && isRehearsal(message))) return items
  return Promise.all(
    items.map(async (item) => {
      const { message } = item
      if (!message || !isRehearsal(message)) return item
      return { ...item, message: { ...message, prepared: await recall(parts, message.body.deadLetterId) } }
    }),
  )
}

const NO_REGISTRY = 'The registry does not answer; rehearse it when it does.'

const recall = async <State>(
  { knex, codec, service, handler }: Parameters<typeof recallRehearsed<State>>[0],
  id: string,
): Promise<Recalled | null> => {
  const letter = await findLetter(knex, id)
  if (!letter) return null
  const { topic, partition: lane, offset, key, value, headers } = letter
  try {
    await codec.prepare(value)
  } catch {
    // Work goes on without the registry; it must not wait because of a rehearsal.
    return { letter, item: { topic, lane, offset, key, value, headers, message: null, nonsense: NO_REGISTRY } }
  }
  const records = [{ offset, key, value, headers }]
  const [item] = await prepareItems(
    handler.prepare,
    readBatch(codec, { service, decide: handler.decide }, { topic, lane, records }),
  )
  return { letter, item: item as Item }
}

const failed = (reason: string): Report => ({ succeeds: false, reason, says: [], calls: [], changes: [] })
const withoutEffect = (reason: string): Report => ({ ...failed(reason), succeeds: true })

/** Carries the report out of what is undone. */
class Undone extends Error {
  readonly report: Report
  constructor(report: Report) {
    super('Undone on purpose.')
    this.report = report
  }
}

/** What the letter would do if it were redriven now, found out by doing it, and undoing it. @throws trouble */
export const rehearse = async <State>(
  parts: DecidingParts<State>,
  tx: Tx,
  { item: { message, nonsense } }: Recalled,
  now: Instant,
): Promise<Report> => {
  const { handler } = parts
  if (nonsense !== undefined) return failed(nonsense)
  if (message === null || !handler.decide[message.name]) return withoutEffect('Nothing here listens to it.')
  const isRemembered = !isLastWord(message.name) && !handler.judgedByVersion?.has(message.name)
  if (isRemembered && (await tookEffect(tx, message)))
    return withoutEffect('It has taken effect already; a copy of it changes nothing.')
  try {
    return await tx.savepoint(async (inner) => {
      const before = await written(inner)
      const { said, called, saved } = await decideAll(parts, inner, [message], now)
      await saved()
      // What is judged at the commit only would be found out too late.
      await execute(inner, 'set constraints all immediate')
      const calls = called.map(({ call: { call, request } }) => ({ name: call, request: shown(request) }))
      const changes = changesBetween(before, await written(inner))
      throw new Undone({ succeeds: true, reason: null, says: sayingsOf(parts, said), calls, changes })
    })
  } catch (error) {
    if (error instanceof Undone) return error.report
    if (isTrouble(error) && !(error instanceof Trouble)) throw error
    return failed(reasonOf(error))
  }
}

const tookEffect = async (tx: Tx, { source, id }: { source: string; id: string }) =>
  (await select(tx, 'select from seen where source = ? and id = ?::uuid and not dead', [source, id])).length > 0

/** A database's words may repeat what it was given. */
const reasonOf = (error: unknown) => {
  const { code, message } = error as { code?: unknown; message: string }
  return typeof code === 'string' && !(error instanceof Trouble)
    ? `The database refuses it (${code}).`
    : message.slice(0, 300)
}

const MOST_SHOWN = 50
const MOST_CHARACTERS = 4_000

const sayingsOf = <State>({ scribe }: DecidingParts<State>, said: readonly Owed[]) =>
  said.slice(0, MOST_SHOWN).map((record) => {
    const { name, body } = scribe.read(record)
    return { name, body: shown(body) }
  })

/** As JSON; of bytes their number, since they are sealed. */
export const shown = (body: object) => {
  const text = JSON.stringify(withoutBytes(body))
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text
}

const withoutBytes = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return `<${value.length} bytes>`
  if (Array.isArray(value)) return value.map(withoutBytes)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutBytes(inner)]))
}

const VERBS = ['insert', 'update', 'delete'] as const
type Written = Record<(typeof VERBS)[number], number> & { readonly table: string }

/** How many rows of each table this connection has written so far; PostgreSQL counts them itself, whatever the statement. */
const written = async (tx: Tx) =>
  new Map(
    (
      await select<Written>(
        tx,
        `select relname as table, n_tup_ins::int as insert, n_tup_upd::int as update, n_tup_del::int as delete
         from pg_stat_xact_user_tables order by relname`,
      )
    ).map((row) => [row.table, row]),
  )

const changesBetween = (before: ReadonlyMap<string, Written>, after: ReadonlyMap<string, Written>) =>
  [...after.values()].flatMap((row) =>
    VERBS.map((verb) => ({ table: row.table, verb, rows: row[verb] - (before.get(row.table)?.[verb] ?? 0) })).filter(
      ({ rows }) => rows > 0,
    ),
  )
