import { type Instant, instant, type Microdollars, microdollars, type UserId } from '@coding-plans/schemas'

/** The six accounts of one user (LED-1). What a user sees as the balance is `available` and `held` together. */
export const ACCOUNT_NAMES = ['available', 'held', 'revenue', 'funding', 'promotion', 'refund'] as const
export type AccountName = (typeof ACCOUNT_NAMES)[number]

/** The six accounts of one user as they stand after `version` transfers; they always sum to zero. */
export interface Account extends Readonly<Record<AccountName, Microdollars>> {
  readonly userId: UserId
  /** The number of transfers so far: what others go by. */
  readonly version: number
  /** The last transfer's instant: time on an account never runs backwards. */
  readonly lastAt: Instant
  /** The last transfer's hash: the head of the chain. */
  readonly hash: string
  /** Its user is deleted: nothing is held or given any more; what is left stays (GDP-1). */
  readonly closedAt: Instant | null
}

/** What the first transfer of every account is chained to. */
export const GENESIS = '0'.repeat(64)

const nothing = microdollars(0)

export const emptyAccount = (userId: UserId): Account => ({
  userId,
  available: nothing,
  held: nothing,
  revenue: nothing,
  funding: nothing,
  promotion: nothing,
  refund: nothing,
  version: 0,
  lastAt: instant(0),
  hash: GENESIS,
  closedAt: null,
})

/** Posted credits. */
export const balanceOf = ({ available, held }: Pick<Account, 'available' | 'held'>) => microdollars(available + held)
