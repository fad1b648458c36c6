import type { Instant } from '@coding-plans/schemas'
import { appendEffects } from './effects.ts'
import { Poisoned, Trouble } from './failures.ts'
import type { Call, Handler, Message, Saying } from './handler.ts'
import type { Owed, Scribe } from './outbox.ts'
import type { Tx } from './transaction.ts'

export interface DecidingParts<State> {
  readonly service: string
  readonly handler: Handler<State>
  readonly scribe: Scribe
  /** Whether messages are lifted to the wall clock. */
  readonly mode: 'system' | 'test'
}

export interface Called {
  readonly call: Call
  readonly message: Message
  readonly index: number
}

export interface Decided {
  readonly said: Owed[]
  /** Calls to the outside that will be owed once it is saved. */
  readonly called: readonly Called[]
  /** Yet to be called. */
  readonly saved: () => Promise<unknown>
}

const nothing: Decided = { said: [], called: [], saved: () => Promise.resolve() }

/** load → decide each, in order. @throws Poisoned with the message that cannot be decided or said; Trouble. */
export const decideAll = async <State>(
  { service, handler, scribe, mode }: DecidingParts<State>,
  tx: Tx,
  messages: readonly Message[],
  now: Instant,
): Promise<Decided> => {
  if (messages.length === 0) return nothing
  const lifted = messages.map((message) =>
    mode === 'test' || message.time >= now ? message : { ...message, asOf: now },
  )
  const state = await handler.load(tx, lifted)
  const said: Owed[] = []
  const called: Called[] = []
  for (const [place, message] of lifted.entries()) {
    try {
      const decide = handler.decide[message.name] as (state: State, message: Message) => (Saying | Call)[]
      const decided = decide(state, message)
      const sayings = decided.filter((one): one is Saying => 'name' in one)
      for (const record of scribe.write(sayings, message, now)) said.push({ ...record, owner: message.lane })
      for (const [index, call] of decided.filter((one): one is Call => 'call' in one).entries())
        called.push({ call, message, index })
    } catch (error) {
      throw error instanceof Trouble ? error : new Poisoned(messages[place] as Message, error)
    }
  }
  const whole = scribe.write(handler.conclude?.(state) ?? [], null, (lifted[0] as Message).time)
  for (const record of whole) said.push({ ...record, owner: (messages[0] as Message).lane })
  return {
    said,
    called,
    saved: () => Promise.all([handler.save(tx, state), appendEffects(tx, service, called)]),
  }
}
