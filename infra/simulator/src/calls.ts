import { messageId, type Saying } from '@coding-plans/runtime'
import { instant } from '@coding-plans/schemas'
import { write } from './broker.ts'
import type { Called } from './round.ts'
import type { Effect, Parcel, Station } from './station.ts'
import type { Surroundings } from './surroundings.ts'

interface Outcome {
  readonly effect: Effect
  readonly sayings: readonly Saying[]
  readonly known: boolean
}

const FIRST_PAUSE_MILLISECONDS = 1_000
const LONGEST_PAUSE_MILLISECONDS = 600_000

/** The calls to the outside that one process makes; what comes of them is lost with it, and asked again by the next. */
export class CallsOfMember {
  readonly #station: Station
  readonly #around: Surroundings
  #outcomes: Outcome[] = []

  constructor(station: Station, around: Surroundings) {
    this.#station = station
    this.#around = around
  }

  get underWay() {
    return this.#outcomes.length
  }

  /** Written down with the round that wants it. */
  owe({ call, message, index }: Called) {
    const station = this.#station
    const id = messageId(station.service, `${message.id}|call`, index)
    if (station.effects.has(id)) return
    const { lane, correlationId, time } = message
    const { call: kind, request } = call
    station.effects.set(id, {
      id,
      lane,
      kind,
      request,
      correlationId,
      time,
      causeId: message.id,
      attempts: 0,
      nextAt: 0,
    })
  }

  /** Makes one call that is owed, outside of any transaction. */
  async make(owned: ReadonlyMap<number, unknown>) {
    const station = this.#station
    const due = [...station.effects.values()].find(
      ({ id, lane, nextAt }) =>
        owned.has(lane) && nextAt <= this.#around.wallClock() && !this.#outcomes.some(({ effect }) => effect.id === id),
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
    this.#station.effects.set(effect.id, { ...effect, attempts: effect.attempts + 1, nextAt })
  }

  /** Outcomes become messages, under their lane's epoch: an owner that lost the lane says nothing, the next one asks again. */
  conclude(ours: ReadonlySet<number>): Parcel[] {
    const station = this.#station
    const parcels: Parcel[] = []
    for (const { effect, sayings, known } of this.#outcomes.splice(0)) {
      const open = station.effects.get(effect.id)
      if (!ours.has(effect.lane) || !open || (!known && open.attempts > 0)) continue
      const { id, time, correlationId, lane, causeId: messageId } = effect
      if (known) station.effects.delete(id)
      else this.#putOff(open)
      const named = known ? sayings : sayings.map((saying) => ({ ...saying, cause: `${id}|unanswered` }))
      const said = write(station.service, named, { id, messageId, time, correlationId }, instant(time))
      parcels.push(...station.append(said.map((one) => ({ ...one, owner: lane }))))
    }
    return parcels
  }
}
