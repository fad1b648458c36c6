import { type ChildProcess, spawn } from 'node:child_process'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { stripePayments } from './stripe-payments.ts'

// That what we ask is valid by Stripe's own description of its API: stripe-mock checks every parameter against it.
// Run by `npm run test:stripe`, not by `npm test`: it needs stripe-mock on the PATH.

const PROGRAM = 'stripe-mock'
const MISSING = `${PROGRAM} is missing on the PATH: go install github.com/stripe/stripe-mock@v0.185.0`

let mock: ChildProcess | undefined
let payments: ReturnType<typeof stripePayments>

/** Its address, on a port that the system chose. */
const listening = (child: ChildProcess) =>
  new Promise<string>((resolve, reject) => {
    child.once('error', () => reject(new Error(MISSING)))
    child.once('exit', (code) => reject(new Error(`${PROGRAM} ended with ${code}.`)))
    let words = ''
    child.stdout?.on('data', (more: Buffer) => {
      words += more.toString()
      const address = /HTTP at address: (\S+)/.exec(words)?.[1]
      if (address) resolve(`http://${address}`)
    })
  })

beforeAll(async () => {
  mock = spawn(PROGRAM, ['-http-addr', '127.0.0.1:0', '-https-addr', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.once('exit', () => mock?.kill('SIGKILL'))
  const apiUrl = await listening(mock)
  payments = stripePayments({ secretKey: 'sk_test_123', apiUrl })
})
afterAll(() => mock?.kill('SIGKILL'))
afterEach(() => vi.restoreAllMocks())

const keyed = () => ({ idempotencyKey: 'key of a call', signal: AbortSignal.timeout(10_000) })
const owner = { customerId: 'cus_1', paymentMethodId: 'pm_1' }
const dollar = { topUpId: 'tup_1', userId: 'ada', amount: 1_000_000, ...owner }

/** What the server answered to what is asked meanwhile. */
const answers = async (ask: () => Promise<unknown>) => {
  const asking = vi.spyOn(globalThis, 'fetch')
  await ask().catch(() => {})
  const responses = (await Promise.all(asking.mock.results.map(({ value }) => value))) as Response[]
  return responses.map(({ status, headers }) => ({ status, key: headers.get('idempotency-key') }))
}

test('TOP-2: the payment that is asked for is valid, and goes under its call’s key', async () => {
  expect(await answers(() => payments.charge(dollar, keyed()))).toEqual([{ status: 200, key: 'key of a call' }])
})

test('GDP-1: the refund that is asked for is valid, and goes under its call’s key', async () => {
  const back = { topUpId: 'tup_1', userId: 'ada', amount: 1_000_000, paymentId: 'pi_1' }
  expect(await answers(() => payments.giveBack(back, keyed()))).toEqual([{ status: 200, key: 'key of a call' }])
})

test('TOP-1: the question whose a method is, is valid', async () => {
  expect(await answers(() => payments.ownerOf('pm_1', keyed()))).toMatchObject([{ status: 200 }])
})

test('what is not valid is refused: this test can fail', async () => {
  const odd = { ...dollar, amount: 1_000_001 }
  expect(await answers(() => payments.charge(odd, keyed()))).toMatchObject([{ status: 400 }])
})
