import { type Call, type Message, Poisoned, type Saying, type Tx } from '@coding-plans/runtime'
import type { Bodies } from '@coding-plans/schemas'
import { type Outgoing, write } from './broker.ts'
import type { Station } from './station.ts'
import type { Surroundings } from './surroundings.ts'

export interface Fetched {
  readonly topic: string
  readonly lane: number
  readonly message: Message
}
export type Owed = Outgoing & { readonly owner: number }
export interface Called {
  readonly call: Call
  readonly message: Message
  readonly index: number
}

/** The database has no transactions of its own to hand on: stores in memory look at none. */
export const noTx = undefined as unknown as Tx

/** What a round comes to, within its transaction: as the runtime's, over a store in memory. */
export class Round {
  readonly #station: Station
  readonly #around: Surroundings

  constructor(station: Station, around: Surroundings) {
    this.#station = station
    this.#around = around
  }

  /** What was not seen before: one copy of each. */
  fresh(fetched: readonly Fetched[]): Fetched[] {
    const station = this.#station
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
  async decide(messages: readonly Message[]): Promise<{ said: Owed[]; called: Called[] }> {
    if (messages.length === 0) return { said: [], called: [] }
    const { handler, service } = this.#station.room
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
    const said: Owed[] = []
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
  async bury(buried: readonly Fetched[], poison: ReadonlyMap<Message, string>) {
    const { service, handler } = this.#station.room
    const said: Owed[] = []
    for (const { message } of buried) {
      const { id: messageId, name: messageName, key: subject } = message
      const reason = (poison.get(message) ?? '').slice(0, 200)
      this.#around.tell(`${service} buries ${messageName} of ${subject}: ${reason}`)
      const body: Bodies['CommandFailed'] = { subject, messageId, messageName, reason }
      const failed = { name: 'CommandFailed', cause: `dead|${messageId}`, body } as Saying
      const [told] = write(service, [failed], message, this.#around.wallClock())
      if (!told) continue
      said.push({ ...told, owner: message.lane })
      if (!handler.decide.CommandFailed) continue
      const about = { id: `failed|${messageId}`, messageId, causationId: messageId }
      const failure = { ...message, ...about, name: 'CommandFailed', body, source: service } as Message
      // The failure of a failure: the dead letter alone remains.
      await this.decide([failure]).then(
        (decided) => said.push(...decided.said),
        (error) => {
          if (!(error instanceof Poisoned)) throw error
        },
      )
    }
    return said
  }
}
