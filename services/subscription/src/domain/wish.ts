import type { Instant, UserId } from '@coding-plans/schemas'
import type { PlanVersion } from './plan.ts'

/** A user's "tell me when it is back": kept when told, and as a row when withdrawn, so that its version goes on. */
export interface Wish {
  readonly userId: UserId
  readonly planId: string
  readonly wished: boolean
  readonly version: number
  /** Its place in the order of asking. */
  readonly askedAt: Instant
  /** Which of the plan's restocks is yet to be told, and its instant. */
  readonly notice: number | null
  readonly noticeAt: Instant | null
}

/** One plan's stock, as far as a wish hangs on it; read by version. */
export interface Stock {
  readonly planId: string
  readonly version: number
  readonly available: number
  readonly sellableUntil: Instant | null
  /** How often it was restocked. One may leave the stock as it is: the plan was closed meanwhile. */
  readonly restocks: number
}

const noNotice = { notice: null, noticeAt: null }

/** Asked for; once more changes nothing. */
export const wished = (wish: Wish | undefined, who: Pick<Wish, 'userId' | 'planId'>, at: Instant): Wish =>
  wish?.wished ? wish : { ...who, wished: true, version: (wish?.version ?? 0) + 1, askedAt: at, ...noNotice }

export const withdrawn = (wish: Wish): Wish =>
  wish.wished ? { ...wish, wished: false, version: wish.version + 1, ...noNotice } : wish

/** Whether a purchase would find a key, as far as this is known. */
export const isAssignable = (stock: Stock | undefined, at: Instant) =>
  !!stock && stock.available > 0 && (stock.sellableUntil === null || stock.sellableUntil > at)

export const isOpen = (plan: PlanVersion | undefined) => plan?.saleState === 'open'
