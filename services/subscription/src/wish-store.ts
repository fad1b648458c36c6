import { execute, insertRows, laneOf, select, type Tx, updateRows, upsertRows } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import type { Books } from './books.ts'
import type { Wish } from './domain/wish.ts'

/** Wishes, stocks, and a mark on everyone who is to be told of a restock: those of this round have theirs already. */
export const saveWishes = async (tx: Tx, { wishes, stocks, restocks }: Books) => {
  await updateRows(tx, 'wishes', ['userId', 'planId'], wishes.changed)
  await insertRows(
    tx,
    'wishes',
    wishes.added.map((wish) => ({ ...wish, lane: laneOf(wish.planId) })),
  )
  await upsertRows(tx, 'stocks', ['planId'], [...stocks.changed, ...stocks.added])
  for (const { planId, notice, at } of restocks)
    await execute(
      tx,
      `update wishes set notice = ?, notice_at = ?
       where plan_id = ? and wished and notice is null and not (user_id = any(?))`,
      [notice, at, planId, wishes.of(planId).map(({ userId }) => userId)],
    )
}

export interface Notice extends Pick<Wish, 'userId' | 'planId'> {
  readonly notice: number
  readonly noticeAt: Instant
}

/** Wishes that are to be told of a restock, in the order of asking; each is given once. */
export const takeNotices = (tx: Tx, lanes: readonly number[], most: number): Promise<Notice[]> =>
  select<Notice>(
    tx,
    `with told as (
       select user_id, plan_id, notice, notice_at, asked_at, sequence from wishes
       where notice is not null and lane = any(?)
       order by notice_at, plan_id, asked_at, sequence limit ? for update),
     marked as (
       update wishes w set notice = null, notice_at = null from told t
       where w.user_id = t.user_id and w.plan_id = t.plan_id)
     select user_id, plan_id, notice, notice_at from told order by notice_at, plan_id, asked_at, sequence`,
    [lanes as number[], most],
  )
