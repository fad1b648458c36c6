import type { Producer } from 'kafkajs'
import { backOff, pause } from '../failures.ts'
import type { Logger } from '../log.ts'
import { type Connection, connectKafka, createPartitioner } from './client.ts'

export interface Outgoing {
  readonly topic: string
  readonly lane: number
  readonly key: string
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
}

// kafkajs makes one record batch of what goes to a partition in a send, and the broker's limit is for that batch.
const MOST_BYTES_PER_PARTITION = 512 * 1024
const MOST_RECORDS_PER_SEND = 2_000
const HEADER_BYTES = 400
const SEND_DEADLINE_MILLISECONDS = 12_000

/** How many of these rows, from the first, one send may carry. A row over the limit goes alone. */
export const takeSend = (rows: readonly Outgoing[]): number => {
  const bytes = new Map<string, number>()
  let count = 0
  for (const { topic, lane, value } of rows) {
    const partition = `${topic}/${lane}`
    const sum = (bytes.get(partition) ?? 0) + value.length + HEADER_BYTES
    if (count > 0 && (sum > MOST_BYTES_PER_PARTITION || count >= MOST_RECORDS_PER_SEND)) break
    bytes.set(partition, sum)
    count += 1
  }
  return count
}

/**
 * Sends in the order given, one send in flight, until acknowledged by all replicas. After any failure the producer is
 * thrown away and a new one sends the same again: a repeat is recognised by its id, a loss would not be.
 * Not idempotent on purpose: after a partial failure an idempotent kafkajs producer acknowledges what never reaches the
 * log (tech notes in the room's README), and order needs no more than one send in flight.
 */
export class KafkaPublisher {
  readonly #connection: Connection
  readonly #log: Logger
  #producer: Producer | undefined
  #failures = 0

  constructor(connection: Connection) {
    this.#connection = connection
    this.#log = connection.log
  }

  /** True while the last send failed: the broker is away. */
  get failing() {
    return this.#failures > 0
  }

  /** Resolves when all are acknowledged; retries for ever, unless the signal says stop. @returns false when stopped before. */
  async send(rows: readonly Outgoing[], signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      try {
        this.#producer ??= await this.#connect()
        await withDeadline(this.#producer.sendBatch({ acks: -1, timeout: 10_000, topicMessages: byTopic(rows) }))
        this.#failures = 0
        return true
      } catch (error) {
        this.#throwAway()
        this.#log.warn({ err: error, failures: this.#failures }, 'A send failed; a new producer sends it again')
        await pause(backOff(this.#failures++), signal)
      }
    }
    return false
  }

  async close() {
    await this.#producer?.disconnect().catch(() => {})
    this.#producer = undefined
  }

  async #connect() {
    const producer = connectKafka(this.#connection).producer({
      createPartitioner,
      allowAutoTopicCreation: false,
      idempotent: false,
      maxInFlightRequests: 1,
      retry: { retries: 0 },
    })
    await producer.connect()
    return producer
  }

  #throwAway() {
    const producer = this.#producer
    this.#producer = undefined
    void producer?.disconnect().catch(() => {})
  }
}

const byTopic = (rows: readonly Outgoing[]) => {
  const topics = new Map<string, { partition: number; key: string; value: Buffer; headers: Record<string, string> }[]>()
  for (const { topic, lane, key, value, headers } of rows) {
    const messages = topics.get(topic) ?? []
    topics.set(topic, messages)
    messages.push({ partition: lane, key, value, headers: { ...headers } })
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }))
}

const withDeadline = async (sent: Promise<unknown>) => {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The broker did not acknowledge in time.')), SEND_DEADLINE_MILLISECONDS)
  })
  try {
    await Promise.race([sent, deadline])
  } finally {
    clearTimeout(timer)
    sent.catch(() => {})
  }
}
