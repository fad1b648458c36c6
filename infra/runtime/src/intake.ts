import { type MessageName, topicOf } from '@coding-plans/schemas'
import type { Codec } from './codec.ts'
import { isLetterCommand, letterTopics } from './dead-letter.ts'
import { readEnvelope } from './envelope.ts'
import { Nonsense } from './failures.ts'
import type { Message, Prepare } from './handler.ts'
import type { Item } from './item.ts'
import type { Arrived, Batch } from './kafka/subscription.ts'
import { markOf, redrivenTopicOf } from './letters.ts'
import { isLastWord, recordKeyOf } from './record-key.ts'

/** Who hears: a service, and by their keys the messages that it decides. */
export interface Hearer {
  readonly service: string
  readonly decide: { readonly [Name in MessageName]?: unknown }
}

/** Turns records into messages, or into what will be dead letters. Synchronous, once the codec knows the writers. */
export const readBatch = (
  codec: Codec,
  hearer: Hearer,
  { topic, lane, records }: Pick<Batch, 'topic' | 'lane' | 'records'>,
): Item[] =>
  records.map((record) => {
    // A redriven copy stands for the record that it is a copy of.
    const mark = topic === redrivenTopicOf(hearer.service) ? markOf(hearer.service, record.headers) : null
    const place = { topic: mark?.topic ?? topic, offset: mark?.offset ?? record.offset, lane }
    return { ...record, ...place, ...readRecord(codec, hearer, place, record) }
  })

const readRecord = (
  codec: Codec,
  { service, decide }: Hearer,
  { topic, lane, offset }: Pick<Item, 'topic' | 'lane' | 'offset'>,
  { key, value, headers }: Arrived,
): Pick<Item, 'message' | 'nonsense'> => {
  try {
    const name = codec.nameOf(value)
    const isForAll = name !== null && isLetterCommand({ name })
    if (name === null || !(decide[name] || isForAll) || value === null) return { message: null }
    const { id, source, time, correlationId, causationId, traceparent } = readEnvelope(headers)
    const body = codec.decode(name, value)
    // All hear it, and the one does it that it names.
    if (!decide[name] && (body as { service?: string }).service !== service) return { message: null }
    return {
      message: {
        name,
        body,
        id,
        source,
        key: isLastWord(name) ? recordKeyOf(name, body).subject : key,
        lane,
        topic,
        offset,
        time,
        asOf: time,
        correlationId,
        causationId,
        traceparent,
      } as Message,
    }
  } catch (error) {
    if (error instanceof Nonsense) return { message: null, nonsense: error.message }
    throw error
  }
}

/** Work that needs CPU or the network, before the transaction. A throw is nonsense and stays with its message. */
export const prepareItems = async (prepare: Prepare | undefined, items: readonly Item[]): Promise<Item[]> =>
  Promise.all(
    items.map(async (item) => {
      const { message } = item
      const work = message && (prepare?.[message.name] as ((message: Message) => Promise<unknown>) | undefined)
      if (!message || !work) return item
      try {
        return { ...item, message: { ...message, prepared: await work(message) } }
      } catch (error) {
        return { ...item, message: null, nonsense: (error as Error).message }
      }
    }),
  )

/** Where these messages travel. Those of owner `any` are heard on the topics of the others. */
export const topicsOf = (names: readonly MessageName[]): string[] =>
  [...new Set(names.map((name) => topicOf(name, '*')))].filter((topic) => !topic.startsWith('*')).sort()

/**
 * What a service reads: what it decides, and what is asked of its dead letters. Who lists dead letters reads its own news
 * as well: of what anybody says, everybody else hears only the others.
 */
export const topicsHeard = ({ service, decide }: Hearer): string[] => {
  const own = decide.DeadLetterKept ? [topicOf('DeadLetterKept', service)] : []
  const redriven = redrivenTopicOf(service)
  return [...new Set([...topicsOf(Object.keys(decide) as MessageName[]), ...letterTopics, ...own, redriven])].sort()
}
