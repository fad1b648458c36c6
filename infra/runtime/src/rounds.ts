import { instant } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import type { Arrivals } from './arrivals.ts'
import { WORTH_A_ROUND_AT_ONCE } from './buffer.ts'
import type { Codec } from './codec.ts'
import { BurstGuard, TooManyDeadLetters } from './dead-letter.ts'
import { backOff, isTrouble, pause } from './failures.ts'
import type { Handler } from './handler.ts'
import type { Health } from './health.ts'
import { prepareItems } from './intake.ts'
import type { Position } from './kafka/subscription.ts'
import type { LaneMove } from './lanes.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { OffsetTeller } from './offsets.ts'
import type { Scribe } from './outbox.ts'
import type { Ownership } from './ownership.ts'
import type { Post } from './post.ts'
import { recallRehearsed } from './rehearsal.ts'
import { type RoundParts, type RoundResult, takeRound } from './round.ts'

export interface RoundsOptions<State> {
  readonly service: string
  readonly knex: Knex
  readonly handler: Handler<State>
  readonly codec: Codec
  readonly scribe: Scribe
  readonly mode: 'system' | 'test'
  readonly paceMilliseconds: number | undefined
  readonly ownership: Ownership
  readonly arrivals: Arrivals
  readonly post: Post
  readonly offsets: OffsetTeller
  readonly health: Health
  readonly metrics: Metrics
  readonly log: Logger
  /** There may be room for another round. */
  readonly wake: () => void
  /** A round has written down calls to make. */
  readonly owesCalls: () => void
}

const MOST_UNPUBLISHED = 4
// A round costs about the same for one message and for thirty: under load they come this far apart, at least.
const PACE_MILLISECONDS = 4

/** Takes one round after the other over what has arrived, redone until it is committed; hands on what it says. */
export class Rounds<State> {
  readonly #options: RoundsOptions<State>
  readonly #bursts = new BurstGuard()
  readonly #listeners: (() => void)[] = []
  #unpublished = 0
  #lastAt = 0

  constructor(options: RoundsOptions<State>) {
    this.#options = options
  }

  /** Whether something has arrived and may be taken. */
  get due() {
    return this.dueAt <= performance.now()
  }

  /** When that will be, as far as is known, in milliseconds of `performance.now()`. */
  get dueAt() {
    const { arrivals, health } = this.#options
    const may = health.halted === null && this.#unpublished < MOST_UNPUBLISHED
    return may ? arrivals.dueAt : Number.POSITIVE_INFINITY
  }

  /** Called after each round that is committed. */
  onRound(listener: () => void) {
    this.#listeners.push(listener)
  }

  async take() {
    await this.#keepPace()
    const { service, knex, codec, handler, scribe, mode, ownership, arrivals, post, health, metrics, log } =
      this.#options
    const { generation } = ownership
    const { items: arrived, moves } = arrivals.take()
    const prepared = await prepareItems(handler.prepare, arrived)
    const now = () => instant(Date.now())
    const allows = (count: number) => this.#bursts.check(count, Date.now())
    const parts: RoundParts<State> = { knex, service, handler, scribe, mode, now, allows }
    const began = performance.now()
    for (let attempt = 0; generation === ownership.generation && !health.stopping; attempt += 1) {
      const published = post.takePublished()
      try {
        const items = await recallRehearsed({ service, knex, codec, handler }, prepared)
        const result = await takeRound(parts, items, moves, published)
        metrics.round(result.handled, (performance.now() - began) / 1000, result.deadLetters)
        return this.#settle(moves, result, generation)
      } catch (error) {
        post.giveBack(published)
        if (error instanceof TooManyDeadLetters) return this.#halt(error.message)
        health.troubles += 1
        log.warn({ err: error, trouble: isTrouble(error) }, 'A round failed; it is redone')
        await pause(backOff(attempt))
      }
    }
  }

  async #keepPace() {
    const { paceMilliseconds = PACE_MILLISECONDS, arrivals } = this.#options
    const early = this.#lastAt + paceMilliseconds - performance.now()
    if (early >= 1 && arrivals.waiting < WORTH_A_ROUND_AT_ONCE) await pause(early)
    this.#lastAt = performance.now()
  }

  #settle(moves: readonly LaneMove[], { moved, parcels, deadLetters, calls }: RoundResult, generation: number) {
    this.#options.health.troubles = 0
    if (calls > 0) this.#options.owesCalls()
    if (deadLetters > 0) {
      this.#bursts.note(deadLetters, Date.now())
      this.#options.log.error({ deadLetters }, 'Dead letters')
    }
    const current = () => generation === this.#options.ownership.generation
    const positions = current() ? this.#advance(moves, moved) : []
    this.#unpublished += 1
    this.#options.post.add(parcels, () => {
      this.#unpublished -= 1
      if (current()) this.#options.offsets.add(positions)
      this.#options.wake()
    })
    for (const listener of this.#listeners) listener()
  }

  #advance(moves: readonly LaneMove[], moved: ReadonlySet<number>): Position[] {
    return moves.flatMap(({ lane, next }) => {
      const owned = this.#options.ownership.owned.get(lane)
      if (moved.has(lane) && owned) {
        Object.assign(owned.positions, next)
        return Object.entries(next).map(([topic, offset]) => ({ topic, lane, offset }))
      }
      this.#options.log.warn({ lane }, 'A lane moved on without us')
      this.#options.arrivals.rest(lane)
      this.#options.ownership.lose(lane)
      return []
    })
  }

  #halt(sentence: string) {
    this.#options.health.halted = sentence
    this.#options.log.fatal(sentence)
  }
}
