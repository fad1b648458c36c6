import { type Dispatcher, Pool } from 'undici'
import type { Order, Outcome, Refusal, Reply, Word } from './clients.ts'
import { signToken } from './tokens.ts'

const MOST_REFUSALS_TOLD = 5

type Done = (status: number, body: string) => void

/** The body of a success is not read: it costs, and says nothing that the status does not. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #done: Done
  readonly #unwanted: Buffer[] = []
  #status = 0

  constructor(done: Done) {
    this.#done = done
  }

  onRequestStart() {}

  onResponseStart(_: Dispatcher.DispatchController, status: number) {
    this.#status = status
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer) {
    if (this.#status !== 201) this.#unwanted.push(chunk)
  }

  onResponseEnd() {
    this.#done(this.#status, Buffer.concat(this.#unwanted).toString())
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error) {
    this.#done(0, error.message)
  }
}

const headersOf = ({ authSecret, planId }: Order, user: string) => [
  'authorization',
  `Bearer ${signToken(authSecret, user)}`,
  'content-type',
  'application/json',
  'idempotency-key',
  planId,
  // The longest there is: a purchase answers 201, never 202.
  'prefer',
  'wait=30',
]

const until = (instant: number) => new Promise((resolve) => setTimeout(resolve, instant - performance.now()))

/** Everything that can be made before the first request is. */
const prepare = (order: Order) => {
  const { url, planId, users, seconds, load } = order
  const pool = new Pool(url, { pipelining: 1 })
  const body = Buffer.from(JSON.stringify({ planId }))
  const headers = users.map((user) => headersOf(order, user))
  const milliseconds: number[] = []
  const refusals: Refusal[] = []
  let bought = 0
  let ended = false

  const buy = (n: number, since: number) =>
    new Promise<void>((resolve) => {
      const answered = (status: number, said: string) => {
        milliseconds.push(performance.now() - since)
        if (status === 201) bought += 1
        else if (refusals.length < MOST_REFUSALS_TOLD) refusals.push({ user: users[n] ?? '', status, body: said })
        resolve()
      }
      const request = { path: '/v1/subscriptions', method: 'POST', headers: headers[n] as string[], body } as const
      pool.dispatch(request, new Answer(answered))
    })

  const closedLoop = async (clients: number, began: number) => {
    let next = 0
    const client = async () => {
      while (!ended && next < users.length) {
        const now = performance.now()
        if (now - began >= seconds * 1_000) return
        next += 1
        await buy(next - 1, now)
      }
    }
    await Promise.all(Array.from({ length: clients }, client))
  }

  /** Latency counts from the instant at which a request is due: who is late is late, not left out. */
  const fixedRate = async (perSecond: number, began: number) => {
    const underWay: Promise<void>[] = []
    const count = Math.min(users.length, Math.round(perSecond * seconds))
    for (let n = 0; n < count && !ended; n += 1) {
      const due = began + (n * 1_000) / perSecond
      if (due > performance.now()) await until(due)
      underWay.push(buy(n, due))
    }
    await Promise.all(underWay)
  }

  return {
    run: async (): Promise<Outcome> => {
      const began = performance.now()
      await ('clients' in load ? closedLoop(load.clients, began) : fixedRate(load.perSecond, began))
      const took = (performance.now() - began) / 1_000
      await pool.close()
      return { bought, refusals, seconds: took, milliseconds }
    },
    end: () => {
      ended = true
    },
  }
}

const reply = (words: Reply) => process.send?.(words)
let prepared: ReturnType<typeof prepare> | undefined

process.on('message', (word: Word) => {
  if (word === 'end') prepared?.end()
  else if (word === 'go') void prepared?.run().then(reply)
  else {
    prepared = prepare(word.prepare)
    reply('prepared')
  }
})
process.on('disconnect', () => process.exit())
