import type { Refund } from '../memory.ts'
import type { Charge, Life, Rule, Subscription } from './life.ts'

const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0)
const PAID: readonly string[] = ['activation', 'renewal', 'extension']
export const paidOf = ({ charges }: Subscription) => charges.filter(({ kind }) => PAID.includes(kind))
const BOUGHT: readonly string[] = ['activation', 'extension']

/** CAN-2, counted anew: of each term that has not ended what is asked for, rounded down. */
const refundDue = (charges: readonly Charge[], endedAt: string, refund: Refund): number => {
  const ended = Date.parse(endedAt)
  const shares = charges.map(({ amountMicrodollars, periodStart, periodEnd }) => {
    const [start, end] = [Date.parse(periodStart), Date.parse(periodEnd)]
    if (end <= ended || refund === 'none') return 0
    if (refund === 'full') return amountMicrodollars
    return Number((BigInt(amountMicrodollars) * BigInt(end - Math.max(start, ended))) / BigInt(end - start))
  })
  return sumOf(shares)
}

const refundOf = ({ memory }: Life, subscription: Subscription) => {
  const refund = memory.terminated.get(subscription.id)
  if (!refund || subscription.endReason !== 'admin_terminated' || !subscription.endedAt) return 0
  return refundDue(paidOf(subscription), subscription.endedAt, refund)
}

/** What the card was charged for this user, as the payment service has it, and did not give back. */
export type CardCharges = ReadonlyMap<string, number>

/** Of everybody, also of who is gone and has no statement any more: each payment is an entry or went back. */
export const compareCards = (cards: CardCharges, toppedUp: ReadonlyMap<string, number>): string[] =>
  [...new Set([...cards.keys(), ...toppedUp.keys()])].flatMap((user) => {
    const [paid, credited] = [cards.get(user) ?? 0, toppedUp.get(user) ?? 0]
    return paid === credited ? [] : [`${user}: the card paid ${paid}, and ${credited} were credited`]
  })

export const moneyRules = (cards: CardCharges): Rule[] => [
  {
    what: 'known credits and card payments, less charges, plus refunds, are the balance',
    check: (life) => {
      const { user, memory, credits, subscriptions } = life
      const given = sumOf([...memory.credits.values()])
      const card = cards.get(user) ?? 0
      const charged = sumOf(subscriptions.flatMap(paidOf).map(({ amountMicrodollars }) => amountMicrodollars))
      const refunded = sumOf(subscriptions.map((one) => refundOf(life, one)))
      const expected = given + card - charged + refunded
      return expected === credits.balanceMicrodollars
        ? []
        : [
            `${user} has ${credits.balanceMicrodollars} instead of ${given} credited + ${card} by card − ${charged} charged + ${refunded} refunded = ${expected}`,
          ]
    },
  },
  {
    what: 'no hold is left',
    check: ({ user, credits }) =>
      credits.heldMicrodollars === 0 ? [] : [`${user}: ${credits.heldMicrodollars} are held`],
  },
  {
    what: 'a statement adds up to its balance, entry by entry',
    check: ({ user, entries, credits }) => {
      let balance = 0
      for (const { id, amountMicrodollars, balanceAfterMicrodollars } of entries) {
        balance += amountMicrodollars
        if (balance !== balanceAfterMicrodollars)
          return [`${user}: after ${id} it says ${balanceAfterMicrodollars} instead of ${balance}`]
      }
      return balance === credits.balanceMicrodollars
        ? []
        : [`${user}: ${balance} instead of ${credits.balanceMicrodollars}`]
    },
  },
  {
    what: 'every answered credit is one entry, and no other credit is there',
    check: ({ user, memory, entries }) => {
      const posted = entries.filter(({ kind }) => ['grant', 'payment', 'adjustment'].includes(kind))
      const lost = [...memory.credits].filter(
        ([id, amount]) => posted.filter((one) => one.id === id && one.amountMicrodollars === amount).length !== 1,
      )
      const strange = posted.filter(({ id }) => !memory.credits.has(id))
      return [
        ...lost.map(([id, amount]) => `${user}: ${id} of ${amount} is missing`),
        ...strange.map(({ id }) => `${user}: nobody was answered ${id}`),
      ]
    },
  },
  {
    what: 'every answered purchase is there, charged once, and nothing was bought that nobody was answered',
    check: ({ user, memory, subscriptions, entries }) => {
      const charges = subscriptions.flatMap((one) =>
        one.charges.map((charge) => ({ ...charge, subscriptionId: one.id })),
      )
      const missing = [...memory.charges.values()].filter(
        ({ id, kind, amount, subscriptionId }) =>
          charges.filter(
            (one) =>
              one.id === id &&
              one.kind === kind &&
              one.amountMicrodollars === amount &&
              one.subscriptionId === subscriptionId,
          ).length !== 1 ||
          entries.filter((one) => one.chargeId === id && one.amountMicrodollars === -amount).length !== 1,
      )
      const strange = charges.filter(({ id, kind }) => BOUGHT.includes(kind) && !memory.charges.has(id))
      return [
        ...missing.map(({ id, kind }) => `${user}: the ${kind} ${id} is missing`),
        ...strange.map(({ id, kind }) => `${user}: nobody was answered the ${kind} ${id}`),
      ]
    },
  },
  {
    what: 'a renewal costs what the purchase did, whatever was published since',
    check: ({ user, subscriptions }) =>
      subscriptions.flatMap(({ id, charges }) => {
        const bought = charges.find(({ kind }) => kind === 'activation')?.amountMicrodollars
        return charges
          .filter(({ kind, amountMicrodollars }) => kind === 'renewal' && amountMicrodollars !== bought)
          .map(
            ({ amountMicrodollars }) => `${user}: ${id} was bought at ${bought} and renewed at ${amountMicrodollars}`,
          )
      }),
  },
  {
    what: 'charges and refunds of subscriptions are those of the statement',
    check: (life) => {
      const { user, subscriptions, entries } = life
      const charged = subscriptions.flatMap(paidOf).filter(({ amountMicrodollars }) => amountMicrodollars > 0)
      const debits = entries.filter(({ kind }) => kind === 'charge')
      const refunds = entries.filter(({ kind }) => kind === 'refund')
      const due = sumOf(subscriptions.map((one) => refundOf(life, one)))
      const given = sumOf(refunds.map(({ amountMicrodollars }) => amountMicrodollars))
      return [
        ...(charged.length === debits.length ? [] : [`${user}: ${debits.length} debits for ${charged.length} charges`]),
        ...(due === given ? [] : [`${user}: ${given} refunded instead of ${due}`]),
      ]
    },
  },
]
