import { type Bodies, type Instant, instant, type MessageName, routeOf, topicOf } from '@coding-plans/schemas'
import { pino } from 'pino'
import type { Cluster } from './cluster.ts'
import { Codec } from './codec.ts'
import { pause } from './failures.ts'
import type { Message } from './handler.ts'
import { messageId } from './ids.ts'
import { connectKafka } from './kafka/client.ts'
import { laneOf } from './kafka/lane-of.ts'
import { KafkaPublisher, type Outgoing, takeSend } from './kafka/publisher.ts'
import { Scribe } from './outbox.ts'

export { LANES } from './kafka/lane-of.ts'
export { Metrics } from './metrics.ts'

let count = 0

/** A message as a handler meets it, for tests of pure functions. Each has an id of its own unless one is given. */
export const message = <Name extends MessageName>(
  name: Name,
  body: Bodies[Name],
  overrides: Partial<Omit<Message<Name>, 'name' | 'body'>> = {},
): Message<Name> => {
  count += 1
  const { owner, key: field } = routeOf(name)
  const key = String((body as unknown as Record<string, unknown>)[field])
  const id = overrides.id ?? messageId(owner, `test ${count}`, 0)
  const time = overrides.time ?? instant(0)
  return {
    name,
    body,
    id,
    source: owner,
    key,
    lane: laneOf(key),
    topic: topicOf(name, owner),
    offset: count,
    time,
    asOf: time,
    correlationId: id,
    causationId: null,
    traceparent: null,
    ...overrides,
  }
}

export interface Servers extends Cluster {
  readonly registryUrl: string
  /** Who vouches for the registry (PEM). */
  readonly registryCa?: string | undefined
}

const silent = pino({ level: process.env.BED_LOG_LEVEL ?? 'silent' })

/** Says messages to real topics in any service's name, as a test's other side. */
export class Speaker {
  readonly #service: string
  readonly #codec: Codec
  readonly #publisher: KafkaPublisher

  constructor(service: string, servers: Servers) {
    this.#service = service
    this.#codec = new Codec(servers.registryUrl, servers.registryCa)
    this.#publisher = new KafkaPublisher({ ...servers, clientId: 'test-speaker', log: silent })
  }

  async open() {
    await this.#codec.learn(this.#service)
    return this
  }

  /** The record of a message; the same cause is the same message. */
  record<Name extends MessageName>(
    name: Name,
    body: Bodies[Name],
    how: { cause: string; time?: Instant; correlationId?: string },
  ): Outgoing {
    const [record] = new Scribe(this.#service, this.#codec).write(
      [{ name, body, ...how } as never],
      null,
      how.time ?? instant(Date.now()),
    )
    return record as Outgoing
  }

  /** @param signal gives up what is not taken */
  async say(records: readonly Outgoing[], signal = new AbortController().signal) {
    for (let rest = [...records]; rest.length > 0; ) {
      const part = rest.slice(0, takeSend(rest))
      await this.#publisher.send(part, signal)
      rest = rest.slice(part.length)
    }
  }

  close() {
    return this.#publisher.close()
  }
}

/** A record as a stranger reads it from a topic. */
export interface Heard {
  readonly topic: string
  readonly lane: number
  readonly offset: number
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly name: MessageName | null
  readonly id: string
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into bodies of many kinds
  readonly body: any
}

/** Each message once: whoever takes over a lane may say again what was said last, under the same id. */
export const distinct = (heard: readonly Heard[]): Heard[] => [...new Map(heard.map((one) => [one.id, one])).values()]

/** Reads whole topics from their beginning, as a stranger would. */
export class Listener {
  readonly heard: Heard[] = []
  readonly #consumer
  readonly #codec: Codec

  constructor(servers: Servers) {
    this.#codec = new Codec(servers.registryUrl, servers.registryCa)
    const groupId = `listener-${process.pid}-${count++}-${Date.now()}`
    this.#consumer = connectKafka({ ...servers, clientId: 'test-listener', log: silent }).consumer({
      groupId,
      maxWaitTimeInMs: 50,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 100 },
    })
  }

  async open(topics: readonly string[]) {
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topics: [...topics], fromBeginning: true })
    await this.#consumer.run({
      autoCommit: false,
      // Not one by one: what is left of a batch on a compacted topic may be nothing, and then only the batch can be resolved.
      eachBatch: async ({ batch: { topic, partition, messages } }) => {
        for (const { offset, key, value, headers } of messages) {
          const text = Object.fromEntries(Object.entries(headers ?? {}).map(([name, header]) => [name, String(header)]))
          const record = { topic, lane: partition, offset: Number(offset), key: key?.toString() ?? '', headers: text }
          this.heard.push({ ...record, id: text.ce_id ?? '', ...(await this.#read(value)) })
        }
      },
    })
    return this
  }

  async #read(value: Buffer | null): Promise<Pick<Heard, 'name' | 'body'>> {
    try {
      await this.#codec.prepare(value)
      const name = this.#codec.nameOf(value)
      return { name, body: name && value ? this.#codec.decode(name, value) : value }
    } catch {
      return { name: null, body: value }
    }
  }

  /** Waits until `enough` messages fit, repeats counted, and returns all that do. @throws after the deadline. */
  async until(fits: (heard: Heard) => boolean, enough = 1, deadlineMilliseconds = 20_000): Promise<Heard[]> {
    const until = Date.now() + deadlineMilliseconds
    for (;;) {
      const found = this.heard.filter(fits)
      if (found.length >= enough) return found
      if (Date.now() > until) throw new Error(`Heard ${found.length} of ${enough} within ${deadlineMilliseconds} ms.`)
      await pause(10)
    }
  }

  /** @returns a function for what came since it was last called: each message once, as who keeps seen ids takes it. */
  follow(): () => Heard[] {
    const seen = new Set<string>()
    let next = 0
    return () => {
      const fresh: Heard[] = []
      for (const one of this.heard.slice(next)) {
        if (!seen.has(one.id)) fresh.push(one)
        seen.add(one.id)
        next += 1
      }
      return fresh
    }
  }

  close() {
    return this.#consumer.disconnect()
  }
}

/** Counts what was ever written to a topic, over one connection that stays: for who asks again and again. */
export const openCounter = async (cluster: Cluster) => {
  const admin = connectKafka({ ...cluster, clientId: 'test-counter', log: silent }).admin()
  await admin.connect()
  return {
    count: async (topic: string): Promise<number> =>
      (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0),
    close: () => admin.disconnect(),
  }
}

/** Waits for what must become true. @throws after the deadline, with what was seen last. */
export const eventually = async <T>(
  look: () => Promise<T> | T,
  holds: (seen: T) => boolean,
  deadlineMilliseconds = 20_000,
): Promise<T> => {
  const until = Date.now() + deadlineMilliseconds
  for (;;) {
    const seen = await look()
    if (holds(seen)) return seen
    if (Date.now() > until)
      throw new Error(`It did not come true within ${deadlineMilliseconds} ms; last seen: ${JSON.stringify(seen)}`)
    await pause(20)
  }
}
