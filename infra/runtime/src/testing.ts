import { type Bodies, instant, type MessageName, routes } from '@coding-plans/schemas'
import type { Message } from './handler.ts'
import { messageId } from './ids.ts'
import { laneOf } from './kafka/lane-of.ts'

let count = 0

/** A message as a handler meets it, for tests of pure functions. Each has an id of its own unless one is given. */
export const message = <Name extends MessageName>(
  name: Name,
  body: Bodies[Name],
  overrides: Partial<Omit<Message<Name>, 'name' | 'body'>> = {},
): Message<Name> => {
  count += 1
  const { owner, key: field } = routes[name]
  const key = String((body as unknown as Record<string, unknown>)[field])
  const id = overrides.id ?? messageId(owner, `test ${count}`, 0)
  const time = overrides.time ?? instant(0)
  return {
    name,
    body,
    id,
    source: owner,
    key,
    lane: laneOf(key),
    time,
    asOf: time,
    correlationId: id,
    causationId: null,
    traceparent: null,
    ...overrides,
  }
}
