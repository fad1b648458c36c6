import type { Message } from '@coding-plans/runtime'
import type { Facts } from './facts.ts'
import type { Subject } from './kinds.ts'
import { NO_ATTEMPT, triedTwice } from './passing.ts'
import { remember } from './remember.ts'

const MOST_TOP_UPS = 20
/** Of one user; more are only remembered of one that ended, and whose topics were read in that order. */
const MOST_SUBSCRIPTIONS = 20
/** Each attempt at a term begins with another due message, and is another saga. */
const MOST_ATTEMPTS = 5

const renewalOf = ({ renewals }: Subject, subscriptionId: string) =>
  renewals[subscriptionId] ?? { boundary: null, said: [], sagas: {} }

/**
 * A request for a top-up names its saga and no term. The saga's first hold goes back to the due message, and that names the
 * boundary; the start of the term that the hold pays does not, after an outage it may be a later one (REN-7).
 */
const findTerms = (subject: Subject) => {
  for (const [topUpId, asked] of Object.entries(subject.topUps))
    for (const [subscriptionId, { boundary, said, sagas }] of Object.entries(subject.renewals)) {
      const cause = sagas[asked]
      if (boundary !== null && cause !== undefined && said.includes(cause))
        subject.topUps[topUpId] = `${subscriptionId} at ${new Date(boundary).toISOString()}`
    }
}

const learn = (facts: Facts, userId: string, subscriptionId: string, renewal: Subject['renewals'][string]) => {
  const subject = facts.of('subject', userId)
  subject.renewals = remember(subject.renewals, subscriptionId, renewal, MOST_SUBSCRIPTIONS)
  findTerms(subject)
}

/** Of an earlier boundary nothing more is asked. */
export const dueHeard = (facts: Facts, { id, body }: Message<'PeriodEnded' | 'GraceEnded' | 'TopUpWaitEnded'>) => {
  const { userId, subscriptionId, boundary } = body
  const { said, ...known } = renewalOf(facts.of('subject', userId), subscriptionId)
  if (known.boundary !== null && boundary < known.boundary) return
  const before = known.boundary === boundary ? said.filter((one) => one !== id) : []
  learn(facts, userId, subscriptionId, { ...known, boundary, said: [...before, id].slice(-MOST_ATTEMPTS) })
}

export const holdAsked = (facts: Facts, { body, correlationId: saga, causationId }: Message<'HoldCredits'>) => {
  const { userId, subscriptionId, purpose } = body
  if (purpose !== 'renewal' || causationId === null) return
  const { sagas, ...known } = renewalOf(facts.of('subject', userId), subscriptionId)
  // Its first hold goes back to what began it; another to what made it worth another, and says no more why it was due.
  if (sagas[saga] !== undefined) facts.of('renewal', saga).dueId = sagas[saga]
  else learn(facts, userId, subscriptionId, { ...known, sagas: remember(sagas, saga, causationId, MOST_ATTEMPTS) })
}

/** Of two for one term, both are told to have been tried by the time that the first is forgotten. */
const keepWhatIsForgotten = (userId: string, { topUps, findings }: Subject) => {
  const [oldest, ...others] = Object.entries(topUps)
  if (others.length + 1 < MOST_TOP_UPS || !oldest || oldest[1] === NO_ATTEMPT) return
  const [topUpId, term] = oldest
  const again = others.flatMap(([id, one]) => (one === term ? [id] : []))
  if (again.length > 0) findings.push(triedTwice(userId, term, [topUpId, ...again]))
}

export const topUpAsked = (facts: Facts, { body, correlationId }: Message<'TopUpCredits'>) => {
  const { userId, topUpId } = body
  const subject = facts.of('subject', userId)
  if (subject.topUps[topUpId] === NO_ATTEMPT) return
  keepWhatIsForgotten(userId, subject)
  subject.topUps = remember(subject.topUps, topUpId, correlationId, MOST_TOP_UPS)
  findTerms(subject)
}

/** While it is switched off nothing is tried, and the term may be tried when it is on (TOP-1). */
export const topUpDeclined = (facts: Facts, { body }: Message<'TopUpDeclined'>) => {
  const { userId, topUpId, reason } = body
  if (reason !== 'off') return
  const subject = facts.of('subject', userId)
  subject.topUps = remember(subject.topUps, topUpId, NO_ATTEMPT, MOST_TOP_UPS)
}
