import { type Bodies, type MessageName, routeOf } from '@coding-plans/schemas'
import { Nonsense } from './failures.ts'

export interface RecordKey {
  /** Whom or what the message concerns: it decides the lane. */
  readonly subject: string
  /** The key of its record. On a compacted topic there is more to it: the last record per key stays. */
  readonly key: string
}

const textOf = (name: MessageName, body: object, field: string): string => {
  const text = (body as Record<string, unknown>)[field]
  if (typeof text !== 'string' || text === '') throw new Nonsense(`${name} has no key in ${field}.`)
  return text
}

/** @throws Nonsense for a body that lacks them. */
export const recordKeyOf = <Name extends MessageName>(name: Name, body: Bodies[Name]): RecordKey => {
  const { key: field, recordKey = [field] } = routeOf(name)
  const subject = textOf(name, body, field)
  return { subject, key: recordKey.map((one) => textOf(name, body, one)).join('|') }
}

/**
 * Whether it travels on a compacted topic. There a second copy that comes late is the last word, whatever was said after
 * the first: it is no repeat, and its handler judges it anew, by its version (protocol.md 9).
 */
export const isLastWord = (name: MessageName): boolean => routeOf(name).recordKey !== undefined
