import type { Life, Rule, Subscription } from './life.ts'
import { paidOf } from './money.ts'

const isLive = ({ status }: Subscription) => status !== 'ended'

/** Terms follow each other without a hole and without paying for one twice, from the purchase to the end that is shown. */
const holesIn = ({ id, createdAt, currentPeriodEnd, ...subscription }: Subscription): string[] => {
  const terms = paidOf({ id, createdAt, currentPeriodEnd, ...subscription }).toSorted((a, b) =>
    a.periodStart < b.periodStart ? -1 : 1,
  )
  if (terms[0]?.periodStart !== createdAt)
    return [`${id} begins at ${createdAt}, its first term at ${terms[0]?.periodStart}`]
  for (const [n, { periodStart }] of terms.entries())
    if (n > 0 && terms[n - 1]?.periodEnd !== periodStart)
      return [`${id}: a term ends at ${terms[n - 1]?.periodEnd}, the next begins at ${periodStart}`]
  const last = terms.at(-1)?.periodEnd
  return last === currentPeriodEnd ? [] : [`${id} is paid until ${last} and shows ${currentPeriodEnd}`]
}

export const termRules = (now: string): Rule[] => [
  {
    what: 'the terms of a subscription follow each other, each paid once',
    check: ({ user, subscriptions }) => subscriptions.flatMap(holesIn).map((hole) => `${user}: ${hole}`),
  },
  {
    what: 'a user has one live subscription per provider at most',
    check: ({ user, subscriptions }) =>
      [...Map.groupBy(subscriptions.filter(isLive), ({ providerId }) => providerId)]
        .filter(([, live]) => live.length > 1)
        .map(([providerId, live]) => `${user} has ${live.length} of ${providerId}`),
  },
  {
    what: 'what was answered as ended stays ended',
    check: ({ user, memory, subscriptions }) =>
      [...memory.ended]
        .filter((id) => subscriptions.find((one) => one.id === id)?.status !== 'ended')
        .map((id) => `${user}: ${id} lives`),
  },
  {
    what: 'who was answered that it ends with its period is not charged for another',
    check: ({ user, memory, subscriptions }) =>
      [...memory.flagged].flatMap(([id, end]) => {
        const found = subscriptions.find((one) => one.id === id)
        const isRight = found && (found.status === 'ended' || found.cancelAtPeriodEnd) && found.currentPeriodEnd === end
        return isRight || memory.murky.has(id)
          ? []
          : [`${user}: ${id} should end at ${end}, and is ${JSON.stringify(found)}`]
      }),
  },
  {
    what: 'nothing that is due was left',
    check: ({ user, subscriptions }) =>
      subscriptions
        .filter((one) => one.status === 'active' && one.currentPeriodEnd <= now)
        .map(({ id, currentPeriodEnd }) => `${user}: ${id} is active, and was due at ${currentPeriodEnd}`),
  },
  {
    what: 'every answered subscription is there',
    check: ({ user, memory, subscriptions }: Life) =>
      [...memory.subscriptions.keys()]
        .filter((id) => !subscriptions.some((one) => one.id === id))
        .map((id) => `${user}: ${id} is missing`),
  },
]
