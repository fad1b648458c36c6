import { type Call, type Message, messageId, type Saying, type Tx } from '@coding-plans/runtime'
import { type Bodies, type Instant, instant } from '@coding-plans/schemas'
import type { Broker, Outgoing } from './broker.ts'
import { write } from './broker.ts'
import type { Random } from './random.ts'
import type { Effect, Parcel, Station } from './station.ts'

/** What breaks, and how often. All at zero: a day on which everything works. */
export interface Faults {
  /** A message that cannot be decided; when it is sent again it can. */
  readonly poison: number
  /** A send whose acknowledgement is lost: everything is sent again. */
  readonly lostAcknowledgement: number
}
export const noFaults: Faults = { poison: 0, lostAcknowledgement: 0 }

/** Ways in which the runtime itself may be wrong; planted, to see that it would be found. */
export interface RuntimeBugs {
  readonly forgetsSeen: boolean
  readonly publishesBeforeItCommits: boolean
  readonly ignoresEpochs: boolean
}

export interface Surroundings {
  readonly broker: Broker
  readonly random: Random
  readonly mode: 'system' | 'test'
  readonly wallClock: () => Instant
  faults: () => Faults
  readonly bugs: RuntimeBugs
  readonly tell: (line: string) => void
  /** A round was kept; what it decided. */
  readonly kept: (station: Station, messages: readonly Message[]) => void
}

/** The database has no transactions of its own to hand on: stores in memory look at none. */
export const noTx = undefined as unknown as Tx

class Poisoned extends Error {
  override readonly name = 'Poisoned'
  readonly poisoned: Message
  constructor(poisoned: Message, cause: unknown) {
    super((cause as Error)?.message ?? 'unknown', { cause })
    this.poisoned = poisoned
  }
}

/** The process dies here; nothing that is not kept is known to anybody any more. */
export class Crash extends Error {
  override readonly name = 'Crash'
}

interface Claimed {
  epoch: number
  readonly positions: Map<string, number>
}

interface Fetched {
  readonly topic: string
  readonly lane: number
  readonly message: Message
}

interface Called {
  readonly call: Call
  readonly message: Message
  readonly index: number
}

interface Outcome {
  readonly effect: Effect
  readonly sayings: readonly Saying[]
  readonly known: boolean
}

const MOST_OF_A_PARTITION = 40
const FIRST_PAUSE_MILLISECONDS = 1_000
const LONGEST_PAUSE_MILLISECONDS = 600_000

/** One process of a service: owns lanes, takes rounds over what is on them, publishes what they say; as the runtime's worker. */
export class Member {
  readonly name: string
  readonly station: Station
  readonly #around: Surroundings
  readonly owned = new Map<number, Claimed>()
  /** Committed here and not acknowledged yet. */
  deliveries: Parcel[] = []
  #published: number[] = []
  #outcomes: Outcome[] = []
  /** It stands still, and does not know that others have its lanes by now. */
  paused = false

  constructor(name: string, station: Station, around: Surroundings) {
    this.name = name
    this.station = station
    this.#around = around
  }

  /** Claim by writing; publish what the last owner owed; go on where the database says (protocol.md 2). */
  claim(lane: number) {
    const { station } = this
    const row = station.lanes[lane]
    if (!row) throw new Error(`There is no lane ${lane}.`)
    row.epoch += 1
    this.owned.set(lane, { epoch: row.epoch, positions: new Map(row.positions) })
    const owed = station.outbox.filter((parcel) => parcel.lane === lane)
    for (const { messages } of owed) for (const one of messages) this.#around.broker.append(one)
    station.forget(owed.map(({ seq }) => seq))
  }

  release(lane: number) {
    this.owned.delete(lane)
  }

  get hasArrivals() {
    return [...this.owned].some(([lane, { positions }]) =>
      this.station.topics.some((topic) => (positions.get(topic) ?? 0) < this.#around.broker.end(topic, lane)),
    )
  }

  get hasOutcomes() {
    return this.#outcomes.length > 0
  }

  get underWay() {
    return this.#outcomes.length
  }

  /** A round over some of what has arrived. @throws Crash, if it is to die before the commit */
  async round(dies = false) {
    const { fetched, next } = this.#fetch()
    if (fetched.length === 0) return
    const poison = new Map<Message, string>()
    for (;;) {
      try {
        const parcels = await this.station.transaction(() => this.#take(fetched, next, poison, dies))
        this.deliveries.push(...parcels)
        return
      } catch (error) {
        if (error instanceof Poisoned) poison.set(error.poisoned, error.message)
        else throw error
      }
    }
  }

  #fetch() {
    const { random, broker } = this.#around
    const queues: Fetched[][] = []
    const next = new Map<number, Map<string, number>>()
    for (const [lane, { positions }] of this.owned)
      for (const topic of this.station.topics) {
        const from = positions.get(topic) ?? 0
        const most = random.chance(0.3) ? random.below(3) : MOST_OF_A_PARTITION
        const messages = from < broker.end(topic, lane) ? broker.read(topic, lane, from, most) : []
        if (messages.length === 0) continue
        queues.push(messages.map((message) => ({ topic, lane, message })))
        next.set(lane, (next.get(lane) ?? new Map()).set(topic, from + messages.length))
      }
    return { fetched: random.merge(queues), next }
  }

  async #take(
    fetched: readonly Fetched[],
    next: ReadonlyMap<number, ReadonlyMap<string, number>>,
    poison: ReadonlyMap<Message, string>,
    dies: boolean,
  ): Promise<Parcel[]> {
    const { station } = this
    const { bugs, broker } = this.#around
    const moved = this.#moved(next)
    const fresh = this.#fresh(fetched.filter(({ lane }) => moved.has(lane)))
    const good = fresh.filter(({ message }) => !poison.has(message)).map(({ message }) => message)
    const { said, called } = await this.#decide(good)
    const buried = fresh.filter(({ message }) => poison.has(message))
    const told = await this.#bury(buried, poison)
    const owed = [...said, ...told]
    if (bugs.publishesBeforeItCommits) for (const one of owed) broker.append(one)
    if (dies) throw new Crash(`${this.name} dies before it commits.`)
    // From here on nothing can fail: this is the commit.
    for (const lane of moved) {
      const row = station.lanes[lane]
      for (const [topic, position] of next.get(lane) ?? []) {
        row?.positions.set(topic, position)
        this.owned.get(lane)?.positions.set(topic, position)
      }
    }
    for (const message of good) {
      const id = `${message.source}|${message.id}`
      if (station.remembers(message.name)) station.seen.add(id)
      station.decided.set(id, (station.decided.get(id) ?? 0) + 1)
    }
    for (const { message, topic, lane } of buried)
      station.dead.push({ outgoing: { topic, lane, message }, reason: poison.get(message) ?? '' })
    for (const one of called) this.#owe(one)
    station.forget(this.#published.splice(0))
    const parcels = bugs.publishesBeforeItCommits ? [] : station.append(owed)
    this.#around.kept(station, good)
    return parcels
  }

  /** Compare and set: a lane that has moved on without this process does not move. */
  #moved(next: ReadonlyMap<number, unknown>): Set<number> {
    const { station } = this
    return new Set(
      [...next.keys()].filter((lane) => {
        const [row, claimed] = [station.lanes[lane], this.owned.get(lane)]
        if (!row || !claimed) return false
        if (this.#around.bugs.ignoresEpochs) return true
        const isOurs = row.epoch === claimed.epoch
        if (!isOurs) this.owned.delete(lane)
        return isOurs && station.topics.every((topic) => row.positions.get(topic) === claimed.positions.get(topic))
      }),
    )
  }

  #fresh(fetched: readonly Fetched[]): Fetched[] {
    const { station } = this
    const inThisRound = new Set<string>()
    return fetched.filter(({ message }) => {
      if (!station.listensTo(message)) return false
      if (!station.remembers(message.name) || this.#around.bugs.forgetsSeen) return true
      const id = `${message.source}|${message.id}`
      if (station.seen.has(id) || inThisRound.has(id)) return false
      inThisRound.add(id)
      return true
    })
  }

  #lift(message: Message): Message {
    const now = this.#around.wallClock()
    return this.#around.mode === 'test' || message.time >= now ? message : { ...message, asOf: now }
  }

  /** prepare → load → decide each, in order → save. @throws Poisoned */
  async #decide(messages: readonly Message[]): Promise<{ said: (Outgoing & { owner: number })[]; called: Called[] }> {
    if (messages.length === 0) return { said: [], called: [] }
    const { handler, service } = this.station.room
    const lifted = await Promise.all(
      messages.map(async (message) => {
        const prepare = handler.prepare?.[message.name] as ((message: Message) => Promise<unknown>) | undefined
        if (!prepare) return this.#lift(message)
        const prepared = await prepare(message).catch((error: unknown) => {
          throw new Poisoned(message, error)
        })
        return this.#lift({ ...message, prepared })
      }),
    )
    const state = await handler.load(noTx, lifted)
    const said: (Outgoing & { owner: number })[] = []
    const called: Called[] = []
    for (const [place, message] of lifted.entries()) {
      const original = messages[place] as Message
      try {
        if (this.#around.random.chance(this.#around.faults().poison)) throw new Error('A planted fault.')
        const decide = handler.decide[message.name] as (state: unknown, message: Message) => (Saying | Call)[]
        const decided = decide(state, message)
        const sayings = decided.filter((one): one is Saying => 'name' in one)
        for (const one of write(service, sayings, message, this.#around.wallClock()))
          said.push({ ...one, owner: message.lane })
        for (const [index, call] of decided.filter((one): one is Call => 'call' in one).entries())
          called.push({ call, message, index })
      } catch (error) {
        throw new Poisoned(original, error)
      }
    }
    const [first] = lifted as [Message, ...Message[]]
    for (const one of write(service, handler.conclude?.(state) ?? [], null, first.time))
      said.push({ ...one, owner: first.lane })
    await handler.save(noTx, state)
    return { said, called }
  }

  /** Dead letters, and whoever waits is told: by `CommandFailed`, and the saga by its own cell (protocol.md 3). */
  async #bury(buried: readonly Fetched[], poison: ReadonlyMap<Message, string>) {
    const { service, handler } = this.station.room
    const said: (Outgoing & { owner: number })[] = []
    for (const { message } of buried) {
      const { id: messageId, name: messageName, key: subject } = message
      const reason = (poison.get(message) ?? '').slice(0, 200)
      this.#around.tell(`${this.name} buries ${messageName} of ${subject}: ${reason}`)
      const body: Bodies['CommandFailed'] = { subject, messageId, messageName, reason }
      const failed = { name: 'CommandFailed', cause: `dead|${messageId}`, body } as Saying
      const [told] = write(service, [failed], message, this.#around.wallClock())
      if (!told) continue
      said.push({ ...told, owner: message.lane })
      if (!handler.decide.CommandFailed) continue
      const failure = { ...message, name: 'CommandFailed', body, source: service, causationId: messageId } as Message
      // The failure of a failure: the dead letter alone remains.
      await this.#decide([failure]).then(
        (decided) => said.push(...decided.said),
        (error) => {
          if (!(error instanceof Poisoned)) throw error
        },
      )
    }
    return said
  }

  #owe({ call, message, index }: Called) {
    const { station } = this
    const id = messageId(station.service, `${message.id}|call`, index)
    if (station.effects.has(id)) return
    const { lane, correlationId, time } = message
    const { call: kind, request } = call
    station.effects.set(id, { id, lane, kind, request, correlationId, time, attempts: 0, nextAt: 0 })
  }

  /** Sends what was committed, in order. What is sent and not known to be is sent again. */
  publish() {
    const [delivery] = this.deliveries
    if (!delivery) return
    const { random, broker } = this.#around
    const isLost = random.chance(this.#around.faults().lostAcknowledgement)
    const sent = isLost ? random.below(delivery.messages.length + 1) : delivery.messages.length
    for (const one of delivery.messages.slice(0, sent)) broker.append(one)
    if (isLost) return this.#around.tell(`${this.name} does not hear that ${sent} messages arrived`)
    this.deliveries.shift()
    // Deleted with the next round, or by themselves when none comes.
    if (random.chance(0.5)) this.station.forget([delivery.seq])
    else this.#published.push(delivery.seq)
  }

  sweep() {
    this.station.forget(this.#published.splice(0))
  }

  /** The lanes' own work, under their epochs. */
  async laneWork() {
    const { station } = this
    const lanes = this.#ours()
    if (lanes.length === 0) return
    for (const work of station.room.work) {
      const wallClock = this.#around.wallClock()
      await station.transaction(async () => {
        const said = write(station.service, await work.run(noTx, lanes, wallClock), null, wallClock)
        const ownerOf = (lane: number) => (lanes.includes(lane) ? lane : (lanes[0] as number))
        this.deliveries.push(...station.append(said.map((one) => ({ ...one, owner: ownerOf(one.lane) }))))
      })
    }
  }

  #ours(): number[] {
    return [...this.owned]
      .filter(([lane, { epoch }]) => this.station.lanes[lane]?.epoch === epoch)
      .map(([lane]) => lane)
  }

  /** Makes one call that is owed, outside of any transaction. */
  async call() {
    const { station } = this
    const due = [...station.effects.values()].find(
      ({ id, lane, nextAt }) =>
        this.owned.has(lane) &&
        nextAt <= this.#around.wallClock() &&
        !this.#outcomes.some(({ effect }) => effect.id === id),
    )
    if (!due) return
    const given = station.calls[due.kind]
    if (!given) throw new Error(`Nothing makes calls of kind ${due.kind}.`)
    const { make, unanswered } = typeof given === 'function' ? { make: given, unanswered: undefined } : given
    const signal = new AbortController().signal
    try {
      const request = due.request as Record<string, unknown>
      const sayings = await make({ request, idempotencyKey: due.id, signal })
      this.#outcomes.push({ effect: due, sayings, known: true })
    } catch {
      if (unanswered && due.attempts === 0) {
        const sayings = unanswered(due.request as Record<string, unknown>)
        this.#outcomes.push({ effect: due, sayings, known: false })
      } else this.#putOff(due)
    }
  }

  #putOff(effect: Effect) {
    const pause = Math.min(LONGEST_PAUSE_MILLISECONDS, FIRST_PAUSE_MILLISECONDS * 2 ** Math.min(effect.attempts, 10))
    const nextAt = this.#around.wallClock() + pause
    this.station.effects.set(effect.id, { ...effect, attempts: effect.attempts + 1, nextAt })
  }

  /** Outcomes become messages, under their lane's epoch: an owner that lost the lane says nothing, the next one asks again. */
  conclude() {
    const { station } = this
    const ours = new Set(this.#ours())
    for (const { effect, sayings, known } of this.#outcomes.splice(0)) {
      const open = station.effects.get(effect.id)
      if (!ours.has(effect.lane) || !open || (!known && open.attempts > 0)) continue
      const { id, time, correlationId, lane } = effect
      if (known) station.effects.delete(id)
      else this.#putOff(open)
      const named = known ? sayings : sayings.map((saying) => ({ ...saying, cause: `${id}|unanswered` }))
      const said = write(station.service, named, { id, time, correlationId }, instant(time))
      this.deliveries.push(...station.append(said.map((one) => ({ ...one, owner: lane }))))
    }
  }
}
