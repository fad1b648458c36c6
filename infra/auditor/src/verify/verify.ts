import { verifyLedger } from '@coding-plans/credits-ledger/verification'
import { type Cluster, type Message, openDatabase, readStored, type Stored, select } from '@coding-plans/runtime'
import { services } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import { Facts, findingsOf, fold, passingOf, type Subject } from '../fold/index.ts'

export interface VerifyOptions {
  readonly cluster: Cluster
  readonly registryUrl: string
  /** Who vouches for the registry (PEM). */
  readonly registryCa?: string | undefined
  /** Of the ledger; a role that may read is enough. */
  readonly ledgerUrl: string
}

export interface Verdict {
  readonly messages: number
  readonly accounts: number
  readonly transfers: number
  /** What is not right, the first difference first. */
  readonly complaints: readonly string[]
}

const MOST_COMPLAINTS = 20
/** Facts, which are kept for ever: everything is rebuilt from them. */
const topics = services.map((service) => `${service}.events`)

interface Kept {
  readonly userId: string
  readonly version: number
  readonly balance: number
  readonly held: number
}

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

/** Compares each account with what Kafka alone makes of it, when it has come to the same posting. */
class Comparison {
  readonly complaints: string[] = []
  readonly #left: Map<string, Kept>

  constructor(kept: Map<string, Kept>) {
    this.#left = kept
  }

  after({ key }: Message, facts: Facts) {
    const kept = this.#left.get(key)
    const made = facts.peek('subject', key)
    if (!kept || !made || made.version < kept.version) return
    this.#left.delete(key)
    if (made.version === kept.version && (made.balance !== kept.balance || made.held !== kept.held))
      this.complaints.push(
        `${key}: after posting ${kept.version} the database has ${kept.balance}, ${kept.held} held; Kafka makes it ${made.balance}, ${made.held} held`,
      )
  }

  finish(facts: Facts) {
    for (const { userId, version } of this.#left.values())
      this.complaints.push(
        `${userId}: the database has ${version} postings, Kafka tells of ${facts.peek('subject', userId)?.version ?? 0}`,
      )
    return this.complaints
  }
}

const spoiltAt = ({ topic, lane, offset }: Stored, what: string) => `${topic}/${lane} offset ${offset}: ${what}`

/** Rebuilds all balances from Kafka alone, verifies the ledger's chains, and compares the two. */
export const verify = async ({ ledgerUrl, ...servers }: VerifyOptions): Promise<Verdict> => {
  const knex = openDatabase(ledgerUrl, { idleInTransactionMilliseconds: 60_000 }, 1)
  try {
    const ledger = await verifyLedger(knex)
    const comparison = new Comparison(await keptAccounts(knex))
    const facts = new Facts()
    const spoilt: string[] = []
    let messages = 0
    const take = (stored: Stored) => {
      messages += 1
      const { message, nonsense, intact } = stored
      if (!intact) spoilt.push(spoiltAt(stored, 'its batch is not as it was written'))
      else if (nonsense) spoilt.push(spoiltAt(stored, nonsense))
      if (!message) return
      fold(facts, message)
      comparison.after(message, facts)
    }
    await readStored({ ...servers, topics, take }).catch((error: Error) => {
      spoilt.push(`after ${messages} messages the topics could not be read: ${error.message}`)
    })
    const complaints = [...ledger.complaints, ...spoilt, ...comparison.finish(facts), ...amissIn(facts)]
    const { accounts, transfers } = ledger
    return { messages, accounts, transfers, complaints: complaints.slice(0, MOST_COMPLAINTS) }
  } finally {
    await knex.destroy()
  }
}

/** Of commands nothing is heard here, so nothing that waits for an answer is judged. */
const amissIn = (facts: Facts): string[] =>
  [...facts].flatMap((fact) =>
    [...findingsOf(fact), ...passingOf(withoutCommands(fact)).filter(({ check }) => check !== 'nothing_hangs')].map(
      ({ check, detail }) => `${check}: ${detail}`,
    ),
  )

const withoutCommands = (fact: Parameters<typeof passingOf>[0]): typeof fact =>
  fact.kind === 'subject' ? { ...fact, value: { ...(fact.value as Subject), topUps: {} } } : fact
