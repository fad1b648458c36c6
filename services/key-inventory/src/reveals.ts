import { type Parts, type Saying, say, select, type Tx } from '@coding-plans/runtime'
import { type Instant, userId } from '@coding-plans/schemas'
import type { Ownership } from './domain/key.ts'
import type { ManagedBy } from './domain/slot.ts'
import { type Envelope, recordOfKey, recordOfSlot, type Vault } from './vault.ts'

export type Revealed =
  | { readonly key: string }
  | { readonly refused: 'not_found' | 'reveal_not_allowed' }
  | { readonly refused: 'rate_limited'; readonly retryAfterSeconds: number }

export interface RevealRequest {
  readonly userId: string
  readonly providerId: string
  /** Business time, for the audit. */
  readonly at: Instant
}

type Contents = { [Name in keyof Envelope]: Envelope[Name] | null } & {
  managedBy: ManagedBy
  keyId: string | null
  ownership: Ownership | null
  reveal: boolean | null
}

const WINDOW_SECONDS = 60

/**
 * Show the owner what is in their slot (SLT-2): their own key, or a plan's whose policy allows it. Limit, audit and
 * decryption are one transaction, and the key leaves it only when the audit is committed.
 */
export const openReveals =
  (vault: Vault, perMinute: number, { knex, worker }: Pick<Parts, 'knex' | 'worker'>) =>
  async (request: RevealRequest): Promise<Revealed> => {
    const { revealed, publish } = await knex.transaction(async (tx) => {
      const wait = await secondsToWait(tx, request.userId, perMinute)
      if (wait > 0) return { revealed: { refused: 'rate_limited', retryAfterSeconds: wait } as const, publish: null }
      const contents = await contentsOf(tx, request)
      const revealed = show(vault, request, contents)
      if ('refused' in revealed) return { revealed, publish: null }
      return { revealed, publish: await worker.append(tx, [await note(tx, request)], request.at) }
    })
    publish?.()
    return revealed
  }

/**
 * 0: another reveal is allowed. Exact for any number of instances: the user's reveals come one after the other here, and
 * their instants are the database's.
 */
const secondsToWait = async (tx: Tx, user: string, perMinute: number): Promise<number> => {
  await tx.raw('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`reveal|${user}`])
  const window = `clock_timestamp() - interval '${WINDOW_SECONDS} seconds'`
  await tx.raw(`delete from reveals where user_id = ? and revealed_at <= ${window}`, [user])
  const [last] = await select<{ seconds: number }>(
    tx,
    `select greatest(1, ceil(extract(epoch from revealed_at - (${window}))))::int as seconds
     from reveals where user_id = ? order by revealed_at desc offset ? limit 1`,
    [user, perMinute - 1],
  )
  return last?.seconds ?? 0
}

const contentsOf = async (tx: Tx, { userId, providerId }: RevealRequest) => {
  const rows = await select<Contents>(
    tx,
    `select s.managed_by, s.key_id, k.ownership, k.reveal, coalesce(k.ciphertext, s.ciphertext) as ciphertext,
       coalesce(k.wrapped_key, s.wrapped_key) as wrapped_key, coalesce(k.wrapping_key_id, s.wrapping_key_id) as wrapping_key_id
     from slots s left join keys k on k.id = s.key_id
     where s.user_id = ? and s.provider_id = ?`,
    [userId, providerId],
  )
  return rows[0]
}

const show = (vault: Vault, request: RevealRequest, contents: Contents | undefined): Revealed => {
  if (!contents || contents.managedBy === 'none') return { refused: 'not_found' }
  const { managedBy, keyId, ownership, reveal, ciphertext, wrappedKey, wrappingKeyId } = contents
  if (managedBy === 'plan' && !(ownership === 'user' && reveal)) return { refused: 'reveal_not_allowed' }
  if (!ciphertext || !wrappedKey || wrappingKeyId === null) throw new Error('The slot holds a key without its lock.')
  const record = keyId === null ? recordOfSlot(request.userId, request.providerId) : recordOfKey(keyId)
  const plaintext = vault.open({ ciphertext, wrappedKey, wrappingKeyId }, record)
  try {
    return { key: plaintext.toString() }
  } finally {
    plaintext.fill(0)
  }
}

const note = async (tx: Tx, { userId: user, providerId, at }: RevealRequest): Promise<Saying> => {
  const [noted] = await select<{ id: number }>(tx, 'insert into reveals (user_id) values (?) returning id', [user])
  const audited = { subject: userId(user), actor: user, action: 'slot.reveal', target: providerId }
  return say(
    'ActionAudited',
    { ...audited, before: null, after: null, reason: null, at },
    { cause: `reveal|${noted?.id}`, time: at },
  )
}
