import type { Instant } from '@coding-plans/schemas'
import type { Acceptor } from './acceptor.ts'
import type { Authenticate, Caller, Role } from './authentication.ts'
import type { Inventory } from './inventory.ts'
import type { RateLimit } from './rate-limit.ts'
import type { ReadingStore } from './store/reading.ts'
import type { WaitingRoom } from './waiting.ts'

/** Everything that the routes work with. `main.ts` makes the real one, tests make their own. */
export interface Desk {
  readonly mode: 'system' | 'test'
  /** Keys the hashes of requests. */
  readonly secret: Buffer
  readonly authenticate: Authenticate
  /** The bearer of a machine that ticks. @throws Refused 401 for another */
  readonly admitCron: (authorization: string | undefined) => void
  readonly limits: Readonly<Record<LimitName, RateLimit>>
  readonly acceptor: Pick<Acceptor, 'accept'>
  readonly waiting: Pick<WaitingRoom, 'wait' | 'look' | 'horizon' | 'closed'>
  readonly reading: ReadingStore
  readonly inventory: Inventory
  /** null: a test clock that has not been heard yet. */
  readonly now: () => Promise<Instant | null>
  /** False while the database or the broker is known to be away. */
  readonly accepting: () => boolean
}

export type LimitName = 'purchases' | 'keyTests' | 'explanations'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call; empty: every user. An admin may do all. Required under /v1. */
    roles?: readonly Role[]
    limit?: LimitName
    /** Not for people: a machine with a secret of its own. */
    machine?: 'cron'
  }
  interface FastifyRequest {
    caller: Caller
    /** The highest answer number known when the headers arrived (EXT-3). */
    horizon: number
  }
}
