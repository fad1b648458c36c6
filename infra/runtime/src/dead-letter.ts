import type { Instant } from '@coding-plans/schemas'
import type { Outgoing } from './kafka/publisher.ts'
import type { Item } from './round.ts'

/** The dead-letter topic of one consumer of one topic. */
export const deadLetterTopicOf = (topic: string, consumer: string) => `${topic}.${consumer}.dlq`

/** The record as it came, with where it was and why it is here; sent again as it is when its cause is mended. */
export const deadLetterOf = (consumer: string, item: Item, reason: string, now: Instant): Outgoing => ({
  topic: deadLetterTopicOf(item.topic, consumer),
  lane: item.lane,
  key: item.key,
  value: item.value ?? Buffer.alloc(0),
  headers: {
    ...item.headers,
    dead_topic: item.topic,
    dead_partition: String(item.lane),
    dead_offset: String(item.offset),
    dead_reason: reason.slice(0, 300),
    dead_at: new Date(now).toISOString(),
  },
})

const MOST_IN_A_MINUTE = 20
const MINUTE = 60_000

/** More dead letters than this in a minute is a bad deployment, not bad messages: the consumer stops instead. */
export class BurstGuard {
  #recent: number[] = []

  /** @returns whether that many more are still believable. */
  allows(count: number, now: number): boolean {
    this.#recent = this.#recent.filter((at) => at > now - MINUTE)
    return this.#recent.length + count <= MOST_IN_A_MINUTE
  }

  note(count: number, now: number) {
    for (let i = 0; i < count; i += 1) this.#recent.push(now)
  }
}
