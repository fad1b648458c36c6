import type {
  AccountRow,
  AuditRow,
  AutoTopUpRow,
  ChargeRow,
  ClockRow,
  DeadLetterRow,
  DeletedUserRow,
  InvariantsRow,
  KeyRow,
  MovementRow,
  NotificationRow,
  OperationRow,
  PlanRow,
  SlotRow,
  StockRow,
  SubscriptionRow,
  WishRow,
} from '../rows.ts'

/** Rows by their key; remembers which were put, so that only those are written. */
export class Rows<Row> {
  readonly #keyOf: (row: Row) => string
  readonly #rows = new Map<string, Row>()
  readonly #put = new Set<string>()

  constructor(keyOf: (row: Row) => string, loaded: readonly Row[] = []) {
    this.#keyOf = keyOf
    for (const row of loaded) this.#rows.set(keyOf(row), row)
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key)
  }

  put(row: Row) {
    const key = this.#keyOf(row)
    this.#rows.set(key, row)
    this.#put.add(key)
  }

  get changed(): Row[] {
    return [...this.#put].map((key) => this.#rows.get(key) as Row)
  }
}

export const wishKey = (userId: string, planId: string) => `${userId}\n${planId}`
export const slotKey = (userId: string, providerId: string) => `${userId}\n${providerId}`

/** What was read for a round, and what it wants written. */
export interface Loaded {
  readonly operations: readonly OperationRow[]
  readonly subscriptions: readonly SubscriptionRow[]
  readonly accounts: readonly AccountRow[]
  readonly slots: readonly SlotRow[]
  readonly stock: readonly StockRow[]
  readonly plans: readonly PlanRow[]
  readonly autoTopUps: readonly AutoTopUpRow[]
  readonly wishes: readonly WishRow[]
  readonly deleted: readonly DeletedUserRow[]
  readonly letters: readonly DeadLetterRow[]
  readonly clock: ClockRow | null
}

export class ReadModels {
  readonly operations: Rows<OperationRow>
  readonly subscriptions: Rows<SubscriptionRow>
  readonly accounts: Rows<AccountRow>
  readonly slots: Rows<SlotRow>
  readonly stock: Rows<StockRow>
  readonly plans: Rows<PlanRow>
  readonly autoTopUps: Rows<AutoTopUpRow>
  readonly wishes: Rows<WishRow>
  readonly deleted: Rows<DeletedUserRow>
  readonly letters: Rows<DeadLetterRow>
  readonly keys = new Rows<KeyRow>(({ keyId }) => keyId)
  readonly planVersions: PlanRow[] = []
  readonly charges: ChargeRow[] = []
  readonly movements: MovementRow[] = []
  readonly audit: AuditRow[] = []
  readonly invariants: InvariantsRow[] = []
  readonly notifications: NotificationRow[] = []
  readonly clock: Rows<ClockRow>

  constructor(loaded: Loaded) {
    this.operations = new Rows(({ id }) => id, loaded.operations)
    this.subscriptions = new Rows(({ id }) => id, loaded.subscriptions)
    this.accounts = new Rows(({ userId }) => userId, loaded.accounts)
    this.slots = new Rows(({ userId, providerId }) => slotKey(userId, providerId), loaded.slots)
    this.stock = new Rows(({ planId }) => planId, loaded.stock)
    this.plans = new Rows(({ planId }) => planId, loaded.plans)
    this.autoTopUps = new Rows(({ userId }) => userId, loaded.autoTopUps)
    this.wishes = new Rows(({ userId, planId }) => wishKey(userId, planId), loaded.wishes)
    this.deleted = new Rows(({ userId }) => userId, loaded.deleted)
    this.letters = new Rows(({ id }) => id, loaded.letters)
    this.clock = new Rows(() => CLOCK, loaded.clock ? [loaded.clock] : [])
  }

  /** Nothing of this user is kept here any more: whatever still comes of them makes nothing anew (GDP-1). */
  forgot(userId: string): boolean {
    return this.deleted.get(userId)?.forgotten ?? false
  }
}

export const CLOCK = 'clock'
