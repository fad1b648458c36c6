import { type Message, type Saying, say } from '@coding-plans/runtime'
import { type Instant, microdollars } from '@coding-plans/schemas'
import type { Books } from './books.ts'
import { iso } from './domain/ids.ts'
import { begin } from './sagas/engine.ts'
import { accountDeleted } from './sagas/erasure.ts'
import type { ErasureMemory } from './sagas/saga.ts'

const nothingYet = {
  endedSubscriptions: 0,
  unlinkedKeys: 0,
  removedSlots: 0,
  forgottenWishes: 0,
  remainingCredits: microdollars(0),
}

/** Delete a user over all services: from here on nothing begins for them any more (GDP-1). Asked again, the first one answers. */
export const deleteAccount = (
  books: Books,
  { id: messageId, body }: Message<'DeleteAccount'>,
  at: Instant,
): Saying[] => {
  const { userId, operationId, actor } = body
  if (!books.note(operationId)) return []
  const earlier = books.erasureOf(userId)
  if (earlier?.running) {
    const operationIds = [...earlier.memory.operationIds, operationId]
    books.sagas.put({ ...earlier, memory: { ...earlier.memory, operationIds } })
    return []
  }
  if (earlier) return [accountDeleted(earlier, at, operationId)]
  const buyer = books.buyers.get(userId)
  if (!buyer) throw new Error(`Nobody holds the lock of ${userId}.`)
  books.buyers.put({ ...buyer, erasedAt: at })
  const memory: ErasureMemory = { messageId, operationIds: [operationId], ...nothingYet }
  const begun = say('AccountDeletionBegun', { userId, operationId, at })
  const audited = actor === userId ? [] : [audit(body, at)]
  // Everything of a user, so no provider and no subscription.
  const whole = { providerId: '', subscriptionId: '' }
  return [begun, ...audited, ...begin(books, { kind: 'erasure', id: operationId, userId, ...whole, memory }, at)]
}

const audit = ({ userId: subject, actor }: Message<'DeleteAccount'>['body'], at: Instant) =>
  say('ActionAudited', {
    subject,
    actor,
    action: 'account.delete',
    target: subject,
    before: null,
    after: JSON.stringify({ userId: subject, deletedAt: iso(at) }),
    reason: null,
    at,
  })
