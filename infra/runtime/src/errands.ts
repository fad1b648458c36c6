import type { Knex } from 'knex'
import type { Arrivals } from './arrivals.ts'
import { Effects } from './effects.ts'
import { Forgetting } from './forgetting.ts'
import type { Calls, LaneWork } from './handler.ts'
import type { Health } from './health.ts'
import { doLaneWork } from './lane-work.ts'
import { countKept } from './letters.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import { owedBy, type Scribe } from './outbox.ts'
import type { Ownership } from './ownership.ts'
import type { Post } from './post.ts'

export interface ErrandsOptions {
  readonly knex: Knex
  readonly work: readonly LaneWork[]
  readonly calls: Calls | undefined
  readonly scribe: Scribe
  readonly ownership: Ownership
  readonly arrivals: Arrivals
  readonly post: Post
  readonly health: Health
  readonly metrics: Metrics
  readonly log: Logger
  readonly wake: () => void
}

const LOOK_EVERY_MILLISECONDS = 1_000
// Those that another owner of the lane left, and those that are tried again.
const LOOK_FOR_CALLS_EVERY_MILLISECONDS = 500
const FORGET_EVERY_MILLISECONDS = 10 * 60_000

/** What a worker does beside its rounds: the lanes' own work, calls to the outside, and a look around every second. */
export class Errands {
  readonly #options: ErrandsOptions
  readonly #effects: Effects | undefined
  readonly #due = new Map<LaneWork, number>()
  /** When calls are looked for next, unless a round has just written some down. */
  #callsDue = 0
  readonly #forgetting: Forgetting
  #looking = false
  #timers: NodeJS.Timeout[] = []

  constructor(options: ErrandsOptions) {
    this.#options = options
    this.#forgetting = new Forgetting(options)
    const { knex, calls, scribe, ownership, log, wake } = options
    const owned = () => [...ownership.owned.values()]
    if (calls) this.#effects = new Effects({ knex, calls, scribe, log, owned, wake })
    for (const work of options.work) this.#due.set(work, 0)
  }

  /** Calls to the outside that are under way. */
  get underWay() {
    return this.#effects?.underWay ?? 0
  }

  /** Look for calls to make with the next errands. */
  expectCalls() {
    this.#callsDue = 0
  }

  /** When lane work is due next. */
  get nextAt() {
    return Math.min(...this.#due.values(), Number.POSITIVE_INFINITY)
  }

  nudge() {
    for (const work of this.#due.keys()) this.#due.set(work, 0)
  }

  start() {
    this.#timers = [
      setInterval(() => void this.#lookAround(), LOOK_EVERY_MILLISECONDS),
      setInterval(() => void this.#forgetting.run(), FORGET_EVERY_MILLISECONDS),
    ]
  }

  stop() {
    for (const timer of this.#timers) clearInterval(timer)
  }

  /** By the worker's loop alone, so that no round of our own holds a lane. @throws when it is not known what was committed. */
  async run(afterRound: boolean) {
    const { knex, scribe, ownership, arrivals, post } = this.#options
    const owned = [...ownership.owned.values()]
    if (owned.length === 0) return
    try {
      if (this.#effects?.hasOutcomes) {
        post.add(await this.#effects.conclude(owned))
        this.expectCalls() // there may be more than could be under way at once
      }
      for (const [work, due] of this.#due) {
        if (due > Date.now() && (!afterRound || work.unhurried)) continue
        this.#due.set(work, Date.now() + work.everyMilliseconds)
        const parcels = await doLaneWork(knex, work, owned, scribe)
        if (parcels.length > 0) post.add(parcels)
      }
      if (this.#effects && this.#callsDue <= Date.now()) {
        this.#callsDue = Date.now() + LOOK_FOR_CALLS_EVERY_MILLISECONDS
        await this.#effects.begin()
      }
    } catch (error) {
      // A claim looks what was committed, and publishes what is owed.
      for (const { lane } of owned) {
        arrivals.rest(lane)
        ownership.reclaim(lane)
      }
      throw error
    }
  }

  async #lookAround() {
    if (this.#looking) return
    this.#looking = true
    await this.#look().finally(() => {
      this.#looking = false
    })
  }

  /** Does the database answer; how many dead letters wait; and is there anything that another process accepted and did not publish? */
  async #look() {
    const { knex, health, metrics, post, ownership } = this.#options
    const kept = await countKept(knex).catch(() => null)
    health.databaseAway = kept === null
    if (kept !== null) metrics.lettersKept(kept)
    metrics.outbox(post.unpublished, post.oldestSeconds)
    if (health.databaseAway || ownership.owned.size === 0) return
    const overdue = await owedBy(knex, [...ownership.owned.keys()], 'overdue accepted').catch(() => [])
    const forgotten = overdue.filter(({ seq }) => !post.holds(seq))
    if (forgotten.length > 0) post.add(forgotten)
  }
}
