import { instant } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import { backOff } from './failures.ts'
import type { Call, Caller, Calls, Message, Saying, Tx } from './handler.ts'
import { messageId } from './ids.ts'
import { underLanes } from './lane-work.ts'
import type { OwnedLane } from './lanes.ts'
import type { Logger } from './log.ts'
import type { Parcel, Scribe } from './outbox.ts'
import { execute, insertRows, select } from './sql.ts'

/** A call to the outside that is owed: a row with a lane, made outside the transaction by the lane's owner. */
interface Effect {
  readonly id: string
  readonly lane: number
  readonly kind: string
  readonly request: Record<string, unknown>
  readonly correlationId: string
  readonly time: number
  /** The message that asked for it; null: written down before that was kept. */
  readonly causeId: string | null
  readonly attempts: number
  /** Its key may be forgotten by now. */
  readonly late: boolean
}

const CALL_DEADLINE_MILLISECONDS = 10_000
const MOST_CALLS_AT_ONCE = 16
const FIRST_PAUSE_MILLISECONDS = 1_000
const LONGEST_PAUSE_MILLISECONDS = 10 * 60_000
// Longer than a day, no payment provider keeps an idempotency key: asked anew it would be done anew.
const ASKED_FOR = '23 hours'

/** Write down what a decision wants called, in its round's transaction. The id is the idempotency key. */
export const appendEffects = (
  tx: Tx,
  service: string,
  called: readonly { call: Call; message: Message; index: number }[],
) =>
  insertRows(
    tx,
    'effects',
    called.map(({ call, message, index }) => ({
      id: messageId(service, `${message.id}|call`, index),
      lane: message.lane,
      kind: call.call,
      request: call.request,
      key: message.key,
      correlationId: message.correlationId,
      time: message.time,
      causeId: message.id,
    })),
    'on conflict do nothing',
  )

/** What came of a call; of one that was given up, what is said of that. */
interface Outcome {
  readonly effect: Effect
  readonly sayings: readonly Saying[]
  readonly known: boolean
}

export interface EffectParts {
  readonly knex: Knex
  readonly calls: Calls
  readonly scribe: Scribe
  readonly log: Logger
  readonly owned: () => readonly OwnedLane[]
  /** There is an outcome to conclude. */
  readonly wake: () => void
}

/** Makes the calls that owned lanes owe, a bounded number at once, each within its deadline; saves what comes of them as messages. */
export class Effects {
  readonly #parts: EffectParts
  readonly #underWay = new Set<string>()
  readonly #outcomes: Outcome[] = []

  constructor(parts: EffectParts) {
    this.#parts = parts
  }

  get underWay() {
    return this.#underWay.size
  }

  /** Begin what is due and not under way. That it was called is committed first: a call may be done and its maker killed. */
  async begin() {
    const { knex, owned } = this.#parts
    const free = MOST_CALLS_AT_ONCE - this.#underWay.size
    const lanes = owned().map(({ lane }) => lane)
    if (free <= 0 || lanes.length === 0) return
    const due = await select<Effect>(
      knex,
      `with due as (
         select id from effects where state = 'open' and lane = any(?) and next_call_at <= now() and not (id = any(?))
         order by next_call_at limit ? for update skip locked
       )
       update effects e set first_called_at = coalesce(e.first_called_at, now()) from due where e.id = due.id
       returning e.id, e.lane, e.kind, e.request, e.correlation_id, e.time, e.cause_id, e.attempts,
         e.first_called_at < now() - interval '${ASKED_FOR}' as late`,
      [lanes, [...this.#underWay], free],
    )
    for (const effect of due) void this.#make(effect)
  }

  async #make(effect: Effect) {
    const { log } = this.#parts
    const { make, find, unanswered } = this.#callerOf(effect)
    this.#underWay.add(effect.id)
    try {
      const signal = AbortSignal.timeout(CALL_DEADLINE_MILLISECONDS)
      const calling = { request: effect.request, idempotencyKey: effect.id, signal }
      const sayings = effect.late ? await find?.(calling) : await make(calling)
      if (!sayings) throw new Error('It is too late to ask again.')
      this.#outcomes.push({ effect, sayings, known: true })
      this.#parts.wake()
    } catch (error) {
      log.warn({ err: error, kind: effect.kind, attempts: effect.attempts + 1 }, 'The outcome of a call is unknown')
      if (unanswered && effect.attempts === 0) {
        this.#outcomes.push({ effect, sayings: unanswered(effect.request), known: false })
        return this.#parts.wake()
      }
      await this.#askAgain(effect).catch((trouble) => log.warn({ err: trouble }, 'A call was not put off'))
      this.#underWay.delete(effect.id)
    }
  }

  #callerOf({ kind }: Effect): Caller {
    const caller = this.#parts.calls[kind]
    if (!caller) return { make: () => Promise.reject(new Error(`Nothing makes calls of kind ${kind}.`)) }
    return typeof caller === 'function' ? { make: caller } : caller
  }

  /**
   * Outcomes become messages, under their lane's epoch: an owner that lost the lane says nothing, the next one asks again.
   * Called by the worker's loop alone, so that no round of our own holds the lane. @throws when it is not known whether
   * they were saved; they are asked again then.
   */
  async conclude(owned: readonly OwnedLane[]): Promise<Parcel[]> {
    const { knex, scribe } = this.#parts
    const outcomes = this.#outcomes.splice(0)
    try {
      return await underLanes(knex, owned, async (tx, lanes) => {
        const ours = outcomes.filter(({ effect }) => lanes.includes(effect.lane))
        const idsOf = (known: boolean) => ours.filter((one) => one.known === known).map(({ effect }) => effect.id)
        const removed = await select<{ id: string }>(tx, 'delete from effects where id = any(?) returning id', [
          idsOf(true),
        ])
        const putOff = await this.#putOff(tx, idsOf(false))
        const open = new Set([...removed, ...putOff].map(({ id }) => id))
        return ours
          .filter(({ effect }) => open.has(effect.id))
          .flatMap(({ effect: { id, time, correlationId, causeId }, sayings, known }) => {
            const cause = { id, messageId: causeId, time: instant(time), correlationId, traceparent: null }
            const said = known ? sayings : sayings.map((saying) => ({ ...saying, cause: `${id}|unanswered` }))
            return scribe.write(said, cause, instant(time))
          })
      })
    } finally {
      for (const { effect } of outcomes) this.#underWay.delete(effect.id)
    }
  }

  get hasOutcomes() {
    return this.#outcomes.length > 0
  }

  /** The first try was given up: only one that is still the first says so. */
  #putOff(tx: Tx, ids: readonly string[]) {
    if (ids.length === 0) return Promise.resolve([])
    return select<{ id: string }>(
      tx,
      `update effects set attempts = 1, next_call_at = now() + ? * interval '1 millisecond'
       where id = any(?) and attempts = 0 returning id`,
      [FIRST_PAUSE_MILLISECONDS, ids as string[]],
    )
  }

  #askAgain({ id, kind, attempts, late }: Effect) {
    const milliseconds = backOff(attempts, FIRST_PAUSE_MILLISECONDS, LONGEST_PAUSE_MILLISECONDS)
    if (late) this.#parts.log.error({ kind, id }, 'What came of a call stays unknown: it is listed, a person must look')
    return execute(
      this.#parts.knex,
      `update effects set attempts = attempts + 1, state = ?, next_call_at = now() + ? * interval '1 millisecond'
       where id = ?`,
      [late ? 'listed' : 'open', milliseconds, id],
    )
  }
}
