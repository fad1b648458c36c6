import { type Bodies, type Instant, sealedTopics } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import { keyOfRecord, storable, storableHeaders } from './dead-letter.ts'
import { isMessageId, messageId } from './ids.ts'
import type { Item } from './item.ts'
import { forgetDead } from './lanes.ts'
import { execute, select } from './sql.ts'
import type { Tx } from './transaction.ts'

/** A dead letter as the service keeps it beside its dead-letter topic, so that it can be listed, rehearsed and redriven. */
export interface Letter {
  readonly id: string
  readonly topic: string
  readonly partition: number
  /** Where it died last. */
  readonly offset: number
  readonly key: string
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
  readonly messageName: string
  readonly messageId: string | null
  readonly reason: string
  readonly correlationId: string
  /** Its key or, where that cannot be one, its id. */
  readonly subject: string
  readonly diedAt: Instant
  readonly redrives: number
  /** redriving: its copy is on the way. redriven: it took effect. */
  readonly state: 'kept' | 'redriving' | 'redriven'
  /** Raised by every write. */
  readonly version: number
  /** The redrive that was asked for last, and its business time. */
  readonly operationId: string | null
  readonly redrivenAt: Instant | null
}

/** A letter that died this often after being redriven is not mended by trying: its cause is. */
export const MOST_REDRIVES = 3

/** On the copy of a redriven record: whose it is, so that its owner knows it when it comes. */
const MARK = 'redrive'

interface Mark {
  readonly id: string
  readonly redrives: number
  /** Where the record lay that it is a copy of. */
  readonly topic: string
  readonly offset: number
}

/**
 * Where a service's redriven copies go, and nobody else's: the others have the record already, and on its own topic it could
 * be written only by who may write to that of another.
 */
export const redrivenTopicOf = (service: string) => `${service}.redriven`

/** Whether a record may be a redriven copy; whose it is says `markOf`. */
export const isMarked = ({ headers }: Pick<Item, 'headers'>) => headers[MARK] !== undefined

/** Which redrive of ours this copy is; null: none of ours. */
export const markOf = (service: string, headers: Item['headers']): Mark | null => {
  const [whose, id = '', redrives, offset, topic] = headers[MARK]?.split('|') ?? []
  if (whose !== service || !isMessageId(id) || !topic) return null
  return { id, redrives: Number(redrives), offset: Number(offset), topic }
}

export const withMark = (service: string, { id, redrives, offset, topic, headers }: Letter) => ({
  ...headers,
  [MARK]: `${service}|${id}|${redrives}|${offset}|${topic}`,
})

/** The same message that dies again is the same dead letter; without a usable id it is known by its place. */
export const letterIdOf = (service: string, { topic, lane, offset, headers }: Item) => {
  const marked = markOf(service, headers)
  const id = headers.ce_id ?? ''
  return marked?.id ?? messageId(service, `dead|${topic}|${isMessageId(id) ? id : `${lane}|${offset}`}`, 0)
}

const COLUMNS = `id, topic, partition, record_offset as offset, key, value, headers, message_name, message_id, reason,
  correlation_id, subject, died_at, redrives, state, version, operation_id, redriven_at`

// As long as the dead-letter topics keep them. What holds a user's key, though sealed, goes sooner.
const KEPT_FOR = { letters: '90 days', sealed: '7 days' }

// What its news repeats of a record must fit into a message, whatever the record holds.
const LONGEST = 300
const brief = (text: string) => storable(text.slice(0, LONGEST))

/** Keep a dead record, in the transaction that buries it. What died before is the same letter, kept again. */
export const keepLetter = async (
  tx: Tx,
  service: string,
  { item, reason }: { readonly item: Item; readonly reason: string },
  now: Instant,
): Promise<Letter> => {
  const { topic, lane, offset, message, value } = item
  const { [MARK]: _, ...headers } = item.headers
  const id = letterIdOf(service, item)
  const key = message?.key ?? item.key
  const [letter] = await select<Letter>(
    tx,
    `insert into dead_letters as d (id, topic, partition, record_offset, key, value, headers, message_name, message_id,
       reason, correlation_id, subject, died_at, forget_at)
     values (?::uuid, ?, ?, ?, ?, ?, ?::jsonb, ?, ?, ?, ?, ?, ?, now() + ?::interval)
     on conflict (id) do update set state = 'kept', version = d.version + 1, partition = excluded.partition,
       record_offset = excluded.record_offset, value = excluded.value, headers = excluded.headers,
       reason = excluded.reason, died_at = excluded.died_at, forget_at = excluded.forget_at
     returning ${COLUMNS}`,
    [
      id,
      topic,
      lane,
      offset,
      storable(item.key),
      value ?? Buffer.alloc(0),
      JSON.stringify(storableHeaders(headers)),
      brief(message?.name ?? headers.ce_type ?? ''),
      message?.id ?? (headers.ce_id ? brief(headers.ce_id) : null),
      brief(reason),
      brief(message?.correlationId ?? headers.ce_correlationid ?? id),
      key === '' || key.length > LONGEST ? id : storable(key),
      now,
      sealedTopics.has(topic) ? KEPT_FOR.sealed : KEPT_FOR.letters,
    ],
  )
  return letter as Letter
}

export const findLetter = async (on: Tx | Knex, id: string, lock: '' | 'for update' = ''): Promise<Letter | null> => {
  if (!isMessageId(id)) return null
  const [letter] = await select<Letter>(on, `select ${COLUMNS} from dead_letters where id = ?::uuid ${lock}`, [id])
  return letter ?? null
}

/** Its copy goes out with this transaction, and will not have been seen. */
export const beginRedrive = async (tx: Tx, id: string, operationId: string, at: Instant): Promise<Letter> => {
  const [letter] = await select<Letter>(
    tx,
    `update dead_letters set state = 'redriving', redrives = redrives + 1, version = version + 1,
       operation_id = ?, redriven_at = ? where id = ?::uuid returning ${COLUMNS}`,
    [operationId, at, id],
  )
  for (const key of keyOfRecord((letter as Letter).headers)) await forgetDead(tx, key)
  return letter as Letter
}

/** Their copies came; of those that died, also as a copy before, the letter is kept. @returns those that were waited for */
export const endRedrives = async (tx: Tx, marks: readonly Mark[]): Promise<Letter[]> => {
  const letters: Letter[] = []
  for (const { id, redrives } of marks.toSorted((a, b) => (a.id < b.id ? -1 : 1)))
    letters.push(
      ...(await select<Letter>(
        tx,
        `update dead_letters set state = 'redriven', version = version + 1
         where id = ?::uuid and redrives = ? and state = 'redriving' returning ${COLUMNS}`,
        [id, redrives],
      )),
    )
  return letters
}

/** What `DeadLetterKept` and `DeadLetterRedriven` say of it. */
export const newsOf = (service: string, letter: Letter): Bodies['DeadLetterKept'] => {
  const {
    id: deadLetterId,
    key: _key,
    value: _value,
    headers: _headers,
    state: _state,
    redrivenAt: _at,
    ...rest
  } = letter
  return { ...rest, deadLetterId, service, redrivesLeft: Math.max(0, MOST_REDRIVES - letter.redrives) }
}

export const countKept = async (knex: Knex): Promise<number> => {
  const [row] = await select<{ kept: number }>(
    knex,
    `select count(*)::int as kept from dead_letters where state <> 'redriven'`,
  )
  return row?.kept ?? 0
}

const MOST_FORGOTTEN_AT_ONCE = 500

/** In portions, until nothing old is left. */
export const forgetOldLetters = async (knex: Knex): Promise<void> => {
  const count = await execute(
    knex,
    `delete from dead_letters where ctid = any(array(
       select ctid from dead_letters where forget_at < now() limit ${MOST_FORGOTTEN_AT_ONCE}))`,
  )
  if (count === MOST_FORGOTTEN_AT_ONCE) await forgetOldLetters(knex)
}
