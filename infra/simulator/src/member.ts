import { type Message, Poisoned } from '@coding-plans/runtime'
import { write } from './broker.ts'
import { CallsOfMember } from './calls.ts'
import { type Fetched, noTx, Round } from './round.ts'
import type { Parcel, Station } from './station.ts'
import type { Surroundings } from './surroundings.ts'

/** The process dies here; nothing that is not kept is known to anybody any more. */
export class Crash extends Error {
  override readonly name = 'Crash'
}

interface Claimed {
  epoch: number
  readonly positions: Map<string, number>
}

const MOST_OF_A_PARTITION = 40

/** One process of a service: owns lanes, takes rounds over what is on them, publishes what they say; as the runtime's worker. */
export class Member {
  readonly name: string
  readonly station: Station
  readonly #around: Surroundings
  readonly #round: Round
  readonly #calls: CallsOfMember
  readonly owned = new Map<number, Claimed>()
  /** Committed here and not acknowledged yet. */
  deliveries: Parcel[] = []
  #published: number[] = []
  /** It stands still, and does not know that others have its lanes by now. */
  paused = false

  constructor(name: string, station: Station, around: Surroundings) {
    this.name = name
    this.station = station
    this.#around = around
    this.#round = new Round(station, around)
    this.#calls = new CallsOfMember(station, around)
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

  /** Calls whose outcomes are known here and not concluded. */
  get underWay() {
    return this.#calls.underWay
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
    const fresh = this.#round.fresh(fetched.filter(({ lane }) => moved.has(lane)))
    const good = fresh.filter(({ message }) => !poison.has(message)).map(({ message }) => message)
    const { said, called } = await this.#round.decide(good)
    const buried = fresh.filter(({ message }) => poison.has(message))
    const told = await this.#round.bury(buried, poison)
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
    for (const { name, source, id } of good) if (station.remembers(name)) station.seen.add(`${source}|${id}`)
    station.decided += good.length
    for (const { message, topic, lane } of buried)
      station.dead.push({ outgoing: { topic, lane, message }, reason: poison.get(message) ?? '' })
    for (const one of called) this.#calls.owe(one)
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
  call() {
    return this.#calls.make(this.owned)
  }

  conclude() {
    this.deliveries.push(...this.#calls.conclude(new Set(this.#ours())))
  }
}
