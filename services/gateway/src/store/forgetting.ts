import { execute, type LaneWork, select, type Tx } from '@coding-plans/runtime'
import { operationKinds } from '../operation-kinds.ts'

/** How long an operation can be looked up. What a kept key refers to stays for ever (IDE-1). */
const KEPT_FOR = '30 days'
/** As long as their services keep them. */
const LETTERS_ARE_KEPT_FOR = '90 days'
const EVERY_MILLISECONDS = 10 * 60_000
const MOST_AT_ONCE = 5_000
/** How long a key is kept that was asked about and never used: a sealed command whose second step never came. */
const UNUSED_KEYS_ARE_KEPT_FOR = '1 day'

/** Everything that grows has an end: old operations, and the keys of those that did not succeed. */
export const forgetting: LaneWork = {
  name: 'forgetting',
  everyMilliseconds: EVERY_MILLISECONDS,
  unhurried: true,
  run: async (tx) => {
    await forgetOperations(
      tx,
      `select o.id from operations o
       where o.accepted_at < now() - interval '${KEPT_FOR}' and o.outcome is not null
         and not (o.outcome = 'succeeded' and exists (select from idempotency_keys k where k.operation_id = o.id))
       limit ${MOST_AT_ONCE}`,
      [],
    )
    await execute(
      tx,
      `delete from idempotency_keys where operation_id is null and scope in (
         select scope from idempotency_keys
         where operation_id is null and made_at < now() - interval '${UNUSED_KEYS_ARE_KEPT_FOR}'
         order by scope limit ${MOST_AT_ONCE} for update skip locked)`,
    )
    await execute(
      tx,
      `delete from listed_letters where id in (
         select id from listed_letters
         where died_at < extract(epoch from now() - interval '${LETTERS_ARE_KEPT_FOR}') * 1000
         order by died_at limit ${MOST_AT_ONCE} for update skip locked)`,
    )
    return []
  },
}

/** Operations with their keys, which are locked in the order that accepting locks them in. */
const forgetOperations = (tx: Tx, which: string, bindings: readonly (string[] | readonly string[])[]) =>
  execute(
    tx,
    `with which as (${which}), old as (
       select o.id from operations o where o.id in (select id from which) for update of o skip locked
     ), keys as materialized (
       select k.scope from idempotency_keys k join old on k.operation_id = old.id order by k.scope for update of k
     ), freed as (
       delete from idempotency_keys k using keys where k.scope = keys.scope
     )
     delete from operations o using old where o.id = old.id`,
    bindings as string[][],
  )

/**
 * Nothing of these users is left on their own lanes but the tombstones (GDP-1). What lies on other lanes, or is under way
 * in another process, is forgotten by `forgettingUsers`; it is shown to nobody meanwhile. The audit stays: it names the
 * opaque id alone.
 */
export const forgetUsers = async (tx: Tx, userIds: string[]) => {
  if (userIds.length === 0) return
  await execute(
    tx,
    'update deleted_users set forgotten_at = now() where user_id = any(?::text[]) and forgotten_at is null',
    [userIds],
  )
  await execute(
    tx,
    'delete from charges where subscription_id in (select id from subscriptions where user_id = any(?::text[]))',
    [userIds],
  )
  for (const table of ['subscriptions', 'accounts', 'movements', 'slots', 'auto_top_ups'])
    await execute(tx, `delete from ${table} where user_id = any(?::text[])`, [userIds])
}

const LOOK_EVERY_MILLISECONDS = 2_000
// No round and no request is under way for so long.
const LATELY = '10 minutes'

/** What is asked of a user. */
export const OF_USERS: readonly string[] = Object.entries(operationKinds).flatMap(([kind, { subject }]) =>
  subject === 'user' ? [kind] : [],
)

/** What was kept of users who were forgotten lately: never waits for a row that another transaction holds. */
export const forgettingUsers: LaneWork = {
  name: 'forgetting-users',
  everyMilliseconds: LOOK_EVERY_MILLISECONDS,
  unhurried: true,
  run: async (tx) => {
    const lately = await select<{ userId: string }>(
      tx,
      `select user_id from deleted_users where forgotten_at > now() - interval '${LATELY}'`,
    )
    if (lately.length === 0) return []
    const users = lately.map(({ userId }) => userId)
    for (const [table, key] of [
      ['wishes', 'user_id, plan_id'],
      ['notifications', 'id'],
    ])
      await execute(
        tx,
        `delete from ${table} where (${key}) in (
           select ${key} from ${table} where user_id = any(?::text[]) for update skip locked)`,
        [users],
      )
    // What waits for its answer gets that first; a deletion's own operation stays.
    await forgetOperations(
      tx,
      `select id from (
         select id, kind, outcome, answered_no from operations where caller = any(?::text[])
         union select id, kind, outcome, answered_no from operations where subject = any(?::text[]) and kind = any(?::text[])
       ) as theirs where kind <> 'delete_account' and outcome is not null and answered_no is not null`,
      [users, users, OF_USERS],
    )
    return []
  },
}
