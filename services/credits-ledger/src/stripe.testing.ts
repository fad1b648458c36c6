import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Form = Readonly<Record<string, string>>

export interface StripeIntent {
  readonly id: string
  readonly status: string
  /** Cents. */
  readonly amount: number
  readonly amount_received: number
  readonly customer: string
  readonly metadata: Readonly<Record<string, string>>
}
export interface StripeRequest {
  readonly method: string
  readonly path: string
  readonly key: string | undefined
  readonly form: Form
  readonly headers: IncomingMessage['headers']
}
interface Answer {
  readonly status: number
  readonly body: object
}

const failure = (status: number, type: string, code?: string): Answer => ({
  status,
  body: { error: { type, ...(code ? { code } : {}), message: 'In words.' } },
})

/** What the first ask under a key is answered, where that is no payment, and whether Stripe would keep it as the key's answer. */
const troubles: Record<string, { answer: Answer; kept: boolean }> = {
  declined: { answer: failure(402, 'card_error', 'card_declined'), kept: true },
  authenticate: { answer: failure(402, 'card_error', 'authentication_required'), kept: true },
  gone: { answer: failure(400, 'invalid_request_error', 'resource_missing'), kept: true },
  detached: { answer: failure(400, 'invalid_request_error'), kept: true },
  misspelt: { answer: failure(400, 'invalid_request_error', 'parameter_unknown'), kept: false },
  trouble: { answer: failure(500, 'api_error'), kept: false },
  busy: { answer: failure(409, 'idempotency_error', 'idempotency_key_in_use'), kept: false },
  limited: { answer: failure(429, 'invalid_request_error', 'rate_limit'), kept: false },
}

/** What a payment comes to, where it does not succeed. */
const statuses: Record<string, string> = {
  action: 'requires_action',
  canceled: 'canceled',
  method: 'requires_payment_method',
  processing: 'processing',
}

/**
 * A server that speaks as Stripe does and obeys the second word of a method's name: `pm_ok_ada` pays, `pm_declined_ada`
 * does not, `pm_kept_ada` pays and says 500 for ever, `pm_silent_ada` pays and does not say so at first, and so on.
 */
export const startStripe = async (secretKey: string) => {
  const customers = new Map<string, object>()
  const methods = new Map<string, string | null>()
  const intents = new Map<string, StripeIntent>()
  const refunds: { id: string; payment_intent: string; status: string }[] = []
  const kept = new Map<string, { asked: string; answer: Answer }>()
  const requests: StripeRequest[] = []
  const asksUnder = (key: string | undefined) =>
    requests.filter((one) => one.key === key && one.path === '/v1/payment_intents').length

  const pay = (form: Form, kind: string): StripeIntent => {
    const status = statuses[kind] ?? 'succeeded'
    const { userId = '', topUpId = '' } = { userId: form['metadata[userId]'], topUpId: form['metadata[topUpId]'] }
    const amount = Number(form.amount)
    const made = { id: `pi_${intents.size + 1}`, status, amount, amount_received: status === 'succeeded' ? amount : 0 }
    const intent = { ...made, customer: form.customer ?? '', metadata: { userId, topUpId } }
    intents.set(intent.id, intent)
    return intent
  }

  /** Undefined: never. */
  const createIntent = ({ form, key }: StripeRequest): Answer | undefined => {
    const method = form.payment_method ?? ''
    const kind = method.split('_')[1] ?? ''
    const asked = JSON.stringify(form)
    const known = kept.get(key ?? '')
    if (known) return known.asked === asked ? known.answer : failure(400, 'idempotency_error')
    if (methods.get(method) !== form.customer) return failure(400, 'invalid_request_error', 'resource_missing')
    const keep = (answer: Answer) => {
      kept.set(key ?? '', { asked, answer })
      return answer
    }
    const trouble = troubles[kind]
    if (trouble?.kept) return keep(trouble.answer)
    // What comes again under the same key finds the trouble gone.
    if (trouble && asksUnder(key) === 1) return trouble.answer
    const intent = pay(form, kind)
    if (kind === 'kept') return keep(failure(500, 'api_error'))
    keep({ status: 200, body: intent })
    return kind === 'silent' ? undefined : { status: 200, body: intent }
  }

  const retrieveIntent = (id: string): Answer => {
    const intent = intents.get(id)
    if (!intent) return failure(404, 'invalid_request_error', 'resource_missing')
    // Who asks a second time finds it paid.
    if (intent.status === 'processing')
      intents.set(id, { ...intent, status: 'succeeded', amount_received: intent.amount })
    return { status: 200, body: intent }
  }

  const retrieveMethod = (id: string): Answer => {
    const customer = methods.get(id)
    if (customer === undefined) return failure(404, 'invalid_request_error', 'resource_missing')
    if (id.startsWith('pm_away') && requests.filter(({ path }) => path.endsWith(id)).length === 1)
      return failure(503, 'api_error')
    return { status: 200, body: { id, object: 'payment_method', customer: customer && customers.get(customer) } }
  }

  const refund = ({ form, key = '' }: StripeRequest): Answer => {
    const known = kept.get(key)
    if (known) return known.answer
    const paid = form.payment_intent ?? ''
    if (refunds.some((one) => one.payment_intent === paid))
      return failure(400, 'invalid_request_error', 'charge_already_refunded')
    const made = { id: `re_${refunds.length + 1}`, payment_intent: paid, status: 'succeeded' }
    refunds.push(made)
    const answer = { status: 200, body: made }
    kept.set(key, { asked: '', answer })
    return answer
  }

  const answerTo = (request: StripeRequest): Answer | undefined => {
    const { method, path, form, headers } = request
    // Stripe itself shows only the end of it.
    if (headers.authorization !== `Bearer ${secretKey}`) {
      const message = `Invalid API Key provided: ${headers.authorization}`
      return { status: 401, body: { error: { type: 'invalid_request_error', message } } }
    }
    const [, , resource, id] = path.split('/')
    if (resource === 'payment_methods' && id) return retrieveMethod(decodeURIComponent(id))
    if (resource === 'payment_intents' && id) return retrieveIntent(id)
    if (resource === 'payment_intents' && method === 'POST') return createIntent(request)
    if (resource === 'payment_intents')
      return { status: 200, body: { data: [...intents.values()].filter(({ customer }) => customer === form.customer) } }
    if (resource === 'refunds') return refund(request)
    return failure(404, 'invalid_request_error')
  }

  const server = createServer((request, response) => {
    void readRequest(request).then((asked) => {
      requests.push(asked)
      const answer = answerTo(asked)
      if (answer) say(response, answer)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    intents,
    refunds,
    /** Attaches a method to a customer that is this user; or to nobody. */
    attach: (method: string, user: string | null) => {
      if (user !== null) customers.set(`cus_${user}`, { id: `cus_${user}`, metadata: { userId: user } })
      methods.set(method, user === null ? null : `cus_${user}`)
    },
    paidBy: (user: string) => [...intents.values()].filter(({ metadata }) => metadata.userId === user),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const readRequest = async (request: IncomingMessage): Promise<StripeRequest> => {
  let text = ''
  for await (const chunk of request) text += chunk
  const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://stripe')
  const form = Object.fromEntries([...searchParams, ...new URLSearchParams(text)])
  const { method = 'GET', headers } = request
  const key = headers['idempotency-key']
  return { method, path, key: typeof key === 'string' ? key : undefined, form, headers }
}

const say = (response: ServerResponse, { status, body }: Answer) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
