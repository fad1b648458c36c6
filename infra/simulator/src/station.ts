import {
  type Call,
  type Calls,
  type Handler,
  isLastWord,
  type LaneWork,
  type Message,
  topicsOf,
} from '@coding-plans/runtime'
import type { MemoryDatabase } from '@coding-plans/runtime/memory'
import type { Instant, MessageName } from '@coding-plans/schemas'
import type { Outgoing } from './broker.ts'

/** A service as its room gives it: without a database, without a process. */
export interface Room {
  readonly service: string
  readonly database: MemoryDatabase
  // biome-ignore lint/suspicious/noExplicitAny: what a round knows is the service's own; nobody here looks at it.
  readonly handler: Handler<any>
  readonly work: readonly LaneWork[]
  readonly due: () => Promise<number>
}

/** A row of the outbox. */
export interface Parcel {
  readonly seq: number
  readonly lane: number
  readonly messages: readonly Outgoing[]
}

/** A call to the outside that is owed. */
export interface Effect {
  readonly id: string
  readonly lane: number
  readonly kind: string
  readonly request: Call['request']
  readonly correlationId: string
  readonly time: Instant
  /** The message that asked for it. */
  readonly causeId: string
  readonly attempts: number
  /** By the wall clock. */
  readonly nextAt: number
}

export interface DeadLetter {
  readonly outgoing: Outgoing
  readonly reason: string
}

export const LANES = 12
export const EVERY_LANE = Array.from({ length: LANES }, (_, lane) => lane)

/** What of a service outlives its processes, beside its own tables: as the runtime keeps it in the same database. */
export class Station {
  readonly room: Room
  readonly topics: readonly string[]
  readonly lanes = EVERY_LANE.map(() => ({ epoch: 0, positions: new Map<string, number>() }))
  readonly seen = new Set<string>()
  readonly dead: DeadLetter[] = []
  readonly effects = new Map<string, Effect>()
  outbox: Parcel[] = []
  /** Messages that were decided and kept. */
  decided = 0
  #seq = 0

  constructor(room: Room) {
    this.room = room
    this.topics = topicsOf(Object.keys(room.handler.decide) as MessageName[])
  }

  get service() {
    return this.room.service
  }

  transaction<T>(act: () => Promise<T>): Promise<T> {
    return this.room.database.transaction(act)
  }

  get calls(): Calls {
    return this.room.handler.calls ?? {}
  }

  /** Whether a second copy is known by its id; else its handler judges it by its version. */
  remembers(name: MessageName) {
    return !isLastWord(name) && !this.room.handler.judgedByVersion?.has(name)
  }

  listensTo({ name }: Pick<Message, 'name'>) {
    return this.room.handler.decide[name] !== undefined
  }

  position(lane: number, topic: string) {
    return this.lanes[lane]?.positions.get(topic) ?? 0
  }

  /** Appends what was said, a parcel for each owner's lane, in the order in which it is published. */
  append(owed: readonly (Outgoing & { readonly owner: number })[]): Parcel[] {
    const lanes = Map.groupBy(owed, ({ owner }) => owner)
    const parcels = [...lanes].map(([lane, messages]): Parcel => {
      this.#seq += 1
      return { seq: this.#seq, lane, messages }
    })
    this.outbox.push(...parcels)
    return parcels
  }

  forget(seqs: readonly number[]) {
    const gone = new Set(seqs)
    this.outbox = this.outbox.filter(({ seq }) => !gone.has(seq))
  }
}
