import { type LaneWork, type Message, type Saying, say } from '@coding-plans/runtime'
import type { Instant, RestockWishRefused } from '@coding-plans/schemas'
import type { Books } from './books.ts'
import { isAssignable, isOpen, type Stock, wished } from './domain/wish.ts'
import type { Store } from './store.ts'

type Refusal = Exclude<RestockWishRefused['reason'], 'unknown'>

/** Tell me when it is back: only while it is sold out and open (RST-1). */
export const wishRestock = (books: Books, { body }: Message<'WishRestock'>, at: Instant): Saying[] => {
  const { planId, userId, operationId } = body
  if (!books.note(operationId)) return []
  const stock = books.stocks.get(planId)
  const reason = refusalOf(books, body, at)
  if (reason)
    return [say('RestockWishRefused', { planId, userId, operationId, reason, stockVersion: stock?.version ?? null })]
  const wish = wished(books.wish(userId, planId), { userId, planId }, at)
  books.wishes.put(wish)
  return [say('RestockWished', { planId, userId, operationId, at: wish.askedAt, version: wish.version })]
}

const refusalOf = (books: Books, { planId, userId }: Message<'WishRestock'>['body'], at: Instant): Refusal | null => {
  const plan = books.currentVersion(planId)
  if (books.isErased(userId)) return 'user_deleted'
  if (!plan) return 'not_found'
  if (!isOpen(plan)) return 'plan_closed'
  return isAssignable(books.stocks.get(planId), at) ? 'plan_available' : null
}

/** No longer; also when nothing was wished. */
export const withdrawRestockWish = (books: Books, { body }: Message<'WithdrawRestockWish'>): Saying[] => {
  const { planId, userId, operationId } = body
  if (!books.note(operationId)) return []
  const reason = books.isErased(userId) ? 'user_deleted' : books.currentVersion(planId) ? null : 'not_found'
  if (reason) return [say('RestockWishRefused', { planId, userId, operationId, reason, stockVersion: null })]
  const wish = books.wish(userId, planId)
  if (!wish) return [say('RestockWishWithdrawn', { planId, userId, operationId, version: 0 })]
  return [books.withdraw(wish, operationId)]
}

/** A plan's stock; when it goes from none to some, all who wait are told (RST-1). */
export const stockChanged = (books: Books, { body, time }: Message<'StockChanged'>): Saying[] => {
  const { planId, version, available, sellableUntil } = body
  const before = books.stocks.get(planId)
  if (before && before.version >= version) return []
  const stock: Stock = { planId, version, available, sellableUntil, restocks: before?.restocks ?? 0 }
  books.stocks.put(stock)
  if (isOpen(books.currentVersion(planId)) && !isAssignable(before, time) && isAssignable(stock, time))
    restock(books, stock, time)
  return []
}

/** A plan that is on sale again with stock in it is back as well. */
export const reopened = (books: Books, planId: string, at: Instant) => {
  const stock = books.stocks.get(planId)
  if (stock && isAssignable(stock, at)) restock(books, stock, at)
}

/** Everyone who wished it by now is told; they are marked under the lock of the plan, as a wish is written. */
const restock = (books: Books, stock: Stock, at: Instant) => {
  const { planId } = stock
  const notice = stock.restocks + 1
  books.stocks.put({ ...stock, restocks: notice })
  for (const wish of books.wishes.of(planId)) if (wish.wished) books.wishes.put({ ...wish, notice, noticeAt: at })
  books.restocks.push({ planId, notice, at })
}

// Not after each round: of a hundred rounds hardly one restocks.
const LOOK_EVERY_MILLISECONDS = 100
// A send of the size of a round; the rest comes with the next look.
const MOST_AT_ONCE = 1_000

/** Tells those who are marked, in the order of asking. */
export const restockNotices = ({ takeNotices }: Pick<Store, 'takeNotices'>): LaneWork => ({
  name: 'restock-notices',
  everyMilliseconds: LOOK_EVERY_MILLISECONDS,
  unhurried: true,
  run: async (tx, lanes) =>
    (await takeNotices(tx, lanes, MOST_AT_ONCE)).map(({ planId, userId, notice, noticeAt: at }) =>
      say(
        'RestockTold',
        { planId, userId, at, restock: notice },
        { time: at, cause: `restock|${planId}|${userId}|${notice}`, correlationId: planId },
      ),
    ),
})
