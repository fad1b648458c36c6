import { type Instant, topicOf } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import type { Codec } from './codec.ts'
import { type Envelope, nextTraceparent, writeEnvelope } from './envelope.ts'
import { Nonsense } from './failures.ts'
import type { Saying, Tx } from './handler.ts'
import { messageId } from './ids.ts'
import { laneOf } from './kafka/lane-of.ts'
import type { Outgoing } from './kafka/publisher.ts'
import { pack, unpack } from './parcel.ts'
import { recordKeyOf } from './record-key.ts'
import { execute, select } from './sql.ts'

/** A message to be published, and the lane whose owner answers for it; the partition it goes to may be another. */
export interface Owed extends Outgoing {
  readonly owner: number
}

/** A row of the outbox: what one transaction said on one lane, committed and not yet known to be in Kafka. */
export interface Parcel {
  readonly seq: number
  /** In the order in which they are published. */
  readonly messages: readonly Outgoing[]
}

const MOST_MESSAGE_BYTES = 1_000_000
const MOST_SEALED_BYTES = 4 * 1024 * 1024
/** What it carries is of use to nobody once the keys that it is sealed to are destroyed. */
export const SEALED_TOPIC = 'key-inventory.uploads'

/** What a saying was caused by: gives time, correlation and trace where it names none itself. */
export interface Cause {
  /** What the ids of the sayings are made of. */
  readonly id: string
  /** The message it goes back to, where that is another: a call to the outside was made because of one. */
  readonly messageId?: string | null
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
  write(sayings: readonly Saying[], cause: Cause | null, time: Instant): Outgoing[] {
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

  /** What a record of ours says, as its readers will find it. */
  read({ value }: Outgoing): Pick<Saying, 'name' | 'body'> {
    const name = this.#codec.nameOf(value)
    if (name === null) throw new Nonsense('The record is of no message that is known here.')
    return { name, body: this.#codec.decode(name, value) }
  }

  #record({ name, body, time, correlationId, because }: Saying, id: string, cause: Cause | null, otherwise: Instant) {
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
      causationId: cause?.messageId ?? cause?.id ?? because ?? null,
      traceparent: nextTraceparent(cause?.traceparent ?? null, id),
    }
    return { topic, lane: laneOf(subject), key, value, headers: writeEnvelope(envelope) }
  }
}

/**
 * Append a parcel for each lane, its messages in the given order; the order of `seq` within a lane is the order of commit,
 * since every writer holds the lane's row.
 */
export const appendOutbox = async (tx: Tx, owed: readonly Owed[], accepted = false): Promise<Parcel[]> => {
  if (owed.length === 0) return []
  const lanes = new Map<number, Outgoing[]>()
  for (const message of owed) {
    const messages = lanes.get(message.owner)
    if (messages) messages.push(message)
    else lanes.set(message.owner, [message])
  }
  const parcels = [...lanes]
  const written = await select<{ seq: number }>(
    tx,
    `insert into outbox (lane, accepted, parcel)
     select lane, accepted, parcel
     from (values ${parcels.map(() => '(?::smallint, ?::boolean, ?::bytea)').join(', ')}) r(lane, accepted, parcel)
     returning seq`,
    parcels.flatMap(([lane, messages]) => [lane, accepted, pack(messages)]),
  )
  return parcels.map(([, messages], place) => ({ seq: written[place]?.seq ?? fail(), messages }))
}

const fail = (): never => {
  throw new Error('The outbox returned fewer rows than it was given.')
}

const ACCEPTED_IS_OVERDUE_AFTER = '2 seconds'
const MOST_OVERDUE_AT_ONCE = 1_000

/** What these lanes still owe, in order. What another process accepted a moment ago is left to that process. */
export const owedBy = async (
  knex: Knex,
  lanes: readonly number[],
  scope: 'all' | 'overdue accepted',
): Promise<Parcel[]> => {
  const condition = scope === 'all' ? '(not accepted or' : '(accepted and'
  const rows = await select<{ seq: number; parcel: Buffer | null } & Single>(
    knex,
    `select seq, parcel, topic, partition, key, value, headers from outbox
     where lane = any(?) and ${condition} created_at < now() - interval '${ACCEPTED_IS_OVERDUE_AFTER}')
     order by seq limit ?`,
    [lanes as number[], scope === 'all' ? null : MOST_OVERDUE_AT_ONCE],
  )
  return rows.map(({ seq, parcel, ...single }) => ({ seq, messages: parcel ? unpack(parcel) : [messageOf(single)] }))
}

/** A row of before there were parcels: one message; older ones do not say their partition. */
interface Single {
  readonly topic: string
  readonly partition: number | null
  readonly key: string
  readonly value: Buffer
  readonly headers: Record<string, string>
}

const messageOf = ({ partition, ...message }: Single): Outgoing => ({
  ...message,
  lane: partition ?? laneOf(message.key),
})

export const deletePublished = async (tx: Tx | Knex, seqs: readonly number[]) => {
  if (seqs.length > 0) await execute(tx, 'delete from outbox where seq = any(?)', [seqs])
}
