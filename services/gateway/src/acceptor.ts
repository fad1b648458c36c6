import { backOff, isTrouble, type Logger, pause, type Saying } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import { FIRST_ATTEMPT, type IdempotencyKey, newOperationId, operationIdOf } from './idempotency.ts'
import { decideKey, type KeptKey, neverUsed } from './key-decision.ts'
import type { OperationKind } from './operation-kinds.ts'
import { type Problem, unavailable } from './problem.ts'
import {
  type Acceptance,
  type AcceptingStore,
  Ambiguous,
  type KeyWrite,
  type NewOperation,
  type PurchaseFacts,
  type PurchaseQuestion,
} from './store/accepting.ts'

/** The operation that a command belongs to. */
export interface Begun {
  readonly id: string
  readonly time: Instant
  /** For a purchase: what its sender could know. */
  readonly facts: PurchaseFacts | null
}

/** What a request asks for. */
export interface Intent {
  readonly kind: OperationKind
  readonly caller: string
  /** The key of its command: a user, a plan, or the clock. */
  readonly subject: string
  /** The user that it is about, if that is not the caller. */
  readonly about?: string
  /** null: every request is an operation of its own. */
  readonly key: IdempotencyKey | null
  readonly purchase?: PurchaseQuestion
  /** For a sealed command: the operation it was sealed for, as the seal binds it; null: not sealed yet. */
  readonly sealedFor?: string | null
  /** Pure: the command to send, or the refusal that needs none. */
  readonly command: (begun: Begun) => Saying | { readonly refused: Problem }
}

export type Verdict =
  | { readonly verdict: 'new' | 'replayed' | 'attached'; readonly operationId: string; readonly finished: boolean }
  | { readonly verdict: 'reused' }
  /** Whoever asks, or for whom it is asked, is deleted (PER-1). */
  | { readonly verdict: 'deleted' }
  /** Nothing was accepted: seal the command for this operation first. */
  | { readonly verdict: 'seal'; readonly operationId: string }

interface Waiting {
  readonly intent: Intent
  /** The id of an operation without a key; made once, so that a repeated try finds what the first has written. */
  readonly ownId: string
  readonly resolve: (verdict: Verdict) => void
  readonly reject: (error: unknown) => void
}

interface Batch {
  readonly verdicts: Verdict[]
  readonly publish: () => void
}

const MOST_AT_ONCE = 200
const MOST_WAITING = 5_000
const TRIES_AFTER_A_LOST_COMMIT = 6

/**
 * Requests that arrive while a transaction is under way are accepted together by the next: key, operation and command of
 * each in a few statements (protocol.md 7). Once accepted a request is never withdrawn.
 */
export class Acceptor {
  readonly #store: AcceptingStore
  readonly #log: Logger
  #waiting: Waiting[] = []
  #running = false

  constructor(store: AcceptingStore, log: Logger) {
    this.#store = store
    this.#log = log
  }

  /** @throws Refused 503 when nothing was accepted */
  accept(intent: Intent): Promise<Verdict> {
    if (this.#waiting.length >= MOST_WAITING) return Promise.reject(unavailable())
    return new Promise((resolve, reject) => {
      this.#waiting.push({ intent, ownId: intent.sealedFor ?? newOperationId(), resolve, reject })
      if (!this.#running) void this.#run()
    })
  }

  async #run() {
    this.#running = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, MOST_AT_ONCE)
      this.#waiting = this.#waiting.slice(MOST_AT_ONCE)
      await this.#acceptAll(batch)
    }
    this.#running = false
  }

  async #acceptAll(batch: readonly Waiting[]): Promise<void> {
    try {
      const { verdicts, publish } = await this.#store.accept((acceptance) => take(acceptance, batch))
      publish()
      for (const [place, { resolve }] of batch.entries()) resolve(verdicts[place] as Verdict)
    } catch (error) {
      if (error instanceof Ambiguous) return this.#settle(batch, error)
      // One command that cannot be written must not take its neighbours with it.
      if (!isTrouble(error) && batch.length > 1) for (const one of batch) await this.#acceptAll([one])
      else for (const { reject } of batch) reject(isTrouble(error) ? unavailable() : error)
    }
  }

  /**
   * The commit's answer was lost: look until the database says which operations exist. Those are accepted (the lane's owner
   * publishes them); the rest is asked again, under the same ids.
   */
  async #settle(batch: readonly Waiting[], lost: Ambiguous) {
    this.#log.warn({ requests: batch.length }, 'The answer to a commit was lost')
    for (let attempt = 0; attempt < TRIES_AFTER_A_LOST_COMMIT; attempt += 1) {
      await pause(backOff(attempt, 100))
      try {
        const existing = await this.#store.existing(batch.map(({ ownId }) => ownId))
        const accepted = batch.filter(({ ownId }) => existing.has(ownId))
        for (const { resolve, ownId } of accepted) resolve({ verdict: 'new', operationId: ownId, finished: false })
        // What has a key finds its own operation under it: attached, not doubled.
        const open = batch.filter(({ ownId }) => !existing.has(ownId))
        return open.length > 0 ? await this.#acceptAll(open) : undefined
      } catch {
        // still away
      }
    }
    // Neither yes nor no can be said: 500, not 503. Asked again under its key it is found; what has none is harmless twice.
    for (const { reject } of batch) reject(lost)
  }
}

/** One transaction's worth: keys, facts, decisions in memory, then everything is written at once. */
const take = async (acceptance: Acceptance, batch: readonly Waiting[]): Promise<Batch> => {
  const asked = distinctKeys(batch)
  const [time, deleted, kept, facts] = await Promise.all([
    acceptance.time(),
    acceptance.deleted([...new Set(batch.flatMap(({ intent }) => usersOf(intent)))]),
    acceptance.lockKeys([...asked.values()]),
    factsOf(acceptance, batch),
  ])
  if (time === null) throw unavailable('The clock has not been heard yet.')
  const isDeleted = ({ intent }: Waiting) => usersOf(intent).some((user) => deleted.has(user))
  /** New keys, each written as the first attempt of the first request that came with it. */
  const made = new Map([...asked].filter(([scope]) => kept.get(scope) === neverUsed))
  const operations: NewOperation[] = []
  const keys = new Map<string, KeyWrite>()
  const sayings: Saying[] = []
  const verdicts = batch.map((one): Verdict => {
    if (isDeleted(one)) return { verdict: 'deleted' }
    const { intent, ownId } = one
    const decision = intent.key ? decideKey(keptOf(kept, intent.key), intent.key.request.toString('hex')) : null
    if (decision?.verdict === 'reused') return { verdict: 'reused' }
    if (decision && decision.verdict !== 'new') {
      const { verdict, operationId } = decision
      return { verdict, operationId, finished: verdict === 'replayed' }
    }
    const id = decision && intent.key ? operationIdOf(intent.key.scope, decision.attempt) : ownId
    if (intent.sealedFor !== undefined && intent.sealedFor !== id) return { verdict: 'seal', operationId: id }
    const said = intent.command({ id, time, facts: intent.purchase ? (facts.get(intent) ?? null) : null })
    const refused = 'refused' in said ? said.refused : null
    if (!('refused' in said)) sayings.push({ ...said, cause: id, correlationId: id })
    operations.push({
      id,
      caller: intent.caller,
      kind: intent.kind,
      subject: intent.subject,
      startedAt: time,
      outcome: refused ? 'refused' : null,
      answer: refused,
      finishedAt: refused ? time : null,
    })
    if (decision && intent.key) {
      const { scope, request } = intent.key
      const name = scope.toString('hex')
      const isWritten = decision.attempt === FIRST_ATTEMPT && made.get(name)?.request.equals(request)
      made.delete(name)
      if (!isWritten) keys.set(name, { scope, request, attempt: decision.attempt, operationId: id })
      // An equal request behind this one, in the same batch, meets what was just decided.
      kept.set(name, {
        request: request.toString('hex'),
        attempt: decision.attempt,
        operationId: id,
        outcome: refused ? 'refused' : null,
      })
    }
    return { verdict: 'new', operationId: id, finished: refused !== null }
  })
  const unused = [...made.values()].map(({ scope }) => scope)
  const [publish] = await Promise.all([
    sayings.length > 0 ? acceptance.append(sayings, time) : () => {},
    acceptance.write(operations, [...keys.values()], unused),
  ])
  return { verdicts, publish }
}

/** Who must not be deleted. A deletion may be asked for again, by its user and of its user. */
const usersOf = ({ kind, caller, subject, about = caller }: Intent) =>
  kind === 'delete_account' ? (caller === subject ? [] : [caller]) : [caller, about]

/** By scope, in hexadecimal; of several requests under one key, the first. */
const distinctKeys = (batch: readonly Waiting[]) => {
  const keys = new Map<string, IdempotencyKey>()
  for (const { intent } of batch) {
    const scope = intent.key?.scope.toString('hex')
    if (intent.key && scope && !keys.has(scope)) keys.set(scope, intent.key)
  }
  return keys
}

const keptOf = (kept: ReadonlyMap<string, KeptKey>, { scope }: IdempotencyKey): KeptKey => {
  const key = kept.get(scope.toString('hex'))
  if (!key) throw new Error('A key that was asked for was not locked.')
  return key
}

const factsOf = async (acceptance: Acceptance, batch: readonly Waiting[]) => {
  const buyers = batch.flatMap(({ intent }) => (intent.purchase ? [{ intent, question: intent.purchase }] : []))
  if (buyers.length === 0) return new Map<Intent, PurchaseFacts>()
  const facts = await acceptance.purchaseFacts(buyers.map(({ question }) => question))
  return new Map(buyers.map(({ intent }, place) => [intent, facts[place] as PurchaseFacts]))
}
