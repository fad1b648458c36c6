import { hostname } from 'node:os'
import type { Instant } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import { Arrivals } from './arrivals.ts'
import type { Codec } from './codec.ts'
import { Errands } from './errands.ts'
import { backOff, pause } from './failures.ts'
import type { Handler, LaneWork, Saying, Tx } from './handler.ts'
import { Health } from './health.ts'
import { type Hearer, topicsHeard } from './intake.ts'
import type { Connection } from './kafka/client.ts'
import { KafkaPublisher } from './kafka/publisher.ts'
import { Membership } from './kafka/subscription.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import { OffsetTeller } from './offsets.ts'
import { appendOutbox, Scribe } from './outbox.ts'
import { Ownership } from './ownership.ts'
import { Post } from './post.ts'
import { Rounds } from './rounds.ts'

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
  readonly #topics: readonly string[]
  readonly #arrivals: Arrivals
  readonly #health = new Health()
  readonly #rounds: Rounds<State>
  readonly #errands: Errands
  #wake: () => void = () => {}
  #loop: Promise<void> | undefined

  constructor(options: WorkerOptions<State>) {
    const { service, connection, handler, knex, log, sessionMilliseconds } = options
    this.#options = options
    const hearer: Hearer = { service, decide: handler.decide }
    this.#topics = topicsHeard(hearer)
    this.#scribe = new Scribe(service, options.codec)
    this.#publisher = new KafkaPublisher(connection)
    this.#post = new Post(this.#publisher, knex)
    this.#offsets = new OffsetTeller(
      (positions) => this.#membership.commit(positions),
      OFFSETS_APART_MILLISECONDS[options.mode],
    )
    const name = `${hostname()}/${process.pid}`
    this.#ownership = new Ownership({ knex, cluster: connection, topics: this.#topics, name, log })
    this.#arrivals = new Arrivals({
      codec: options.codec,
      hearer,
      patient: handler.patient,
      topics: this.#topics,
      ownership: this.#ownership,
      membership: () => this.#membership,
      metrics: options.metrics,
      log,
      wake: () => this.#wake(),
    })
    const parts = {
      knex,
      scribe: this.#scribe,
      ownership: this.#ownership,
      arrivals: this.#arrivals,
      post: this.#post,
      health: this.#health,
      metrics: options.metrics,
      log,
      wake: () => this.#wake(),
    }
    const { mode, paceMilliseconds } = options
    this.#rounds = new Rounds({
      ...parts,
      ...{ service, handler, mode, paceMilliseconds, codec: options.codec },
      offsets: this.#offsets,
      owesCalls: () => this.#errands.expectCalls(),
    })
    this.#errands = new Errands({ ...parts, work: options.work, calls: handler.calls })
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
    this.#errands.start()
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
    return this.#errands.underWay
  }

  get lanes(): readonly number[] {
    return [...this.#ownership.owned.keys()]
  }

  /** Ask lane work to run now. */
  nudge() {
    this.#errands.nudge()
    this.#wake()
  }

  /** Called after each round that this process commits. */
  onRound(listener: () => void) {
    this.#rounds.onRound(listener)
  }

  /**
   * Say what no message caused, inside the caller's own transaction; call what it returns after the commit. What this
   * process does not get to publish within 2 s is published by the lane's owner. @throws Nonsense
   */
  async append(tx: Tx, sayings: readonly Saying[], time: Instant): Promise<() => void> {
    const records = this.#scribe.write(sayings, null, time)
    const owned = records.map((record) => ({ ...record, owner: record.lane }))
    const parcels = await appendOutbox(tx, owned, true)
    return () => this.#post.add(parcels)
  }

  /** Stop fetching, finish the round, publish, leave the group. */
  async stop() {
    if (this.#health.stopping) return
    this.#health.stopping = true
    this.#arrivals.close()
    this.#errands.stop()
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
        this.#options.log.warn({ err: error, troubles: this.#health.troubles }, 'Trouble; trying again')
        await pause(backOff(this.#health.troubles))
      }
    }
  }

  /** @returns whether it is worth looking again at once. */
  async #step(): Promise<boolean> {
    if (this.#ownership.unclaimed) return this.#claim()
    const { due } = this.#rounds
    if (due) await this.#rounds.take()
    await this.#errands.run(due)
    return due
  }

  #untilNext() {
    if (this.#ownership.unclaimed) return CLAIM_AGAIN_AFTER_MILLISECONDS
    const next = Math.min(this.#errands.nextAt - Date.now(), this.#rounds.dueAt - performance.now(), IDLE_MILLISECONDS)
    return Math.max(1, Math.ceil(next))
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
}
