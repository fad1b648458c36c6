import { schedulerInMemory } from '@coding-plans/billing-scheduler/in-memory'
import { ledgerInMemory } from '@coding-plans/credits-ledger/in-memory'
import { gatewayInMemory } from '@coding-plans/gateway/in-memory'
import { inventoryInMemory } from '@coding-plans/key-inventory/in-memory'
import type { Message, Saying } from '@coding-plans/runtime'
import { type Instant, instant } from '@coding-plans/schemas'
import { subscriptionInMemory } from '@coding-plans/subscription/in-memory'
import { Broker, write } from './broker.ts'
import { type Bug, plant, runtimeBugsOf } from './bugs.ts'
import { Crash, Member } from './member.ts'
import { SimulatedPayments } from './payments.ts'
import type { Random } from './random.ts'
import { EVERY_LANE, LANES, type Room, Station } from './station.ts'
import { type Faults, noFaults, type Surroundings } from './surroundings.ts'

export type Mode = 'system' | 'test'

const BEGINS_AT = Date.parse('2026-01-30T10:00:00.000Z')
/** What a gateway accepted and did not publish is published by the lane's owner after this. */
const OVERDUE_MILLISECONDS = 2_000

export interface WorldOptions {
  readonly random: Random
  readonly mode: Mode
  readonly bug: Bug | null
  readonly forgets: boolean
  readonly tell: (line: string) => void
  readonly kept: (station: Station, messages: readonly Message[]) => void
}

/** All five services over stores in memory, their processes, a broker, payments and the wall clock. Nothing moves unless it is asked to. */
export class World {
  readonly random: Random
  readonly mode: Mode
  readonly broker = new Broker()
  readonly payments: SimulatedPayments
  readonly rooms
  readonly stations: readonly Station[]
  members: Member[] = []
  faults: Faults = noFaults
  /** Wall clock, and in system mode business time. */
  now: Instant = instant(BEGINS_AT)
  readonly #around: Surroundings
  #born = 0
  readonly #acceptedAt = new Map<number, number>()

  constructor({ random, mode, bug, forgets, tell, kept }: WorldOptions) {
    this.random = random
    this.mode = mode
    this.payments = new SimulatedPayments(random)
    const wallClock = () => this.now
    this.rooms = plant(bug, random, {
      gateway: gatewayInMemory(mode, wallClock),
      subscription: subscriptionInMemory(wallClock),
      ledger: ledgerInMemory(this.payments),
      inventory: inventoryInMemory(),
      scheduler: schedulerInMemory({ mode, wallClock, surroundings: this.#judged() }),
    })
    const { gateway, subscription, ledger, inventory, scheduler } = this.rooms
    this.stations = [gateway, subscription, ledger, inventory, scheduler].map((room) => new Station(room as Room))
    const planted = runtimeBugsOf(bug)
    const bugs = { ...planted, forgetsSeen: forgets || planted.forgetsSeen }
    this.#around = { broker: this.broker, random, mode, wallClock, faults: () => this.faults, bugs, tell, kept }
    for (const station of this.stations) this.bear(station, EVERY_LANE)
  }

  /** What the scheduler judges by whether all has settled (protocol.md 8). */
  #judged() {
    return {
      committed: async () =>
        new Map(
          this.stations.map((station) => [
            station.service,
            new Map(
              station.topics.map((topic) => [
                topic,
                new Map(EVERY_LANE.map((lane) => [lane, station.position(lane, topic)])),
              ]),
            ),
          ]),
        ),
      open: () =>
        Promise.all(
          this.stations.map(async (station) => ({
            unpublished: station.outbox.length,
            calls:
              [...station.effects.values()].filter(({ attempts }) => attempts === 0).length + this.#underWay(station),
            due: await station.room.due(),
          })),
        ),
      ends: async (topics: readonly string[]) =>
        new Map(
          topics.map((topic) => [topic, new Map(EVERY_LANE.map((lane) => [lane, this.broker.end(topic, lane)]))]),
        ),
    }
  }

  #underWay(station: Station) {
    return this.membersOf(station).reduce((sum, { underWay }) => sum + underWay, 0)
  }

  stationOf(service: string): Station {
    const found = this.stations.find((station) => station.service === service)
    if (!found) throw new Error(`There is no service ${service}.`)
    return found
  }

  membersOf(station: Station) {
    return this.members.filter((member) => member.station === station)
  }

  /** A new process, which claims these lanes. */
  bear(station: Station, lanes: readonly number[]): Member {
    this.#born += 1
    const member = new Member(`${station.service} ${this.#born}`, station, this.#around)
    this.members.push(member)
    for (const lane of lanes) {
      for (const other of this.membersOf(station)) if (other !== member && !other.paused) other.release(lane)
      member.claim(lane)
    }
    return member
  }

  /** Its memory is gone; another process of its service claims what it had, a new one if there is none. */
  kill(member: Member) {
    this.members = this.members.filter((one) => one !== member)
    const heirs = this.membersOf(member.station).filter(({ paused }) => !paused)
    const lanes = [...member.owned].flatMap(([lane, { epoch }]) =>
      member.station.lanes[lane]?.epoch === epoch ? [lane] : [],
    )
    if (heirs.length === 0) return void this.bear(member.station, lanes)
    for (const lane of lanes) this.random.pick(heirs).claim(lane)
  }

  /** It stands still and loses its lanes; awake again, it does not know. */
  pause(member: Member) {
    const lanes = [...member.owned.keys()]
    member.paused = true
    const heirs = this.membersOf(member.station).filter(({ paused }) => !paused)
    if (heirs.length === 0) this.bear(member.station, lanes)
    else for (const lane of lanes) this.random.pick(heirs).claim(lane)
  }

  /** The group deals anew: a second process comes, or lanes go to and fro. */
  rebalance(station: Station) {
    const members = this.membersOf(station).filter(({ paused }) => !paused)
    if (members.length < 2) return void this.bear(station, EVERY_LANE.slice(0, this.random.below(LANES) + 1))
    const lane = this.random.below(LANES)
    for (const member of members) member.release(lane)
    this.random.pick(members).claim(lane)
  }

  async round(member: Member, dies = false) {
    try {
      await member.round(dies)
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      this.kill(member)
    }
  }

  /** What a gateway's process writes into its outbox with an accepted request; published by it, unless it dies first. */
  append(dies: () => boolean) {
    const station = this.stationOf('gateway')
    const member = this.random.pick(this.membersOf(station))
    return async (sayings: readonly Saying[], time: Instant) => {
      const said = write(station.service, sayings, null, time)
      const parcels = station.append(said.map((one) => ({ ...one, owner: one.lane })))
      for (const { seq } of parcels) this.#acceptedAt.set(seq, this.now)
      return () => {
        if (!dies()) member.deliveries.push(...parcels)
      }
    }
  }

  /** What is in an outbox and in no process: the lane's owner publishes it. */
  publishOverdue() {
    const station = this.stationOf('gateway')
    const held = new Set(this.membersOf(station).flatMap(({ deliveries }) => deliveries.map(({ seq }) => seq)))
    const overdue = station.outbox.filter(({ seq }) => {
      const at = this.#acceptedAt.get(seq)
      return at !== undefined && !held.has(seq) && at + OVERDUE_MILLISECONDS <= this.now
    })
    const [owner] = this.membersOf(station).filter(({ paused }) => !paused)
    owner?.deliveries.push(...overdue)
  }

  get hasDeadLetters() {
    return this.stations.some(({ dead }) => dead.length > 0)
  }

  /** What lies in the dead letters is sent again, in its order. */
  redrive() {
    for (const station of this.stations) for (const { outgoing } of station.dead.splice(0)) this.broker.append(outgoing)
  }

  /** One thing that a process does by itself. */
  async move(member: Member, dies = false) {
    if (member.underWay > 0 && this.random.chance(0.5)) return member.conclude()
    if (member.station.effects.size > 0 && this.random.chance(0.4)) return member.call()
    if (member.deliveries.length > 0 && this.random.chance(0.6)) return member.publish()
    if (member.hasArrivals) return this.round(member, dies)
    await member.laneWork()
  }

  get isQuiet() {
    return this.members.every(
      (member) => member.paused || (member.deliveries.length === 0 && !member.hasArrivals && member.underWay === 0),
    )
  }
}
