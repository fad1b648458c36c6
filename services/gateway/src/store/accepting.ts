import type { Saying, Tx, Worker } from '@coding-plans/runtime'
import { execute, insertRows, inTransaction, select, upsertRows } from '@coding-plans/runtime'
import { type Instant, instant } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import { FIRST_ATTEMPT, type IdempotencyKey, operationIdOf } from '../idempotency.ts'
import { type KeptKey, neverUsed } from '../key-decision.ts'
import type { OperationRow, Outcome } from '../rows.ts'

export type NewOperation = Pick<
  OperationRow,
  'id' | 'caller' | 'kind' | 'subject' | 'startedAt' | 'outcome' | 'answer' | 'finishedAt'
>

export interface PurchaseQuestion {
  readonly userId: string
  readonly planId: string
  /** The highest answer number known when the request's headers arrived. */
  readonly horizon: number
}

/** What the gateway shows of a plan and of the subscription that its buyer can know (EXT-3). */
export interface PurchaseFacts {
  readonly planVersion: number | null
  readonly knownSubscriptionId: string | null
  readonly knownEnd: Instant | null
}

/** One accepting transaction: a few set-based statements, whatever the number of requests. */
export interface Acceptance {
  /** The business time that counts; null: the clock has not been heard yet. */
  time(): Promise<Instant | null>
  /** Locks these keys, in sorted order; those that are new are written as their first attempt already. By scope, in hexadecimal. */
  lockKeys(keys: readonly IdempotencyKey[]): Promise<Map<string, KeptKey>>
  purchaseFacts(questions: readonly PurchaseQuestion[]): Promise<PurchaseFacts[]>
  /** Which of these users are deleted, or being deleted. */
  deleted(userIds: readonly string[]): Promise<ReadonlySet<string>>
  /** @param unused scopes of new keys under which nothing was begun after all */
  write(operations: readonly NewOperation[], keys: readonly KeyWrite[], unused: readonly Buffer[]): Promise<void>
  /** @returns what publishes, to be called after the commit. */
  append(sayings: readonly Saying[], time: Instant): Promise<() => void>
}

export interface KeyWrite {
  readonly scope: Buffer
  readonly request: Buffer
  readonly attempt: number
  readonly operationId: string
}

type LockedKey = {
  scope: Buffer
  request: Buffer
  attempt: number
  operationId: string | null
  outcome: Outcome | null
  visible: boolean | null
}

const lockKeys = async (tx: Tx, keys: readonly IdempotencyKey[]) => {
  const kept = new Map<string, KeptKey>()
  if (keys.length === 0) return kept
  const sorted = keys.toSorted((a, b) => Buffer.compare(a.scope, b.scope))
  // A key that another process is just making makes this one wait for it; sorted, so that two cannot wait for each other.
  const made = await select<{ scope: Buffer }>(
    tx,
    `insert into idempotency_keys (scope, request, attempt, operation_id)
     select scope, request, ${FIRST_ATTEMPT}, id from unnest(?::bytea[], ?::bytea[], ?::text[]) as r(scope, request, id)
     on conflict do nothing returning scope`,
    [
      sorted.map(({ scope }) => scope),
      sorted.map(({ request }) => request),
      sorted.map(({ scope }) => operationIdOf(scope, FIRST_ATTEMPT)),
    ],
  )
  for (const { scope } of made) kept.set(scope.toString('hex'), neverUsed)
  const known = sorted.flatMap(({ scope }) => (kept.has(scope.toString('hex')) ? [] : [scope]))
  if (known.length === 0) return kept
  const rows = await select<LockedKey>(
    tx,
    `select k.scope, k.request, k.attempt, k.operation_id, v.outcome, v.visible
     from idempotency_keys k left join visible_operations v on v.id = k.operation_id
     where k.scope = any(?::bytea[]) order by k.scope for update of k`,
    [known],
  )
  for (const { scope, request, attempt, operationId, outcome, visible } of rows)
    kept.set(scope.toString('hex'), {
      request: request.toString('hex'),
      attempt,
      operationId,
      outcome: visible ? outcome : null,
    })
  return kept
}

type Facts = { planVersion: number | null; knownSubscriptionId: string | null; knownEnd: number | null }

// A live subscription counts as known once the purchase that last changed it was answered, or its wait had run out: both
// are numbered. An operation that is forgotten was answered long ago.
const purchaseFacts = async (tx: Tx, questions: readonly PurchaseQuestion[]): Promise<PurchaseFacts[]> => {
  const rows = await select<Facts>(
    tx,
    `select p.version as plan_version, k.id as known_subscription_id, k.current_period_end as known_end
     from unnest(?::text[], ?::text[], ?::bigint[]) with ordinality as q(user_id, plan_id, horizon, place)
     left join plans p on p.plan_id = q.plan_id
     left join lateral (
       select s.id, s.current_period_end from subscriptions s left join operations o on o.id = s.purchased_by
       where s.user_id = q.user_id and s.provider_id = p.provider_id and s.status <> 'ended'
         and (o.id is null or o.answered_no <= q.horizon)
       order by s.created_at desc limit 1
     ) k on true
     order by q.place`,
    [
      questions.map(({ userId }) => userId),
      questions.map(({ planId }) => planId),
      questions.map(({ horizon }) => horizon),
    ],
  )
  return rows.map(({ planVersion, knownSubscriptionId, knownEnd }) => ({
    planVersion,
    knownSubscriptionId,
    knownEnd: knownEnd === null ? null : instant(knownEnd),
  }))
}

const deletedUsers = async (tx: Tx, userIds: readonly string[]) => {
  const rows = await select<{ userId: string }>(
    tx,
    'select user_id from deleted_users where user_id = any(?::text[])',
    [userIds],
  )
  return new Set(rows.map(({ userId }) => userId))
}

/** The accepting side of the database. */
export interface AcceptingStore {
  /** @throws Ambiguous when the commit's own answer was lost. */
  accept<T>(act: (acceptance: Acceptance) => Promise<T>): Promise<T>
  /** Which of these operations exist. */
  existing(ids: readonly string[]): Promise<Set<string>>
}

/** Whether it was committed is not known: the connection broke while the database was answering. */
export class Ambiguous extends Error {
  override readonly name = 'Ambiguous'
}

export const acceptingStore = (
  knex: Knex,
  append: Worker['append'],
  now: (tx: Tx) => Promise<Instant | null>,
): AcceptingStore => ({
  accept: async (act) => {
    let committing = false
    try {
      return await inTransaction(knex, async (tx) => {
        const result = await act({
          time: () => now(tx),
          lockKeys: (keys) => lockKeys(tx, keys),
          purchaseFacts: (questions) => purchaseFacts(tx, questions),
          deleted: (userIds) => deletedUsers(tx, userIds),
          write: async (operations, keys, unused) => {
            await Promise.all([
              insertRows(tx, 'operations', operations),
              upsertRows(tx, 'idempotency_keys', ['scope'], keys),
              unused.length > 0 && execute(tx, 'delete from idempotency_keys where scope = any(?::bytea[])', [unused]),
            ])
          },
          append: (sayings, time) => append(tx, sayings, time),
        })
        committing = true
        return result
      })
    } catch (error) {
      throw committing ? new Ambiguous('The commit was not answered.', { cause: error }) : error
    }
  },
  existing: async (ids) => {
    const rows = await select<{ id: string }>(knex, 'select id from operations where id = any(?)', [ids])
    return new Set(rows.map(({ id }) => id))
  },
})
