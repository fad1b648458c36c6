import { select } from '@coding-plans/runtime'
import type { Knex } from 'knex'
import type { ShownOperation } from '../rows.ts'

export interface Answers {
  /** Operations that may be answered now: each has its number. */
  readonly operations: readonly ShownOperation[]
  /** The highest number of any answer, of any instance. */
  readonly horizon: number
}

/** The answering side of the database. */
export interface AnsweringStore {
  /**
   * Numbers and returns, in one statement, those of `waiting` that have an outcome that can be read, and those of
   * `expired`, whose wait is over, as they are.
   */
  answers(waiting: readonly string[], expired: readonly string[]): Promise<Answers>
  /** Numbers what nobody waits for any more (its process died), so that it can be known (EXT-3). */
  numberAbandoned(): Promise<void>
}

// The counter's row is locked until the commit, so numbers become visible in their order: who knows number n knows that
// everything up to n was numbered. A sequence would not promise that.
// Most of those that are waited for have no outcome yet: only the others are looked at any closer.
const ANSWER = `
  with expired as materialized (select unnest(?::text[]) as id),
  candidates as materialized (
    select id from operations where id = any(?::text[]) and (outcome is not null or id in (select id from expired))
  ), ready as materialized (
    select v.id from visible_operations v
    where v.id in (select id from candidates) and (v.visible or v.id in (select id from expired))
      and v.answered_no is null
    order by v.id for update of v skip locked
  ), counter as (
    update answers set number = number + 1 where exists (select from ready) returning number
  ), numbered as (
    update operations o set answered_no = counter.number from ready, counter where o.id = ready.id returning o.id
  )
  select v.*, greatest((select number from counter), (select number from answers)) as horizon
  from (values (true)) as always(one)
  left join visible_operations v
    on v.id in (select id from candidates) and (v.visible or v.id in (select id from expired))
    and (v.answered_no is not null or v.id in (select id from numbered))`

// Longer than the longest wait, and than what an attached request may add to it.
const ABANDONED_AFTER = '90 seconds'
const MOST_ABANDONED_AT_ONCE = 500

const HORIZON = 'select number as horizon from answers'

type AnswerRow = ShownOperation & { readonly horizon: number }

export const answeringStore = (knex: Knex): AnsweringStore => {
  const answers: AnsweringStore['answers'] = async (waiting, expired) => {
    if (waiting.length === 0) {
      const [row] = await select<{ horizon: number }>(knex, HORIZON)
      return { operations: [], horizon: row?.horizon ?? 0 }
    }
    const rows = await select<AnswerRow>(knex, ANSWER, [expired, waiting])
    return { operations: rows.filter(({ id }) => id !== null), horizon: rows[0]?.horizon ?? 0 }
  }
  return {
    answers,
    numberAbandoned: async () => {
      const rows = await select<{ id: string }>(
        knex,
        `select id from operations where answered_no is null and accepted_at < now() - interval '${ABANDONED_AFTER}'
         order by accepted_at limit ${MOST_ABANDONED_AT_ONCE}`,
      )
      const ids = rows.map(({ id }) => id)
      if (ids.length > 0) await answers(ids, ids)
    },
  }
}
