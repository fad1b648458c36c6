import { createHash } from 'node:crypto'
import type { Speaker } from '@coding-plans/runtime/testing'
import { instant, microdollars, userId } from '@coding-plans/schemas'

/** What one variant asks of the ledger. */
export interface Feed {
  readonly variant: string
  /** The holds go round them. */
  readonly users: number
  readonly holds: number
  /** Every hold is captured too. */
  readonly captured: boolean
}

export type Records = Parameters<Speaker['say']>[0]

export const PRICE_MICRODOLLARS = 20_000_000
/** Stays available with everybody. */
export const SPARE_MICRODOLLARS = 5_000_000
const BOUNDARY = instant(Date.parse('2026-01-01T00:00:00.000Z'))
/**
 * So many holds lie between a hold and its capture, or all: a round takes 1,000 messages, and a capture must find its hold in
 * the database, as it does in life, not in the round that opened it.
 */
const HOLDS_AHEAD = 2_000

/** Ids as they are in life: nothing follows in an index what came before. */
export const digest = (...parts: readonly unknown[]) =>
  createHash('sha256').update(parts.join('|')).digest('hex').slice(0, 32)

/** No variant's begins with another's. */
export const prefixOf = (variant: string) => `${variant.replaceAll(' ', '.')}-`
export const nameOf = (variant: string, n: number) => `${prefixOf(variant)}${String(n).padStart(6, '0')}`
export const holdIdOf = (variant: string, n: number) => `op_${digest(variant, n)}`

/** What each user gets before anything is held. */
export const fundsOf = ({ users, holds }: Feed) => Math.ceil(holds / users) * PRICE_MICRODOLLARS + SPARE_MICRODOLLARS

/** Everybody's credits. Each is answered by CreditsPosted, AvailableIncreased and ActionAudited. */
export const fundings = (speaker: Speaker, feed: Feed): Records => {
  const amount = microdollars(fundsOf(feed))
  return Array.from({ length: feed.users }, (_, n) => {
    const whose = { userId: userId(nameOf(feed.variant, n)), operationId: `op_${digest('funds', feed.variant, n)}` }
    const why = { creditKind: 'grant', reason: 'welcome', actor: 'admin-1' } as const
    return speaker.record('PostCredits', { ...whose, amount, ...why }, { cause: whose.operationId })
  })
}
export const ANSWERS_TO_A_FUNDING = 3

/** The holds, and among them the captures, if any. Each is answered by one event. */
export const commands = (speaker: Speaker, feed: Feed): Records => {
  const asOf = (n: number) => {
    const holdId = holdIdOf(feed.variant, n)
    return {
      userId: userId(nameOf(feed.variant, n % feed.users)),
      holdId,
      subscriptionId: `sub_${digest(holdId)}`,
      purpose: 'activation' as const,
      operationId: holdId,
    }
  }
  const hold = (n: number) => {
    const body = { ...asOf(n), amount: microdollars(PRICE_MICRODOLLARS), boundary: null }
    return speaker.record('HoldCredits', body, { cause: `hold ${body.holdId}` })
  }
  const capture = (n: number) => {
    const body = { ...asOf(n), boundary: BOUNDARY, description: 'Acme Coding, 1 month' }
    const chargeId = `chg_${digest('charge', body.holdId)}`
    return speaker.record('CaptureHold', { ...body, chargeId }, { cause: `capture ${body.holdId}` })
  }
  if (!feed.captured) return Array.from({ length: feed.holds }, (_, n) => hold(n))
  const ahead = Math.min(HOLDS_AHEAD, feed.holds)
  return Array.from({ length: feed.holds + ahead }, (_, n) => [
    ...(n < feed.holds ? [hold(n)] : []),
    ...(n >= ahead ? [capture(n - ahead)] : []),
  ]).flat()
}
