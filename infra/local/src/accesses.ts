import { type Access, deadLetterTopicOf, redrivenTopicOf } from '@coding-plans/runtime'
import { messageNames, routeOf, type Service, services, topicOf } from '@coding-plans/schemas'
import { consumersOf, topics, travelled } from './topics.ts'

/** Who says a message: whoever may ask a command, the owner of an event, everybody what belongs to `any`. */
const speakersOf = (name: (typeof messageNames)[number]): readonly string[] => {
  const { kind, owner, from = [] } = routeOf(name)
  if (kind === 'command') return from
  return owner === 'any' ? services : [owner]
}

const toldTo = (service: Service) => travelled.filter((topic) => consumersOf(topic).includes(service))

const heardBy = (service: Service) => [...toldTo(service), redrivenTopicOf(service)]

const saidBy = (service: Service) => [
  ...new Set([
    `${service}.events`,
    redrivenTopicOf(service),
    ...messageNames.filter((name) => speakersOf(name).includes(service)).map((name) => topicOf(name, service)),
    ...heardBy(service).map((topic) => deadLetterTopicOf(topic, service)),
  ]),
]

/** It looks whether everything has settled when the test clock is moved: how far every group is, and where topics end. */
const OVERSEER: Service = 'billing-scheduler'

/** What each service may do on the brokers, as a user of its own name: it follows from the messages. */
export const accesses: readonly Access[] = [
  ...services.flatMap((service): Access[] => [
    ...heardBy(service).map((topic) => ({ user: service, operation: 'read' as const, on: { topic } })),
    ...saidBy(service).map((topic) => ({ user: service, operation: 'write' as const, on: { topic } })),
    { user: service, operation: 'read', on: { group: service } },
  ]),
  ...[...travelled, ...services.map(redrivenTopicOf)].map(
    (topic): Access => ({ user: OVERSEER, operation: 'describe', on: { topic } }),
  ),
  ...services.map((group): Access => ({ user: OVERSEER, operation: 'describe', on: { group } })),
]

/** What whoever provisions needs: topics, their settings, and this very table; nothing of what travels. */
export const accessOfProvisioner = (user: string): readonly Access[] => [
  ...(['create', 'alter', 'describe'] as const).map((operation): Access => ({ user, operation, on: 'cluster' })),
  ...topics.flatMap(({ name: topic }): Access[] => [
    { user, operation: 'describe', on: { topic } },
    { user, operation: 'describeConfigs', on: { topic } },
    { user, operation: 'alterConfigs', on: { topic } },
  ]),
  { user, operation: 'describe', on: { group: 'coding-plans-anybody' } },
]
