import { type Cluster, endOffsets, type Offsets, openDatabase, pause, type Tx } from '@coding-plans/runtime'
import { type Instant, instant, type Service } from '@coding-plans/schemas'
import { Differences, QUIET_MILLISECONDS } from './differences.ts'
import { type KeyState, keyStates, type Totals, totalsOf } from './fold/index.ts'
import { laneTotals, type Standing } from './store.ts'

/** What was there at one instant, as the broker and the databases told it. */
export interface Look {
  readonly at: Instant
  /** Everything said until then lies before these. */
  readonly ends: Offsets
  /** Of those services' databases that answered; null: they were not asked. */
  readonly totals: Totals | null
  /** Services whose databases did not answer. */
  readonly silent: readonly string[]
}

export type Audited = Exclude<Service, 'auditor'>

export interface OutlookOptions {
  readonly cluster: Cluster
  readonly topics: readonly string[]
  /** Where the services' databases are; those that are not named are not compared. */
  readonly databases: Readonly<Partial<Record<Audited, string>>>
  readonly log: { warn(what: object, words: string): void }
}

const LOOK_EVERY_MILLISECONDS = 2_000
const TOTALS_EVERY_MILLISECONDS = 10_000
const MOST_LOOKS = 100
/** Who has not answered by then does not hold up what is said of the others. */
const ANSWERED_WITHIN_MILLISECONDS = 5_000

const snake = (state: KeyState) => state.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/**
 * The total that must be nothing: operations that were accepted long ago. Of most the topics tell too; not of uploads, which are
 * sealed, nor of what may run for longer, as long as that is not a day.
 */
export const UNANSWERED = 'operations unanswered'

/** A statement per database, whose columns are totals. The only thing that is read of them. */
const questions: Readonly<Record<Audited, string | null>> = {
  'credits-ledger': `select coalesce(sum(available + held), 0)::bigint as "ledger balance",
    coalesce(sum(held), 0)::bigint as "ledger held", (select count(*) from transfers)::bigint as "ledger postings"
    from accounts`,
  subscription: `select count(*) filter (where status <> 'ended')::bigint as "subscription live",
    count(*)::bigint as "subscription begun", (select count(*) from terms)::bigint as "subscription terms"
    from subscriptions`,
  'key-inventory': `select ${keyStates
    .map((state) => `coalesce(sum(${snake(state)}), 0)::bigint as "inventory ${state}"`)
    .join(', ')} from stock`,
  gateway: `select count(*) filter (where status <> 'ended')::bigint as "gateway live",
    count(*)::bigint as "gateway begun", (select count(*) from movements where entry_id is not null)::bigint as "gateway entries",
    (select count(*) from charges)::bigint as "gateway charges",
    (select coalesce(sum(balance), 0) from accounts)::bigint as "gateway balance",
    (select coalesce(sum(held), 0) from accounts)::bigint as "gateway held",
    (select count(*) from operations where outcome is null and accepted_at < now() -
      case when kind in ('delete_account', 'advance_clock', 'billing_tick') then interval '1 day' else interval '30 s' end
    )::bigint as "${UNANSWERED}" from subscriptions`,
  'billing-scheduler': null,
}

/** The database counts only those that are old enough. */
export const hanging = (unanswered: number, at: Instant): Standing[] =>
  unanswered === 0
    ? []
    : [
        {
          check: 'nothing_hangs',
          about: UNANSWERED,
          detail: `${UNANSWERED}, of those that the gateway accepted: ${unanswered}`,
          since: at - QUIET_MILLISECONDS,
        },
      ]

/** One database, by its service. */
export interface Asked {
  readonly service: string
  readonly ask: () => Promise<Totals>
}

const inTime = async (ask: Asked['ask']) => {
  const over = new AbortController()
  const late = pause(ANSWERED_WITHIN_MILLISECONDS, over.signal).then(() => {
    throw new Error('It does not answer in time.')
  })
  try {
    return await Promise.race([ask(), late])
  } finally {
    late.catch(() => {})
    over.abort()
  }
}

/** The totals of those that answer: of the others nothing is known, and all else is judged as ever. */
export const askAll = async (
  databases: readonly Asked[],
  log: OutlookOptions['log'],
): Promise<Pick<Look, 'totals' | 'silent'>> => {
  const answers = await Promise.allSettled(databases.map(({ ask }) => inTime(ask)))
  const silent = databases.flatMap(({ service }, place) => {
    const answer = answers[place]
    if (answer?.status !== 'rejected') return []
    log.warn({ err: answer.reason, service }, 'A database does not tell what it holds')
    return [service]
  })
  const totals = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : {}))
  return { totals: Object.assign({}, ...totals), silent }
}

/** What the auditor sees besides the topics: how far they reach, and what the databases come to. */
export class Outlook {
  readonly #options: OutlookOptions
  readonly #pools: { destroy(): Promise<void> }[] = []
  readonly #databases: readonly Asked[]
  readonly #differences = new Differences()
  readonly #stop = new AbortController()
  #looks: Look[] = []
  #looking: Promise<void> = Promise.resolve()
  #silent: readonly string[] = []
  #unanswered = 0

  constructor(options: OutlookOptions) {
    this.#options = options
    this.#databases = Object.entries(options.databases).flatMap(([service, url]) => {
      const question = questions[service as Audited]
      if (!question || !url) return []
      const knex = openDatabase(url, { idleInTransactionMilliseconds: 30_000 }, 1)
      this.#pools.push(knex)
      return [{ service, ask: async () => (await knex.raw(question)).rows[0] as Totals }]
    })
  }

  get looks(): readonly Look[] {
    return this.#looks
  }

  start() {
    this.#looking = this.#lookAgain()
  }

  async stop() {
    this.#stop.abort()
    await this.#looking
    await Promise.all(this.#pools.map((pool) => pool.destroy()))
  }

  forgetBefore({ at }: Look) {
    this.#looks = this.#looks.filter((look) => look.at >= at)
  }

  async #lookAgain() {
    const { cluster, topics, log } = this.#options
    let totalsAt = 0
    while (!this.#stop.signal.aborted) {
      try {
        const at = instant(Date.now())
        const isDue = at - totalsAt >= TOTALS_EVERY_MILLISECONDS
        if (isDue) totalsAt = at
        const told = isDue ? await askAll(this.#databases, log) : { totals: null, silent: this.#silent }
        this.#silent = told.silent
        this.#looks = [...this.#looks, { at, ...told, ends: await endOffsets(cluster, topics) }].slice(-MOST_LOOKS)
      } catch (error) {
        log.warn({ err: error }, 'The broker does not tell what is there')
      }
      await pause(LOOK_EVERY_MILLISECONDS, this.#stop.signal)
    }
  }

  /** What the databases say and the topics do not, and what is not answered, if it has been so for long. */
  async compare(tx: Tx, { at, totals }: Look): Promise<Standing[]> {
    if (totals) {
      const { [UNANSWERED]: unanswered = 0, ...others } = totals
      this.#unanswered = unanswered
      this.#differences.sample(at, others, totalsOf(await laneTotals(tx)))
    }
    return [...this.#differences.standing(at), ...hanging(this.#unanswered, at)]
  }
}
