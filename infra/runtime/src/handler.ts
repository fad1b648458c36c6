import type { Bodies, Instant, MessageName } from '@coding-plans/schemas'
import type { Tx } from './transaction.ts'

export type { Tx } from './transaction.ts'

/** A message that arrived, decoded. */
export interface Message<Name extends MessageName = MessageName> {
  readonly name: Name
  readonly body: Bodies[Name]
  /** Unique with its source; what `seen` remembers. A uuid. */
  readonly id: string
  /** The service that said it. */
  readonly source: string
  /** Whom or what it concerns: a user id, or a plan id. The record key, but on a compacted topic, where that has more. */
  readonly key: string
  readonly lane: number
  /** Where it lies, in the partition of the lane. */
  readonly topic: string
  readonly offset: number
  /** Business time (ce_time). */
  readonly time: Instant
  /** Business time, in system mode lifted to the wall clock of the round that handles it. */
  readonly asOf: Instant
  /** The operation or saga it belongs to. */
  readonly correlationId: string
  /** The id of the message that caused it. */
  readonly causationId: string | null
  readonly traceparent: string | null
  /** What the handler's `prepare` made of it, before the transaction. */
  readonly prepared?: unknown
}

/** A message to be said, with the outcome of the round that decides it. */
export interface Saying<Name extends MessageName = MessageName> {
  readonly name: Name
  readonly body: Bodies[Name]
  /** Business time; the cause's if absent. */
  readonly time?: Instant
  /** The cause's if absent. */
  readonly correlationId?: string
  /**
   * What makes its id: the same cause and index give the same id, so that a repeat is recognised. The message that is
   * being handled if absent; required where no message is at hand (`conclude`, lane work, accepted requests).
   */
  readonly cause?: string
  /** The message it goes back to, where none is at hand. */
  readonly because?: string
}

/** Make a message to be said. Record key and lane are of the fields that the schema names. */
export const say = <Name extends MessageName>(
  name: Name,
  body: Bodies[Name],
  how: Omit<Saying, 'name' | 'body'> = {},
): Saying => ({ name, body, ...how }) as Saying

/** A call to the outside, made after the round has committed; what comes of it is said by the handler's `calls`. */
export interface Call {
  /** Which of the handler's `calls` makes it. */
  readonly call: string
  /** What it needs, as JSON; never a secret. */
  readonly request: object
}

/** Message name → pure function. Its keys are what the service listens to. Mutates the state only after all that can throw. */
export type Decide<State> = {
  readonly [Name in MessageName]?: (state: State, message: Message<Name>) => (Saying | Call)[]
}

/** Work on a message that needs CPU or the network, before the transaction. A throw is nonsense. */
export type Prepare = { readonly [Name in MessageName]?: (message: Message<Name>) => Promise<unknown> }

/** What a call is made with. */
export interface Calling {
  readonly request: Readonly<Record<string, unknown>>
  /** The same for every try of this call, so that the other side does it once. */
  readonly idempotencyKey: string
  /** Aborts when the call's time is over. */
  readonly signal: AbortSignal
}

/** How one kind of call is made. */
export interface Caller {
  /** Resolves with what its outcome says; a throw means that the outcome is unknown: it is asked again under the same key. */
  readonly make: (calling: Calling) => Promise<Saying[]>
  /**
   * Finds out what came of it, doing nothing anew, when the other side may have forgotten its key; null: that cannot be
   * told. Absent: nobody is asked then, a person must look.
   */
  readonly find?: (calling: Calling) => Promise<Saying[] | null>
  /** What is said, once, when the first try was given up. */
  readonly unanswered?: (request: Calling['request']) => Saying[]
}

/** Name of a call → how it is made. */
export type Calls = { readonly [call: string]: Caller | Caller['make'] }

/**
 * How a service takes a round: everything is read in a few statements, decided message by message in memory, and written
 * in a few statements. The runtime owns transaction, positions, seen ids, outbox, publishing and the three failures.
 */
export interface Handler<State> {
  readonly prepare?: Prepare
  /** Reads (and locks, in sorted order) what these messages need. */
  load(tx: Tx, messages: readonly Message[]): Promise<State>
  readonly decide: Decide<State>
  /**
   * Messages whose decisions go by a version or a natural key alone, so that a copy changes nothing (IDE-4): they are not
   * remembered as seen, which costs as much as many a decision. Never what asks for something.
   */
  readonly judgedByVersion?: ReadonlySet<MessageName>
  /**
   * Messages of which nobody waits for what follows: they wait a few milliseconds for others, so that one round takes
   * them together. A round costs as much for one message as for thirty.
   */
  readonly patient?: ReadonlySet<MessageName>
  readonly calls?: Calls
  /** What the round says as a whole, once, after its decisions; every saying names its `cause`. */
  conclude?(state: State): Saying[]
  /** Writes what the decisions changed, a statement per table. */
  save(tx: Tx, state: State): Promise<void>
}

/**
 * Rows without a message (due terms, for one): done by the lanes' owner under its epoch, in a transaction of its own.
 * Asked every `everyMilliseconds` and, unless it is unhurried, after each round; every saying names its `cause`.
 */
export interface LaneWork {
  readonly name: string
  readonly everyMilliseconds: number
  /** Nothing that a round does makes it more urgent. */
  readonly unhurried?: boolean
  run(tx: Tx, lanes: readonly number[], wallClock: Instant): Promise<Saying[]>
}
