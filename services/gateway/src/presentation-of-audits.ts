import type { EntryExplained } from '@coding-plans/schemas'
import { iso } from './instants.ts'
import type { InvariantsRow } from './rows.ts'

/** The auditor looks every second; what it has not said anew for so long is said by nobody. */
export const CHECKED_WITHIN_MILLISECONDS = 2 * 60_000

/** @param now wall clock @param since when this process began to listen: what was said before is old for no fault of the auditor's */
export const showInvariants = (
  { checkedAt, checks }: InvariantsRow,
  { now, since }: { now: number; since: number },
) => ({
  ok:
    checks.every(({ violations }) => violations === 0) &&
    now - Math.max(checkedAt, since) <= CHECKED_WITHIN_MILLISECONDS,
  checkedAt: iso(checkedAt),
  checks: checks.map(({ check, violations, examples }) => ({
    name: check,
    ok: violations === 0,
    violations,
    examples: [...examples],
  })),
})

const OPERATORS_ASK: ReadonlySet<string> = new Set(['PostCredits', 'TerminateSubscription'])

/** Who began it, by the first message of the chain. */
const beginnerOf = ({ service, messageName }: EntryExplained['chain'][number]) => {
  if (service === 'billing-scheduler') return 'schedule'
  return OPERATORS_ASK.has(messageName) ? 'operator' : 'user'
}

export const showExplanation = (told: EntryExplained) => {
  const { planId, planVersion, price, period, chain } = told
  const [first] = chain
  return {
    entryId: told.entryId,
    kind: told.entryKind,
    amountMicrodollars: told.amount,
    at: iso(told.at),
    description: told.description,
    subscriptionId: told.subscriptionId,
    chargeId: told.chargeId,
    balanceBeforeMicrodollars: told.balanceBefore,
    balanceAfterMicrodollars: told.balanceAfter,
    price: price === null ? null : { planId, planVersion, priceMicrodollars: price, period },
    askedBy: first ? beginnerOf(first) : 'user',
    chain: chain.map(({ messageId, messageName, service, messageTopic, partition, offset, at, causeId }) => ({
      messageId,
      name: messageName,
      service,
      at: iso(at),
      topic: messageTopic,
      partition,
      offset,
      causedBy: causeId,
    })),
  }
}
