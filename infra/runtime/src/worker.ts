import { hostname } from 'node:os'
import { type Instant, instant, type MessageName, topicOf } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import { Arrivals } from './arrivals.ts'
import type { Codec } from './codec.ts'
import { BurstGuard, TooManyDeadLetters } from './dead-letter.ts'
import { Effects } from './effects.ts'
import { backOff, isTrouble, pause } from './failures.ts'
import type { Handler, LaneWork, Saying, Tx } from './handler.ts'
import { Health } from './health.ts'
import { prepareItems } from './intake.ts'
import type { Connection } from './kafka/client.ts'
import { KafkaPublisher } from './kafka/publisher.ts'
import { Membership, type Position } from './kafka/subscription.ts'
import { doLaneWork } from './lane-work.ts'
import { forgetOldSeen, type LaneMove } from './lanes.ts'
import { describeError, type Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import { OffsetTeller } from './offsets.ts'
import { appendOutbox, owedBy, Scribe } from './outbox.ts'
import { Ownership } from './ownership.ts'
import { Post } from './post.ts'
import { type RoundParts, type RoundResult, takeRound } from './round.ts'

export interface WorkerOptions<State> {
  readonly service: string
  readonly knex: Knex
  readonly codec: Codec
  readonly handler: Handler<State>
  readonly work: readonly LaneWork[]
  readonly mode: 'system' | 'test'
  readonly connection: Connection
  readonly sessionMilliseconds: number
  readonly log: Logger
  readonly metrics: Metrics
  /** The shortest time from one round's beginning to the next, unless much is waiting. */
  readonly paceMilliseconds?: number
}

// In test mode an advance waits for them.
const OFFSETS_APART_MILLISECONDS = { system: 400, test: 50 }
const MOST_ROUNDS_UNPUBLISHED = 4
// A round costs about the same for one message and for thirty: under load they come this far apart, at least.
const PACE_MILLISECONDS = 4
const WORTH_A_ROUND_AT_ONCE = 200
const HEALTH_EVERY_MILLISECONDS = 1_000
const FORGET_SEEN_EVERY_MILLISECONDS = 10 * 60_000
const STOP_DEADLINE_MILLISECONDS = 4_000
const CLAIM_AGAIN_AFTER_MILLISECONDS = 50
const IDLE_MILLISECONDS = 1_000

/**
 * One worker per process: a member of its service's group that owns lanes, takes rounds over all that has arrived on
 * them, publishes what they say, and does the lanes' own work. Everything happens in one loop; only publishing overlaps.
 */
export class Worker<State = unknown> {
  readonly #options: WorkerOptions<State>
  readonly #scribe: Scribe
  readonly #publisher: KafkaPublisher
  readonly #post: Post
  readonly #membership: Membership
  readonly #ownership: Ownership
  readonly #offsets: OffsetTeller
  readonly #effects: Effects | undefined
  readonly #topics: readonly string[]
  readonly #arrivals: Arrivals
  readonly #health = new Health()
  readonly #bursts = new BurstGuard()
  readonly #workDue = new Map<LaneWork, number>()
  readonly #listeners: (() => void)[] = []
  #unpublishedRounds = 0
  #checking = false
  #lastRoundAt = 0
  #wake: () => void = () => {}
  #loop: Promise<void> | undefined
  #timers: NodeJS.Timeout[] = []

  constructor(options: WorkerOptions<State>) {
    const { service, connection, handler, knex, log, sessionMilliseconds } = options
    this.#options = options
    this.#topics = topicsOf(Object.keys(handler.decide) as MessageName[])
    this.#scribe = new Scribe(service, options.codec)
    this.#publisher = new KafkaPublisher(connection)
    this.#post = new Post(this.#publisher, knex)
    this.#offsets = new OffsetTeller(
      (positions) => this.#membership.commit(positions),
      OFFSETS_APART_MILLISECONDS[options.mode],
    )
    const name = `${hostname()}/${process.pid}`
    this.#ownership = new Ownership({ knex, brokers: connection.brokers, topics: this.#topics, name, log })
    this.#arrivals = new Arrivals({
      codec: options.codec,
      handled: handler.decide,
      topics: this.#topics,
      ownership: this.#ownership,
      membership: () => this.#membership,
      metrics: options.metrics,
      log,
      wake: () => this.#wake(),
    })
    const owned = () => [...this.#ownership.owned.values()]
    if (handler.calls)
      this.#effects = new Effects({
        knex,
        calls: handler.calls,
        scribe: this.#scribe,
        log,
        owned,
        wake: () => this.#wake(),
      })
    for (const work of options.work) this.#workDue.set(work, 0)
    this.#membership = new Membership({
      connection,
      group: service,
      topics: this.#topics,
      timing: { sessionMilliseconds },
      listener: {
        assigned: (lanes) => this.#deal(lanes),
        arrived: (batch, heartbeat) => this.#arrivals.takeIn(batch, heartbeat),
        heartbeat: () => this.#beat(),
      },
    })
  }

  /** Joins the group; resolves when it has. */
  async start() {
    this.#timers = [
      setInterval(() => void this.#checkHealth(), HEALTH_EVERY_MILLISECONDS),
      setInterval(() => forgetOldSeen(this.#options.knex).catch(() => {}), FORGET_SEEN_EVERY_MILLISECONDS),
    ]
    this.#loop = this.#run()
    await this.#membership.start()
  }

  /** Whether everything answers, and if not, why. */
  ready(): { ready: boolean; reasons: string[] } {
    const reasons = this.#health.reasons(this.brokerAway, this.#ownership.reasons)
    return { ready: reasons.length === 0, reasons }
  }

  get brokerAway() {
    return this.#publisher.failing || this.#health.silent
  }

  get databaseAway() {
    return this.#health.databaseAway
  }

  /** Calls to the outside that are under way in this process. */
  get callsUnderWay() {
    return this.#effects?.underWay ?? 0
  }

  get lanes(): readonly number[] {
    return [...this.#ownership.owned.keys()]
  }

  /** Ask lane work to run now. */
  nudge() {
    for (const work of this.#workDue.keys()) this.#workDue.set(work, 0)
    this.#wake()
  }

  /** Called after each round that this process commits. */
  onRound(listener: () => void) {
    this.#listeners.push(listener)
  }

  /**
   * Say what no message caused, inside the caller's own transaction; call what it returns after the commit. What this
   * process does not get to publish within 2 s is published by the lane's owner. @throws Nonsense
   */
  async append(tx: Tx, sayings: readonly Saying[], time: Instant): Promise<() => void> {
    const records = this.#scribe.write(sayings, null, time)
    const owned = records.map((record) => ({ ...record, owner: record.lane }))
    const rows = await appendOutbox(tx, owned, true)
    return () => this.#post.add(rows)
  }

  /** Stop fetching, finish the round, publish, leave the group. */
  async stop() {
    if (this.#health.stopping) return
    this.#health.stopping = true
    this.#arrivals.close()
    for (const timer of this.#timers) clearInterval(timer)
    this.#wake()
    await this.#loop
    await this.#post.close(STOP_DEADLINE_MILLISECONDS)
    await this.#offsets.tell().catch(() => {})
    this.#offsets.forget()
    await this.#membership.stop()
  }

  // What the group says.

  #deal(lanes: readonly number[]) {
    this.#ownership.deal(lanes)
    this.#offsets.forget()
    this.#arrivals.clear()
    this.#options.log.info({ lanes }, 'Lanes dealt')
    this.#wake()
  }

  #beat() {
    this.#health.beat()
    if (this.#ownership.confirmMembership()) this.#wake()
  }

  // The loop.

  async #run() {
    while (!this.#health.stopping) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      try {
        const more = await this.#step()
        this.#health.troubles = 0
        if (!more) await Promise.race([woken, pause(this.#untilNext())])
      } catch (error) {
        this.#health.troubles += 1
        this.#options.log.warn({ err: describeError(error), troubles: this.#health.troubles }, 'Trouble; trying again')
        await pause(backOff(this.#health.troubles))
      }
    }
  }

  /** @returns whether it is worth looking again at once. */
  async #step(): Promise<boolean> {
    if (this.#ownership.unclaimed) return this.#claim()
    const may = this.#health.halted === null && this.#unpublishedRounds < MOST_ROUNDS_UNPUBLISHED
    const worthwhile = may && !this.#arrivals.empty
    if (worthwhile) await this.#keepPace()
    if (worthwhile) await this.#round()
    await this.#doWork(worthwhile)
    return worthwhile
  }

  async #keepPace() {
    const early = this.#lastRoundAt + (this.#options.paceMilliseconds ?? PACE_MILLISECONDS) - performance.now()
    if (early >= 1 && this.#arrivals.waiting < WORTH_A_ROUND_AT_ONCE) await pause(early)
    this.#lastRoundAt = performance.now()
  }

  #untilNext() {
    if (this.#ownership.unclaimed) return CLAIM_AGAIN_AFTER_MILLISECONDS
    const next = Math.min(...this.#workDue.values(), Date.now() + IDLE_MILLISECONDS)
    return Math.max(1, next - Date.now())
  }

  async #claim(): Promise<boolean> {
    const { generation } = this.#ownership
    let published = false
    const isVoid = async () => {
      while (!published && generation === this.#ownership.generation && !this.#health.stopping)
        await pause(CLAIM_AGAIN_AFTER_MILLISECONDS)
    }
    const positions = await this.#ownership
      .claim((owed) => Promise.race([this.#post.send(owed), isVoid()]))
      .finally(() => {
        published = true
      })
    if (positions === null) return true
    this.#membership.seek(positions)
    this.#offsets.add(positions)
    this.#health.troubles = 0
    return !this.#ownership.unclaimed
  }

  async #round() {
    const { handler, knex, service, mode, metrics, log } = this.#options
    const { generation } = this.#ownership
    const { items: arrived, moves } = this.#arrivals.take()
    const items = await prepareItems(handler.prepare, arrived)
    const now = () => instant(Date.now())
    const allows = (count: number) => this.#bursts.check(count, Date.now())
    const parts: RoundParts<State> = { knex, service, handler, scribe: this.#scribe, mode, now, allows }
    const began = performance.now()
    for (let attempt = 0; generation === this.#ownership.generation && !this.#health.stopping; attempt += 1) {
      const published = this.#post.takePublished()
      try {
        const result = await takeRound(parts, items, moves, published)
        metrics.round(result.handled, (performance.now() - began) / 1000, result.deadLetters)
        return this.#settle(moves, result, generation)
      } catch (error) {
        this.#post.giveBack(published)
        if (error instanceof TooManyDeadLetters) return this.#halt(error.message)
        this.#health.troubles += 1
        log.warn({ err: describeError(error), trouble: isTrouble(error) }, 'A round failed; it is redone')
        await pause(backOff(attempt))
      }
    }
  }

  #settle(moves: readonly LaneMove[], { moved, rows, deadLetters }: RoundResult, generation: number) {
    this.#health.troubles = 0
    if (deadLetters > 0) {
      this.#bursts.note(deadLetters, Date.now())
      this.#options.log.error({ deadLetters }, 'Dead letters')
    }
    const current = () => generation === this.#ownership.generation
    const positions = current() ? this.#advance(moves, moved) : []
    this.#unpublishedRounds += 1
    this.#post.add(rows, () => {
      this.#unpublishedRounds -= 1
      if (current()) this.#offsets.add(positions)
      this.#wake()
    })
    for (const listener of this.#listeners) listener()
  }

  #advance(moves: readonly LaneMove[], moved: ReadonlySet<number>): Position[] {
    return moves.flatMap(({ lane, next }) => {
      const owned = this.#ownership.owned.get(lane)
      if (moved.has(lane) && owned) {
        Object.assign(owned.positions, next)
        return Object.entries(next).map(([topic, offset]) => ({ topic, lane, offset }))
      }
      this.#options.log.warn({ lane }, 'A lane moved on without us')
      this.#arrivals.rest(lane)
      this.#ownership.lose(lane)
      return []
    })
  }

  #halt(sentence: string) {
    this.#health.halted = sentence
    this.#options.log.fatal(sentence)
  }

  // Beside the rounds.

  async #doWork(afterRound: boolean) {
    const owned = [...this.#ownership.owned.values()]
    if (owned.length === 0) return
    try {
      if (this.#effects?.hasOutcomes) this.#post.add(await this.#effects.conclude(owned))
      for (const [work, due] of this.#workDue) {
        if (due > Date.now() && !afterRound) continue
        this.#workDue.set(work, Date.now() + work.everyMilliseconds)
        const rows = await doLaneWork(this.#options.knex, work, owned, this.#scribe)
        if (rows.length > 0) this.#post.add(rows)
      }
      await this.#effects?.begin()
    } catch (error) {
      // Whether it was committed is not known; a claim looks, and publishes what is owed.
      for (const { lane } of owned) {
        this.#arrivals.rest(lane)
        this.#ownership.reclaim(lane)
      }
      throw error
    }
  }

  async #checkHealth() {
    if (this.#checking) return
    this.#checking = true
    await this.#look().finally(() => {
      this.#checking = false
    })
  }

  async #look() {
    const { knex, metrics } = this.#options
    this.#health.databaseAway = await knex.raw('select 1').then(
      () => false,
      () => true,
    )
    metrics.outbox(this.#post.unpublished, this.#post.oldestSeconds)
    if (this.#health.databaseAway || this.lanes.length === 0) return
    const overdue = await owedBy(knex, this.lanes, 'overdue accepted').catch(() => [])
    const forgotten = overdue.filter(({ seq }) => !this.#post.holds(seq))
    if (forgotten.length > 0) this.#post.add(forgotten)
  }
}

/** Where these messages travel. Those of owner `any` are heard on the topics of the others. */
export const topicsOf = (names: readonly MessageName[]): string[] =>
  [...new Set(names.map((name) => topicOf(name, '*')))].filter((topic) => !topic.startsWith('*')).sort()
