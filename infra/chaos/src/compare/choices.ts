import { catalogue } from '../catalogue.ts'
import { mayBe } from '../memory.ts'
import type { Life, Rule } from './life.ts'

/** Declined, it goes off by itself (TOP-3). */
const isOffByDecline = ({ credits: { autoTopUp } }: Life) =>
  !autoTopUp.enabled && autoTopUp.paymentMethodId === 'pm_decline'

/** What was answered last is so, where it is known which that was. */
export const choiceRules: readonly Rule[] = [
  {
    what: 'automatic top-up is as it was answered last',
    check: (life) => {
      const { user, memory, credits } = life
      const { enabled, amountMicrodollars, paymentMethodId } = memory.autoTopUp
      const found = credits.autoTopUp
      const isRight =
        (mayBe(enabled, found.enabled) || isOffByDecline(life)) &&
        mayBe(amountMicrodollars, found.amountMicrodollars) &&
        mayBe(paymentMethodId, found.paymentMethodId)
      const said = [enabled.said, amountMicrodollars.said, paymentMethodId.said].join(', ')
      return isRight ? [] : [`${user} was answered ${said}, and it is ${JSON.stringify(found)}`]
    },
  },
  {
    what: 'a restock wish is as it was answered last',
    check: ({ user, memory, wishes }) =>
      catalogue
        .filter(({ id }) => !mayBe(memory.wish(id), wishes.has(id)))
        .map(({ id }) => `${user}: ${id} should ${wishes.has(id) ? 'not ' : ''}be wished for`),
  },
  {
    what: 'who was answered that it goes on is not canceled',
    check: ({ user, memory, subscriptions }) =>
      subscriptions
        .filter(({ id }) => memory.goesOn.has(id) && !memory.murky.has(id))
        .filter(({ cancelAtPeriodEnd, endReason }) => cancelAtPeriodEnd || endReason === 'user_canceled')
        .map(({ id, status }) => `${user}: ${id} is ${status} and canceled`),
  },
]
