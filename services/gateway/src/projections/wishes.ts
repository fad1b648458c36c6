import type { Message } from '@coding-plans/runtime'
import { showPlan } from '../presentation.ts'
import { refusalOf } from '../refusals.ts'
import type { WishRow } from '../rows.ts'
import { type ReadModels, wishKey } from './models.ts'
import { notify } from './notifications.ts'
import { refuse, succeed } from './operations.ts'

/** The wish as told, unless a newer one is shown already. */
const putWish = (models: ReadModels, wish: WishRow) => {
  const shown = models.wishes.get(wishKey(wish.userId, wish.planId))
  if (!models.forgot(wish.userId) && (!shown || wish.version > shown.version)) models.wishes.put(wish)
}

export const restockWished = (models: ReadModels, message: Message<'RestockWished'>) => {
  const { userId, planId, version, operationId } = message.body
  putWish(models, { userId, planId, version, wished: true })
  const plan = models.plans.get(planId)
  if (!plan) throw new Error(`Plan ${planId} was wished before it was published.`)
  const stock = models.stock.get(planId)
  const offered = { ...plan, available: stock?.available ?? 0, sellableUntil: stock?.sellableUntil ?? null }
  succeed(models, message, operationId, showPlan(offered, message.asOf, true))
}

export const restockWishWithdrawn = (models: ReadModels, message: Message<'RestockWishWithdrawn'>) => {
  const { userId, planId, version, operationId } = message.body
  if (version > 0) putWish(models, { userId, planId, version, wished: false })
  if (operationId !== null) succeed(models, message, operationId, null)
}

export const restockWishRefused = (models: ReadModels, message: Message<'RestockWishRefused'>) => {
  const { operationId, planId, reason, stockVersion } = message.body
  refuse(models, message, operationId, refusalOf('RestockWishRefused', reason), { stockPlan: planId, stockVersion })
}

/** The plan is back (RST-1). */
export const restockTold = (models: ReadModels, { body }: Message<'RestockTold'>) => {
  const { userId, planId, at, restock } = body
  const data = { planName: models.plans.get(planId)?.name ?? planId }
  notify(models, { kind: 'restock', userId, at, planId, about: `${planId}|${restock}`, data })
}
