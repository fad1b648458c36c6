import { say } from '@coding-plans/runtime'
import { ended, ending } from '../domain/subscription.ts'
import type { EndMemory } from './saga.ts'
import { removeKey } from './steps.ts'
import type { SagaTable, Step } from './table.ts'

type State = 'removing' | 'ended'

const stopAccess = ({ books, saga: { subscriptionId, memory } }: Step<EndMemory>) => {
  books.subscriptions.put(ending(books.subscription(subscriptionId), memory.at, memory.reason))
}

const sayEnding = ({ books, saga: { userId, subscriptionId, memory } }: Step<EndMemory>) => {
  const { at: accessUntil, reason } = memory
  const { version } = books.subscription(subscriptionId)
  return say('SubscriptionEnding', { userId, subscriptionId, accessUntil, reason, version })
}

const learnSlot = ({ heard: { slotVersion } }: Step<EndMemory, 'KeyRemoved'>) => ({ slotVersion })

const close = ({ books, saga: { subscriptionId } }: Step<EndMemory>) => {
  books.subscriptions.put(ended(books.subscription(subscriptionId)))
}

const sayEnded = ({ books, saga: { userId, subscriptionId, memory } }: Step<EndMemory, 'KeyRemoved'>) => {
  const { operationId, boundary, at: endedAt, reason } = memory
  const { version } = books.subscription(subscriptionId)
  const { slotVersion } = memory
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
  })
}

/** There is no way back: past this point only forward, and it never waits for the vendor. */
export const end: SagaTable<State, EndMemory> = {
  begins: { to: 'removing', change: stopAccess, send: [sayEnding, removeKey] },
  states: {
    removing: {
      KeyRemoved: { to: 'ended', learn: learnSlot, change: close, send: sayEnded },
      CommandFailed: { to: 'removing', again: removeKey },
    },
    ended: { KeyRemoved: 'ignore', CommandFailed: 'ignore' },
  },
}
