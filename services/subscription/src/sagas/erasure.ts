import { type Saying, say } from '@coding-plans/runtime'
import { endNow, isBeingEnded } from './consequences.ts'
import type { ErasureMemory, Saga } from './saga.ts'
import type { SagaTable, Step } from './table.ts'

type State = 'ending' | 'unlinking' | 'closing' | 'erased'
type Erasing = Step<ErasureMemory>

const livingOf = ({ books, saga: { userId } }: Pick<Erasing, 'books' | 'saga'>) =>
  books.subscriptions.of(userId).filter((subscription) => !isBeingEnded(books, subscription))

/** No subscription lives, and no saga of the user runs but this one. */
const allOver = (step: Erasing) =>
  livingOf(step).length === 0 && step.books.runningOf(step.saga.userId).every(({ id }) => id === step.saga.id)

/** Purchases that are not decided give back; every subscription that lives is ended, those too that began just now. */
const endAll = (step: Erasing) => {
  const said = undecidedActivations(step).flatMap((activation) => step.tell(activation, 'ErasureAsked', null))
  for (const { id } of livingOf(step)) said.push(...endOne(step, id))
  return said
}

/** The end of one may bring the end of another: so each is looked at anew. */
const endOne = (step: Erasing, subscriptionId: string): Saying[] => {
  const { books, at, saga } = step
  const subscription = books.subscription(subscriptionId)
  const erasing = books.sagas.get(saga.id) as Saga<ErasureMemory>
  if (isBeingEnded(books, subscription)) return []
  const endedSubscriptions = erasing.memory.endedSubscriptions + 1
  books.sagas.put({ ...erasing, memory: { ...erasing.memory, endedSubscriptions } })
  return endNow(step, subscription, { ...accountDeletion, at })
}
const accountDeletion = { operationId: null, boundary: null, reason: 'account_deleted', refund: 'none' } as const

const UNDECIDED: ReadonlySet<string> = new Set(['holding', 'assigning'])
const undecidedActivations = ({ books, saga: { userId } }: Erasing): Saga[] =>
  books.runningOf(userId).filter(({ kind, state }) => kind === 'activation' && UNDECIDED.has(state))

const unlinkKeys = ({ saga: { id: operationId, userId } }: Pick<Erasing, 'saga'>) =>
  say('UnlinkKeys', { userId, operationId })

const learnUnlinked = ({ heard: { keys, slots } }: Step<ErasureMemory, 'KeysUnlinked'>) => ({
  unlinkedKeys: keys,
  removedSlots: slots,
})

const closeAccount = ({ saga: { id: operationId, userId } }: Pick<Erasing, 'saga'>) =>
  say('CloseAccount', { userId, operationId })

const learnClosed = ({ heard, books, saga }: Step<ErasureMemory, 'AccountClosed'>) => ({
  remainingCredits: heard.balance,
  forgottenWishes: books.wishesOf(saga.userId).length,
})

const forgetWishes = (step: Erasing) =>
  step.books.wishesOf(step.saga.userId).map((wish) => step.books.withdraw(wish, null))

/** Told to everyone who asked for it. */
export const accountDeleted = ({ userId, memory }: Saga<ErasureMemory>, at: Erasing['at'], operationId: string) => {
  const { messageId, operationIds, ...report } = memory
  return say('AccountDeleted', { userId, operationId, at, ...report }, { correlationId: operationId })
}

const sayDeleted = (step: Erasing) =>
  step.saga.memory.operationIds.map((operationId) => accountDeleted(step.saga, step.at, operationId))

const finish = (step: Erasing) => [...forgetWishes(step), ...sayDeleted(step)]

/** A user is deleted over all services (GDP-1). The tombstone stands before it begins; repeatable, and only forward. */
export const erasure: SagaTable<State, ErasureMemory> = {
  begins: {
    when: allOver,
    yes: { to: 'unlinking', send: unlinkKeys },
    no: { to: 'ending', follow: endAll },
  },
  states: {
    ending: {
      SagaOver: {
        when: allOver,
        yes: { to: 'unlinking', send: unlinkKeys },
        no: { to: 'ending', follow: endAll },
      },
      CommandFailed: 'ignore',
    },
    unlinking: {
      KeysUnlinked: { to: 'closing', learn: learnUnlinked, send: closeAccount },
      SagaOver: 'ignore',
      CommandFailed: { to: 'unlinking', again: unlinkKeys },
    },
    closing: {
      AccountClosed: { to: 'erased', learn: learnClosed, follow: finish },
      KeysUnlinked: 'ignore',
      SagaOver: 'ignore',
      CommandFailed: { to: 'closing', again: closeAccount },
    },
    erased: { KeysUnlinked: 'ignore', AccountClosed: 'ignore', SagaOver: 'ignore', CommandFailed: 'ignore' },
  },
}
