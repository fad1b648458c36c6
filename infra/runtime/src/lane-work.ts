import { instant } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import type { OwnedLane } from './buffer.ts'
import type { LaneWork } from './handler.ts'
import { appendOutbox, type OutboxRow, type Scribe } from './outbox.ts'

/** Rows without a message: under the lanes' locks and epochs, so that no second owner does the same. */
export const doLaneWork = (
  knex: Knex,
  work: LaneWork,
  owned: readonly OwnedLane[],
  scribe: Scribe,
): Promise<OutboxRow[]> =>
  knex.transaction(async (tx) => {
    const { rows } = (await tx.raw(
      `select lane from lanes l join unnest(?::smallint[], ?::bigint[]) as r(lane, epoch) using (lane, epoch)
       order by lane for update of l skip locked`,
      [owned.map(({ lane }) => lane), owned.map(({ epoch }) => epoch)],
    )) as { rows: { lane: number }[] }
    const lanes = rows.map(({ lane }) => lane)
    if (lanes.length === 0) return []
    const now = instant(Date.now())
    const records = scribe.write(await work.run(tx, lanes, now), null, now)
    return appendOutbox(
      tx,
      records.map((record) => ({ ...record, owner: lanes.includes(record.lane) ? record.lane : (lanes[0] as number) })),
    )
  })
