import type { Logger } from '@coding-plans/runtime'
import type { ShownOperation } from './rows.ts'
import type { AnsweringStore } from './store/answering.ts'

interface Waiter {
  readonly until: number
  readonly resolve: (operation: ShownOperation | null) => void
}

const LOOK_EVERY_MILLISECONDS = 15
const LOOK_EVERY_WHILE_NOBODY_WAITS = 20
const LOOK_AGAIN_AFTER_TROUBLE = 200
const NUMBER_ABANDONED_EVERY_MILLISECONDS = 10_000
/** How long an expired waiter waits for the database before it is answered without it. */
const PATIENCE_MILLISECONDS = 500

/**
 * All requests of this process that wait for an outcome, looked up together: one query every few milliseconds, and at once
 * after a round. The same query numbers the answers and reads how far the others' numbers have come (EXT-3).
 */
export class WaitingRoom {
  readonly #store: AnsweringStore
  readonly #log: Logger
  readonly #waiters = new Map<string, Set<Waiter>>()
  #timer: NodeJS.Timeout | undefined
  #looking = false
  #lookAgain = false
  #closed = false
  #abandonedDue = 0
  #troubled = false
  /** The highest answer number known here. A request's headers take it when they arrive. */
  horizon = 0

  constructor(store: AnsweringStore, log: Logger) {
    this.#store = store
    this.#log = log
  }

  /** Whether the service is stopping. */
  get closed() {
    return this.#closed
  }

  start() {
    this.#schedule(0)
  }

  /** Resolves with the operation when its outcome can be read, or when the wait is over, as it is; null: unknown. */
  wait(operationId: string, milliseconds: number): Promise<ShownOperation | null> {
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(operationId) ?? new Set()
      this.#waiters.set(operationId, waiters)
      waiters.add({ until: this.#closed ? 0 : Date.now() + milliseconds, resolve })
      if (milliseconds === 0 || this.#closed) this.look()
    })
  }

  /** Look now: something may have become visible. */
  look() {
    if (this.#looking) this.#lookAgain = true
    else this.#schedule(0)
  }

  /** Nobody waits any longer: all are answered as they are, at once. */
  close() {
    this.#closed = true
    for (const waiters of this.#waiters.values())
      for (const waiter of [...waiters]) {
        waiters.delete(waiter)
        waiters.add({ ...waiter, until: 0 })
      }
    this.look()
  }

  /** After the last answer. */
  stop() {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const id of this.#waiters.keys()) this.#resolve(id, null, Number.POSITIVE_INFINITY)
  }

  #schedule(milliseconds: number) {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(), milliseconds)
  }

  async #look() {
    this.#looking = true
    this.#lookAgain = false
    const now = Date.now()
    const waiting = [...this.#waiters.keys()]
    const expired = waiting.filter((id) => [...(this.#waiters.get(id) ?? [])].some(({ until }) => until <= now))
    let pause = waiting.length > 0 ? LOOK_EVERY_MILLISECONDS : LOOK_EVERY_WHILE_NOBODY_WAITS
    try {
      const { operations, horizon } = await this.#store.answers(waiting, expired)
      // In one breath with the answers: whoever reads one of them and asks again is known to have known it.
      this.horizon = Math.max(this.horizon, horizon)
      for (const operation of operations)
        this.#resolve(operation.id, operation, operation.visible ? Number.POSITIVE_INFINITY : now)
      this.#troubled = false
      await this.#numberAbandoned(now)
    } catch (error) {
      if (!this.#troubled) this.#log.warn({ err: error }, 'Waiting requests cannot be looked up')
      this.#troubled = true
      pause = LOOK_AGAIN_AFTER_TROUBLE
    }
    // What is not found although its wait is over is answered without the database's word.
    for (const id of expired) this.#resolve(id, null, Date.now() - (this.#closed ? 0 : PATIENCE_MILLISECONDS))
    this.#looking = false
    if (this.#closed && this.#waiters.size === 0) return
    this.#schedule(this.#lookAgain ? 0 : pause)
  }

  #resolve(id: string, operation: ShownOperation | null, until: number) {
    const waiters = this.#waiters.get(id)
    if (!waiters) return
    for (const waiter of [...waiters])
      if (waiter.until <= until) {
        waiters.delete(waiter)
        waiter.resolve(operation)
      }
    if (waiters.size === 0) this.#waiters.delete(id)
  }

  async #numberAbandoned(now: number) {
    if (now < this.#abandonedDue) return
    this.#abandonedDue = now + NUMBER_ABANDONED_EVERY_MILLISECONDS
    await this.#store.numberAbandoned()
  }
}
