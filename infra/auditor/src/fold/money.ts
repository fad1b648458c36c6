import type { Message } from '@coding-plans/runtime'
import type { Facts } from './facts.ts'
import { countEntry } from './totals.ts'
import { hear, type News, passOver } from './versions.ts'

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

/**
 * What a posting is to those heard before it. The figures of one that follows a gap are believed: what was between is not
 * known. One that is heard late moves none, since a later one told them.
 * @param delta null: it cannot be known
 */
const post = (facts: Facts, message: Message, body: Posting, delta: Delta | null): News => {
  const { userId, balance, held, version } = body
  const subject = facts.of('subject', userId)
  const before = subject.version
  const { news, forgotten } = hear(subject, version)
  if (forgotten > 0)
    subject.findings.push({
      check: 'postings_add_up',
      detail: `${forgotten} postings of ${userId} before posting ${version} are missing, and too many to be waited for`,
    })
  if (news !== 'next') return news
  const follows = delta && { balance: subject.balance + delta.balance, held: subject.held + delta.held }
  countPostings(facts, message, version - before)
  if (version === before + 1 && follows && (balance !== follows.balance || held !== follows.held))
    subject.findings.push({
      check: 'postings_add_up',
      detail: `posting ${version} of ${userId} says ${balance}, ${held} held; it should be ${follows.balance}, ${follows.held} held`,
    })
  believe(facts, message, body)
  return news
}

/** So many postings more are known to be there, heard or not. */
const countPostings = (facts: Facts, { lane }: Message, more: number) => {
  facts.of('lane', String(lane)).postings += more
}

/** The account is so now. */
const believe = (facts: Facts, { lane }: Message, { userId, balance, held }: Posting) => {
  const subject = facts.of('subject', userId)
  const total = facts.of('lane', String(lane))
  for (const sum of subject.deleted ? [total] : [total, total.shown]) {
    sum.balance += balance - subject.balance
    sum.held += held - subject.held
  }
  Object.assign(subject, { balance, held })
}

/** A line of the statement, by its own id, however late it is heard. @returns whether it was not there yet. */
const enter = (
  facts: Facts,
  { id: messageId, body, correlationId, lane }: Message,
  { kind, amount, chargeId, subscriptionId }: Line,
): boolean => {
  const { userId, entryId, balance, at, description } = body as never as Told
  const entry = facts.of('entry', entryId)
  if ('messageId' in entry) return false
  Object.assign(entry, {
    userId,
    messageId,
    kind,
    amount,
    balanceBefore: balance - amount,
    balanceAfter: balance,
    at,
    subscriptionId: subscriptionId ?? null,
    chargeId: chargeId ?? null,
    correlationId,
    description,
  })
  countEntry(facts, { userId, lane })
  return true
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
  const news = post(facts, message as Message, message.body, { balance: 0, held: amount })
  if (!news) return
  const subject = facts.of('subject', userId)
  const open = Object.values(subject.holds).reduce((sum, one) => sum + one, 0)
  // Heard late, it may be closed by now: then the account holds no more than what else is open.
  if (news === 'next' || open + amount <= subject.held) subject.holds[holdId] = amount
  if (balance - held < 0)
    subject.findings.push({
      check: 'available_never_negative',
      detail: `hold ${holdId} leaves ${userId} ${balance - held}`,
    })
}

/** Of nothing that was held there is no posting, and the version is another's: if that was not heard, it is missing. */
export const holdReleased = (facts: Facts, message: Message<'HoldReleased'>) => {
  const { userId, holdId, version } = message.body
  const subject = facts.of('subject', userId)
  const amount = subject.holds[holdId]
  // Nothing before it is missing that may have opened it.
  const isOfNothing = amount === undefined && !subject.missing.some((one) => one < version)
  if (isOfNothing && version <= subject.version + 1) {
    const passed = Math.max(0, version - subject.version)
    countPostings(facts, message as Message, passed)
    passOver(subject, version)
    if (passed > 0) believe(facts, message as Message, message.body)
    return
  }
  // What is not open was opened by a posting that is missing, and over how much is not known.
  const delta = amount === undefined ? null : { balance: 0, held: -amount }
  if (post(facts, message as Message, message.body, delta)) delete subject.holds[holdId]
}

export const holdCaptured = (facts: Facts, message: Message<'HoldCaptured'>) => {
  const { userId, holdId, chargeId, amount, subscriptionId } = message.body
  if (enter(facts, message as Message, { kind: 'charge', amount: -amount, chargeId, subscriptionId })) {
    matchCharge(facts, userId, { chargeId, amount, side: 'taken' })
    facts.of('subscription', subscriptionId).paid += amount
  }
  const news = post(facts, message as Message, message.body, { balance: -amount, held: -amount })
  if (!news) return
  const { holds, missing, findings } = facts.of('subject', userId)
  const hold = holds[holdId]
  // While a posting is missing, and that is told, it may be the one that opened it; heard late, so may that one have been.
  const isUnknown = hold === undefined && (news === 'late' || missing.length > 0)
  if (hold !== amount && !isUnknown)
    findings.push({
      check: 'available_never_negative',
      detail: `charge ${chargeId} of ${userId} over ${amount} captures hold ${holdId}, which is ${hold ?? 'not open'}`,
    })
  delete holds[holdId]
}

export const creditsPosted = (facts: Facts, message: Message<'CreditsPosted'>) => {
  const { userId, entryId, creditKind, amount } = message.body
  const isNew = enter(facts, message as Message, { kind: creditKind, amount })
  if (isNew && amount < 0 && creditKind !== 'adjustment')
    facts.of('subject', userId).findings.push({
      check: 'available_never_negative',
      detail: `${creditKind} ${entryId} takes ${-amount} from ${userId}`,
    })
  post(facts, message as Message, message.body, { balance: amount, held: 0 })
}

export const creditsRefunded = (facts: Facts, message: Message<'CreditsRefunded'>) => {
  const { refundId, amount, subscriptionId } = message.body
  if (enter(facts, message as Message, { kind: 'refund', amount, chargeId: refundId, subscriptionId }))
    facts.of('subscription', subscriptionId).paid -= amount
  post(facts, message as Message, message.body, { balance: amount, held: 0 })
}

export const creditsToppedUp = (facts: Facts, message: Message<'CreditsToppedUp'>) => {
  const { amount } = message.body
  enter(facts, message as Message, { kind: 'top_up', amount })
  post(facts, message as Message, message.body, { balance: amount, held: 0 })
}

export const accountDeleted = (facts: Facts, { body, lane }: Message<'AccountDeleted'>) => {
  const subject = facts.of('subject', body.userId)
  if (subject.deleted) return
  subject.deleted = true
  const { shown } = facts.of('lane', String(lane))
  shown.balance -= subject.balance
  shown.held -= subject.held
  shown.entries -= subject.entries
  shown.begun -= subject.begun
  shown.charged -= subject.charged
}
