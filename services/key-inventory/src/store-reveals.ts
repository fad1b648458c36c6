import { execute, select, type Tx } from '@coding-plans/runtime'
import type { Ownership } from './domain/key.ts'
import type { ManagedBy } from './domain/slot.ts'
import type { Envelope } from './vault.ts'

/** What is in a slot, with what locks it: the stock's key, or the user's own. */
export type Contents = { readonly [Name in keyof Envelope]: Envelope[Name] | null } & {
  readonly managedBy: ManagedBy
  readonly keyId: string | null
  readonly ownership: Ownership | null
  readonly reveal: boolean | null
}

const WINDOW_SECONDS = 60

/**
 * 0: the user may reveal another. Exact for any number of instances: a user's reveals come one after the other here, and
 * their instants are the database's.
 */
export const secondsToWait = async (tx: Tx, user: string, perMinute: number): Promise<number> => {
  await execute(tx, 'select pg_advisory_xact_lock(hashtextextended(?, 0))', [`reveal|${user}`])
  const window = `clock_timestamp() - interval '${WINDOW_SECONDS} seconds'`
  await execute(tx, `delete from reveals where user_id = ? and revealed_at <= ${window}`, [user])
  const [oldest] = await select<{ seconds: number }>(
    tx,
    `select greatest(1, ceil(extract(epoch from revealed_at - (${window}))))::int as seconds
     from reveals where user_id = ? order by revealed_at desc offset ? limit 1`,
    [user, perMinute - 1],
  )
  return oldest?.seconds ?? 0
}

export const findContents = async (tx: Tx, userId: string, providerId: string): Promise<Contents | null> => {
  const [contents] = await select<Contents>(
    tx,
    `select s.managed_by, s.key_id, k.ownership, k.reveal, coalesce(k.ciphertext, s.ciphertext) as ciphertext,
       coalesce(k.wrapped_key, s.wrapped_key) as wrapped_key,
       coalesce(k.wrapping_key_id, s.wrapping_key_id) as wrapping_key_id
     from slots s left join keys k on k.id = s.key_id
     where s.user_id = ? and s.provider_id = ?`,
    [userId, providerId],
  )
  return contents ?? null
}

/** Counts a reveal. @returns its number, which no other has. */
export const noteReveal = async (tx: Tx, user: string): Promise<number> => {
  const [noted] = await select<{ id: number }>(tx, 'insert into reveals (user_id) values (?) returning id', [user])
  if (!noted) throw new Error('A reveal was not counted.')
  return noted.id
}
