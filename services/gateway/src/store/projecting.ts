import { insertRows, type Message, select, type Tx, updateRows, upsertRows } from '@coding-plans/runtime'
import { type Loaded, ReadModels } from '../projections/models.ts'
import type { AccountRow, ClockRow, OperationRow, PlanRow, SlotRow, StockRow, SubscriptionRow } from '../rows.ts'

/** What a batch of events may touch, by what their bodies name. */
interface Touched {
  readonly operations: string[]
  readonly subscriptions: string[]
  readonly accounts: string[]
  readonly slots: readonly { userId: string; providerId: string }[]
  readonly plans: string[]
  readonly clock: boolean
}

interface Named {
  readonly operationId?: string | null
  readonly subscriptionId?: string | null
  readonly userId?: string
  readonly providerId?: string
  readonly planId?: string
  readonly clock?: string
}

const touchedBy = (messages: readonly Message[]): Touched => {
  const operations = new Set<string>()
  const subscriptions = new Set<string>()
  const accounts = new Set<string>()
  const slots = new Map<string, { userId: string; providerId: string }>()
  const plans = new Set<string>()
  let clock = false
  for (const { correlationId, body } of messages) {
    const named = body as Named
    operations.add(correlationId)
    if (named.operationId) operations.add(named.operationId)
    if (named.subscriptionId) subscriptions.add(named.subscriptionId)
    if (named.planId) plans.add(named.planId)
    if (named.userId) accounts.add(named.userId)
    if (named.userId && named.providerId)
      slots.set(`${named.userId}\n${named.providerId}`, { userId: named.userId, providerId: named.providerId })
    clock ||= named.clock !== undefined
  }
  return {
    operations: [...operations],
    subscriptions: [...subscriptions],
    accounts: [...accounts],
    slots: [...slots.values()],
    plans: [...plans],
    clock,
  }
}

const none = <T>(): Promise<T[]> => Promise.resolve([])
const byKeys = <T>(tx: Tx, table: string, key: string, keys: string[], columns: string) =>
  keys.length === 0 ? none<T>() : select<T>(tx, `select ${columns} from ${table} where ${key} = any(?)`, [keys])

const OPERATION = `id, caller, kind, subject, started_at, steps, outcome, answer, finished_at, account_version,
  slot_provider, slot_version, subscription_id, subscription_version, stock_plan, stock_version`
const SUBSCRIPTION = `id, user_id, plan_id, plan_name, provider_id, status, cancel_at_period_end, price, period_unit,
  period_count, current_period_start, current_period_end, access_until, ended_at, end_reason,
  previous_subscription_id, created_at, version, purchased_by, account_version, slot_version, end_slot_version`

/**
 * Read what these events touch, a statement per table. Only operations are locked, in sorted order: their answers are
 * numbered by any process; all other rows are written by the lane's owner alone.
 */
export const load = async (tx: Tx, messages: readonly Message[]): Promise<ReadModels> => {
  const touched = touchedBy(messages)
  const { slots } = touched
  const loaded: Loaded = {
    operations: await select<OperationRow>(
      tx,
      `select ${OPERATION} from operations where id = any(?) order by id for update`,
      [touched.operations],
    ),
    subscriptions: await byKeys<SubscriptionRow>(tx, 'subscriptions', 'id', touched.subscriptions, SUBSCRIPTION),
    accounts: await byKeys<AccountRow>(tx, 'accounts', 'user_id', touched.accounts, '*'),
    slots:
      slots.length === 0
        ? []
        : await select<SlotRow>(
            tx,
            `select s.* from slots s join unnest(?::text[], ?::text[]) as r(user_id, provider_id)
             using (user_id, provider_id)`,
            [slots.map(({ userId }) => userId), slots.map(({ providerId }) => providerId)],
          ),
    stock: await byKeys<StockRow>(tx, 'stock', 'plan_id', touched.plans, '*'),
    plans: await byKeys<PlanRow>(tx, 'plans', 'plan_id', touched.plans, '*'),
    clock: touched.clock ? ((await select<ClockRow>(tx, 'select now, settled, version from clock'))[0] ?? null) : null,
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
] as const

/** What events may change of an operation; who asked, and the number of its answer, are not theirs. */
const learnt = (operation: OperationRow) =>
  Object.fromEntries([...OUTCOME, ...RESTS_ON].map((property) => [property, operation[property]]))

/** Write what the round has learnt, a statement per table. */
export const save = async (tx: Tx, models: ReadModels): Promise<void> => {
  await upsertRows(tx, 'plans', ['planId'], models.plans.changed)
  await insertRows(tx, 'plan_versions', models.planVersions, 'on conflict do nothing')
  await upsertRows(tx, 'stock', ['planId'], models.stock.changed)
  await upsertRows(tx, 'keys', ['keyId'], models.keys.changed)
  await upsertRows(tx, 'subscriptions', ['id'], models.subscriptions.changed)
  await insertRows(tx, 'charges', models.charges, 'on conflict do nothing')
  await upsertRows(tx, 'accounts', ['userId'], models.accounts.changed)
  await insertRows(tx, 'movements', models.movements, 'on conflict do nothing')
  await upsertRows(tx, 'slots', ['userId', 'providerId'], models.slots.changed)
  await upsertRows(
    tx,
    'clock',
    ['one'],
    models.clock.changed.map((clock) => ({ one: true, ...clock })),
  )
  await insertRows(tx, 'audit', models.audit, 'on conflict do nothing')
  await updateRows(tx, 'operations', ['id'], models.operations.changed.map(learnt))
}
