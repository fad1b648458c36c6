import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { type Bed, openBed } from '@coding-plans/local/bed'
import { migrate, openDatabase, select } from '@coding-plans/runtime'
import { eventually, type Heard, type Listener, type Speaker } from '@coding-plans/runtime/testing'
import { instant, type SetAutoTopUp, userId } from '@coding-plans/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BOUNDARY, postCredits, setAutoTopUp, topUpCredits } from './bodies.testing.ts'
import type { TopUp } from './domain/decision.ts'
import type { Transfer } from './domain/transfer.ts'
import { migrations } from './migrations/index.ts'
import type { Asked } from './rounds.testing.ts'
import { startStripe } from './stripe.testing.ts'
import { verifyLedger } from './verify-ledger.ts'

// The ledger as a process of its own, as it is started where PAYMENTS=stripe.

const SECRET_KEY = 'sk_test_51wordsthatmustbenowhere'
const EVENTS = 'credits-ledger.events'

let bed: Bed
let stripe: Awaited<ReturnType<typeof startStripe>>
let knex: ReturnType<typeof openDatabase>
let heard: Listener
let speaker: Speaker
let ledger: ChildProcess
let output = ''

const startLedger = (env: NodeJS.ProcessEnv) => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { PATH: process.env.PATH, ...env, LOG_LEVEL: 'trace', CLOCK: 'test', PAYMENTS: 'stripe' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (words: Buffer) => {
      output += words.toString()
    })
  return child
}

beforeAll(async () => {
  bed = await openBed()
  stripe = await startStripe(SECRET_KEY)
  const url = await bed.servers.createDatabase('ledger_stripe')
  await migrate(url, migrations)
  knex = openDatabase(url, { idleInTransactionMilliseconds: 60_000 })
  const env = { ...bed.env('ledger_stripe'), STRIPE_SECRET_KEY: SECRET_KEY, STRIPE_API_URL: stripe.url }
  ledger = startLedger(env)
  heard = await bed.listener([EVENTS])
  speaker = await bed.speaker('subscription')
})
afterAll(async () => {
  ledger?.kill('SIGKILL')
  await knex?.destroy()
  await stripe?.close()
  await bed?.close()
})

/** Says these in this order. Another cause makes another message of the same words. */
const say = (asked: readonly Asked[], cause = 'first') =>
  speaker.say(
    asked.map(([name, body], place) => {
      const how = { cause: `${cause} ${name} ${body.userId} ${place}`, time: instant(BOUNDARY + 1_000) }
      return speaker.record(name, body as never, how)
    }),
  )
const about =
  (user: string, ...names: string[]) =>
  (one: Heard) =>
    one.key === user && names.includes(one.name as string)
const DOLLAR = 1_000_000
const setting = (user: string, method: string, change: Partial<SetAutoTopUp> = {}): Asked => [
  'SetAutoTopUp',
  setAutoTopUp(user, method, 20 * DOLLAR, change),
]
/** This user's method, of this kind, is set and verified. */
const settled = async (user: string, kind: string) => {
  const method = `pm_${kind}_${user}`
  stripe.attach(method, user)
  await say([setting(user, method)])
  const [set] = await heard.until(about(user, 'AutoTopUpSet'), 1, 30_000)
  expect(set?.body).toMatchObject({ operationId: `op of ${user}`, enabled: true, paymentMethodId: method })
}
const transfersOf = (user: string) => select<Transfer>(knex, 'select * from transfers where user_id = ?', [user])
const topUpsOf = (user: string) => select<TopUp>(knex, 'select * from top_ups where user_id = ?', [user])

test('TOP-1: a method of one’s own is taken; another’s, nobody’s and none are not', async () => {
  stripe.attach('pm_ok_eve', 'eve')
  stripe.attach('pm_ok_loose', null)
  await settled('ada', 'ok')
  for (const method of ['pm_ok_eve', 'pm_ok_loose', 'pm_ok_none']) {
    await say([setting('ada', method, { operationId: `op ${method}` })], method)
    const [refused] = await heard.until(
      (one) => about('ada', 'AutoTopUpRefused')(one) && one.body.operationId === `op ${method}`,
    )
    expect(refused?.body.reason).toBe('method_not_yours')
  }
  const kept = await select(
    knex,
    "select enabled, payment_method_id, customer_id from auto_top_ups where user_id = 'ada'",
  )
  expect(kept).toEqual([{ enabled: true, paymentMethodId: 'pm_ok_ada', customerId: 'cus_ada' }])
})

test('TOP-1: while Stripe is in trouble a setting waits, and is taken when it is over', async () => {
  await settled('ava', 'away')
  expect(stripe.requests.filter(({ path }) => path.endsWith('pm_away_ava'))).toHaveLength(2)
})

test('TOP-1, TOP-2: copies of one top-up are one payment of whole cents, and one entry of just that', async () => {
  await settled('tom', 'ok')
  for (let n = 0; n < 10; n += 1)
    await say([['TopUpCredits', topUpCredits('tom', 'tup_tom', 20 * DOLLAR + 1)]], `copy ${n}`)
  const [paid] = await heard.until(about('tom', 'CreditsToppedUp'))
  const amount = 20 * DOLLAR + 10_000
  expect(paid?.body).toMatchObject({ topUpId: 'tup_tom', amount, balance: amount })
  expect(stripe.paidBy('tom')).toMatchObject([{ amount: 2_001, customer: 'cus_tom', metadata: { topUpId: 'tup_tom' } }])
  expect(await transfersOf('tom')).toMatchObject([{ kind: 'top_up', amount }])
})

test('TOP-3: declined, nothing is credited and it goes off', async () => {
  await settled('dan', 'declined')
  await say([['TopUpCredits', topUpCredits('dan', 'tup_dan', DOLLAR)]])
  const [declined] = await heard.until(about('dan', 'TopUpDeclined'))
  expect(declined?.body).toMatchObject({ topUpId: 'tup_dan', reason: 'declined' })
  const [, off] = await heard.until(about('dan', 'AutoTopUpSet'), 2)
  expect(off?.body).toMatchObject({ operationId: null, enabled: false })
  expect(await transfersOf('dan')).toEqual([])
})

test('TOP-2: paid and not answered, it is unknown, asked again under the same key, and credited once', async () => {
  await settled('nev', 'silent')
  await say([['TopUpCredits', topUpCredits('nev', 'tup_nev', DOLLAR)]])
  // The marker is there while the call is under way.
  await eventually(
    () => stripe.paidBy('nev').length,
    (count) => count === 1,
  )
  expect(await topUpsOf('nev')).toMatchObject([{ state: 'asked', amount: 20 * DOLLAR }])
  await heard.until(about('nev', 'TopUpUnanswered'), 1, 30_000)
  const [paid] = await heard.until(about('nev', 'CreditsToppedUp'), 1, 30_000)
  expect(paid?.body).toMatchObject({ amount: 20 * DOLLAR })
  const asks = stripe.requests.filter(({ form }) => form['metadata[userId]'] === 'nev')
  expect(asks.map(({ key }) => key)).toEqual([asks[0]?.key, asks[0]?.key])
  expect(stripe.paidBy('nev')).toHaveLength(1)
  expect(await transfersOf('nev')).toHaveLength(1)
})

test('GDP-1: money that arrives for who is deleted goes back, once; how they paid is forgotten', async () => {
  await settled('del', 'silent')
  await say([['TopUpCredits', topUpCredits('del', 'tup_del', DOLLAR)]])
  await eventually(
    () => stripe.paidBy('del').length,
    (count) => count === 1,
  )
  const closing = { userId: userId('del'), operationId: 'op_del' }
  await say([['CloseAccount', closing]])
  await heard.until(about('del', 'PaymentReturned'), 1, 30_000)
  expect(stripe.refunds).toMatchObject([{ payment_intent: stripe.paidBy('del')[0]?.id }])
  expect(await transfersOf('del')).toEqual([])
  expect(await topUpsOf('del')).toMatchObject([{ state: 'returned', paymentMethodId: null }])
  const left = 'select payment_method_id, customer_id from auto_top_ups where user_id = ?'
  expect(await select(knex, left, ['del'])).toEqual([{ paymentMethodId: null, customerId: null }])
})

test('GDP-1: who is deleted while a method is verified sets nothing', async () => {
  stripe.attach('pm_away_guy', 'guy')
  const closing = { userId: userId('guy'), operationId: 'op_guy' }
  await say([setting('guy', 'pm_away_guy'), ['CloseAccount', closing]])
  const [refused] = await heard.until(about('guy', 'AutoTopUpRefused'), 1, 30_000)
  expect(refused?.body).toMatchObject({ operationId: 'op of guy', reason: 'user_deleted' })
  const left = await select<{ paymentMethodId: string | null }>(knex, "select * from operations where user_id = 'guy'")
  expect(left).toMatchObject([{ state: 'user_deleted', paymentMethodId: null }])
})

test('a wrong secret key is trouble, not a decline; and in no log, event or row is either', async () => {
  const wrong = 'sk_test_51anotherthatmustbenowhere'
  ledger.kill('SIGKILL')
  const from = output.length
  const env = { ...bed.env('ledger_stripe'), STRIPE_API_URL: stripe.url }
  ledger = startLedger({ ...env, STRIPE_SECRET_KEY: wrong })
  await say([['TopUpCredits', topUpCredits('ada', 'tup_ada', DOLLAR)]])
  await heard.until(about('ada', 'TopUpUnanswered'), 1, 60_000)
  expect(output.slice(from)).toContain('The outcome of a call is unknown')
  const rows = await select(knex, 'select e.*, t.* from effects e cross join top_ups t')
  for (const secret of [SECRET_KEY, wrong])
    for (const place of [output, JSON.stringify(rows), JSON.stringify(heard.heard)]) expect(place).not.toContain(secret)
})

test('without its secret key it does not start, and says which variable is missing', async () => {
  const from = output.length
  const child = startLedger(bed.env('ledger_stripe'))
  const code = await new Promise((resolve) => child.once('exit', resolve))
  expect(code).not.toBe(0)
  expect(output.slice(from)).toContain('STRIPE_SECRET_KEY is missing (PAYMENTS=stripe needs it).')
})

test('LED-5: whatever happened, the books are right', async () => {
  await say([['PostCredits', postCredits('zoe', 'op_zoe', 1)]])
  expect((await verifyLedger(knex)).complaints).toEqual([])
})
