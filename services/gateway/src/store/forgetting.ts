import type { LaneWork } from '@coding-plans/runtime'

/** How long an operation can be looked up. What a kept key refers to stays for ever (IDE-1). */
const KEPT_FOR = '30 days'
const EVERY_MILLISECONDS = 10 * 60_000
const MOST_AT_ONCE = 5_000

/** Everything that grows has an end: old operations, and the keys of those that did not succeed. */
export const forgetting: LaneWork = {
  name: 'forgetting',
  everyMilliseconds: EVERY_MILLISECONDS,
  run: async (tx) => {
    await tx.raw(
      `with old as (
         select o.id from operations o
         where o.accepted_at < now() - interval '${KEPT_FOR}' and o.outcome is not null
           and not (o.outcome = 'succeeded' and exists (select from idempotency_keys k where k.operation_id = o.id))
         limit ${MOST_AT_ONCE} for update of o skip locked
       ), freed as (
         delete from idempotency_keys k using old where k.operation_id = old.id
       )
       delete from operations o using old where o.id = old.id`,
    )
    return []
  },
}
