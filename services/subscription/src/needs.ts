import type { Message } from '@coding-plans/runtime'
import type { Bodies, MessageName } from '@coding-plans/schemas'
import { renewalIdOf } from './domain/ids.ts'
import type { ActivationMemory, MoneyMemory, Saga } from './sagas/saga.ts'

const bodiesOf = <Name extends MessageName>(messages: readonly Message[], name: Name): Bodies[Name][] =>
  messages.flatMap((message) => (message.name === name ? [message.body as Bodies[Name]] : []))

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)].sort()

const DUE: ReadonlySet<MessageName> = new Set(['PeriodEnded', 'GraceEnded', 'TopUpWaitEnded'])

/** What the messages of a round ask of the database. */
export const needsOf = (messages: readonly Message[]) => {
  const purchases = bodiesOf(messages, 'PurchasePlan')
  const publishes = bodiesOf(messages, 'PublishPlan')
  const cancellations = bodiesOf(messages, 'CancelSubscription')
  const resumptions = bodiesOf(messages, 'ResumeSubscription')
  const terminations = bodiesOf(messages, 'TerminateSubscription')
  const grants = bodiesOf(messages, 'GrantDays')
  const deletions = bodiesOf(messages, 'DeleteAccount')
  const wishes = [...bodiesOf(messages, 'WishRestock'), ...bodiesOf(messages, 'WithdrawRestockWish')]
  const stocks = bodiesOf(messages, 'StockChanged')
  const dues = [
    ...bodiesOf(messages, 'PeriodEnded'),
    ...bodiesOf(messages, 'RenewalDueSoon'),
    ...bodiesOf(messages, 'GraceEnded'),
    ...bodiesOf(messages, 'TopUpWaitEnded'),
  ]
  const changes = [...cancellations, ...resumptions, ...terminations, ...grants]
  return {
    /** Whose rows are locked; a plan id among them finds nobody. */
    keys: distinct([...messages.map(({ key }) => key), ...wishes.map(({ userId }) => userId)]),
    /** Those that are answered, and those that copies of a due message had begun. */
    sagaIds: distinct(messages.map(({ name, id, correlationId }) => (DUE.has(name) ? renewalIdOf(id) : correlationId))),
    operationIds: distinct(
      [...purchases, ...publishes, ...changes, ...deletions, ...wishes].map(({ operationId }) => operationId),
    ),
    subscriptionIds: distinct([...changes, ...dues].map(({ subscriptionId }) => subscriptionId)),
    /** Whose rows are locked: a version, a wish or a restock is written under them. */
    lockedPlans: distinct([...publishes, ...wishes, ...stocks].map(({ planId }) => planId)),
    plans: distinct([...purchases, ...publishes, ...wishes, ...stocks].map(({ planId }) => planId)),
    offers: purchases.map(({ planId, planVersion }) => ({ planId, planVersion })),
    purchases: purchases.map(({ userId, planId }) => ({ userId, planId })),
    wishes: wishes.map(({ userId, planId }) => ({ userId, planId })),
    deleted: distinct(deletions.map(({ userId }) => userId)),
    terminated: distinct(terminations.map(({ userId }) => userId)),
    buyers: distinct(purchases.map(({ userId }) => userId)),
    /** Who must have a row to be locked by. */
    known: distinct([...purchases, ...deletions, ...wishes].map(({ userId }) => userId)),
  }
}

export type Needs = ReturnType<typeof needsOf>

/** What the sagas of a round ask of it beside. */
export const needsOfSagas = (sagas: readonly Saga[]) => {
  const running = sagas.filter((saga) => saga.running)
  return {
    /** Plans that are being bought: a wish for one is over then. */
    bought: running
      .filter(({ kind }) => kind === 'activation')
      .map(({ userId, memory }) => ({ userId, planId: (memory as ActivationMemory).episode.planId })),
    /** Who is being deleted. */
    erased: running.filter(({ kind }) => kind === 'erasure').map(({ userId }) => userId),
    /** Who may be given something back. */
    refunded: sagas.filter(({ memory }) => isToBeRefunded(memory)).map(({ userId }) => userId),
  }
}

const isToBeRefunded = (memory: unknown) => ((memory as Partial<MoneyMemory>).end?.refund ?? 'none') !== 'none'
