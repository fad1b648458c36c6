import type { Knex } from 'knex'
import { Model, type QueryBuilder, snakeCaseMappers } from 'objection'
import type {
  AuditRow,
  AutoTopUpRow,
  ChargeRow,
  DeadLetterRow,
  DeletedUserRow,
  InvariantsRow,
  KeyRow,
  MovementRow,
  NotificationRow,
  OfferedPlan,
  PlanRow,
  ShownOperation,
  ShownSubscription,
  SlotRow,
  StockByPlan,
  WishRow,
} from '../rows.ts'

/** A read model as objection reads it; bound to a database where it is used. */
const table = (tableName: string) =>
  class extends Model {
    static override tableName = tableName
    static override columnNameMappers = snakeCaseMappers()
  }

const tables = {
  offered: table('offered_plans'),
  versions: table('plan_versions'),
  stock: table('stock_by_plan'),
  keys: table('keys'),
  subscriptions: table('shown_subscriptions'),
  charges: table('charges'),
  accounts: table('accounts'),
  movements: table('movements'),
  slots: table('slots'),
  operations: table('visible_operations'),
  audit: table('audit'),
  autoTopUps: table('auto_top_ups'),
  wishes: table('wishes'),
  notifications: table('notifications'),
  deleted: table('deleted_users'),
  letters: table('listed_letters'),
  invariants: table('invariants'),
}

/** The row of each, with the columns that a list is ordered by. */
interface RowsOf {
  offered: OfferedPlan
  versions: PlanRow
  stock: StockByPlan
  keys: KeyRow & { sequence: number }
  subscriptions: ShownSubscription & { sequence: number }
  charges: ChargeRow & { sequence: number }
  accounts: { userId: string; balance: number; held: number }
  movements: MovementRow
  slots: SlotRow
  operations: ShownOperation
  audit: AuditRow & { sequence: number }
  autoTopUps: AutoTopUpRow
  wishes: WishRow
  notifications: NotificationRow & { sequence: number }
  deleted: DeletedUserRow
  letters: DeadLetterRow & { sequence: number }
  invariants: InvariantsRow
}

export type Query = QueryBuilder<Model, Model[]>

/** Rows of a query, typed by the table they come from. */
export const readTables = (knex: Knex) => {
  const bound = Object.fromEntries(
    Object.entries(tables).map(([name, model]) => [name, model.bindKnex(knex)]),
  ) as unknown as typeof tables
  const from = (name: keyof RowsOf): Query => bound[name].query()
  return {
    async all<Name extends keyof RowsOf>(name: Name, narrow: (query: Query) => Query): Promise<RowsOf[Name][]> {
      return (await narrow(from(name))) as unknown as RowsOf[Name][]
    },
    async one<Name extends keyof RowsOf>(name: Name, narrow: (query: Query) => Query): Promise<RowsOf[Name] | null> {
      const [row] = await narrow(from(name)).limit(1)
      return (row as unknown as RowsOf[Name]) ?? null
    },
  }
}
export type Tables = ReturnType<typeof readTables>
