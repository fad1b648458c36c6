import { instant } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import type { LaneWork } from './handler.ts'
import type { OwnedLane } from './lanes.ts'
import { appendOutbox, type Parcel, type Scribe } from './outbox.ts'
import { select } from './sql.ts'
import { inTransaction, type Tx } from './transaction.ts'

type Records = ReturnType<Scribe['write']>

/**
 * A transaction under the locks of those lanes that are still ours by their epoch; what it says is appended for them.
 * Lanes that somebody else holds or has claimed are left out; with none left nothing is done.
 */
export const underLanes = (
  knex: Knex,
  owned: readonly OwnedLane[],
  act: (tx: Tx, lanes: readonly number[]) => Promise<Records>,
): Promise<Parcel[]> =>
  inTransaction(knex, async (tx) => {
    const rows = await select<{ lane: number }>(
      tx,
      `select lane from lanes l join unnest(?::smallint[], ?::bigint[]) as r(lane, epoch) using (lane, epoch)
       order by lane for update of l skip locked`,
      [owned.map(({ lane }) => lane), owned.map(({ epoch }) => epoch)],
    )
    const lanes = rows.map(({ lane }) => lane)
    if (lanes.length === 0) return []
    const ownerOf = (lane: number) => (lanes.includes(lane) ? lane : (lanes[0] as number))
    return appendOutbox(
      tx,
      (await act(tx, lanes)).map((record) => ({ ...record, owner: ownerOf(record.lane) })),
    )
  })

/** Rows without a message, by the lanes' owner alone. */
export const doLaneWork = (knex: Knex, work: LaneWork, owned: readonly OwnedLane[], scribe: Scribe) =>
  underLanes(knex, owned, async (tx, lanes) => {
    const now = instant(Date.now())
    return scribe.write(await work.run(tx, lanes, now), null, now)
  })
