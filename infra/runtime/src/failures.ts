import type { Message } from './handler.ts'

/** A message that can never be handled, and why: it goes to the dead letters. */
export class Nonsense extends Error {
  override readonly name = 'Nonsense'
}

/** What passes, though it is neither the database's nor the network's: thrown by a decision, it stays trouble. */
export class Trouble extends Error {}

/** A message that decide, save or encoding cannot stand. */
export class Poisoned extends Error {
  override readonly name = 'Poisoned'
  readonly poisoned: Message
  constructor(poisoned: Message, cause: unknown) {
    super((cause as Error)?.message ?? 'unknown', { cause })
    this.poisoned = poisoned
  }
}

const UNIQUE_VIOLATION = '23505'
const IN_FAILED_TRANSACTION = '25P02'
// "Cached plan must not change result type": of our statements, which are constant, nothing else is not supported.
const PLAN_OUTDATED = '0A000'
// Connection, resources, transaction rollback, operator intervention, lock not available, idle in transaction, read only.
const PASSING = [/^08/, /^53/, /^40/, /^57/, /^55P03$/, /^25P03$/, /^25006$/, /^58/, new RegExp(`^${PLAN_OUTDATED}$`)]
const SQL_STATE = /^[0-9A-Z]{5}$/

const codeOf = (error: unknown) => String((error as { code?: unknown } | null)?.code ?? '')

const isSqlState = (code: string) => SQL_STATE.test(code) && !/^E[A-Z]/.test(code)

export const isUniqueViolation = (error: unknown) => codeOf(error) === UNIQUE_VIOLATION
export const isInFailedTransaction = (error: unknown) => codeOf(error) === IN_FAILED_TRANSACTION
export const isPlanOutdated = (error: unknown) => codeOf(error) === PLAN_OUTDATED

const CONNECTION = /connect|terminated|timeout|timed out|socket|ECONN|EPIPE/i

/** Trouble passes: redo with back-off, for ever. What is not trouble stays with the message that causes it. */
export const isTrouble = (error: unknown) => {
  if (error instanceof Trouble) return true
  // The sentence of a decision may have any word in it.
  if (error instanceof Poisoned || error instanceof Nonsense) return false
  const code = codeOf(error)
  if (isSqlState(code)) return PASSING.some((state) => state.test(code))
  return code.startsWith('E') || CONNECTION.test(`${(error as Error)?.name} ${(error as Error)?.message}`)
}

/** Back-off in milliseconds: doubles from `first` to `most`. */
export const backOff = (attempt: number, first = 50, most = 2_000) => Math.min(most, first * 2 ** Math.min(attempt, 20))

export const pause = (milliseconds: number, signal?: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal?.aborted) return resolve()
    const timer = setTimeout(done, milliseconds)
    function done() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done, { once: true })
  })
