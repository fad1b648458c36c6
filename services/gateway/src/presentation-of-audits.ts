import type { EntryExplained } from '@coding-plans/schemas'
import { iso } from './instants.ts'
import type { InvariantsRow } from './rows.ts'

export const showInvariants = ({ checkedAt, checks }: InvariantsRow) => ({
  ok: checks.every(({ violations }) => violations === 0),
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
