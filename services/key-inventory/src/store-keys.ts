import { select, type Tx } from '@coding-plans/runtime'
import type { Needs, StockNeed } from './needs.ts'
import { KEY_COLUMNS, type KeyRow } from './rows.ts'

/** Which keys a round reads. */

// Expired stock that one round retires at most, of one plan; the latest first, so that none is skipped that could be sold.
const MOST_RETIRED = 1_000

export const namedKeys = async (tx: Tx, { assignmentIds, subscriptionIds, unlinked, revoked }: Needs) => {
  if (assignmentIds.length + subscriptionIds.length + unlinked.length + revoked.length === 0) return []
  return select<KeyRow>(
    tx,
    `select ${KEY_COLUMNS} from keys k
     where k.assignment_id = any(?::text[]) or k.subscription_id = any(?::text[])
       or k.user_id = any(?::text[]) or k.id = any(?::text[])
     order by k.assigned_at`,
    [assignmentIds, subscriptionIds, unlinked, revoked],
  )
}

export const sellableKeys = async (tx: Tx, needs: readonly StockNeed[]) => {
  if (needs.length === 0) return []
  const found = await select<KeyRow>(
    tx,
    // The three may name one key twice; joined by their ids, all keys there are would be read.
    `select found.*
     from unnest(?::text[], ?::int[], ?::bigint[]) as need(plan_id, takes, until)
     cross join lateral (
       (select ${KEY_COLUMNS} from keys k where k.plan_id = need.plan_id and state = 'available'
          and (expires_at is null or expires_at > need.until) order by sequence limit need.takes)
       union all
       (select ${KEY_COLUMNS} from keys k where k.plan_id = need.plan_id and state = 'available'
          and expires_at <= need.until order by expires_at desc limit ${MOST_RETIRED})
       union all
       (select ${KEY_COLUMNS} from keys k where k.plan_id = need.plan_id and state = 'available'
          order by expires_at desc nulls first limit need.takes + 1)
     ) as found`,
    [needs.map(({ planId }) => planId), needs.map(({ takes }) => takes), needs.map(({ until }) => until)],
  )
  return [...new Map(found.map((key) => [key.id, key])).values()]
}

export const knownKeys = async (tx: Tx, fingerprints: readonly string[], ids: readonly string[]) => {
  if (fingerprints.length === 0) return []
  return select<{ id: string; fingerprint: string }>(
    tx,
    // Each by its own index: as one condition, or with the fingerprints made in the statement, every key there is is read.
    `select id, encode(fingerprint, 'hex') as fingerprint from keys where fingerprint = any(?::bytea[])
     union select id, encode(fingerprint, 'hex') from keys where id = any(?::text[])`,
    [fingerprints.map((hex) => Buffer.from(hex, 'hex')), ids],
  )
}
