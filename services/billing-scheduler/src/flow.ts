import type { Message } from '@coding-plans/runtime'
import type { Instant, MessageName } from '@coding-plans/schemas'

/**
 * How many due messages of one process are under way at once. What is said beyond what can be handled waits in the topics,
 * and everybody's clicks behind it; in the table of terms it is in nobody's way. Full rounds need about so many (tried:
 * 500 renew three quarters as many a second, 200 half).
 */
export const MOST_UNDER_WAY = 2_000
/** While somebody buys: then rounds stay so small that a purchase takes less than half a second (tried: 60 are too many). */
export const MOST_UNDER_WAY_BESIDE_BUYERS = 30
/** For how long after a purchase another is expected. */
const BUYERS_STAY_MILLISECONDS = 1_000

/** An answer that is late (a payment that hangs) keeps its place no longer: one failing subscription stops no other (REN-4). */
const KEEPS_ITS_PLACE_MILLISECONDS = 5_000

/** Which part of the room must be free again before more is looked for: a look costs as much for one as for hundreds. */
const WORTH_A_LOOK = 1 / 3

const PURCHASES: ReadonlySet<MessageName> = new Set<MessageName>(['SubscriptionActivated', 'SubscriptionExtended'])

/**
 * Due messages that this process has said lately and that are not answered, and whether somebody buys meanwhile. A hint,
 * in memory and by the wall clock: nothing hangs on it but the pace.
 */
export class Flow {
  readonly #saidAt = new Map<string, Instant>()
  readonly #roomAgain: () => void
  #boughtAt = Number.NEGATIVE_INFINITY
  #wanting = false

  /** @param roomAgain called when there is room for a good part of what was wanted and could not be said */
  constructor(roomAgain: () => void = () => {}) {
    this.#roomAgain = roomAgain
  }

  /** How many more may be said; none, until it is a good part of all. */
  room(wallClock: Instant): number {
    // In the order of saying: the first that still counts ends the look.
    for (const [id, at] of this.#saidAt) {
      if (at + KEEPS_ITS_PLACE_MILLISECONDS > wallClock) break
      this.#saidAt.delete(id)
    }
    const most = this.#most(wallClock)
    const free = most - this.#saidAt.size
    return free < most * WORTH_A_LOOK ? 0 : free
  }

  #most(wallClock: Instant) {
    const somebodyBuys = this.#boughtAt + BUYERS_STAY_MILLISECONDS > wallClock
    return somebodyBuys ? MOST_UNDER_WAY_BESIDE_BUYERS : MOST_UNDER_WAY
  }

  hear(messages: readonly Message[], wallClock: Instant) {
    if (messages.some(({ name }) => PURCHASES.has(name))) this.#boughtAt = wallClock
  }

  /** `wanting`: there may be more that is due. */
  said(subscriptionIds: readonly string[], wallClock: Instant, wanting: boolean) {
    this.#wanting = wanting
    for (const id of subscriptionIds) {
      this.#saidAt.delete(id)
      this.#saidAt.set(id, wallClock)
    }
  }

  answered(subscriptionId: string, wallClock: Instant) {
    this.#saidAt.delete(subscriptionId)
    if (!this.#wanting || this.room(wallClock) === 0) return
    this.#wanting = false
    this.#roomAgain()
  }
}
