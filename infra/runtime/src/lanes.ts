import type { Knex } from 'knex'
import { execute, select } from './sql.ts'
import { inTransaction, type Tx } from './transaction.ts'

/** A lane that this process owns, with what has arrived on it. */
export interface OwnedLane {
  readonly lane: number
  readonly epoch: number
  /** topic → the position in the database: where the next round begins. */
  readonly positions: Record<string, number>
  /** topic → the offset that the next batch must start at. */
  readonly expected: Record<string, number>
}

/** What the database says of a lane that was just claimed: the truth about where to go on. */
export interface Claim {
  readonly lane: number
  readonly epoch: number
  readonly positions: Readonly<Record<string, number>>
}

/**
 * Claim by writing: a lane on which an old owner's transaction is open is not among the answers; ask again until it is.
 * So no answer of the old owner can be committed behind our drain.
 */
export const claimLanes = (knex: Knex, lanes: readonly number[], owner: string): Promise<Claim[]> =>
  inTransaction(knex, async (tx) => {
    await execute(tx, 'insert into lanes (lane) select unnest(?::smallint[]) on conflict do nothing', [lanes])
    return select<Claim>(
      tx,
      `with free as (select lane from lanes where lane = any(?) order by lane for update skip locked)
       update lanes l set epoch = epoch + 1, owner = ? from free where l.lane = free.lane
       returning l.lane, l.epoch, l.positions`,
      [lanes, owner],
    )
  })

/** Write the first positions of topics that a lane has not read yet. */
export const startPositions = (knex: Knex, claim: Claim, missing: Readonly<Record<string, number>>) =>
  execute(knex, 'update lanes set positions = ?::jsonb || positions where lane = ? and epoch = ?', [
    JSON.stringify(missing),
    claim.lane,
    claim.epoch,
  ])

export interface LaneMove {
  readonly lane: number
  readonly epoch: number
  /** topic → where the round began. */
  readonly expected: Readonly<Record<string, number>>
  /** topic → where it ends. */
  readonly next: Readonly<Record<string, number>>
}

export interface MessageKey {
  readonly source: string
  readonly id: string
}

export interface Opening {
  /** The lanes that moved. */
  readonly moved: ReadonlySet<number>
  /** Keys of the messages that nobody had seen; they are remembered from now on. */
  readonly unseen: ReadonlySet<string>
}

/**
 * The beginning of a round, in one statement: compare and set of positions and epoch, all lanes together; the ids of what
 * came on them are remembered; what was published before is deleted. A lane that another holds locked, or that has moved
 * on without us, is not among the answers, and nothing that came on it is remembered.
 */
export const openRound = async (
  tx: Tx,
  moves: readonly LaneMove[],
  messages: readonly (MessageKey & { lane: number })[],
  published: readonly number[],
): Promise<Opening> => {
  const rows = await select<{ lane: number | null; source: string | null; id: string | null }>(
    tx,
    `with given as (
       select * from json_to_recordset(?::json) as r(lane smallint, epoch bigint, expected jsonb, next jsonb)
     ), free as (
       select lane from lanes where lane in (select lane from given) order by lane for update skip locked
     ), moved as (
       update lanes l set positions = l.positions || g.next
       from given g join free using (lane)
       where l.lane = g.lane and l.epoch = g.epoch and l.positions @> g.expected
       returning l.lane
     ), fresh as (
       insert into seen (source, id)
       select m.source, m.id from unnest(?::smallint[], ?::text[], ?::uuid[]) as m(lane, source, id) join moved using (lane)
       on conflict do nothing returning source, id
     ), gone as (
       delete from outbox where seq = any(?)
     )
     select lane, null as source, null::uuid as id from moved union all select null, source, id from fresh`,
    [
      JSON.stringify(moves),
      messages.map(({ lane }) => lane),
      messages.map(({ source }) => source),
      messages.map(({ id }) => id),
      published,
    ],
  )
  return {
    moved: new Set(rows.flatMap(({ lane }) => (lane === null ? [] : [lane]))),
    unseen: new Set(
      rows.flatMap(({ source, id }) => (source === null || id === null ? [] : [seenKey({ source, id })])),
    ),
  }
}

export const seenKey = ({ source, id }: MessageKey) => `${source}|${id}`

/**
 * What died stays seen, as dead: its sender is told that it failed, so a second copy must not take effect when its cause is
 * mended; a redriven one may. What could not be read may be a copy of one that took effect: that is not dead.
 */
export const rememberDead = (tx: Tx, messages: readonly MessageKey[], unread: readonly MessageKey[]) => {
  const columns = (keys: readonly MessageKey[]) => [keys.map(({ source }) => source), keys.map(({ id }) => id)]
  return Promise.all([
    execute(
      tx,
      `update seen s set dead = true from unnest(?::text[], ?::uuid[]) as r(source, id)
       where s.source = r.source and s.id = r.id`,
      columns(messages),
    ),
    execute(
      tx,
      `insert into seen (source, id, dead)
       select r.source, r.id, true from unnest(?::text[], ?::uuid[]) as r(source, id) on conflict do nothing`,
      columns(unread),
    ),
  ])
}

/** Its copy is asked for. */
export const forgetDead = (tx: Tx, { source, id }: MessageKey) =>
  execute(tx, 'delete from seen where source = ? and id = ?::uuid and dead', [source, id])

/** Longer than any record of a topic with a finite retention, which is 7 days and a segment; by wall clock. */
export const SEEN_IS_KEPT_FOR_DAYS = 8
const MOST_FORGOTTEN_AT_ONCE = 20_000

/** In portions, until nothing old is left. */
export const forgetOldSeen = async (knex: Knex): Promise<void> => {
  const count = await execute(
    knex,
    `delete from seen where ctid = any(array(
       select ctid from seen where seen_at < now() - interval '${SEEN_IS_KEPT_FOR_DAYS} days' limit ${MOST_FORGOTTEN_AT_ONCE}))`,
  )
  if (count === MOST_FORGOTTEN_AT_ONCE) await forgetOldSeen(knex)
}
