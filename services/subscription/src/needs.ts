import type { Message } from '@coding-plans/runtime'
import type { Bodies, MessageName } from '@coding-plans/schemas'
import { renewalIdOf } from './domain/ids.ts'

const bodiesOf = <Name extends MessageName>(messages: readonly Message[], name: Name): Bodies[Name][] =>
  messages.flatMap((message) => (message.name === name ? [message.body as Bodies[Name]] : []))

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)].sort()

/** What the messages of a round ask of the database. */
export const needsOf = (messages: readonly Message[]) => {
  const purchases = bodiesOf(messages, 'PurchasePlan')
  const publishes = bodiesOf(messages, 'PublishPlan')
  const cancellations = bodiesOf(messages, 'CancelSubscription')
  const resumptions = bodiesOf(messages, 'ResumeSubscription')
  const terminations = bodiesOf(messages, 'TerminateSubscription')
  const dues = bodiesOf(messages, 'PeriodEnded')
  return {
    /** Whose rows are locked; a plan id among them finds nobody. */
    keys: distinct(messages.map(({ key }) => key)),
    /** Those that are answered, and those that copies of a due message had begun. */
    sagaIds: distinct(
      messages.map(({ name, id, correlationId }) => (name === 'PeriodEnded' ? renewalIdOf(id) : correlationId)),
    ),
    operationIds: distinct(
      [...purchases, ...publishes, ...cancellations, ...resumptions, ...terminations].map(
        ({ operationId }) => operationId,
      ),
    ),
    subscriptionIds: distinct(
      [...cancellations, ...resumptions, ...terminations, ...dues].map(({ subscriptionId }) => subscriptionId),
    ),
    publishedPlans: distinct(publishes.map(({ planId }) => planId)),
    plans: distinct([...purchases, ...publishes].map(({ planId }) => planId)),
    offers: purchases.map(({ planId, planVersion }) => ({ planId, planVersion })),
    purchases: purchases.map(({ userId, planId }) => ({ userId, planId })),
    terminated: distinct(terminations.map(({ userId }) => userId)),
    buyers: distinct(purchases.map(({ userId }) => userId)),
  }
}

export type Needs = ReturnType<typeof needsOf>
