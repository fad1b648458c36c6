import { type Instant, topicOf } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import type { Codec } from './codec.ts'
import { type Envelope, nextTraceparent, writeEnvelope } from './envelope.ts'
import { Nonsense } from './failures.ts'
import type { Saying, Tx } from './handler.ts'
import { messageId } from './ids.ts'
import { laneOf } from './kafka/lane-of.ts'
import type { Outgoing } from './kafka/publisher.ts'
import { recordKeyOf } from './record-key.ts'

/** A row of the outbox: a message that is committed and not yet known to be in Kafka. */
export interface OutboxRow extends Outgoing {
  readonly seq: number
  /** The lane whose owner answers for it; the partition it goes to may be another. */
  readonly owner: number
}

const MOST_MESSAGE_BYTES = 1_000_000
const MOST_SEALED_BYTES = 4 * 1024 * 1024
const SEALED_TOPIC = 'key-inventory.uploads'

/** What a saying was caused by: gives time, correlation and trace where it names none itself. */
export interface Cause {
  readonly id: string
  readonly time: Instant
  readonly correlationId: string
  readonly traceparent: string | null
}

/** Turns sayings into records: derives ids from service, cause and index; encodes; refuses what is over its limit. */
export class Scribe {
  readonly #service: string
  readonly #codec: Codec

  constructor(service: string, codec: Codec) {
    this.#service = service
    this.#codec = codec
  }

  /** @throws Nonsense for a body that does not fit its schema or its limit. */
  write(sayings: readonly Saying[], cause: Cause | null, time: Instant): Omit<OutboxRow, 'seq' | 'owner'>[] {
    const said = new Map<string, number>()
    return sayings.map((saying) => {
      const causeId = saying.cause ?? cause?.id
      if (!causeId) throw new Nonsense(`${saying.name} is said without a cause.`)
      const index = said.get(causeId) ?? 0
      said.set(causeId, index + 1)
      const id = messageId(this.#service, causeId, index)
      return this.#record(saying, id, cause, time)
    })
  }

  #record({ name, body, time, correlationId }: Saying, id: string, cause: Cause | null, otherwise: Instant) {
    const { subject, key } = recordKeyOf(name, body)
    const topic = topicOf(name, this.#service)
    const value = this.#codec.encode(name, body)
    const limit = topic === SEALED_TOPIC ? MOST_SEALED_BYTES : MOST_MESSAGE_BYTES
    if (value.length > limit) throw new Nonsense(`${name} has ${value.length} bytes, more than ${limit}.`)
    const envelope: Envelope = {
      id,
      source: this.#service,
      type: name,
      time: time ?? cause?.time ?? otherwise,
      subject,
      correlationId: correlationId ?? cause?.correlationId ?? id,
      causationId: cause?.id ?? null,
      traceparent: nextTraceparent(cause?.traceparent ?? null, id),
    }
    return { topic, lane: laneOf(subject), key, value, headers: writeEnvelope(envelope) }
  }
}

type Unwritten = Omit<OutboxRow, 'seq'>

/** Append in order; the order of `seq` within a lane is the order of commit, since every writer holds the lane's row. */
export const appendOutbox = async (tx: Tx, rows: readonly Unwritten[], accepted = false): Promise<OutboxRow[]> => {
  if (rows.length === 0) return []
  const given = JSON.stringify(
    rows.map(({ owner, lane, topic, key, value, headers }, place) => ({
      place,
      lane: owner,
      partition: lane,
      topic,
      key,
      value: `\\x${value.toString('hex')}`,
      headers,
    })),
  )
  const { rows: written } = (await tx.raw(
    `insert into outbox (lane, topic, partition, key, value, headers, accepted)
     select r.lane, r.topic, r.partition, r.key, r.value, r.headers, ?
     from json_to_recordset(?::json)
       as r(place int, lane smallint, topic text, partition smallint, key text, value bytea, headers jsonb)
     order by r.place returning seq`,
    [accepted, given],
  )) as { rows: { seq: number }[] }
  return rows.map((row, place) => ({ ...row, seq: written[place]?.seq ?? fail() }))
}

const fail = (): never => {
  throw new Error('The outbox returned fewer rows than it was given.')
}

type StoredRow = {
  seq: number
  lane: number
  topic: string
  /** null: written before rows said it; then the key does. */
  partition: number | null
  key: string
  value: Buffer
  headers: Record<string, string>
}

const ACCEPTED_IS_OVERDUE_AFTER = '2 seconds'
const MOST_OVERDUE_AT_ONCE = 1_000

/** What these lanes still owe, in order. What another process accepted a moment ago is left to that process. */
export const owedBy = async (
  knex: Knex,
  lanes: readonly number[],
  scope: 'all' | 'overdue accepted',
): Promise<OutboxRow[]> => {
  const condition = scope === 'all' ? '(not accepted or' : '(accepted and'
  const { rows } = (await knex.raw(
    `select seq, lane, topic, partition, key, value, headers from outbox
     where lane = any(?) and ${condition} created_at < now() - interval '${ACCEPTED_IS_OVERDUE_AFTER}')
     order by seq limit ?`,
    [lanes as number[], scope === 'all' ? null : MOST_OVERDUE_AT_ONCE],
  )) as { rows: StoredRow[] }
  return rows.map(({ seq, lane: owner, topic, partition, key, value, headers }) => ({
    seq,
    owner,
    topic,
    lane: partition ?? laneOf(key),
    key,
    value,
    headers,
  }))
}

export const deletePublished = async (tx: Tx | Knex, seqs: readonly number[]) => {
  if (seqs.length > 0) await tx.raw('delete from outbox where seq = any(?)', [seqs as number[]])
}
