import { select } from '@coding-plans/runtime'
import type { Knex } from 'knex'
import type { Entry, Facts } from '../fold/index.ts'

/** A line of the statement as the database has it. */
export interface KeptEntry {
  readonly id: string
  readonly userId: string
  readonly sequence: number
  readonly kind: string
  /** Signed, microdollars. */
  readonly amount: number
  readonly balanceAfter: number
  readonly at: number
  readonly subscriptionId: string | null
  readonly chargeId: string | null
  readonly description: string
}

const AT_ONCE = 5_000

/** In the order of the index. */
export async function* keptEntries(knex: Knex): AsyncGenerator<readonly KeptEntry[]> {
  for (let after = { userId: '', sequence: 0 }; ; ) {
    const page = await select<KeptEntry>(
      knex,
      `select id, user_id, sequence, kind, case when to_account = 'available' then amount else -amount end as amount,
         available_after + held_after as balance_after, at, subscription_id, charge_id, description
       from transfers where (user_id, sequence) > (?, ?) and kind not in ('hold', 'release')
       order by user_id, sequence limit ?`,
      [after.userId, after.sequence, AT_ONCE],
    )
    const last = page.at(-1)
    if (!last) return
    yield page
    after = last
  }
}

const compared = [
  'userId',
  'kind',
  'amount',
  'balanceAfter',
  'at',
  'subscriptionId',
  'chargeId',
  'description',
] as const

/**
 * What differs from the entry that Kafka tells of: a chain that was written anew to the same end is consistent in itself. One
 * that Kafka does not tell of is a posting that is missing there, and is told as that.
 */
export const differingFrom = (facts: Facts, kept: KeptEntry): string[] => {
  const told = facts.peek('entry', kept.id)
  if (!told || !('messageId' in told)) return []
  const entry = told as Entry
  return compared.flatMap((field) =>
    entry[field] === kept[field]
      ? []
      : [`${kept.userId}: entry ${kept.id}: the database has ${field} ${kept[field]}, Kafka tells ${entry[field]}`],
  )
}
