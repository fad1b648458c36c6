import type { Handler, Message, Saying } from '@coding-plans/runtime'
import { MemoryDatabase } from '@coding-plans/runtime/memory'
import { type Instant, instant } from '@coding-plans/schemas'
import { FIRST_ATTEMPT, operationIdOf } from '../idempotency.ts'
import { type KeptKey, neverUsed } from '../key-decision.ts'
import { type Loaded, ReadModels, slotKey, wishKey } from '../projections/models.ts'
import {
  type AccountRow,
  type AuditRow,
  type AutoTopUpRow,
  type ChargeRow,
  type ClockRow,
  type DeadLetterRow,
  type DeletedUserRow,
  type KeyRow,
  type MovementRow,
  type NotificationRow,
  type OperationRow,
  type PlanRow,
  restsOnNothing,
  type ShownOperation,
  type SlotRow,
  type StockRow,
  type SubscriptionRow,
  type WishRow,
} from '../rows.ts'
import type { AcceptingStore, KeyWrite, PurchaseFacts, PurchaseQuestion } from './accepting.ts'
import type { AnsweringStore, Answers } from './answering.ts'
import { OF_USERS } from './forgetting.ts'
import { learntOf, touchedBy } from './projecting.ts'

interface KeptOperation extends OperationRow {
  readonly answeredNo: number | null
}
type KeptKeyRow = Omit<KeyWrite, 'scope'> & { readonly scope: string }

const openTables = (database: MemoryDatabase) => ({
  operations: database.table<KeptOperation>('operations', ({ id }) => id),
  keys: database.table<KeptKeyRow>('idempotency_keys', ({ scope }) => scope),
  plans: database.table<PlanRow>('plans', ({ planId }) => planId),
  planVersions: database.table<PlanRow>('plan_versions', ({ planId, version }) => `${planId}|${version}`),
  stock: database.table<StockRow>('stock', ({ planId }) => planId),
  stockKeys: database.table<KeyRow>('keys', ({ keyId }) => keyId),
  subscriptions: database.table<SubscriptionRow>('subscriptions', ({ id }) => id),
  charges: database.table<ChargeRow>('charges', ({ id }) => id),
  accounts: database.table<AccountRow>('accounts', ({ userId }) => userId),
  movements: database.table<MovementRow>('movements', ({ userId, version }) => `${userId}|${version}`),
  slots: database.table<SlotRow>('slots', ({ userId, providerId }) => slotKey(userId, providerId)),
  autoTopUps: database.table<AutoTopUpRow>('auto_top_ups', ({ userId }) => userId),
  wishes: database.table<WishRow>('wishes', ({ userId, planId }) => wishKey(userId, planId)),
  notifications: database.table<NotificationRow>('notifications', ({ id }) => id),
  clock: database.table<ClockRow>('clock', () => 'clock'),
  audit: database.table<AuditRow>('audit', ({ id }) => id),
  letters: database.table<DeadLetterRow>('listed_letters', ({ id }) => id),
  deleted: database.table<DeletedUserRow>('deleted_users', ({ userId }) => userId),
  /** The number of the last answer. */
  answers: database.table<{ readonly number: number }>('answers', () => 'answers'),
})

type Tables = ReturnType<typeof openTables>

/** Whether an outcome can be read already: the view `visible_operations`. */
const visibleIn =
  ({ accounts, slots, subscriptions, stock, wishes, deleted }: Tables) =>
  (operation: OperationRow): boolean => {
    const { subject, outcome, stockPlan, slotProvider, subscriptionId } = operation
    const contains = (wanted: number | null, row: { readonly version: number } | undefined) =>
      (wanted ?? 0) <= (row?.version ?? 0)
    return (
      outcome !== null &&
      (deleted.get(subject)?.forgotten === true ||
        (contains(operation.accountVersion, accounts.get(subject)) &&
          contains(operation.slotVersion, slots.get(slotKey(subject, slotProvider ?? ''))) &&
          contains(operation.subscriptionVersion, subscriptions.get(subscriptionId ?? '')) &&
          contains(operation.stockVersion, stock.get(stockPlan ?? '')) &&
          contains(operation.wishVersion, wishes.get(wishKey(subject, stockPlan ?? '')))))
    )
  }

const projectingOn = (tables: Tables): Pick<Handler<ReadModels>, 'load' | 'save'> => {
  const found = <Row extends object>(table: { get(key: string): Row | undefined }, keys: readonly string[]): Row[] =>
    [...new Set(keys)].flatMap((key) => table.get(key) ?? [])
  const { operations, clock, deleted } = tables
  return {
    load: async (_, messages: readonly Message[]) => {
      const touched = touchedBy(messages)
      const setsTopUp = messages.some(({ name }) => name === 'AutoTopUpSet')
      const loaded: Loaded = {
        operations: found(operations, touched.operations),
        subscriptions: found(tables.subscriptions, touched.subscriptions),
        accounts: found(tables.accounts, touched.accounts),
        slots: found(
          tables.slots,
          touched.slots.map(({ userId, providerId }) => slotKey(userId, providerId)),
        ),
        stock: found(tables.stock, touched.plans),
        plans: found(tables.plans, touched.plans),
        autoTopUps: setsTopUp ? found(tables.autoTopUps, touched.accounts) : [],
        wishes: found(
          tables.wishes,
          touched.wishes.map(({ userId, planId }) => wishKey(userId, planId)),
        ),
        deleted: found(deleted, touched.accounts),
        letters: found(tables.letters, touched.letters),
        clock: touched.clock ? (clock.get('clock') ?? null) : null,
      }
      return new ReadModels(loaded)
    },
    save: async (_, models) => {
      const learnt = learntOf(models)
      const once = { orNothing: true }
      tables.plans.upsert(models.plans.changed)
      tables.planVersions.insert(models.planVersions, once)
      tables.stock.upsert(models.stock.changed)
      const isNewer = ({ keyId, version }: KeyRow) => version > (tables.stockKeys.get(keyId)?.version ?? 0)
      tables.stockKeys.upsert(models.keys.changed.filter(isNewer))
      tables.subscriptions.upsert(learnt.subscriptions)
      tables.charges.insert(learnt.charges, once)
      tables.accounts.upsert(learnt.accounts)
      const stands = ({ userId, version, entryId }: MovementRow) =>
        !tables.movements.get(`${userId}|${version}`) || entryId !== null
      tables.movements.upsert(learnt.movements.filter(stands))
      tables.slots.upsert(learnt.slots)
      tables.autoTopUps.upsert(learnt.autoTopUps)
      tables.wishes.upsert(learnt.wishes)
      tables.notifications.insert(learnt.notifications, once)
      clock.upsert(models.clock.changed)
      tables.audit.insert(models.audit, once)
      operations.update(learnt.operations as readonly Partial<KeptOperation>[])
      tables.letters.upsert(models.letters.changed)
      deleted.upsert(models.deleted.changed)
      forget(tables, new Set(learnt.forgotten))
    },
  }
}

const forget = ({ subscriptions, charges, accounts, movements, slots, autoTopUps }: Tables, users: Set<string>) => {
  if (users.size === 0) return
  const theirs = new Set(subscriptions.where(({ userId }) => users.has(userId)).map(({ id }) => id))
  charges.remove(({ subscriptionId }) => theirs.has(subscriptionId))
  for (const table of [subscriptions, accounts, movements, slots, autoTopUps])
    table.remove((row: { readonly userId: string }) => users.has(row.userId))
}

const purchaseFactsIn =
  ({ plans, subscriptions, operations }: Tables) =>
  ({ userId, planId, horizon }: PurchaseQuestion): PurchaseFacts => {
    const plan = plans.get(planId)
    const isKnown = ({ purchasedBy }: SubscriptionRow) => {
      const operation = operations.get(purchasedBy)
      return !operation || (operation.answeredNo !== null && operation.answeredNo <= horizon)
    }
    const [known] = subscriptions
      .where((one) => one.userId === userId && one.providerId === plan?.providerId && one.status !== 'ended')
      .filter(isKnown)
      .toSorted((a, b) => b.createdAt - a.createdAt)
    return {
      planVersion: plan?.version ?? null,
      knownSubscriptionId: known?.id ?? null,
      knownEnd: known ? instant(known.currentPeriodEnd) : null,
    }
  }

/** Writes what was accepted into the outbox of the process; what it returns is called after the commit. */
export type Append = (sayings: readonly Saying[], time: Instant) => Promise<() => void>

/** The gateway's store without a database, as far as it accepts, learns and answers. `now` is the clock that it reads. */
export const memoryStore = (now: (clock: ClockRow | undefined) => Instant | null, database = new MemoryDatabase()) => {
  const tables = openTables(database)
  const { operations, keys, deleted, clock, answers, wishes, notifications } = tables
  answers.insert([{ number: 0 }])
  const isVisible = visibleIn(tables)

  const keptKey = (scope: Buffer): KeptKey => {
    const row = keys.get(scope.toString('hex'))
    if (!row) return neverUsed
    const operation = operations.get(row.operationId)
    return {
      request: row.request.toString('hex'),
      attempt: row.attempt,
      operationId: row.operationId,
      outcome: operation && isVisible(operation) ? operation.outcome : null,
    }
  }

  const accepting = (append: Append): AcceptingStore => ({
    accept: (act) =>
      database.transaction(() =>
        act({
          time: async () => now(clock.get('clock')),
          lockKeys: async (asked) => {
            const kept = new Map(asked.map(({ scope }) => [scope.toString('hex'), keptKey(scope)]))
            keys.insert(
              asked.map(({ scope, request }) => ({
                scope: scope.toString('hex'),
                request,
                attempt: FIRST_ATTEMPT,
                operationId: operationIdOf(scope, FIRST_ATTEMPT),
              })),
              { orNothing: true },
            )
            return kept
          },
          purchaseFacts: async (questions) => questions.map(purchaseFactsIn(tables)),
          deleted: async (userIds) => new Set(userIds.filter((userId) => deleted.get(userId))),
          write: async (begun, written, unused) => {
            operations.insert(begun.map((one) => ({ ...restsOnNothing, steps: [], answeredNo: null, ...one })))
            keys.upsert(written.map((key) => ({ ...key, scope: key.scope.toString('hex') })))
            const gone = new Set(unused.map((scope) => scope.toString('hex')))
            keys.remove(({ scope }) => gone.has(scope))
          },
          append,
        }),
      ),
    existing: async (ids) => new Set(ids.filter((id) => operations.get(id))),
  })

  const shown = ({ answeredNo: _, ...operation }: KeptOperation): ShownOperation => ({
    ...operation,
    visible: isVisible(operation),
  })

  const answering: Pick<AnsweringStore, 'answers'> = {
    answers: (waiting, expired): Promise<Answers> =>
      database.transaction(async () => {
        const over = new Set(expired)
        const answered = waiting
          .flatMap((id) => operations.get(id) ?? [])
          .filter((operation) => isVisible(operation) || over.has(operation.id))
        const ready = answered.filter(({ answeredNo }) => answeredNo === null)
        const last = (answers.get('answers')?.number ?? 0) + (ready.length > 0 ? 1 : 0)
        answers.upsert([{ number: last }])
        operations.update(ready.map(({ id }) => ({ id, answeredNo: last })))
        return { operations: answered.map(shown), horizon: last }
      }),
  }

  /** What lies on other lanes of users who are forgotten: the work of `forgettingUsers`. */
  const forgetUsers = () =>
    database.transaction(async () => {
      const users = new Set(deleted.where(({ forgotten }) => forgotten).map(({ userId }) => userId))
      wishes.remove(({ userId }) => users.has(userId))
      notifications.remove(({ userId }) => users.has(userId))
      const isTheirs = ({ caller, subject, kind }: KeptOperation) =>
        users.has(caller) || (users.has(subject) && OF_USERS.includes(kind))
      const gone = operations.where(
        (one) => isTheirs(one) && one.kind !== 'delete_account' && one.outcome !== null && one.answeredNo !== null,
      )
      const ids = new Set(gone.map(({ id }) => id))
      keys.remove(({ operationId }) => ids.has(operationId))
      operations.remove(({ id }) => ids.has(id))
    })

  return { database, tables, projecting: projectingOn(tables), accepting, answering, forgetUsers, shown }
}
