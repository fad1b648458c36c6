import { verifyLedger } from '@coding-plans/credits-ledger/verification'
import { type Cluster, openDatabase, readStored, type Stored, select } from '@coding-plans/runtime'
import { services } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import { Facts, fold } from '../fold/index.ts'
import { Comparison, findingsIn, type Kept, lostFrom, orUnpublished, passingIn } from './comparison.ts'
import { differingFrom, keptEntries } from './entries.ts'
import { untilFinished } from './looking-again.ts'

export interface VerifyOptions {
  readonly cluster: Cluster
  readonly registryUrl: string
  /** Who vouches for the registry (PEM). */
  readonly registryCa?: string | undefined
  /** All there are. */
  readonly topics: readonly string[]
  /** Of the ledger; a role that may read is enough. */
  readonly ledgerUrl: string
}

export interface Verdict {
  readonly messages: number
  readonly accounts: number
  readonly transfers: number
  /** What is not right, the first difference first. */
  readonly complaints: readonly string[]
  /** How many of them may have been on their way when the house was stopped or killed. */
  readonly unfinished: number
}

const MOST_COMPLAINTS = 20
/** Facts, which are kept for ever: everything is rebuilt from them. Of the rest only what is stored is looked at. */
const factTopics: ReadonlySet<string> = new Set(services.map((service) => `${service}.events`))

/** Balances as the database has them. Read before the topics, which then tell of all of them, and more. */
const keptAccounts = async (knex: Knex): Promise<Map<string, Kept>> =>
  new Map(
    (
      await select<Kept>(
        knex,
        'select user_id, version, available + held as balance, held from accounts where version > 0 order by user_id',
      )
    ).map((one) => [one.userId, one]),
  )

const versions = async (knex: Knex): Promise<Map<string, number>> =>
  new Map(
    (await select<Pick<Kept, 'userId' | 'version'>>(knex, 'select user_id, version from accounts')).map(
      ({ userId, version }) => [userId, version],
    ),
  )

const unpublished = async (knex: Knex): Promise<Map<number, number>> =>
  new Map(
    (
      await select<{ lane: number; rows: number }>(knex, 'select lane, count(*)::int as rows from outbox group by lane')
    ).map(({ lane, rows }) => [lane, rows]),
  )

const differingEntries = async (knex: Knex, facts: Facts): Promise<string[]> => {
  const differing: string[] = []
  for await (const page of keptEntries(knex)) {
    differing.push(...page.flatMap((entry) => differingFrom(facts, entry)))
    if (differing.length >= MOST_COMPLAINTS) break
  }
  return differing
}

/** What the topics hold, and what it comes to. */
class Rebuilt {
  readonly facts = new Facts()
  readonly spoilt = new Set<string>()
  messages = 0
  readonly #servers: Omit<VerifyOptions, 'ledgerUrl'>
  readonly #comparison: Comparison
  /** Topic and lane → the offset behind what was taken. */
  readonly #taken = new Map<string, number>()

  constructor(servers: Omit<VerifyOptions, 'ledgerUrl'>, comparison: Comparison) {
    this.#servers = servers
    this.#comparison = comparison
  }

  /** To the ends that the topics have now. From the beginning each time: where there is nothing new that changes nothing. */
  async read() {
    const take = (stored: Stored) => this.#take(stored)
    const decoded = (topic: string) => factTopics.has(topic)
    await readStored({ ...this.#servers, decoded, take }).catch((error: Error) => {
      this.spoilt.add(`after ${this.messages} messages the topics could not be read: ${error.message}`)
    })
  }

  #take(stored: Stored) {
    const { topic, lane, offset, message, nonsense, intact } = stored
    if (!intact) this.#complain(stored, 'its batch is not as it was written')
    if (nonsense) this.#complain(stored, nonsense)
    const name = `${topic}/${lane}`
    if (offset < (this.#taken.get(name) ?? 0)) return
    this.#taken.set(name, offset + 1)
    this.messages += 1
    if (!message || !factTopics.has(topic)) return
    fold(this.facts, message)
    this.#comparison.after(message, this.facts)
  }

  #complain({ topic, lane, offset }: Stored, what: string) {
    if (this.spoilt.size < MOST_COMPLAINTS) this.spoilt.add(`${topic}/${lane} offset ${offset}: ${what}`)
  }
}

/** Rebuilds all balances from Kafka alone, verifies the ledger's chains, and compares the two. */
export const verify = async ({ ledgerUrl, ...servers }: VerifyOptions): Promise<Verdict> => {
  const knex = openDatabase(ledgerUrl, { idleInTransactionMilliseconds: 60_000 }, 1)
  try {
    const ledger = await verifyLedger(knex)
    const comparison = new Comparison(await keptAccounts(knex))
    const rebuilt = new Rebuilt(servers, comparison)
    const { facts, spoilt } = rebuilt
    await rebuilt.read()
    const unfinished = () => [...comparison.unfinished(facts), ...passingIn(facts)]
    // What is spoilt for certain leaves much unfinished for ever: no time is given to that.
    const isSpoilt = ledger.complaints.length > 0 || spoilt.size > 0
    const stayed = isSpoilt ? unfinished() : await untilFinished(unfinished, () => rebuilt.read())
    const owed = await unpublished(knex)
    const entries = await differingEntries(knex, facts)
    const certain = [
      ...[...ledger.complaints, ...spoilt, ...lostFrom(facts, await versions(knex))],
      ...[...comparison.complaints, ...entries, ...findingsIn(facts)],
    ]
    const complaints = [...certain, ...stayed.map((one) => orUnpublished(one, owed))]
    const { accounts, transfers } = ledger
    return {
      ...{ messages: rebuilt.messages, accounts, transfers, unfinished: stayed.length },
      complaints: complaints.slice(0, MOST_COMPLAINTS),
    }
  } finally {
    await knex.destroy()
  }
}
