import { type Cluster, endOffsets, type Offsets, openDatabase, pause, type Tx } from '@coding-plans/runtime'
import { type Instant, instant, type Service } from '@coding-plans/schemas'
import { type KeyState, keyStates, type Totals, totalsOf } from './fold/index.ts'
import { laneTotals, type Standing } from './store.ts'

/** What was there at one instant, as the broker and the databases told it. */
export interface Look {
  readonly at: Instant
  /** Everything said until then lies before these. */
  readonly ends: Offsets
  /** Of the services' databases; null: they were not asked, or did not answer. */
  readonly totals: Totals | null
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

const snake = (state: KeyState) => state.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** A statement per database, whose columns are totals. The only thing that is read of them. */
const questions: Readonly<Record<Audited, string | null>> = {
  'credits-ledger': `select coalesce(sum(available + held), 0)::bigint as "ledger balance",
    coalesce(sum(held), 0)::bigint as "ledger held" from accounts`,
  subscription: `select count(*)::bigint as "subscription live" from subscriptions where status <> 'ended'`,
  'key-inventory': `select ${keyStates
    .map((state) => `coalesce(sum(${snake(state)}), 0)::bigint as "inventory ${state}"`)
    .join(', ')} from stock`,
  gateway: `select (select count(*) from subscriptions where status <> 'ended')::bigint as "gateway live",
    coalesce(sum(balance), 0)::bigint as "gateway balance", coalesce(sum(held), 0)::bigint as "gateway held" from accounts`,
  'billing-scheduler': null,
}

/** What the auditor sees besides the topics: how far they reach, and what the databases come to. */
export class Outlook {
  readonly #options: OutlookOptions
  readonly #databases
  readonly #differences = new Map<string, { difference: number; since: number }>()
  readonly #stop = new AbortController()
  #looks: Look[] = []
  #looking: Promise<void> = Promise.resolve()

  constructor(options: OutlookOptions) {
    this.#options = options
    this.#databases = Object.entries(options.databases).flatMap(([service, url]) => {
      const question = questions[service as Audited]
      return question && url
        ? [{ question, knex: openDatabase(url, { idleInTransactionMilliseconds: 30_000 }, 1) }]
        : []
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
    await Promise.all(this.#databases.map(({ knex }) => knex.destroy()))
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
        const totals = isDue ? await this.#askTotals() : null
        if (isDue) totalsAt = at
        this.#looks = [...this.#looks, { at, totals, ends: await endOffsets(cluster, topics) }].slice(-MOST_LOOKS)
      } catch (error) {
        log.warn({ err: error }, 'The broker or a database does not tell what is there')
      }
      await pause(LOOK_EVERY_MILLISECONDS, this.#stop.signal)
    }
  }

  async #askTotals(): Promise<Totals> {
    const answers = await Promise.all(this.#databases.map(({ knex, question }) => knex.raw(question)))
    return Object.assign({}, ...answers.map(({ rows }) => rows[0]))
  }

  /**
   * What the databases say and the topics do not. Between the two something is always on its way; what differs by the same
   * amount for long is not.
   */
  async compare(tx: Tx, { at, totals }: Look): Promise<Standing[]> {
    if (totals) {
      const told = totalsOf(await laneTotals(tx))
      for (const [name, found] of Object.entries(totals)) {
        const difference = found - (told[name] ?? 0)
        const known = this.#differences.get(name)
        if (difference === 0) this.#differences.delete(name)
        else if (known?.difference !== difference) this.#differences.set(name, { difference, since: at })
      }
    }
    return [...this.#differences].map(([name, { difference, since }]) => ({
      check: 'told_is_there',
      about: name,
      since,
      detail: `the database’s ${name} is ${Math.abs(difference)} ${difference > 0 ? 'more' : 'less'} than what was said comes to`,
    }))
  }
}
