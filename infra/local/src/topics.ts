import { deadLetterTopicOf, redrivenTopicOf, subjectOf, type TopicDeclaration } from '@coding-plans/runtime'
import { AUDITOR, messageNames, routeOf, sealedTopics, services, topicOf } from '@coding-plans/schemas'

const DAY = 24 * 60 * 60 * 1000

/** A sealed upload has up to 4 MiB; its headers and the record batch around it come on top. */
export const mostMessageBytes = 4 * 1024 * 1024 + 64 * 1024

/** The topics of which the last record per key stays: their messages say of what the key is made. */
const compacted: ReadonlySet<string> = new Set(
  messageNames.filter((name) => routeOf(name).recordKey).map((name) => routeOf(name).topic),
)

/** Commands and uploads go after 7 days, when the keys they are sealed to are destroyed; facts stay for ever. */
const retentionOf = (topic: string) => (topic.endsWith('.events') || compacted.has(topic) ? null : 7 * DAY)
const DEAD_LETTER_RETENTION = 90 * DAY

const sizeOf = (topic: string) => (topic === 'key-inventory.uploads' ? { mostMessageBytes } : {})

/** A dead letter is the message and, on top, why it died; it must fit wherever the message did. */
const KAFKA_DEFAULT_BYTES = 1024 * 1024
const sizeOfDeadLetter = (topic: string) => (sizeOf(topic).mostMessageBytes ?? KAFKA_DEFAULT_BYTES) + 64 * 1024

const declare = (topic: string): TopicDeclaration => ({
  name: topic,
  retentionMilliseconds: retentionOf(topic),
  ...(compacted.has(topic) ? { compacted: true } : {}),
  ...sizeOf(topic),
})

/** What anybody may be asked for. */
const askedOfAnybody: ReadonlySet<string> = new Set(
  messageNames.map(routeOf).flatMap(({ owner, kind, topic }) => (owner === 'any' && kind === 'command' ? [topic] : [])),
)

/** Anybody may listen to what is told, and to what anybody may be asked; what asks something else is listened to by its owner, and by the auditor. */
export const consumersOf = (topic: string): readonly string[] => {
  const owner = topic.slice(0, topic.indexOf('.'))
  if (topic.endsWith('.uploads') || topic === redrivenTopicOf(owner)) return [owner]
  const isAsked = topic.endsWith('.commands') && !askedOfAnybody.has(topic)
  return isAsked ? [...new Set([owner, AUDITOR])] : services
}

const deadLettersOf = (topic: string): TopicDeclaration[] =>
  consumersOf(topic).map((consumer) => ({
    name: deadLetterTopicOf(topic, consumer),
    // Keys, though sealed, are kept no longer than they must be.
    retentionMilliseconds: sealedTopics.has(topic) ? 7 * DAY : DEAD_LETTER_RETENTION,
    mostMessageBytes: sizeOfDeadLetter(topic),
  }))

/** On what messages travel, dead letters apart. Their names follow from the messages; each service has its `<service>.events`. */
export const travelled: readonly string[] = [
  ...new Set([
    ...messageNames.flatMap((name) => services.map((service) => topicOf(name, service))),
    ...services.map((service) => `${service}.events`),
  ]),
].sort()

/** What a service sends itself again; kept in its database as well. */
const redrivenOf = (service: string): TopicDeclaration => ({
  name: redrivenTopicOf(service),
  retentionMilliseconds: 7 * DAY,
  mostMessageBytes: Math.max(
    ...travelled.filter((topic) => consumersOf(topic).includes(service)).map(sizeOfDeadLetter),
  ),
})

/** The one table of topics. */
export const topics: readonly TopicDeclaration[] = [
  ...travelled.map(declare),
  ...services.map(redrivenOf),
  // A copy has its dead-letter topic where it died first; this is for what is none, and was put there by hand.
  ...[...travelled, ...services.map(redrivenTopicOf)].flatMap(deadLettersOf),
]

/** Where each message is spoken: once, or by everybody for what belongs to `any`. */
export const subjects = messageNames.flatMap((name) => {
  const { schema, topic } = routeOf(name)
  const speakers = topic.includes('*') ? services : services.slice(0, 1)
  return speakers.map((speaker) => ({ subject: subjectOf(name, speaker), schema }))
})
