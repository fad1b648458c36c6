import { hostname } from 'node:os'
import { type Instant, instant, type MessageName, topicOf } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import { ArrivalBuffer, type OwnedLane } from './buffer.ts'
import type { Codec } from './codec.ts'
import { BurstGuard } from './dead-letter.ts'
import { Effects } from './effects.ts'
import { backOff, isTrouble, pause } from './failures.ts'
import type { Handler, LaneWork, Saying, Tx } from './handler.ts'
import { prepareItems, readBatch } from './intake.ts'
import type { Connection } from './kafka/client.ts'
import { KafkaPublisher } from './kafka/publisher.ts'
import { type Batch, Membership, type Position } from './kafka/subscription.ts'
import { topicOffsets } from './kafka/topics.ts'
import { doLaneWork } from './lane-work.ts'
import { claimLanes, forgetOldSeen, type LaneMove, startPositions } from './lanes.ts'
import { describeError, type Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import { appendOutbox, type OutboxRow, owedBy, Scribe } from './outbox.ts'
import { Post } from './post.ts'
import { type Item, type RoundResult, takeRound } from './round.ts'

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
}

const MOST_ROUNDS_UNPUBLISHED = 4
const COMMITS_APART_MILLISECONDS = 50
const HEALTH_EVERY_MILLISECONDS = 1_000
const SILENT_AFTER_MILLISECONDS = 3_000
const REFUSALS_BEFORE_A_NEW_CLAIM = 3
const FORGET_SEEN_EVERY_MILLISECONDS = 10 * 60_000
const STOP_DEADLINE_MILLISECONDS = 4_000

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
  readonly #topics: readonly string[]
  readonly #buffer = new ArrivalBuffer()
  readonly #owned = new Map<number, OwnedLane>()
  readonly #lost = new Set<number>()
  readonly #halted = new Map<number, string>()
  readonly #refusals = new Map<string, number>()
  readonly #bursts = new BurstGuard()
  readonly #committable = new Map<string, Position>()
  readonly #workDue = new Map<LaneWork, number>()
  readonly #listeners: (() => void)[] = []
  readonly #name = `${hostname()}/${process.pid}`
  readonly #effects: Effects | undefined
  #assigned: ReadonlySet<number> = new Set()
  #toClaim = new Set<number>()
  #generation = 0
  #joined = false
  #stopping = false
  #stopped: string | null = null
  #troubles = 0
  #databaseAway = false
  #lastHeartbeat = 0
  #unpublishedRounds = 0
  #committing = false
  #wake: () => void = () => {}
  #loop: Promise<void> | undefined
  #timers: NodeJS.Timeout[] = []

  constructor(options: WorkerOptions<State>) {
    const { service, connection, handler, sessionMilliseconds } = options
    this.#options = options
    this.#scribe = new Scribe(service, options.codec)
    this.#publisher = new KafkaPublisher(connection)
    this.#post = new Post(this.#publisher, options.knex)
    this.#topics = topicsOf(Object.keys(handler.decide) as MessageName[])
    for (const work of options.work) this.#workDue.set(work, 0)
    if (handler.calls)
      this.#effects = new Effects({
        knex: options.knex,
        calls: handler.calls,
        scribe: this.#scribe,
        log: options.log,
        owned: () => [...this.#owned.values()],
        publish: (rows) => this.#post.add(rows),
      })
    this.#membership = new Membership({
      connection,
      group: service,
      topics: this.#topics,
      timing: { sessionMilliseconds },
      listener: {
        assigned: (lanes) => this.#assign(lanes),
        arrived: (batch, heartbeat) => this.#arrive(batch, heartbeat),
        heartbeat: () => this.#beat(),
      },
    })
  }

  async start() {
    const health = setInterval(() => void this.#checkHealth(), HEALTH_EVERY_MILLISECONDS)
    const forgetting = setInterval(
      () => forgetOldSeen(this.#options.knex).catch(() => {}),
      FORGET_SEEN_EVERY_MILLISECONDS,
    )
    this.#timers = [health, forgetting]
    this.#loop = this.#run()
    await this.#membership.start()
  }

  /** Whether everything answers, and if not, why. */
  ready(): { ready: boolean; reasons: string[] } {
    const reasons = [...this.#halted.values()]
    if (this.#stopped) reasons.push(this.#stopped)
    if (this.#stopping) reasons.push('The service is stopping.')
    if (!this.#joined) reasons.push('The service has not joined its group yet.')
    if (this.#toClaim.size > 0 || this.#lost.size > 0) reasons.push('Lanes are being claimed.')
    if (this.#databaseAway || this.#troubles > 1) reasons.push('The database does not answer.')
    if (this.brokerAway) reasons.push('The broker does not answer.')
    return { ready: reasons.length === 0, reasons }
  }

  get brokerAway() {
    return this.#publisher.failing || (this.#joined && Date.now() - this.#lastHeartbeat > SILENT_AFTER_MILLISECONDS)
  }

  get databaseAway() {
    return this.#databaseAway
  }

  /** Rows that are committed here and not in Kafka yet. */
  get unpublished() {
    return this.#post.unpublished
  }

  /** Calls to the outside that are under way in this process. */
  get callsUnderWay() {
    return this.#effects?.underWay ?? 0
  }

  get lanes(): readonly number[] {
    return [...this.#owned.keys()]
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
    const rows = await appendOutbox(
      tx,
      records.map((record) => ({ ...record, owner: record.lane })),
      true,
    )
    return () => this.#post.add(rows)
  }

  /** Stop fetching, finish the round, publish, leave the group. */
  async stop() {
    if (this.#stopping) return
    this.#stopping = true
    for (const timer of this.#timers) clearInterval(timer)
    this.#wake()
    await this.#loop
    await this.#post.close(STOP_DEADLINE_MILLISECONDS)
    await this.#commitOffsets()
    await this.#membership.stop()
  }

  // --- what the group says

  #assign(lanes: readonly number[]) {
    this.#generation += 1
    this.#assigned = new Set(lanes)
    this.#joined = true
    this.#toClaim = new Set(lanes)
    this.#owned.clear()
    this.#lost.clear()
    this.#halted.clear()
    this.#committable.clear()
    this.#buffer.drop(new Set(Array.from({ length: 256 }, (_, lane) => lane)))
    this.#options.log.info({ lanes }, 'Lanes dealt')
    this.#wake()
  }

  #beat() {
    this.#lastHeartbeat = Date.now()
    if (this.#lost.size === 0) return
    // Still a member, so what another process took by mistake is ours again.
    for (const lane of this.#lost) if (this.#assigned.has(lane)) this.#toClaim.add(lane)
    this.#lost.clear()
    this.#wake()
  }

  async #arrive(batch: Batch, heartbeat: () => Promise<void>): Promise<boolean> {
    const { topic, lane } = batch
    const owned = this.#owned.get(lane)
    if (!owned || owned.expected[topic] !== batch.fetchedOffset) return this.#refuse(batch, owned)
    await this.#prepareCodec(batch, heartbeat)
    if (this.#owned.get(lane) !== owned || owned.expected[topic] !== batch.fetchedOffset) return false
    this.#refusals.delete(`${topic}/${lane}`)
    const items = readBatch(this.#options.codec, this.#options.handler.decide, batch)
    owned.expected[topic] = batch.nextOffset
    const bytes = batch.records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
    this.#buffer.add({ topic, lane, items, nextOffset: batch.nextOffset, bytes })
    this.#options.metrics.lag(topic, lane, batch.highWatermark - batch.nextOffset)
    this.#wake()
    while (this.#buffer.full && this.#owned.get(lane) === owned && !this.#stopping) {
      await pause(20)
      await heartbeat()
    }
    return true
  }

  #refuse({ topic, lane }: Batch, owned: OwnedLane | undefined): false {
    const expected = owned?.expected[topic]
    if (expected === undefined) return false
    const key = `${topic}/${lane}`
    const count = (this.#refusals.get(key) ?? 0) + 1
    this.#refusals.set(key, count)
    if (count >= REFUSALS_BEFORE_A_NEW_CLAIM) {
      // The client has jumped to an offset of its own choice more than once: let a claim look at the range.
      this.#refusals.delete(key)
      this.#drop(lane)
      this.#toClaim.add(lane)
      this.#wake()
    } else this.#membership.seek([{ topic, lane, offset: expected }])
    return false
  }

  async #prepareCodec({ records }: Batch, heartbeat: () => Promise<void>) {
    for (let attempt = 0; ; attempt += 1)
      try {
        for (const { value } of records) await this.#options.codec.prepare(value)
        return
      } catch (error) {
        this.#options.log.warn({ err: describeError(error) }, 'The registry does not answer')
        await pause(backOff(attempt))
        await heartbeat()
      }
  }

  // --- the loop

  async #run() {
    while (!this.#stopping) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      try {
        if (await this.#step()) continue
        await Promise.race([woken, pause(this.#untilWork())])
      } catch (error) {
        this.#troubles += 1
        this.#options.log.warn({ err: describeError(error), troubles: this.#troubles }, 'Trouble; trying again')
        await Promise.race([pause(backOff(this.#troubles)), this.#stopping ? Promise.resolve() : pause(2_000)])
      }
    }
  }

  /** @returns whether something was done, so that it is worth looking again at once. */
  async #step(): Promise<boolean> {
    if (this.#toClaim.size > 0) {
      await this.#claim()
      return this.#toClaim.size === 0
    }
    if (this.#stopped === null && !this.#buffer.empty && this.#unpublishedRounds < MOST_ROUNDS_UNPUBLISHED) {
      await this.#round()
      await this.#doWork()
      return true
    }
    await this.#doWork()
    return false
  }

  #untilWork() {
    if (this.#toClaim.size > 0) return 50
    const next = Math.min(...this.#workDue.values(), Date.now() + 1_000)
    return Math.max(1, next - Date.now())
  }

  async #claim() {
    const generation = this.#generation
    const { knex } = this.#options
    const claims = await claimLanes(knex, [...this.#toClaim], this.#name)
    if (claims.length === 0) return
    const { low, high } = await topicOffsets(this.#options.connection.brokers, this.#topics)
    const owned = new Map<number, OwnedLane>()
    const halted = new Map<number, string>()
    for (const claim of claims) {
      const missing = this.#topics.filter((topic) => claim.positions[topic] === undefined)
      const starts = Object.fromEntries(missing.map((topic) => [topic, low.get(topic)?.get(claim.lane) ?? 0]))
      if (missing.length > 0) await startPositions(knex, claim, starts)
      const positions = { ...starts, ...claim.positions }
      const outside = this.#topics.find((topic) => {
        const position = positions[topic] as number
        return position < (low.get(topic)?.get(claim.lane) ?? 0) || position > (high.get(topic)?.get(claim.lane) ?? 0)
      })
      if (outside)
        halted.set(
          claim.lane,
          `Lane ${claim.lane} stands still: position ${positions[outside]} of ${outside} is outside what the broker has.`,
        )
      else owned.set(claim.lane, { lane: claim.lane, epoch: claim.epoch, positions, expected: { ...positions } })
    }
    const lanes = claims.map(({ lane }) => lane)
    const owed = await owedBy(knex, lanes, 'all')
    if (owed.length > 0) await Promise.race([this.#post.send(owed), this.#untilVoid(generation)])
    if (generation !== this.#generation || this.#stopping) return
    for (const lane of lanes) this.#toClaim.delete(lane)
    for (const [lane, sentence] of halted) {
      this.#halted.set(lane, sentence)
      this.#options.log.error({ lane }, sentence)
    }
    const positions = [...owned.values()].flatMap(positionsOf(this.#topics))
    for (const [lane, state] of owned) this.#owned.set(lane, state)
    this.#membership.seek(positions)
    this.#commitSoon(positions)
    this.#troubles = 0
    this.#options.log.info({ lanes: [...owned.keys()], owed: owed.length }, 'Lanes claimed')
  }

  async #untilVoid(generation: number) {
    while (generation === this.#generation && !this.#stopping) await pause(50)
  }

  async #round() {
    const generation = this.#generation
    const { metrics, handler } = this.#options
    const { items: arrived, moves } = this.#buffer.take(this.#owned)
    const items = await prepareItems(handler.prepare, arrived)
    const began = performance.now()
    for (let attempt = 0; generation === this.#generation; attempt += 1) {
      const published = this.#post.takePublished()
      try {
        const result = await this.#attempt(items, moves, published)
        this.#troubles = 0
        metrics.round(result.handled, (performance.now() - began) / 1000, result.deadLetters)
        if (generation === this.#generation) this.#settle(moves, result)
        else this.#post.add(result.rows)
        for (const listener of this.#listeners) listener()
        return
      } catch (error) {
        this.#post.giveBack(published)
        if (error instanceof TooManyDeadLetters) return this.#halt(error.message)
        this.#troubles += 1
        this.#options.log.warn({ err: describeError(error), trouble: isTrouble(error) }, 'A round failed; it is redone')
        if (this.#stopping) return
        await pause(backOff(attempt))
      }
    }
  }

  async #attempt(
    items: readonly Item[],
    moves: readonly LaneMove[],
    published: readonly number[],
  ): Promise<RoundResult> {
    const { knex, service, handler, mode } = this.#options
    const allows = (count: number) => {
      if (!this.#bursts.allows(count, Date.now())) throw new TooManyDeadLetters()
    }
    const parts = { knex, service, handler, scribe: this.#scribe, mode, now: () => instant(Date.now()), allows }
    const result = await takeRound(parts, items, moves, published)
    this.#bursts.note(result.deadLetters, Date.now())
    return result
  }

  #settle(moves: readonly LaneMove[], { moved, rows, deadLetters }: RoundResult) {
    if (deadLetters > 0) this.#options.log.error({ deadLetters }, 'Dead letters')
    const positions: Position[] = []
    for (const { lane, next } of moves) {
      const owned = this.#owned.get(lane)
      if (!moved.has(lane)) {
        this.#options.log.warn({ lane }, 'A lane moved on without us')
        this.#drop(lane)
        this.#lost.add(lane)
        continue
      }
      if (owned) Object.assign(owned.positions, next)
      for (const [topic, offset] of Object.entries(next)) positions.push({ topic, lane, offset })
    }
    this.#unpublishedRounds += 1
    const generation = this.#generation
    this.#post.add(rows, () => {
      this.#unpublishedRounds -= 1
      if (generation === this.#generation) this.#commitSoon(positions)
      this.#wake()
    })
  }

  #drop(lane: number) {
    this.#owned.delete(lane)
    this.#buffer.drop(new Set([lane]))
    this.#membership.hold(this.#topics.map((topic) => ({ topic, lane })))
  }

  #halt(sentence: string) {
    this.#stopped = sentence
    this.#options.log.fatal(sentence)
  }

  // --- beside the rounds

  async #doWork() {
    if (this.#owned.size === 0) return
    await this.#effects?.begin()
    for (const [work, due] of this.#workDue) {
      if (due > Date.now()) continue
      this.#workDue.set(work, Date.now() + work.everyMilliseconds)
      const { knex } = this.#options
      const rows: OutboxRow[] = await doLaneWork(knex, work, [...this.#owned.values()], this.#scribe)
      if (rows.length > 0) this.#post.add(rows)
    }
  }

  #commitSoon(positions: readonly Position[]) {
    for (const position of positions) this.#committable.set(`${position.topic}/${position.lane}`, position)
    if (this.#committing || this.#stopping) return
    this.#committing = true
    void pause(COMMITS_APART_MILLISECONDS)
      .then(() => this.#commitOffsets())
      .finally(() => {
        this.#committing = false
        if (this.#committable.size > 0) this.#commitSoon([])
      })
  }

  async #commitOffsets() {
    const positions = [...this.#committable.values()]
    this.#committable.clear()
    if (positions.length === 0) return
    await this.#membership.commit(positions).catch((error) => {
      this.#options.log.debug({ err: describeError(error) }, 'Offsets were not committed')
    })
  }

  async #checkHealth() {
    const { knex, metrics } = this.#options
    this.#databaseAway = await knex.raw('select 1').then(
      () => false,
      () => true,
    )
    metrics.outbox(this.#post.unpublished, this.#post.oldestSeconds)
    if (this.#databaseAway || this.#post.unpublished > 0 || this.#owned.size === 0) return
    const overdue = await owedBy(knex, this.lanes, 'overdue accepted').catch(() => [])
    if (overdue.length > 0) this.#post.add(overdue)
  }
}

class TooManyDeadLetters extends Error {
  constructor() {
    super('More than 20 dead letters in a minute: the consumer stopped instead. Restart it when the cause is mended.')
  }
}

const positionsOf =
  (topics: readonly string[]) =>
  ({ lane, positions }: OwnedLane): Position[] =>
    topics.map((topic) => ({ topic, lane, offset: positions[topic] as number }))

/** Where these messages travel. Those of owner `any` are heard on the topics of the others. */
export const topicsOf = (names: readonly MessageName[]): string[] =>
  [...new Set(names.map((name) => topicOf(name, '*')))].filter((topic) => !topic.startsWith('*')).sort()
