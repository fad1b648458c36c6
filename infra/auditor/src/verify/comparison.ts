import { laneOf, type Message } from '@coding-plans/runtime'
import { type Fact, type Facts, findingsOf, passingOf, type Subject } from '../fold/index.ts'

/** An account as the database has it. */
export interface Kept {
  readonly userId: string
  readonly version: number
  readonly balance: number
  readonly held: number
}

/** What is not so yet, and may be on its way: whether it is wrong, only a later look tells. */
export interface Unfinished {
  /** The same at each look. */
  readonly name: string
  readonly sentence: string
  /** Whose postings they are that the ledger has not told of. */
  readonly userId?: string
}

const versionIn = (facts: Facts, userId: string) => facts.peek('subject', userId)?.version ?? 0

/** Compares each account with what Kafka alone makes of it, when it has come to the same posting. */
export class Comparison {
  readonly complaints: string[] = []
  readonly #left: Map<string, Kept>

  constructor(kept: ReadonlyMap<string, Kept>) {
    this.#left = new Map(kept)
  }

  after({ key }: Pick<Message, 'key'>, facts: Facts) {
    const kept = this.#left.get(key)
    const made = facts.peek('subject', key)
    if (!kept || !made || made.version < kept.version) return
    this.#left.delete(key)
    if (made.version === kept.version && (made.balance !== kept.balance || made.held !== kept.held))
      this.complaints.push(
        `${key}: after posting ${kept.version} the database has ${kept.balance}, ${kept.held} held; Kafka makes it ${made.balance}, ${made.held} held`,
      )
  }

  /** The accounts whose last postings Kafka does not tell of: they may be committed, and not yet published. */
  unfinished(facts: Facts): Unfinished[] {
    return [...this.#left.values()].map(({ userId, version }) => ({
      name: `postings ${userId}`,
      userId,
      sentence: `${userId}: the database has ${version} postings, Kafka tells of ${versionIn(facts, userId)}`,
    }))
  }
}

/** The ledger commits before it publishes: what was heard is in its database, or is lost from there. Deleted users' accounts stay. */
export const lostFrom = (facts: Facts, versions: ReadonlyMap<string, number>): string[] =>
  [...facts].flatMap(({ kind, id }) => {
    if (kind !== 'subject') return []
    const [told, kept] = [versionIn(facts, id), versions.get(id) ?? 0]
    return told > kept ? [`${id}: Kafka tells of ${told} postings, the database has ${kept}`] : []
  })

export const findingsIn = (facts: Facts): string[] =>
  [...facts].flatMap((fact) => findingsOf(fact).map(({ check, detail }) => `${check}: ${detail}`))

/** What one service has told and another has not. Of commands nothing is heard here, so nothing that waits for an answer is judged. */
export const passingIn = (facts: Facts): Unfinished[] =>
  [...facts].flatMap((fact) =>
    passingOf(withoutCommands(fact))
      .filter(({ check }) => check !== 'nothing_hangs')
      .map(({ check, about, detail }) => ({
        name: [check, fact.kind, fact.id, about].join('\n'),
        sentence: `${check}: ${detail}`,
      })),
  )

const withoutCommands = (fact: Fact): Fact =>
  fact.kind === 'subject' ? { ...fact, value: { ...(fact.value as Subject), topUps: {} } } : fact

/** A ledger that was killed between commit and publish has still to say it, and does when it is started: lane → rows of its outbox. */
export const orUnpublished = ({ sentence, userId }: Unfinished, unpublished: ReadonlyMap<number, number>): string => {
  const rows = userId === undefined ? 0 : (unpublished.get(laneOf(userId)) ?? 0)
  return rows > 0 ? `${sentence}; rows of that lane in the ledger’s outbox, not published yet: ${rows}` : sentence
}
