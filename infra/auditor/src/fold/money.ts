import type { Message } from '@coding-plans/runtime'
import type { Facts, Subject } from './facts.ts'
import { NO_ATTEMPT } from './passing.ts'

/** What every event of the ledger says of the account after its posting. */
interface Posting {
  readonly userId: string
  readonly balance: number
  readonly held: number
  readonly version: number
}

interface Delta {
  readonly balance: number
  readonly held: number
}

/** One posting behind the last one. @returns null for one that was told before. */
const post = (facts: Facts, { lane }: Message, body: Posting, delta: Delta): Subject | null => {
  const { userId, balance, held, version } = body
  const subject = facts.of('subject', userId)
  if (version <= subject.version) return null
  if (version !== subject.version + 1)
    subject.findings.push({
      check: 'postings_add_up',
      detail: `posting ${version} of ${userId} follows posting ${subject.version}`,
    })
  else if (balance !== subject.balance + delta.balance || held !== subject.held + delta.held)
    subject.findings.push({
      check: 'postings_add_up',
      detail: `posting ${version} of ${userId} says ${balance}, ${held} held; it should be ${subject.balance + delta.balance}, ${subject.held + delta.held} held`,
    })
  const total = facts.of('lane', String(lane))
  for (const sum of subject.deleted ? [total] : [total, total.shown]) {
    sum.balance += balance - subject.balance
    sum.held += held - subject.held
  }
  Object.assign(subject, { version, balance, held })
  return subject
}

/** A line of the statement. */
const enter = (facts: Facts, { id: messageId, body }: Message, { kind, amount, chargeId, subscriptionId }: Line) => {
  const { userId, entryId, balance, at, description } = body as never as Told
  Object.assign(facts.of('entry', entryId), {
    userId,
    messageId,
    kind,
    amount,
    balanceBefore: balance - amount,
    balanceAfter: balance,
    at,
    subscriptionId: subscriptionId ?? null,
    chargeId: chargeId ?? null,
    description,
  })
}

interface Told {
  readonly userId: string
  readonly entryId: string
  readonly balance: number
  readonly at: number
  readonly description: string
}
interface Line {
  readonly kind: string
  readonly amount: number
  readonly chargeId?: string
  readonly subscriptionId?: string
}

/** One side of a charge: taken from the account, or served as a term. */
export const matchCharge = (
  facts: Facts,
  userId: string,
  { chargeId, amount, side }: { chargeId: string; amount: number; side: 'taken' | 'served' },
) => {
  const subject = facts.of('subject', userId)
  const other = subject.charges[chargeId]
  if (!other) {
    subject.charges[chargeId] = { amount, side }
    return
  }
  if (other.side === side) {
    const detail = `charge ${chargeId} of ${userId} is ${side} twice`
    subject.findings.push({ check: 'term_charged_once', detail })
    return
  }
  if (other.amount !== amount) {
    const detail = `charge ${chargeId} of ${userId} is ${amount} where it is ${side}, and ${other.amount} elsewhere`
    subject.findings.push({ check: 'charge_has_its_term', detail })
  }
  delete subject.charges[chargeId]
}

export const creditsHeld = (facts: Facts, message: Message<'CreditsHeld'>) => {
  const { userId, holdId, amount, balance, held } = message.body
  const subject = post(facts, message as Message, message.body, { balance: 0, held: amount })
  if (!subject) return
  subject.holds[holdId] = amount
  if (balance - held < 0)
    subject.findings.push({
      check: 'available_never_negative',
      detail: `hold ${holdId} leaves ${userId} ${balance - held}`,
    })
}

/** Of nothing that was held there is no posting, and the version is an old one. */
export const holdReleased = (facts: Facts, message: Message<'HoldReleased'>) => {
  const { userId, holdId } = message.body
  const amount = facts.of('subject', userId).holds[holdId] ?? 0
  const subject = post(facts, message as Message, message.body, { balance: 0, held: -amount })
  if (subject) delete subject.holds[holdId]
}

export const holdCaptured = (facts: Facts, message: Message<'HoldCaptured'>) => {
  const { userId, holdId, chargeId, amount, subscriptionId } = message.body
  const subject = post(facts, message as Message, message.body, { balance: -amount, held: -amount })
  if (!subject) return
  if (subject.holds[holdId] !== amount) {
    const detail = `charge ${chargeId} of ${userId} over ${amount} captures hold ${holdId}, which is ${subject.holds[holdId] ?? 'not open'}`
    subject.findings.push({ check: 'available_never_negative', detail })
  }
  delete subject.holds[holdId]
  matchCharge(facts, userId, { chargeId, amount, side: 'taken' })
  facts.of('subscription', subscriptionId).paid += amount
  enter(facts, message as Message, { kind: 'charge', amount: -amount, chargeId, subscriptionId })
}

export const creditsPosted = (facts: Facts, message: Message<'CreditsPosted'>) => {
  const { userId, entryId, creditKind, amount } = message.body
  const subject = post(facts, message as Message, message.body, { balance: amount, held: 0 })
  if (!subject) return
  if (amount < 0 && creditKind !== 'adjustment')
    subject.findings.push({
      check: 'available_never_negative',
      detail: `${creditKind} ${entryId} takes ${-amount} from ${userId}`,
    })
  enter(facts, message as Message, { kind: creditKind, amount })
}

export const creditsRefunded = (facts: Facts, message: Message<'CreditsRefunded'>) => {
  const { userId, refundId, amount, subscriptionId } = message.body
  const subject = post(facts, message as Message, message.body, { balance: amount, held: 0 })
  if (!subject) return
  const subscription = facts.of('subscription', subscriptionId)
  subscription.paid -= amount
  if (subscription.paid < 0)
    subscription.findings.push({
      check: 'charge_has_its_term',
      detail: `refund ${refundId} gives ${userId} ${-subscription.paid} more than ${subscriptionId} was paid`,
    })
  enter(facts, message as Message, { kind: 'refund', amount, chargeId: refundId, subscriptionId })
}

export const creditsToppedUp = (facts: Facts, message: Message<'CreditsToppedUp'>) => {
  const { amount } = message.body
  const subject = post(facts, message as Message, message.body, { balance: amount, held: 0 })
  if (subject) enter(facts, message as Message, { kind: 'top_up', amount })
}

const MOST_TOP_UPS_REMEMBERED = 20

const rememberTopUp = (subject: Subject, topUpId: string, saga: string) => {
  const { [topUpId]: _, ...others } = subject.topUps
  subject.topUps = Object.fromEntries([...Object.entries(others), [topUpId, saga]].slice(-MOST_TOP_UPS_REMEMBERED))
}

export const topUpAsked = (facts: Facts, { body, correlationId }: Message<'TopUpCredits'>) => {
  const { userId, topUpId } = body
  const subject = facts.of('subject', userId)
  if (subject.topUps[topUpId] !== NO_ATTEMPT) rememberTopUp(subject, topUpId, correlationId)
}

/** While it is switched off nothing is tried, and the term may be tried when it is on (TOP-1). */
export const topUpDeclined = (facts: Facts, { body }: Message<'TopUpDeclined'>) => {
  const { userId, topUpId, reason } = body
  if (reason === 'off') rememberTopUp(facts.of('subject', userId), topUpId, NO_ATTEMPT)
}

export const accountDeleted = (facts: Facts, { body, lane }: Message<'AccountDeleted'>) => {
  const subject = facts.of('subject', body.userId)
  if (subject.deleted) return
  subject.deleted = true
  const { shown } = facts.of('lane', String(lane))
  shown.balance -= subject.balance
  shown.held -= subject.held
}
