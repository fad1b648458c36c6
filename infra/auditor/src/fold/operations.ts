import type { Message } from '@coding-plans/runtime'
import { type Bodies, type MessageName, messageNames, type Route, routeOf } from '@coding-plans/schemas'
import type { Facts } from './facts.ts'
import { ASKED } from './passing.ts'

/** These take as long as what they cause. */
const MAY_RUN_LONGER: ReadonlySet<string> = new Set(['AdvanceClock', 'RunBillingTick', 'DeleteAccount'])
/** Said on the way of an operation, not at its end. */
const ON_THE_WAY: ReadonlySet<string> = new Set([
  'AccountDeletionBegun',
  'KeysUnlinked',
  'AccountClosed',
  'AccountDeleted',
])
const MOST_ANSWERS_REMEMBERED = 20

/** Whether it is what a person asked for by way of the gateway, and has to be answered within seconds. */
const isAsked = ({ name, source }: Message) =>
  source === 'gateway' && routeOf(name as MessageName).kind === 'command' && !MAY_RUN_LONGER.has(name)

/** Of what a person asked for, and by whom it is to be done: a step of a saga that fails ends no operation, and others only listen. */
const isFailure = (messageName: string, source: string) => {
  const { from, owner } = messageNames.includes(messageName as MessageName)
    ? routeOf(messageName as MessageName)
    : ({} as Partial<Route>)
  return from?.includes('gateway') === true && (owner === source || owner === 'any')
}

const answeredBy = ({ name, body, source, correlationId }: Message): string | null => {
  if (name === 'CommandFailed')
    return isFailure((body as Bodies['CommandFailed']).messageName, source) ? correlationId : null
  if (routeOf(name as MessageName).kind !== 'event' || ON_THE_WAY.has(name)) return null
  return (body as { operationId?: string | null }).operationId ?? null
}

/** Whether it is asked for by a person, or tells one how it ended. */
export const isOfOperation = (message: Message) => isAsked(message) || answeredBy(message) !== null

/** Question and answer travel on different topics: either may be heard first. */
export const followOperation = (facts: Facts, message: Message) => {
  if (isAsked(message)) {
    const { operationId } = message.body as { operationId: string }
    const { operations } = facts.of('subject', message.key)
    if (operations[operationId] === ASKED) delete operations[operationId]
    else operations[operationId] = message.name
    return
  }
  const operation = answeredBy(message)
  if (operation === null) return
  const { operations, versions } = facts.of('subject', message.key)
  if (operations[operation]) {
    delete operations[operation]
    delete versions[operation]
    return
  }
  operations[operation] = ASKED
  const early = Object.keys(operations).filter((id) => operations[id] === ASKED)
  for (const id of early.slice(0, -MOST_ANSWERS_REMEMBERED)) delete operations[id]
}
