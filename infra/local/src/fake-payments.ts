import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What was charged, as the fake payment service has it. */
export interface FakeCharge {
  readonly id: string
  readonly userId: string
  /** Microdollars. */
  readonly amount: number
  readonly returned: boolean
}

interface Asked {
  readonly userId: string
  readonly amount: number
  readonly paymentMethodId: string
}

const SLOW_MILLISECONDS = 2_000
const MOST_BODY_BYTES = 10_000

/**
 * A payment service that obeys the payment method's name: `pm_ok` pays at once, `pm_slow` after two seconds, `pm_never` never
 * answers, everything else is declined. The same idempotency key is one charge. It forgets when it ends.
 */
export const startFakePayments = async ({ port = 0 }: { port?: number } = {}) => {
  const outcomes = new Map<string, FakeCharge | 'declined'>()
  const charges = new Map<string, FakeCharge>()

  const settle = ({ userId, amount, paymentMethodId }: Asked, key: string) => {
    const known = outcomes.get(key)
    if (known) return known
    const paid = paymentMethodId === 'pm_ok' || paymentMethodId === 'pm_slow'
    const outcome = paid ? { id: `pay_${randomUUID()}`, userId, amount, returned: false } : 'declined'
    outcomes.set(key, outcome)
    if (outcome !== 'declined') charges.set(outcome.id, outcome)
    return outcome
  }

  const charge = async (request: IncomingMessage, response: ServerResponse) => {
    const asked = JSON.parse(await textOf(request)) as Asked
    if (asked.paymentMethodId === 'pm_never') return
    if (asked.paymentMethodId === 'pm_slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MILLISECONDS))
    const outcome = settle(asked, String(request.headers['idempotency-key']))
    if (outcome === 'declined') return answer(response, 402, { code: 'declined' })
    answer(response, 200, outcome)
  }

  const giveBack = (id: string, response: ServerResponse) => {
    const known = charges.get(id)
    if (!known) return answer(response, 404, {})
    charges.set(id, { ...known, returned: true })
    answer(response, 200, { id })
  }

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://payments')
    const returned = /^\/charges\/([^/]+)\/return$/.exec(pathname)?.[1]
    if (request.method === 'GET' && pathname === '/healthz') return answer(response, 200, {})
    if (request.method === 'GET' && pathname === '/charges') {
      const userId = searchParams.get('userId')
      return answer(response, 200, { data: [...charges.values()].filter((one) => !userId || one.userId === userId) })
    }
    if (request.method === 'POST' && returned) return giveBack(decodeURIComponent(returned), response)
    if (request.method === 'POST' && pathname === '/charges')
      return void charge(request, response).catch(() => answer(response, 400, {}))
    answer(response, 404, {})
  })
  await once(server.listen(port, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const answer = (response: ServerResponse, status: number, body: object) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

const textOf = async (request: IncomingMessage) => {
  let text = ''
  for await (const chunk of request) {
    text += chunk
    if (text.length > MOST_BODY_BYTES) throw new Error('Too large.')
  }
  return text
}

// Run by itself, it is a child of the launcher.
if (import.meta.main) {
  const payments = await startFakePayments({ port: Number(process.env.PORT) })
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => void payments.close().then(() => process.exit(0)))
}
