import { type Decide, type Handler, type Message, messageId, say } from '@coding-plans/runtime'
import { type Instant, instant, type MessageName } from '@coding-plans/schemas'
import { type Agenda, count, put, termOf } from './agenda.ts'
import type { ClockMode, Refusal } from './domain/clock.ts'
import { readDuration } from './domain/duration.ts'
import { begun, causeOf, ended, ending, failed, given, ignored, moved, type Term, told } from './domain/term.ts'
import type { Flow } from './flow.ts'
import type { Store } from './store.ts'

export const SERVICE = 'billing-scheduler'

const DUE_MESSAGES: ReadonlySet<string> = new Set<MessageName>([
  'PeriodEnded',
  'GraceEnded',
  'TopUpWaitEnded',
  'RenewalDueSoon',
])

/** By the subscription's, or by what was said last of its term. */
const JUDGED_BY_VERSION: ReadonlySet<MessageName> = new Set<MessageName>([
  'SubscriptionActivated',
  'SubscriptionExtended',
  'SubscriptionRenewed',
  'DaysGranted',
  'SubscriptionPastDue',
  'TopUpAwaited',
  'RenewingSoon',
  'SubscriptionEnding',
  'SubscriptionEnded',
])

const decide = (mode: ClockMode): Decide<Agenda> => ({
  SubscriptionActivated: (agenda, { body, lane, time }) => {
    // Whatever is known of this episode already is newer than its beginning.
    if (!agenda.terms.has(body.subscriptionId)) put(agenda, begun(body, lane, time))
    return []
  },
  SubscriptionExtended: (agenda, { body, time: at }) => {
    const { periodStart: start, currentPeriodEnd: end } = body
    put(agenda, moved(termOf(agenda, body.subscriptionId), body, { start, end, at }))
    return []
  },
  SubscriptionRenewed: (agenda, { body, time: at }) => {
    const { boundary, periodStart, currentPeriodEnd: end, recovered } = body
    const next = moved(termOf(agenda, body.subscriptionId), body, { start: periodStart ?? boundary, end, at })
    if (put(agenda, next)) count(agenda, next, recovered ? 'recovered' : 'renewed')
    return []
  },
  DaysGranted: (agenda, { body, time: at }) => {
    const { periodStart: start, currentPeriodEnd: end } = body
    put(agenda, moved(termOf(agenda, body.subscriptionId), body, { start, end, at }))
    return []
  },
  SubscriptionPastDue: (agenda, { body }) => {
    const next = given(termOf(agenda, body.subscriptionId), body, { what: 'grace_ended', until: body.graceEndsAt })
    if (put(agenda, next)) count(agenda, next, 'pastDue')
    return []
  },
  TopUpAwaited: (agenda, { body }) => {
    const wait = { what: 'top_up_wait_ended', until: body.until } as const
    put(agenda, given(termOf(agenda, body.subscriptionId), body, wait))
    return []
  },
  RenewingSoon: (agenda, { body }) => {
    put(agenda, told(termOf(agenda, body.subscriptionId), body))
    return []
  },
  SubscriptionEnding: (agenda, { body }) => {
    put(agenda, ending(termOf(agenda, body.subscriptionId), body))
    return []
  },
  SubscriptionEnded: (agenda, { body }) => {
    const next = ended(termOf(agenda, body.subscriptionId), body)
    if (put(agenda, next) && body.boundary !== null) count(agenda, next, 'ended')
    return []
  },
  DueIgnored: (agenda, { body }) => {
    const next = ignored(termOf(agenda, body.subscriptionId), body)
    if (put(agenda, next) && body.what !== 'renewal_due_soon') count(agenda, next, 'duplicates')
    return []
  },
  CreditsToppedUp: (agenda, { lane }) => {
    count(agenda, { lane }, 'topUps')
    return []
  },
  CommandFailed: (agenda, message) => {
    const { key, body, source } = message
    // Only the service that answers for a term can fail it; what others cannot read they say for themselves.
    if (source !== 'subscription' || !DUE_MESSAGES.has(body.messageName)) return []
    for (const term of agenda.terms.values())
      if (term.userId === key && term.state === 'said' && wasSaidBy(term, body.messageId)) {
        put(agenda, failed(term, agenda.wallClock))
        count(agenda, term, 'errors')
      }
    return []
  },
  AdvanceClock: (agenda, message) => {
    const { clock, operationId, to, by, actor, outage } = message.body
    if (agenda.known.has(operationId)) return []
    const reason = refusalOf(mode, message)
    if (reason) return [say('ClockRefused', { clock, operationId, reason })]
    agenda.known.add(operationId)
    agenda.requested.push({ operationId, toInstant: to, byDuration: by, actor, outage })
    return []
  },
  RunBillingTick: (agenda, { body: { operationId, waitMilliseconds } }) => {
    if (agenda.known.has(operationId)) return []
    agenda.known.add(operationId)
    // What is due is said anyway; the tick is answered when nothing up to here is left.
    const { wallClock: askedAt } = agenda
    const waitUntil = instant(askedAt + waitMilliseconds)
    agenda.ticks.push({ operationId, asOf: mode === 'system' ? askedAt : null, askedAt, waitUntil })
    return []
  },
})

/** By any attempt at this: an earlier one may have been sent again from the dead letters. */
const wasSaidBy = (term: Term, id: string) =>
  Array.from({ length: term.attempt + 1 }, (_, attempt) => causeOf({ ...term, attempt })).some(
    (cause) => messageId(SERVICE, cause, 0) === id,
  )

/** Whether it is backwards shows only at its turn. */
const refusalOf = (mode: ClockMode, { body: { to, by } }: Message<'AdvanceClock'>): Refusal | null => {
  if (mode === 'system') return 'clock_not_test'
  return to === null && (by === null || readDuration(by) === null) ? 'duration_invalid' : null
}

export interface HandlerOptions {
  readonly mode: ClockMode
  readonly store: Store
  readonly flow: Flow
  readonly wallClock: () => Instant
}

/** Keeps the terms that subscription events tell of, and queues what operators ask of the clock. */
export const createHandler = ({ mode, store, flow, wallClock }: HandlerOptions): Handler<Agenda> => ({
  load: (tx, messages) => {
    flow.hear(messages, wallClock())
    return store.loadAgenda(tx, messages, { wallClock: wallClock() })
  },
  decide: decide(mode),
  judgedByVersion: JUDGED_BY_VERSION,
  // What they make due is due in days. Only an advance of the test clock waits for them.
  ...(mode === 'system' ? { patient: JUDGED_BY_VERSION } : {}),
  save: async (tx, agenda) => {
    for (const id of agenda.changed) if (agenda.terms.get(id)?.state !== 'said') flow.answered(id, agenda.wallClock)
    await store.saveAgenda(tx, agenda)
  },
})
