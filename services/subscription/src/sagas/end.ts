import { say } from '@coding-plans/runtime'
import { refundIdOf } from '../domain/ids.ts'
import { refundOf } from '../domain/refund.ts'
import { ended, ending } from '../domain/subscription.ts'
import { describeRefund } from '../domain/term.ts'
import type { EndMemory, Saga } from './saga.ts'
import { learnAccount, removeKey } from './steps.ts'
import type { SagaTable, Step } from './table.ts'

type State = 'removing' | 'refunding' | 'ended'

/** Judged when access stops: by then every term that was decided is paid. */
const learnOwed = ({ books, saga: { subscriptionId, memory } }: Step<EndMemory>) => {
  const { at, refund } = memory
  const amount = refundOf(refund, books.unendedTerms(subscriptionId, at), at)
  if (amount === 0) return { owed: null }
  const { planName, currentPeriodEnd: until } = books.subscription(subscriptionId)
  return { owed: { refundId: refundIdOf(subscriptionId), amount, until, description: describeRefund(planName, at) } }
}

const refundDue = ({ saga: { memory } }: Step<EndMemory>) => memory.owed !== null

const refundCredits = ({ saga: { userId, subscriptionId, memory } }: { saga: Saga<EndMemory> }) => {
  const { owed, operationId } = memory
  if (!owed || operationId === null) throw new Error('There is nothing to give back.')
  const { refundId, amount, description } = owed
  return say('RefundCredits', { userId, refundId, operationId, subscriptionId, amount, description })
}

const stopAccess = ({ books, saga: { subscriptionId, memory } }: Step<EndMemory>) => {
  books.subscriptions.put(ending(books.subscription(subscriptionId), memory.at, memory.reason))
}

const sayEnding = ({ books, saga: { userId, subscriptionId, memory } }: Step<EndMemory>) => {
  const { at: accessUntil, reason } = memory
  const { version } = books.subscription(subscriptionId)
  return say('SubscriptionEnding', { userId, subscriptionId, accessUntil, reason, version })
}

const learnSlot = ({ heard: { slotVersion, stockVersion } }: Step<EndMemory, 'KeyRemoved'>) => ({
  slotVersion,
  stockVersion,
})

const close = ({ books, saga: { subscriptionId } }: Step<EndMemory>) => {
  books.subscriptions.put(ended(books.subscription(subscriptionId)))
}

const sayEnded = ({ books, saga: { userId, subscriptionId, memory } }: Step<EndMemory>) => {
  const { operationId, boundary, at: endedAt, reason, owed, accountVersion } = memory
  const { version } = books.subscription(subscriptionId)
  const { slotVersion, stockVersion } = memory
  if (slotVersion === null) throw new Error('A subscription ended before its slot was empty.')
  return say('SubscriptionEnded', {
    userId,
    subscriptionId,
    operationId,
    boundary,
    endedAt,
    reason,
    version,
    slotVersion,
    stockVersion,
    accountVersion,
    refundId: owed?.refundId ?? null,
    refundAmount: owed?.amount ?? null,
    refundedUntil: owed?.until ?? null,
  })
}

/** There is no way back: past this point only forward, and it never waits for the vendor. */
export const end: SagaTable<State, EndMemory> = {
  begins: { to: 'removing', learn: learnOwed, change: stopAccess, send: [sayEnding, removeKey] },
  states: {
    removing: {
      KeyRemoved: {
        when: refundDue,
        yes: { to: 'refunding', learn: learnSlot, send: refundCredits },
        no: { to: 'ended', learn: learnSlot, change: close, send: sayEnded },
      },
      CommandFailed: { to: 'removing', again: removeKey },
    },
    refunding: {
      CreditsRefunded: { to: 'ended', learn: learnAccount, change: close, send: sayEnded },
      CommandFailed: { to: 'refunding', again: refundCredits },
      KeyRemoved: 'ignore',
    },
    ended: { CreditsRefunded: 'ignore', KeyRemoved: 'ignore', CommandFailed: 'ignore' },
  },
}
