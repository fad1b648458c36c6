import type { LaneWork, Tx } from '@coding-plans/runtime'
import { operationKinds } from '../operation-kinds.ts'

/** How long an operation can be looked up. What a kept key refers to stays for ever (IDE-1). */
const KEPT_FOR = '30 days'
const EVERY_MILLISECONDS = 10 * 60_000
const MOST_AT_ONCE = 5_000

const OF_USERS = Object.entries(operationKinds).flatMap(([kind, { subject }]) => (subject === 'user' ? [kind] : []))

/** Everything that grows has an end: old operations, and the keys of those that did not succeed. */
export const forgetting: LaneWork = {
  name: 'forgetting',
  everyMilliseconds: EVERY_MILLISECONDS,
  unhurried: true,
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
    // What was under way when its user was forgotten, and is answered by now.
    await forgetOperations(tx, 'select user_id from deleted_users where forgotten')
    return []
  },
}

/** What users asked for, and what was asked for them, but for their deletion; what waits for its answer gets that first. */
const forgetOperations = (tx: Tx, users: string, bindings: string[][] = []) =>
  tx.raw(
    `with gone as (select user_id from (${users}) as u(user_id)), theirs as (
       select o.id from operations o
       where (o.caller in (select user_id from gone) or o.subject in (select user_id from gone) and o.kind = any(?))
         and o.kind <> 'delete_account' and o.answered_no is not null and o.outcome is not null
       for update of o skip locked
     ), freed as (
       delete from idempotency_keys k using theirs where k.operation_id = theirs.id
     )
     delete from operations o using theirs where o.id = theirs.id`,
    [...bindings, OF_USERS],
  )

/** Nothing is left here of these users but their tombstones (GDP-1). The audit stays: it names the opaque id alone. */
export const forgetUsers = async (tx: Tx, userIds: string[]) => {
  if (userIds.length === 0) return
  await tx.raw(
    'delete from charges where subscription_id in (select id from subscriptions where user_id = any(?::text[]))',
    [userIds],
  )
  for (const table of ['subscriptions', 'accounts', 'movements', 'slots', 'auto_top_ups', 'wishes', 'notifications'])
    await tx.raw(`delete from ${table} where user_id = any(?::text[])`, [userIds])
  await forgetOperations(tx, 'select unnest(?::text[])', [userIds])
}
