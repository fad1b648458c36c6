import { type Decide, type Handler, type Message, messageId, say } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import { type Agenda, put, termOf } from './agenda.ts'
import type { ClockMode, Refusal } from './domain/clock.ts'
import { readDuration } from './domain/duration.ts'
import { begun, causeOf, ended, ending, failed, ignored, moved, type Term } from './domain/term.ts'
import { loadAgenda, saveAgenda } from './store.ts'

export const SERVICE = 'billing-scheduler'

const decide = (mode: ClockMode): Decide<Agenda> => ({
  SubscriptionActivated: (agenda, { body, lane }) => {
    // Whatever is known of this episode already is newer than its beginning.
    if (!agenda.terms.has(body.subscriptionId)) put(agenda, begun(body, lane))
    return []
  },
  SubscriptionExtended: (agenda, { body }) => {
    put(agenda, moved(termOf(agenda, body.subscriptionId), body))
    return []
  },
  SubscriptionRenewed: (agenda, { body }) => {
    put(agenda, moved(termOf(agenda, body.subscriptionId), body))
    return []
  },
  SubscriptionEnding: (agenda, { body }) => {
    put(agenda, ending(termOf(agenda, body.subscriptionId), body))
    return []
  },
  SubscriptionEnded: (agenda, { body }) => {
    put(agenda, ended(termOf(agenda, body.subscriptionId), body))
    return []
  },
  DueIgnored: (agenda, { body }) => {
    put(agenda, ignored(termOf(agenda, body.subscriptionId), body))
    return []
  },
  CommandFailed: (agenda, message) => {
    const { key, body, source } = message
    // Only the service that answers for a term can fail it; what others cannot read they say for themselves.
    if (source !== 'subscription' || body.messageName !== 'PeriodEnded') return []
    for (const term of agenda.terms.values())
      if (term.userId === key && term.state === 'said' && wasSaidBy(term, body.messageId))
        put(agenda, failed(term, agenda.wallClock))
    return []
  },
  AdvanceClock: (agenda, message) => {
    const { clock, operationId, to, by, actor } = message.body
    if (agenda.known.has(operationId)) return []
    const reason = refusalOf(mode, message)
    if (reason) return [say('ClockRefused', { clock, operationId, reason })]
    agenda.known.add(operationId)
    agenda.requested.push({ operationId, toInstant: to, byDuration: by, actor })
    return []
  },
})

/** By any attempt at this boundary: an earlier one may have been sent again from the dead letters. */
const wasSaidBy = (term: Term, id: string) =>
  Array.from({ length: term.attempt + 1 }, (_, attempt) => causeOf({ ...term, attempt })).some(
    (cause) => messageId(SERVICE, cause, 0) === id,
  )

/** Whether it is backwards shows only at its turn. */
const refusalOf = (mode: ClockMode, { body: { to, by } }: Message<'AdvanceClock'>): Refusal | null => {
  if (mode === 'system') return 'clock_not_test'
  return to === null && (by === null || readDuration(by) === null) ? 'duration_invalid' : null
}

/** Keeps the terms that subscription events tell of, and queues what operators ask of the clock. */
export const createHandler = (mode: ClockMode, wallClock: () => Instant): Handler<Agenda> => ({
  load: (tx, messages) => loadAgenda(tx, messages, wallClock()),
  decide: decide(mode),
  save: saveAgenda,
})
