import type { Message } from '@coding-plans/runtime'
import type { Facts } from './facts.ts'
import { type DueKind, dueKinds } from './kinds.ts'
import { dueHeard } from './top-ups.ts'

// What the scheduler says of a term, and what answers it (protocol.md 8). Its topic may be heard before or after the answer's.

type Said = 'PeriodEnded' | 'GraceEnded' | 'TopUpWaitEnded'

const kindOf: Readonly<Record<Said, DueKind>> = {
  PeriodEnded: 'period_ended',
  GraceEnded: 'grace_ended',
  TopUpWaitEnded: 'top_up_wait_ended',
}

/** Said; unless its answer was heard before it. */
export const said = (facts: Facts, message: Message<Said>) => {
  const { name, body } = message
  const { userId, subscriptionId, boundary } = body
  const { state, answered } = facts.of('subscription', subscriptionId)
  if (state === 'ended') return
  dueHeard(facts, message)
  const kind = kindOf[name]
  if ((answered[kind] ?? Number.NEGATIVE_INFINITY) >= boundary) return
  const { due } = facts.of('subject', userId)
  due[subscriptionId] = { ...due[subscriptionId], [kind]: boundary }
}

export const dueIgnored = (facts: Facts, { body }: Message<'DueIgnored'>) => {
  const kind = dueKinds.find((one) => one === body.what)
  if (kind) answer(facts, body, [kind], body.boundary)
}

/** Whatever of these kinds was said of this boundary, or an earlier one, is answered. */
export const answer = (
  facts: Facts,
  { userId, subscriptionId }: { readonly userId: string; readonly subscriptionId: string },
  kinds: readonly DueKind[],
  boundary: number,
) => {
  const { answered } = facts.of('subscription', subscriptionId)
  const { due } = facts.of('subject', userId)
  const open = due[subscriptionId] ?? {}
  for (const kind of kinds) {
    answered[kind] = Math.max(answered[kind] ?? boundary, boundary)
    if ((open[kind] ?? Number.POSITIVE_INFINITY) <= boundary) delete open[kind]
  }
  if (Object.keys(open).length === 0) delete due[subscriptionId]
}
