import { type Parts, select, type Tx, updateRows } from '@coding-plans/runtime'
import { recordOfKey, recordOfSlot, type Wrapping } from './vault.ts'

/** The wrapped half of one record, and where it lies. */
export interface Wrapped extends Wrapping {
  readonly record: string
  readonly place: { readonly id: string } | { readonly userId: string; readonly providerId: string }
}

export interface Portion {
  /** Ids of key-encryption keys. */
  readonly under: readonly string[]
  readonly most: number
  /** Records to leave alone. */
  readonly except: readonly string[]
}

// Whoever holds a row is about to change it; it is found again. Waiting for nobody, this can close no circle of locks.
const UNDER = 'where wrapping_key_id = any(?::text[])'
const LOCKED = 'limit ? for no key update skip locked'

/** Locks some records that are wrapped by one of these keys: of the stock first, then users' own. */
export const takeWrapped = async (tx: Tx, { under, most, except }: Portion): Promise<Wrapped[]> => {
  const keys = await select<Wrapping & { id: string }>(
    tx,
    `select id, wrapped_key, wrapping_key_id from keys ${UNDER} and 'key:' || id <> all(?::text[]) ${LOCKED}`,
    [under, except, most],
  )
  const slots = await select<Wrapping & { userId: string; providerId: string }>(
    tx,
    `select user_id, provider_id, wrapped_key, wrapping_key_id from slots
     ${UNDER} and 'slot:' || user_id || '|' || provider_id <> all(?::text[]) ${LOCKED}`,
    [under, except, most - keys.length],
  )
  return [
    ...keys.map(({ id, ...wrapping }) => ({ ...wrapping, record: recordOfKey(id), place: { id } })),
    ...slots.map(({ userId, providerId, ...wrapping }) => ({
      ...wrapping,
      record: recordOfSlot(userId, providerId),
      place: { userId, providerId },
    })),
  ]
}

/** The ciphertexts stay as they are. */
export const saveWrapped = async (tx: Tx, records: readonly Wrapped[]): Promise<void> => {
  const rows = records.map(({ place, wrappedKey, wrappingKeyId }) => ({ ...place, wrappedKey, wrappingKeyId }))
  await updateRows(
    tx,
    'keys',
    ['id'],
    rows.filter((row) => 'id' in row),
  )
  await updateRows(
    tx,
    'slots',
    ['userId', 'providerId'],
    rows.filter((row) => 'userId' in row),
  )
}

/** How many records lie under which key-encryption key, but for the present one: that are nearly all, and nobody asks. */
export const countOthers = (on: Tx | Parts['knex'], present: string) => {
  const others = ['keys', 'slots'].flatMap((table) =>
    ['<', '>'].map((side) => `select wrapping_key_id from ${table} where wrapping_key_id ${side} ?`),
  )
  return select<{ wrappingKeyId: string; records: number }>(
    on,
    `select wrapping_key_id, count(*)::int as records from (${others.join(' union all ')}) as r group by 1 order by 1`,
    others.map(() => present),
  )
}
