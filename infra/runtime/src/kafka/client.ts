import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import type { Kafka as Client, ISocketFactory, SASLOptions } from 'kafkajs'
import type { Cluster } from '../cluster.ts'
import type { Logger } from '../log.ts'
import { Kafka, logLevel, Partitioners } from './library.ts'

const require = createRequire(import.meta.url)

interface RequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null
  throttledUntil: number
  pending: unknown[]
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
}

/**
 * kafkajs 2.2.4 re-arms a timer with a negative delay for ever: a 1 ms loop that costs 4 % of a core per idle process
 * (tulios/kafkajs#1751). Nothing needs to be scheduled while nothing is pending.
 */
const mendIdleLoop = () => {
  const { prototype } = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue }
  prototype.scheduleCheckPendingRequests = function schedule(this: RequestQueue) {
    if (this.throttleCheckTimeoutId) return
    let delay = this.throttledUntil - Date.now()
    if (delay <= 0) {
      if (this.pending.length === 0) return
      delay = 10
    }
    this.throttleCheckTimeoutId = setTimeout(() => {
      this.throttleCheckTimeoutId = null
      this.checkPendingRequests()
    }, delay)
  }
}

interface FetchedBatch {
  readonly fetchedOffset: string
  readonly rawMessages: readonly { batchContext?: { firstOffset: string; lastOffsetDelta: number } }[]
  lastOffset(): string
  isEmpty(): boolean
  isEmptyDueToFiltering(): boolean
}

/**
 * Of a batch whose records were all removed (compaction) or are not for readers (control records), kafkajs tells nobody:
 * it moves on by itself, one offset at a time, and the next batch does not start where our position stands. So such a
 * batch is given to us like any other, and its end is the end that its header keeps, whatever was removed before it.
 * Without a record at all, not even a removed one, a batch would still stand; only an idempotent producer leaves those.
 */
const mendSilentSkips = () => {
  const { prototype } = require('kafkajs/src/consumer/batch') as { prototype: FetchedBatch }
  const { lastOffset } = prototype
  prototype.isEmptyDueToFiltering = () => false
  prototype.isEmpty = function isEmpty(this: FetchedBatch) {
    return this.rawMessages.length === 0
  }
  prototype.lastOffset = function end(this: FetchedBatch) {
    const last = this.rawMessages.at(-1)?.batchContext
    if (!last) return lastOffset.call(this)
    const lastOfBatch = BigInt(last.firstOffset) + BigInt(last.lastOffsetDelta)
    return lastOfBatch > BigInt(this.fetchedOffset) ? String(lastOfBatch) : this.fetchedOffset
  }
}
let mended = false

// Normal in a group's life, though kafkajs logs them as errors.
const ORDINARY =
  /REBALANCE_IN_PROGRESS|rebalanc|COORDINATOR_LOAD|COORDINATOR_NOT_AVAILABLE|coordinator is not a|NOT_COORDINATOR/i

export interface Connection extends Cluster {
  readonly clientId: string
  readonly log: Logger
  /** For tests that put a proxy between. */
  readonly socketFactory?: ISocketFactory
  readonly requestTimeoutMilliseconds?: number
}

export const connectKafka = ({
  brokers,
  tls,
  sasl,
  clientId,
  log,
  socketFactory,
  requestTimeoutMilliseconds,
}: Connection): Client => {
  if (!mended) {
    mendIdleLoop()
    mendSilentSkips()
    mended = true
  }
  return new Kafka({
    brokers: [...brokers],
    ...(tls ? { ssl: { ...tls } } : {}),
    ...(sasl ? { sasl: sasl as SASLOptions } : {}),
    clientId,
    connectionTimeout: 2_000,
    requestTimeout: requestTimeoutMilliseconds ?? 10_000,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 },
    ...(socketFactory ? { socketFactory } : {}),
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => {
      const { message, error } = entry.log as { message: string; error?: string }
      const sentence = error ? `${message}: ${error}` : message
      if (ORDINARY.test(sentence)) log.debug({ kafka: entry.namespace }, sentence)
      else log.warn({ kafka: entry.namespace }, sentence)
    },
  })
}

export const createPartitioner = Partitioners.DefaultPartitioner
export type { ISocketFactory, Socket }
