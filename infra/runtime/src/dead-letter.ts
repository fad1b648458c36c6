import { type Instant, instant, type MessageName, topicOf } from '@coding-plans/schemas'
import type { Message } from './handler.ts'
import { isMessageId, messageId } from './ids.ts'
import type { Item } from './item.ts'
import type { Outgoing } from './kafka/publisher.ts'
import type { MessageKey } from './lanes.ts'

/** The dead-letter topic of one consumer of one topic. */
export const deadLetterTopicOf = (topic: string, consumer: string) => `${topic}.${consumer}.dlq`

// PostgreSQL keeps neither U+0000 nor half a surrogate pair, and a record may bring both.
export const storable = (text: string) => text.replaceAll('\0', '\uFFFD').toWellFormed()

export const storableHeaders = (headers: Item['headers']): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [storable(name), storable(value)]))

/** As what a record is known, if it says so. */
export const keyOfRecord = ({ ce_source: source, ce_id: id = '' }: Item['headers']): MessageKey[] =>
  source && isMessageId(id) ? [{ source: storable(source), id }] : []

/** The record as it came, with where it was and why it is here; sent again as it is when its cause is mended. */
export const deadLetterOf = (consumer: string, item: Item, reason: string, now: Instant): Outgoing => ({
  topic: deadLetterTopicOf(item.topic, consumer),
  lane: item.lane,
  key: storable(item.key),
  value: item.value ?? Buffer.alloc(0),
  headers: {
    ...storableHeaders(item.headers),
    dead_topic: item.topic,
    dead_partition: String(item.lane),
    dead_offset: String(item.offset),
    dead_reason: storable(reason.slice(0, 300)),
    dead_at: new Date(now).toISOString(),
  },
})

/** It goes back to the dead message, and is another. */
export type Failure = Message<'CommandFailed'> & { readonly messageId: string }

/**
 * The news of a dead letter, for whoever waits for what it was to bring; null: nobody can be told. Its id is its own: what is
 * said of it must not be taken for what the dead message says when it is sent again.
 */
export const failureOf = (service: string, item: Item, reason: string, now: Instant): Failure | null => {
  const { headers, message } = item
  const id = message?.id ?? headers.ce_id
  const key = message?.key ?? item.key
  if (!id || key === '') return null
  const time = message?.time ?? instant(Date.parse(headers.ce_time ?? '') || now)
  return {
    name: 'CommandFailed',
    body: {
      subject: storable(key),
      messageId: id,
      messageName: message?.name ?? storable(headers.ce_type ?? ''),
      reason: storable(reason.slice(0, 200)),
    },
    id: messageId(service, `failed|${id}`, 0),
    messageId: id,
    source: service,
    key,
    lane: item.lane,
    topic: item.topic,
    offset: item.offset,
    time,
    asOf: time,
    correlationId: message?.correlationId ?? storable(headers.ce_correlationid ?? id),
    causationId: id,
    traceparent: message?.traceparent ?? null,
  }
}

export type Redrive = Message<'RedriveDeadLetter'>
export type Rehearsal = Message<'RehearseDeadLetter'>
/** What the runtime answers itself, in every service. */
export type LetterCommand = Redrive | Rehearsal

const letterCommands: readonly MessageName[] = [
  'RedriveDeadLetter',
  'RehearseDeadLetter',
] satisfies LetterCommand['name'][]
export const isRedrive = (message: Message): message is Redrive => message.name === 'RedriveDeadLetter'
export const isRehearsal = (message: Message): message is Rehearsal => message.name === 'RehearseDeadLetter'
export const isLetterCommand = (message: Pick<Message, 'name'>): message is LetterCommand =>
  letterCommands.includes(message.name)
/** Where they travel. */
export const letterTopics: readonly string[] = [...new Set(letterCommands.map((name) => topicOf(name, '*')))]

const MOST_IN_A_MINUTE = 20
const MINUTE = 60_000

/** More dead letters than believable: a bad deployment must not empty a topic into the dead letters. */
export class TooManyDeadLetters extends Error {
  constructor() {
    super(
      `More than ${MOST_IN_A_MINUTE} dead letters in a minute: the consumer stopped. Restart it when the cause is mended.`,
    )
  }
}

/** Counts the dead letters of the last minute. */
export class BurstGuard {
  #recent: number[] = []

  /** @throws TooManyDeadLetters if `count` more are too many. */
  check(count: number, now: number) {
    this.#recent = this.#recent.filter((at) => at > now - MINUTE)
    if (this.#recent.length + count > MOST_IN_A_MINUTE) throw new TooManyDeadLetters()
  }

  note(count: number, now: number) {
    for (let i = 0; i < count; i += 1) this.#recent.push(now)
  }
}
