import { insertRows, type Message, select, type Tx, updateRows, upsertRows } from '@coding-plans/runtime'
import { type Loaded, ReadModels } from '../projections/models.ts'
import type {
  AccountRow,
  AutoTopUpRow,
  ClockRow,
  DeadLetterRow,
  DeletedUserRow,
  InvariantsRow,
  MovementRow,
  OperationRow,
  PlanRow,
  SlotRow,
  StockRow,
  SubscriptionRow,
  WishRow,
} from '../rows.ts'
import { forgetUsers } from './forgetting.ts'

/** What a batch of events may touch, by what their bodies name. */
export interface Touched {
  readonly operations: string[]
  readonly subscriptions: string[]
  readonly accounts: string[]
  readonly slots: readonly { userId: string; providerId: string }[]
  readonly plans: string[]
  readonly wishes: readonly { userId: string; planId: string }[]
  readonly letters: string[]
  readonly clock: boolean
}

interface Named {
  readonly operationId?: string | null
  readonly subscriptionId?: string | null
  readonly userId?: string
  readonly providerId?: string
  readonly planId?: string
  readonly deadLetterId?: string
  readonly clock?: string
}

const ABOUT_WISHES: ReadonlySet<string> = new Set(['RestockWished', 'RestockWishWithdrawn'])

export const touchedBy = (messages: readonly Message[]): Touched => {
  const operations = new Set<string>()
  const subscriptions = new Set<string>()
  const accounts = new Set<string>()
  const slots = new Map<string, { userId: string; providerId: string }>()
  const plans = new Set<string>()
  const wishes: { userId: string; planId: string }[] = []
  const letters = new Set<string>()
  let clock = false
  for (const { name, correlationId, body } of messages) {
    const named = body as Named
    operations.add(correlationId)
    if (named.operationId) operations.add(named.operationId)
    if (named.subscriptionId) subscriptions.add(named.subscriptionId)
    if (named.planId) plans.add(named.planId)
    if (named.userId) accounts.add(named.userId)
    if (named.userId && named.providerId)
      slots.set(`${named.userId}\n${named.providerId}`, { userId: named.userId, providerId: named.providerId })
    if (ABOUT_WISHES.has(name) && named.userId && named.planId)
      wishes.push({ userId: named.userId, planId: named.planId })
    if (named.deadLetterId) letters.add(named.deadLetterId)
    clock ||= named.clock !== undefined
  }
  return {
    operations: [...operations],
    subscriptions: [...subscriptions],
    accounts: [...accounts],
    slots: [...slots.values()],
    plans: [...plans],
    wishes,
    letters: [...letters],
    clock,
  }
}

const none = <T>(): Promise<T[]> => Promise.resolve([])
const byKeys = <T>(tx: Tx, table: string, key: string, keys: string[], columns: string) =>
  keys.length === 0 ? none<T>() : select<T>(tx, `select ${columns} from ${table} where ${key} = any(?)`, [keys])

const OPERATION = `id, caller, kind, subject, started_at, steps, outcome, answer, finished_at, account_version,
  slot_provider, slot_version, subscription_id, subscription_version, stock_plan, stock_version, wish_version`
const SUBSCRIPTION = `id, user_id, plan_id, plan_name, provider_id, status, cancel_at_period_end, price, period_unit,
  period_count, current_period_start, current_period_end, access_until, grace_ends_at, awaited_until, ended_at, end_reason,
  previous_subscription_id, created_at, version, purchased_by, account_version, slot_version, end_slot_version`
const LETTER = `id, service, version, topic, partition, record_offset, message_id, message_name, subject, reason,
  correlation_id, died_at, redrives, redrives_left, state`

/**
 * Read what these events touch, a statement per table. Only operations are locked, in sorted order: their answers are
 * numbered by any process; all other rows are written by the lane's owner alone.
 */
export const load = async (tx: Tx, messages: readonly Message[]): Promise<ReadModels> => {
  const touched = touchedBy(messages)
  const { slots, wishes } = touched
  const [operations, subscriptions, accounts, slotRows, stock, plans, autoTopUps, wishRows, deleted, letters, clock] =
    await Promise.all([
      select<OperationRow>(tx, `select ${OPERATION} from operations where id = any(?) order by id for update`, [
        touched.operations,
      ]),
      byKeys<SubscriptionRow>(tx, 'subscriptions', 'id', touched.subscriptions, SUBSCRIPTION),
      byKeys<AccountRow>(tx, 'accounts', 'user_id', touched.accounts, 'user_id, version, balance, held, at'),
      slots.length === 0
        ? []
        : select<SlotRow>(
            tx,
            `select s.* from slots s join unnest(?::text[], ?::text[]) as r(user_id, provider_id)
             using (user_id, provider_id)`,
            [slots.map(({ userId }) => userId), slots.map(({ providerId }) => providerId)],
          ),
      byKeys<StockRow>(tx, 'stock', 'plan_id', touched.plans, '*'),
      byKeys<PlanRow>(tx, 'plans', 'plan_id', touched.plans, '*'),
      byKeys<AutoTopUpRow>(
        tx,
        'auto_top_ups',
        'user_id',
        messages.some(({ name }) => name === 'AutoTopUpSet') ? touched.accounts : [],
        'user_id, enabled, amount, payment_method_id, version',
      ),
      wishes.length === 0
        ? []
        : select<WishRow>(
            tx,
            `select w.user_id, w.plan_id, w.wished, w.version from wishes w
             join unnest(?::text[], ?::text[]) as r(user_id, plan_id) using (user_id, plan_id)`,
            [wishes.map(({ userId }) => userId), wishes.map(({ planId }) => planId)],
          ),
      byKeys<DeletedUserRow>(tx, 'deleted_users', 'user_id', touched.accounts, 'user_id, forgotten'),
      byKeys<DeadLetterRow>(tx, 'listed_letters', 'id', touched.letters, LETTER),
      touched.clock ? select<ClockRow>(tx, 'select now, settled, version from clock') : [],
    ])
  const loaded: Loaded = {
    ...{ operations, subscriptions, accounts, stock, plans, autoTopUps, deleted, letters },
    slots: slotRows,
    wishes: wishRows,
    clock: clock[0] ?? null,
  }
  return new ReadModels(loaded)
}

const OUTCOME = ['id', 'steps', 'outcome', 'answer', 'finishedAt'] as const
const RESTS_ON = [
  'accountVersion',
  'slotProvider',
  'slotVersion',
  'subscriptionId',
  'subscriptionVersion',
  'stockPlan',
  'stockVersion',
  'wishVersion',
] as const

/** What events may change of an operation; who asked, and the number of its answer, are not theirs. */
const learnt = (operation: OperationRow): Partial<OperationRow> =>
  Object.fromEntries([...OUTCOME, ...RESTS_ON].map((property) => [property, operation[property]]))

/** By account and version. Where a hold that never was is released under the version of a line, the line stands. */
const oneEach = (movements: readonly MovementRow[]) => {
  const found = new Map<string, MovementRow>()
  for (const one of movements) {
    const place = `${one.userId}\n${one.version}`
    if ((found.get(place)?.entryId ?? null) === null) found.set(place, one)
  }
  return [...found.values()]
}

/** What a round has learnt, to be written; nothing anew of who is forgotten. */
export const learntOf = (models: ReadModels) => {
  const kept = <Row extends { readonly userId: string }>(rows: readonly Row[]) =>
    rows.filter(({ userId }) => !models.forgot(userId))
  return {
    subscriptions: kept(models.subscriptions.changed),
    charges: models.charges.filter(({ subscriptionId }) => {
      const whose = models.subscriptions.get(subscriptionId)
      return whose && !models.forgot(whose.userId)
    }),
    accounts: kept(models.accounts.changed),
    movements: oneEach(kept(models.movements)),
    slots: kept(models.slots.changed),
    autoTopUps: kept(models.autoTopUps.changed),
    wishes: kept(models.wishes.changed),
    notifications: kept(models.notifications),
    operations: models.operations.changed.map(learnt),
    /** Of whom nothing is left but the tombstone. */
    forgotten: models.deleted.changed.flatMap(({ userId, forgotten }) => (forgotten ? [userId] : [])),
  }
}

/** Of one round's. */
const newestOf = (invariants: readonly InvariantsRow[]) =>
  invariants.toSorted((a, b) => b.version - a.version).slice(0, 1)
const LATER_WINS = `on conflict (one) do update
  set version = excluded.version, checked_at = excluded.checked_at, checks = excluded.checks
  where excluded.version > invariants.version`

/** Keys are not read for a round: the database compares. What a key belongs to, and since when, stays. */
const NEWER_LINE_WINS = `on conflict (key_id) do update
  set state = excluded.state, upstream_plan_id = excluded.upstream_plan_id, assigned_at = excluded.assigned_at,
    subscription_id = excluded.subscription_id, attempts = excluded.attempts, last_error = excluded.last_error,
    version = excluded.version
  where excluded.version > keys.version`

const LINES = [
  'at',
  'kind',
  'entry_id',
  'amount',
  'balance_after',
  'held_after',
  'description',
  'subscription_id',
  'charge_id',
]
const LINE_STANDS = `on conflict (user_id, version) do update
  set ${LINES.map((column) => `${column} = excluded.${column}`).join(', ')}
  where movements.entry_id is null and excluded.entry_id is not null`

/** Write it, a statement per table. */
export const save = async (tx: Tx, models: ReadModels): Promise<void> => {
  const learnt = learntOf(models)
  await Promise.all([
    upsertRows(tx, 'plans', ['planId'], models.plans.changed),
    insertRows(tx, 'plan_versions', models.planVersions, 'on conflict do nothing'),
    upsertRows(tx, 'stock', ['planId'], models.stock.changed),
    insertRows(tx, 'keys', models.keys.changed, NEWER_LINE_WINS),
    upsertRows(tx, 'subscriptions', ['id'], learnt.subscriptions),
    insertRows(tx, 'charges', learnt.charges, 'on conflict do nothing'),
    upsertRows(tx, 'accounts', ['userId'], learnt.accounts),
    insertRows(tx, 'movements', learnt.movements, LINE_STANDS),
    upsertRows(tx, 'slots', ['userId', 'providerId'], learnt.slots),
    upsertRows(tx, 'auto_top_ups', ['userId'], learnt.autoTopUps),
    upsertRows(tx, 'wishes', ['userId', 'planId'], learnt.wishes),
    insertRows(tx, 'notifications', learnt.notifications, 'on conflict do nothing'),
    upsertRows(
      tx,
      'clock',
      ['one'],
      models.clock.changed.map((clock) => ({ one: true, ...clock })),
    ),
    insertRows(tx, 'audit', models.audit, 'on conflict do nothing'),
    upsertRows(tx, 'listed_letters', ['id'], models.letters.changed),
    insertRows(tx, 'invariants', newestOf(models.invariants), LATER_WINS),
    updateRows(tx, 'operations', ['id'], learnt.operations),
    upsertRows(tx, 'deleted_users', ['userId'], models.deleted.changed),
  ])
  await forgetUsers(tx, learnt.forgotten)
}
