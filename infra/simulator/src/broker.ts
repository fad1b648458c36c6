import { laneOf, type Message, messageId, recordKeyOf, type Saying } from '@coding-plans/runtime'
import { type Instant, topicOf } from '@coding-plans/schemas'

/** A message on its way, and where to. */
export interface Outgoing {
  readonly topic: string
  readonly lane: number
  readonly message: Message
}

/** What a saying was caused by: gives time and correlation where it names none itself. */
export interface Cause extends Pick<Message, 'id' | 'time' | 'correlationId'> {
  /** The message it goes back to, where that is not what the ids are made of. */
  readonly messageId?: string
}

/** As the runtime's scribe: ids are derived from service, cause and index, so that a repeat is recognised. */
export const write = (
  service: string,
  sayings: readonly Saying[],
  cause: Cause | null,
  otherwise: Instant,
): Outgoing[] => {
  const said = new Map<string, number>()
  return sayings.map((saying) => {
    const { name, body } = saying
    const causeId = saying.cause ?? cause?.id
    if (!causeId) throw new Error(`${name} is said without a cause.`)
    const index = said.get(causeId) ?? 0
    said.set(causeId, index + 1)
    const id = messageId(service, causeId, index)
    const key = recordKeyOf(name, body).subject
    const lane = laneOf(key)
    const time = saying.time ?? cause?.time ?? otherwise
    const correlationId = saying.correlationId ?? cause?.correlationId ?? id
    const ids = {
      id,
      source: service,
      correlationId,
      causationId: cause?.messageId ?? cause?.id ?? saying.because ?? null,
      traceparent: null,
    }
    const topic = topicOf(name, service)
    // Its offset is known when it is appended.
    return { topic, lane, message: { name, body, key, lane, topic, offset: -1, time, asOf: time, ...ids } as Message }
  })
}

/** Topics in memory: what was appended stays, in its order on its lane. */
export class Broker {
  /** Topic → its lanes. */
  readonly #topics = new Map<string, Map<number, Message[]>>()

  append({ topic, lane, message }: Outgoing) {
    const partition = this.#partition(topic, lane)
    partition.push({ ...message, offset: partition.length })
  }

  read(topic: string, lane: number, from: number, most: number): readonly Message[] {
    return this.#partition(topic, lane).slice(from, from + most)
  }

  end(topic: string, lane: number): number {
    return this.#partition(topic, lane).length
  }

  /** Each lane of each topic, in its order. */
  partitions(): (readonly Message[])[] {
    return [...this.#topics.values()].flatMap((lanes) => [...lanes.values()])
  }

  #partition(topic: string, lane: number): Message[] {
    const lanes = this.#topics.get(topic) ?? new Map<number, Message[]>()
    this.#topics.set(topic, lanes)
    const partition = lanes.get(lane) ?? []
    lanes.set(lane, partition)
    return partition
  }
}
