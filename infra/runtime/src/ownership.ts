import type { Knex } from 'knex'
import type { Cluster } from './cluster.ts'
import type { Position } from './kafka/subscription.ts'
import { topicOffsets } from './kafka/topics.ts'
import type { OwnedLane } from './lanes.ts'
import { type Claim, claimLanes, startPositions } from './lanes.ts'
import type { Logger } from './log.ts'
import { owedBy, type Parcel } from './outbox.ts'

export interface OwnershipOptions {
  readonly knex: Knex
  readonly cluster: Cluster
  readonly topics: readonly string[]
  /** Who we are, for whoever looks at the table. */
  readonly name: string
  readonly log: Logger
}

/**
 * Which lanes this process may work on. The group deals them; only a claim in the database makes them ours: it waits for
 * the old owner's open transaction, its debts are published, and only then is anything fetched (protocol.md 2).
 */
export class Ownership {
  readonly #options: OwnershipOptions
  readonly #owned = new Map<number, OwnedLane>()
  readonly #lost = new Set<number>()
  readonly #halted = new Map<number, string>()
  #dealt: ReadonlySet<number> = new Set()
  #toClaim = new Set<number>()
  #generation = 0

  constructor(options: OwnershipOptions) {
    this.#options = options
  }

  /** Changes with every deal: what was begun under an older one is void. */
  get generation() {
    return this.#generation
  }

  get owned(): ReadonlyMap<number, OwnedLane> {
    return this.#owned
  }

  get unclaimed() {
    return this.#toClaim.size > 0
  }

  /** Lanes that need something before they move again, in sentences. */
  get reasons(): string[] {
    const claiming = this.unclaimed || this.#lost.size > 0 ? ['Lanes are being claimed.'] : []
    return [...this.#halted.values(), ...claiming]
  }

  deal(lanes: readonly number[]) {
    this.#generation += 1
    this.#dealt = new Set(lanes)
    this.#toClaim = new Set(lanes)
    this.#owned.clear()
    this.#lost.clear()
    this.#halted.clear()
  }

  /** A lane moved on without us; if we are still a member at the next heartbeat, it is claimed again. */
  lose(lane: number) {
    this.#owned.delete(lane)
    this.#lost.add(lane)
  }

  /** @returns whether something is to be claimed now. */
  confirmMembership(): boolean {
    for (const lane of this.#lost) if (this.#dealt.has(lane)) this.#toClaim.add(lane)
    this.#lost.clear()
    return this.unclaimed
  }

  reclaim(lane: number) {
    this.#owned.delete(lane)
    this.#toClaim.add(lane)
  }

  /**
   * Claim what can be claimed now; a lane that an old owner's transaction holds stays for the next time.
   * @returns where to fetch from, or null if the group dealt anew meanwhile.
   */
  async claim(publish: (owed: readonly Parcel[]) => Promise<void>): Promise<Position[] | null> {
    const { knex, cluster, topics, name, log } = this.#options
    const generation = this.#generation
    const claims = await claimLanes(knex, [...this.#toClaim], name)
    if (claims.length === 0) return []
    const lanes = claims.map(({ lane }) => lane)
    const range = await topicOffsets(cluster, topics)
    const claimed: (OwnedLane | { lane: number; sentence: string })[] = []
    for (const claim of claims) claimed.push(await this.#position(claim, range))
    const owed = await owedBy(knex, lanes, 'all')
    if (owed.length > 0) await publish(owed)
    if (generation !== this.#generation) return null
    for (const result of claimed) {
      this.#toClaim.delete(result.lane)
      if ('sentence' in result) {
        this.#halted.set(result.lane, result.sentence)
        log.error({ lane: result.lane }, result.sentence)
      } else this.#owned.set(result.lane, result)
    }
    log.info({ lanes, owed: owed.length }, 'Lanes claimed')
    return claimed.flatMap((lane) => ('sentence' in lane ? [] : positionsOf(lane, topics)))
  }

  async #position(claim: Claim, { low, high }: Awaited<ReturnType<typeof topicOffsets>>) {
    const { knex, topics } = this.#options
    const { lane, epoch } = claim
    const unread = topics.filter((topic) => claim.positions[topic] === undefined)
    const starts = Object.fromEntries(unread.map((topic) => [topic, low.get(topic)?.get(lane) ?? 0]))
    if (unread.length > 0) await startPositions(knex, claim, starts)
    const positions: Record<string, number> = { ...starts, ...claim.positions }
    for (const topic of topics) {
      const position = positions[topic] as number
      // kafkajs would jump silently to the end, and what lies between would be forgotten.
      if (position < (low.get(topic)?.get(lane) ?? 0) || position > (high.get(topic)?.get(lane) ?? 0))
        return {
          lane,
          sentence: `Lane ${lane} stands still: position ${position} of ${topic} is outside what the broker has.`,
        }
    }
    return { lane, epoch, positions, expected: { ...positions } }
  }
}

const positionsOf = ({ lane, positions }: OwnedLane, topics: readonly string[]): Position[] =>
  topics.map((topic) => ({ topic, lane, offset: positions[topic] as number }))
