import type { Knex } from 'knex'
import type { PageAsked } from '../cursor.ts'
import { type Query, readTables } from './tables.ts'

/** Newest first; at equal instants the one written later first. One row more than asked tells whether there is another page. */
const newest =
  (columns: readonly string[], { limit, after }: PageAsked) =>
  (query: Query): Query => {
    for (const column of columns) query.orderBy(column, 'desc')
    if (after)
      query.whereRaw(`(${columns.map(() => '??').join(', ')}) < (${after.map(() => '?').join(', ')})`, [
        ...columns,
        ...after,
      ])
    return query.limit(limit + 1)
  }

export interface SubscriptionFilter {
  readonly userId?: string
  readonly status?: string
  /** Literal text, found anywhere in what is shown. */
  readonly q?: string
}

const SEARCHED = ['id', 'user_id', 'plan_id', 'plan_name', 'provider_id']

/** Everything that is read of the read models. Rows come as they are; `presentation.ts` makes shapes of them. */
export const readingStore = (knex: Knex) => {
  const tables = readTables(knex)
  /** What another process had under way is there for a moment after its user was forgotten; it is shown to nobody. */
  const forgotten = (userId: string) => knex('deleted_users').where({ user_id: userId, forgotten: true })
  return {
    plans: ({ hidden }: { hidden: boolean }) =>
      tables.all('offered', (query) => {
        if (!hidden) query.whereNot('sale_state', 'hidden')
        return query.orderBy(['position', 'plan_id'])
      }),
    /** The plans that this user is to be told of. */
    wishes: async (userId: string): Promise<ReadonlySet<string>> => {
      const rows = await tables.all('wishes', (query) =>
        query.where({ user_id: userId, wished: true }).whereNotExists(forgotten(userId)),
      )
      return new Set(rows.map(({ planId }) => planId))
    },
    plan: (planId: string) => tables.one('offered', (query) => query.where({ plan_id: planId })),
    planVersions: (planId: string, asked: PageAsked) =>
      tables.all('versions', (query) => newest(['version'], asked)(query.where({ plan_id: planId }))),
    providerKnown: async (providerId: string) =>
      (await tables.one('versions', (query) => query.where({ provider_id: providerId }))) !== null,

    subscriptions: ({ userId, status, q }: SubscriptionFilter, asked: PageAsked) =>
      tables.all('subscriptions', (query) => {
        if (userId !== undefined) query.where({ user_id: userId })
        if (status !== undefined) query.where({ status })
        if (q !== undefined)
          query.whereRaw(
            `(${SEARCHED.map((column) => `position(lower(?) in lower(${column})) > 0`).join(' or ')})`,
            SEARCHED.map(() => q),
          )
        return newest(['created_at', 'sequence'], asked)(query)
      }),
    subscription: (id: string) => tables.one('subscriptions', (query) => query.where({ id })),
    charges: (subscriptionId: string, asked: PageAsked) =>
      tables.all('charges', (query) =>
        newest(['at', 'sequence'], asked)(query.where({ subscription_id: subscriptionId })),
      ),

    autoTopUp: (userId: string) => tables.one('autoTopUps', (query) => query.where({ user_id: userId })),
    credits: (userId: string) => tables.one('accounts', (query) => query.where({ user_id: userId })),
    creditsAt: async (userId: string, at: number) => {
      const row = await tables.one('movements', (query) =>
        query
          .where({ user_id: userId })
          .where('at', '<=', at)
          .orderBy([
            { column: 'at', order: 'desc' },
            { column: 'version', order: 'desc' },
          ]),
      )
      return row && { balance: row.balanceAfter, held: row.heldAfter }
    },
    entries: (userId: string, asked: PageAsked) =>
      tables.all('movements', (query) =>
        newest(['version'], asked)(query.where({ user_id: userId }).whereNotNull('entry_id')),
      ),

    /** Whether this line is on the user's statement. */
    hasEntry: async (userId: string, entryId: string) =>
      (await tables.one('movements', (query) => query.where({ user_id: userId, entry_id: entryId }))) !== null,

    slots: (userId: string) =>
      tables.all('slots', (query) =>
        query.where({ user_id: userId }).whereNot('managed_by', 'none').orderBy('provider_id'),
      ),

    notifications: (userId: string, asked: PageAsked) =>
      tables.all('notifications', (query) =>
        newest(['at', 'sequence'], asked)(query.where({ user_id: userId }).whereNotExists(forgotten(userId))),
      ),

    /** Deleted, or being deleted. */
    deleted: async (userId: string) =>
      (await tables.one('deleted', (query) => query.where({ user_id: userId }))) !== null,

    operation: (id: string) => tables.one('operations', (query) => query.where({ id })),

    /** Every plan's stock; a plan that never had any shows none. */
    stock: (planId: string | undefined) =>
      tables.all('stock', (query) => {
        if (planId !== undefined) query.where({ plan_id: planId })
        return query.orderBy(['position', 'plan_id'])
      }),
    keys: ({ planId, state }: { planId?: string; state?: string }, asked: PageAsked) =>
      tables.all('keys', (query) => {
        if (planId !== undefined) query.where({ plan_id: planId })
        if (state !== undefined) query.where({ state })
        return newest(['uploaded_at', 'sequence'], asked)(query)
      }),

    planOfKey: async (keyId: string) =>
      (await tables.one('keys', (query) => query.where({ key_id: keyId })))?.planId ?? null,

    /** null: the auditor has not been heard yet. */
    invariants: () => tables.one('invariants', (query) => query),

    audit: (asked: PageAsked) => tables.all('audit', newest(['at', 'sequence'], asked)),

    deadLetters: ({ service, state }: { service?: string; state?: string }, asked: PageAsked) =>
      tables.all('letters', (query) => {
        if (service !== undefined) query.where({ service })
        if (state !== undefined) query.where({ state })
        return newest(['died_at', 'sequence'], asked)(query)
      }),
    deadLetter: (id: string) => tables.one('letters', (query) => query.where({ id })),
    /** Those that are kept and may be redriven yet, in the order in which they died first. */
    redrivable: (service: string | undefined, most: number) =>
      tables.all('letters', (query) => {
        if (service !== undefined) query.where({ service })
        return query.where({ state: 'kept' }).where('redrives_left', '>', 0).orderBy('sequence').limit(most)
      }),
    countRedrivable: async (service: string | undefined): Promise<number> => {
      const { rows } = (await knex.raw(
        `select count(*)::int as left from listed_letters
         where state = 'kept' and redrives_left > 0 and service = coalesce(?, service)`,
        [service ?? null],
      )) as { rows: { left: number }[] }
      return rows[0]?.left ?? 0
    },

    clock: async () => {
      const { rows } = (await knex.raw(
        `select now, settled and not exists (select from operations where outcome is null) as settled from clock`,
      )) as { rows: { now: number; settled: boolean }[] }
      return rows[0] ?? null
    },
  }
}

export type ReadingStore = ReturnType<typeof readingStore>
