import type { Answer, CallOptions, Client } from '@coding-plans/e2e/house'
import { pause } from '@coding-plans/runtime'
import type { Random } from '@coding-plans/simulator/random'

/** Longer than any wait that a request asks for: then the connection is as good as lost. */
const GIVE_UP_MILLISECONDS = 9_000
const WAIT_SECONDS = 4
const AGAIN_AFTER_MILLISECONDS = 250
const LONGEST_REST_MILLISECONDS = 1_000

/** Everything that was asked and answered, counted. */
export class Tally {
  readonly requests = new Map<string, number>()
  readonly answers = new Map<string, number>()
  replays = 0

  count({ kind }: Ask, answer: Answer | null) {
    const status = answer === null ? 'none (connection lost or silent)' : String(answer.status)
    this.requests.set(kind, (this.requests.get(kind) ?? 0) + 1)
    this.answers.set(status, (this.answers.get(status) ?? 0) + 1)
    if (answer?.headers.get('idempotency-replayed')) this.replays += 1
  }
}

export interface Ask {
  readonly kind: string
  readonly call: string
  readonly body?: unknown
  /** Required for POSTs that create something; the same one each time. */
  readonly key?: string
  readonly headers?: Record<string, string>
}

export interface Heard {
  /** Null: what became of it is not known. */
  readonly answer: Answer | null
  /** A request of which nothing was heard may still take effect, after later ones. */
  readonly mayComeLate: boolean
}

const saysSomething = ({ status }: Answer) => status !== 202 && status !== 429 && status < 500
/** Nothing was accepted. */
const isSafelyRefused = ({ status }: Answer) => status === 503 || status === 429

/** Nothing was accepted: the house says when to come back. */
const restOf = (answer: Answer | null) =>
  Math.min(LONGEST_REST_MILLISECONDS, Number(answer?.headers.get('retry-after') ?? 0) * 1_000) ||
  AGAIN_AFTER_MILLISECONDS

/** Asks as a client does that may hear nothing: either gateway, again and again, until it hears something that is final. */
export class Caller {
  readonly #tally: Tally
  readonly #random: Random

  constructor(tally: Tally, random: Random) {
    this.#tally = tally
    this.#random = random
  }

  /** Once. @returns null when no answer came. */
  async once(client: Client, ask: Ask, wait = WAIT_SECONDS): Promise<Answer | null> {
    const { call, ...options } = ask
    const how: CallOptions = {
      ...options,
      gateway: this.#random.below(2),
      headers: { prefer: `wait=${wait}`, ...options.headers },
      signal: AbortSignal.timeout(GIVE_UP_MILLISECONDS),
    }
    const answer = await client(call, how).catch(() => null)
    this.#tally.count(ask, answer)
    return answer
  }

  /** Until it is answered or patience ends. */
  async insist(client: Client, ask: Ask, patienceMilliseconds: number): Promise<Heard> {
    let mayComeLate = false
    for (const until = Date.now() + patienceMilliseconds; ; ) {
      // Who does not wait gets the operation's number at once, and can lose less.
      const answer = await this.once(client, ask, this.#random.chance(0.3) ? 0 : WAIT_SECONDS)
      if (answer && saysSomething(answer)) return { answer, mayComeLate }
      const isOver = Date.now() > until
      if (answer?.status === 202 && ask.key === undefined) {
        const followed = await this.#follow(client, answer, until)
        if (followed) return { answer: followed, mayComeLate }
      }
      if (!answer || !isSafelyRefused(answer)) mayComeLate = true
      if (isOver) return { answer: null, mayComeLate }
      await pause(restOf(answer))
    }
  }

  /** What became of an operation, as its own request would have been answered; null: not known in time. */
  async #follow(client: Client, { body }: Answer, until: number): Promise<Answer | null> {
    const ask = { kind: 'read an operation', call: `GET /operations/${body.id}` }
    for (;;) {
      const answer = await this.once(client, ask)
      const operation = answer?.status === 200 ? answer.body : null
      if (operation?.status === 'succeeded') return { ...(answer as Answer), body: operation.result }
      if (operation && operation.status !== 'pending')
        return { ...(answer as Answer), status: operation.problem?.status ?? 500, body: operation.problem }
      if (Date.now() > until) return null
      await pause(AGAIN_AFTER_MILLISECONDS)
    }
  }
}
